"""One run: start the graph, send the instruction, watch, judge, and end it all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import rclpy

from lam_interfaces.action import ExecuteInstruction
from lam_ros.bridge.runtime import ended_by_signal, ros
from lam_ros.core.errors import MachineError
from lam_ros.core.types import ImageArray
from lam_ros.run.client import RunClient
from lam_ros.run.console import Console
from lam_ros.run.hosts import InProcess
from lam_ros.run.report import Termination
from lam_ros.run.timeline import Timeline
from lam_ros.run.view import View
from lam_ros.supervisor import NodeDied, NodeSpec, Supervisor

START_S = 90.0
"""Longest time until all nodes are active; loading a policy from a cold disk is slow."""

END_S = 4.0
"""Longest time that a cancelled instruction may take to end."""

LOOK_S = 15.0
"""Longest wait until a picture of the goal has been looked at."""

SPIN_S = 0.05
LOOK_EVERY_S = 0.1
"""Time between two looks at the processes, and two pictures of the progress."""

_TERMINATIONS = {
    ExecuteInstruction.Result.SUCCEEDED: Termination.SUCCEEDED,
    ExecuteInstruction.Result.STEP_FAILED: Termination.STEP_FAILED,
    ExecuteInstruction.Result.REFUSED: Termination.REFUSED,
    ExecuteInstruction.Result.QUESTION: Termination.QUESTION,
    ExecuteInstruction.Result.CANCELLED: Termination.CANCELLED,
    ExecuteInstruction.Result.STOPPED: Termination.STOPPED,
}


@dataclass(frozen=True)
class Verdict:
    """What the ground truth says of the goal.

    Attributes:
        goal: literals that were judged.
        failing: those that do not hold.
    """

    goal: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """True if there is a goal, and all of it holds."""
        return bool(self.goal) and not self.failing


@dataclass(frozen=True)
class Ended:
    """How the instruction ended, before any picture is made."""

    termination: Termination
    message: str
    timeline: Timeline
    verdict: Verdict
    result: ExecuteInstruction.Result | None
    start_seconds: float
    seconds: float
    sight: Mapping[str, float] = field(default_factory=dict)


class Interrupted(Exception):
    """A signal asks for the end."""


class Session:
    """Runs one instruction on a graph; made for one use."""

    def __init__(
        self,
        specs: tuple[NodeSpec, ...],
        host: Supervisor | None,
        view: View,
        max_seconds: float,
        picture: ImageArray | None = None,
    ) -> None:
        """Prepare.

        Args:
            specs: the nodes.
            host: runs them; None to run them in this process.
            view: shows what happens.
            max_seconds: of the instruction, after which it is cancelled.
            picture: how the table shall look, rgb8, shape (H, W, 3); None if words say all.
        """
        self._picture = picture
        self._specs = specs
        self._host = host
        self._view = view
        self._max_seconds = max_seconds
        self._signals: list[int] = []
        self._began = time.monotonic()

    def run(self, instruction: str, answer: str) -> Ended:
        """Carry out an instruction.

        Raises:
            LamError: if the graph cannot be started.
        """
        try:
            return self._run(instruction, answer)
        finally:
            # A node in a reference cycle keeps the middleware's threads, which abort an exit.
            gc.collect()

    def _run(self, instruction: str, answer: str) -> Ended:
        with ended_by_signal() as self._signals, ros() as self._executor:
            node = rclpy.create_node("lam_run")
            self._executor.add_node(node)
            client = RunClient(node, [spec.name for spec in self._specs])
            try:
                with Console(node) as self._console, self._graph() as self._check:
                    return self._converse(client, instruction, answer)
            except Interrupted:
                return self._ended(client, Termination.CANCELLED, "interrupted")
            finally:
                # What the executor still looks at must not be destroyed under it.
                self._executor.shutdown()
                rclpy.try_shutdown()
                node.destroy_node()

    @contextmanager
    def _graph(self) -> Iterator[Callable[[], None]]:
        """Run the nodes in the block; gives what checks that they live."""
        self._view.activity("starting the graph")
        if self._host is not None:
            with self._host as host:
                yield host.check
            return
        with InProcess(self._specs, self._executor) as host:
            host.bring_up()
            yield host.check

    def _converse(self, client: RunClient, instruction: str, answer: str) -> Ended:
        self._wait_until_ready(client)
        self._start_seconds = time.monotonic() - self._began
        if self._picture is not None:
            self._view.activity("looking at the picture")
            client.show(self._picture)
            self._spin(lambda: client.is_pictured, LOOK_S, client)
        self._view.hint = self._console.hint
        self._view.activity("planning")
        client.send(instruction, answer)
        try:
            return self._follow(client)
        except NodeDied as error:
            return self._ended(client, Termination.NODE_DIED, str(error))
        except Interrupted:
            self._cancel(client)
            return self._ended(client, Termination.CANCELLED, "interrupted")

    def _follow(self, client: RunClient) -> Ended:
        """Watch until the instruction has ended, then ask the judge."""
        over = lambda: client.result is not None or client.is_rejected  # noqa: E731
        if not self._spin(over, self._max_seconds, client):
            self._cancel(client)
            message = f"not done within {self._max_seconds:g} s (max_seconds)"
            return self._ended(client, Termination.TIMEOUT, message, self._judge(client))
        if client.result is None:
            return self._ended(client, Termination.REFUSED, "the planner is busy with another")
        termination = _TERMINATIONS[client.result.termination]
        message = "" if termination is Termination.SUCCEEDED else client.result.message
        verdict = self._judge(client)
        if termination is Termination.SUCCEEDED and not verdict.holds:
            termination = Termination.GOAL_NOT_REACHED
            message = f"the plan was finished, but {', '.join(verdict.failing)} does not hold"
        return self._ended(client, termination, message, verdict)

    def _wait_until_ready(self, client: RunClient) -> None:
        next_look = 0.0
        deadline = time.monotonic() + START_S
        while not client.is_ready:
            now = time.monotonic()
            if now > deadline:
                names = ", ".join(client.waiting_for) or "its servers"
                raise MachineError(
                    f"the graph did not start in {START_S:g} s, no word of {names}: "
                    "is the machine busy? Try again, or look into the run's logs"
                )
            if now >= next_look:
                self._check()
                client.ask_states(now)
                waiting = ", ".join(client.waiting_for)
                self._view.activity(f"starting {waiting}" if waiting else "connecting")
                next_look = now + LOOK_EVERY_S
            self._spin_once()

    def _spin(self, done: Callable[[], bool], limit_s: float, client: RunClient) -> bool:
        """Run callbacks until done; False if that takes too long."""
        deadline = time.monotonic() + limit_s
        next_look = 0.0
        while not done():
            now = time.monotonic()
            if now > deadline:
                return False
            if now >= next_look:
                self._check()
                self._view.plan(client.timeline, time.time_ns())
                next_look = now + LOOK_EVERY_S
            self._spin_once()
        self._view.plan(client.timeline, time.time_ns())
        return True

    def _spin_once(self) -> None:
        self._console.look()
        self._executor.spin_once(timeout_sec=SPIN_S)
        if self._signals:
            raise Interrupted

    def _cancel(self, client: RunClient) -> None:
        """End the instruction with the arm at rest; a second signal is not waited for."""
        client.cancel()
        seen = len(self._signals)
        deadline = time.monotonic() + END_S
        while client.result is None and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=SPIN_S)
            if len(self._signals) > seen:
                break

    def _judge(self, client: RunClient) -> Verdict:
        goal = tuple(client.result.goal) if client.result is not None else ()
        if not goal:
            return Verdict()
        named = client.naming.true_literals(goal)
        known = [text for text in named if isinstance(text, str)]
        future = client.judge(known)
        if not self._spin(future.done, END_S, client):
            return Verdict(goal, goal)
        holds = dict(zip(known, future.result().holds, strict=True))
        failing = tuple(
            said if isinstance(text, str) else f"{said} ({text.reason})"
            for said, text in zip(goal, named, strict=True)
            if not (isinstance(text, str) and holds[text])
        )
        return Verdict(goal, failing)

    def _ended(
        self,
        client: RunClient,
        termination: Termination,
        message: str,
        verdict: Verdict | None = None,
    ) -> Ended:
        timeline = client.timeline
        timeline.end_ns = timeline.end_ns or time.time_ns()
        start_seconds = getattr(self, "_start_seconds", time.monotonic() - self._began)
        seconds = timeline.seconds(timeline.end_ns) if timeline.start_ns else 0.0
        return Ended(
            termination, message, timeline, verdict or Verdict(), client.result,
            start_seconds, seconds, client.sight.figures(),
        )  # fmt: skip
