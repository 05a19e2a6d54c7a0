"""A skill run in a thread of its own, so that inference never delays the streams."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from lam_ros.core.assemble import Assembler
from lam_ros.core.clock import NS_PER_MS, Clock
from lam_ros.core.robot import RobotDescription
from lam_ros.core.serving import Ended, SkillEnd, SkillRun, Wait
from lam_ros.core.types import ActionChunk, CameraFrame, JointState, NotReady, Observation

USUAL_COUNT = 4
"""Inferences that tell how long one usually takes."""

LOOK_EVERY_S = 0.02
"""Longest time between two decisions while nothing new comes."""


class Sight:
    """An assembler that one thread fills and another looks at."""

    def __init__(self, robot: RobotDescription) -> None:
        """Start with nothing seen."""
        self._assembler = Assembler(robot)
        self._news = threading.Condition()

    def put_frame(self, frame: CameraFrame) -> None:
        """Hold a picture and wake who waits."""
        with self._news:
            self._assembler.put_frame(frame)
            self._news.notify_all()

    def put_joints(self, state: JointState) -> None:
        """Hold a joint state; pictures are what a policy waits for, so nobody is woken."""
        with self._news:
            self._assembler.put_joints(state)

    def look(self, now_ns: int) -> Observation | NotReady:
        """Return what is seen now, or why nothing is."""
        with self._news:
            return self._assembler.assemble(now_ns)

    def trouble(self, now_ns: int, blind_after_ns: int) -> str:
        """Return why the arm should not go on by what was seen last, or nothing.

        Args:
            now_ns: the present time.
            blind_after_ns: age above which a camera counts as lost, though a picture of
                that age would still do to look at.
        """
        with self._news:
            seen = self._assembler.assemble(now_ns)
        if isinstance(seen, NotReady):
            return seen.detail
        oldest = max(seen.age_ns, key=lambda stream: seen.age_ns[stream])
        age_ns = seen.age_ns[oldest]
        return "" if age_ns <= blind_after_ns else f"{oldest}: {age_ns / NS_PER_MS:.0f} ms old"

    def wait(self, timeout_s: float) -> None:
        """Wait for a picture."""
        with self._news:
            self._news.wait(timeout_s)

    def wake(self) -> None:
        """Wake who waits, though nothing came."""
        with self._news:
            self._news.notify_all()


@dataclass(frozen=True)
class SkillCalls:
    """What a worker does with its decisions; each is called in the worker's thread.

    Attributes:
        infer: turns an observation into a chunk.
        send: publishes a chunk.
        review: says why a chunk must not be sent; empty if it may.
        ended: hears how the run ended, once.
        observe: hears of observations between two inferences; a policy may look back.
    """

    infer: Callable[[Observation], ActionChunk]
    send: Callable[[ActionChunk], None]
    ended: Callable[[Ended], None]
    observe: Callable[[Observation], None] = lambda _: None
    review: Callable[[ActionChunk], str] = lambda _chunk: ""


class SkillWorker:
    """Looks, infers and sends until the run ends."""

    def __init__(self, run: SkillRun, sight: Sight, clock: Clock, calls: SkillCalls) -> None:
        """Prepare a thread; `start` starts it."""
        self.run = run
        self._sight = sight
        self._clock = clock
        self._calls = calls
        self._thread = threading.Thread(target=self._work, name="skill", daemon=True)
        self._busy_since_ns: int | None = None
        self._took_ns: deque[int] = deque(maxlen=USUAL_COUNT)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self, reason: SkillEnd, detail: str) -> None:
        """Ask the run to end; returns at once."""
        self.run.end(reason, detail)
        self._sight.wake()

    def join(self, timeout_s: float = 5.0) -> None:
        """Wait until the run has ended."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def trouble(self, now_ns: int, blind_after_ns: int, slow_after_ns: int) -> str:
        """Return why the arm should not go on by the last chunk, or nothing; from any thread.

        Args:
            now_ns: the present time.
            blind_after_ns: as in `Sight.trouble`.
            slow_after_ns: how long an inference may take, unless the last ones have been slow
                themselves: then twice as long as the longest of them.
        """
        since_ns = self._busy_since_ns
        allowed_ns = max(slow_after_ns, *(2 * took_ns for took_ns in tuple(self._took_ns)), 0)
        if since_ns is not None and now_ns - since_ns > allowed_ns:
            return f"the policy has thought for {(now_ns - since_ns) / NS_PER_MS:.0f} ms"
        return self._sight.trouble(now_ns, blind_after_ns)

    def _work(self) -> None:
        decision: Observation | Wait | Ended = Wait()
        while not isinstance(decision, Ended):
            now_ns = self._clock.now_ns()
            seen = self._sight.look(now_ns)
            decision = self.run.decide(now_ns, seen)
            if isinstance(decision, Wait):
                if isinstance(seen, Observation):
                    self._calls.observe(seen)
                self._sight.wait(LOOK_EVERY_S)
            elif isinstance(decision, Observation):
                self._infer(decision)
        self._calls.ended(decision)

    def _infer(self, observation: Observation) -> None:
        self._busy_since_ns = self._clock.now_ns()
        try:
            chunk = self._calls.infer(observation)
            refused = self._calls.review(chunk)
        except Exception as error:  # noqa: BLE001  a policy may fail in any way; the arm holds
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            self.run.end(SkillEnd.POLICY_ERROR, f"the policy failed: {reason}")
            return
        finally:
            self._took_ns.append(self._clock.now_ns() - self._busy_since_ns)
            self._busy_since_ns = None
        if refused:
            self.run.withheld(observation, refused)
        elif not self.run.has_ended:
            self._calls.send(chunk)
            self.run.took(observation)
