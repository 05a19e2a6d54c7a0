"""The course of a session, decided from what is seen and pressed; knows neither ROS nor screen.

    gate -> count-down -> recording -> closing -> reset -> gate ...

Each `step` looks at the present and returns the one thing to do now, if any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lam_ros.core.clock import NS_PER_S, ns_to_seconds
from lam_ros.core.errors import ConfigError
from lam_ros.recording.format import Outcome


class Phase(StrEnum):
    """Where a session is."""

    GATE = "gate"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    CLOSING = "closing"
    RESET = "reset"
    OVER = "over"


class Wish(StrEnum):
    """What a person presses."""

    KEEP = "keep"
    DISCARD = "discard"
    RERECORD = "rerecord"
    FINISH = "finish"


class Act(StrEnum):
    """What is to be done now."""

    BEGIN = "begin"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True)
class LoopConfig:
    """The times and numbers of a session.

    Attributes:
        episodes: to be kept.
        countdown_s: between the gate's opening and the beginning of an episode.
        reset_s: given to a person to put things in order.
        gate_s: how long the gate may stay closed before a session without a person gives
            up; a person is waited for without end.
        give_up_after: episodes discarded one after the other, without a person, after which
            the session ends.
        attended: whether a person is at the keys.
    """

    episodes: int = 10
    countdown_s: float = 3.0
    reset_s: float = 5.0
    gate_s: float = 60.0
    give_up_after: int = 5
    attended: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that make no session."""
        for name, least in (("episodes", 1), ("countdown_s", 0), ("reset_s", 0), ("gate_s", 1)):
            value = getattr(self, name)
            if not least <= value < 1e6:
                raise ConfigError(f"{name}: {value} came, {least} or more is allowed")
        if self.give_up_after < 1:
            raise ConfigError(f"give_up_after: {self.give_up_after} came, 1 or more is allowed")


@dataclass(frozen=True)
class Ended:
    """An episode that the recorder has closed.

    Attributes:
        frames: pictures of the camera that has the fewest.
        dropped: messages known to be missing, in all streams.
    """

    outcome: Outcome
    reason: str
    folder: str = ""
    seconds: float = 0.0
    frames: int = 0
    dropped: int = 0
    seed: int = 0

    @property
    def has_begun(self) -> bool:
        """False if the recorder's gate was closed after all."""
        return bool(self.folder) or self.outcome is not Outcome.ABORTED

    @property
    def is_kept(self) -> bool:
        """True if it counts."""
        return self.outcome in (Outcome.SUCCESS, Outcome.KEPT)


@dataclass(frozen=True)
class Verdict:
    """Who operates the arm has done: how it went."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Seen:
    """What is the case now.

    Attributes:
        blames: what keeps the gate closed; None while the recorder has not spoken.
        wishes: pressed since the last step.
        verdict: of whoever operates the arm; None while the work goes on.
        ended: the episode that was begun, once it is closed.
        is_reset: whether the table is ready again.
    """

    now_ns: int
    blames: Sequence[str] | None = ()
    wishes: Sequence[Wish] = ()
    verdict: Verdict | None = None
    ended: Ended | None = None
    is_reset: bool = True


@dataclass(frozen=True)
class Step:
    """One thing to do; outcome and reason belong to `Act.CLOSE`, the seed to the others."""

    act: Act
    outcome: Outcome = Outcome.KEPT
    reason: str = ""
    seed: int = 0


class SessionLoop:
    """Says what to do next; made for one session.

    Attributes:
        phase: where it is.
        episodes: all that were recorded, kept or not.
        trouble: why it ended early; empty if it did not.
        refusal: why an episode could not begin lately.
    """

    def __init__(self, config: LoopConfig, first_seed: int, now_ns: int) -> None:
        """Begin at the gate, with the scene of the first seed on the table."""
        self.config = config
        self.phase = Phase.GATE
        self.episodes: list[Ended] = []
        self.trouble = ""
        self.seed = first_seed
        self._since_ns = now_ns
        self._again = self._finish = False
        self._refusals = 0
        self.refusal = ""

    @property
    def kept(self) -> int:
        """Episodes that count."""
        return sum(episode.is_kept for episode in self.episodes)

    @property
    def discarded(self) -> int:
        """Episodes that do not."""
        return len(self.episodes) - self.kept

    def seconds_in_phase(self, now_ns: int) -> float:
        """Return how long the phase has lasted."""
        return ns_to_seconds(now_ns - self._since_ns)

    def countdown(self, now_ns: int) -> int:
        """Return the whole seconds until the episode begins."""
        left_s = self.config.countdown_s - self.seconds_in_phase(now_ns)
        return max(0, -int(-left_s // 1))

    def step(self, seen: Seen) -> Step | None:
        """Look at the present; return what to do now, or None."""
        steps = {
            Phase.GATE: self._at_gate,
            Phase.COUNTDOWN: self._counting,
            Phase.RECORDING: self._recording,
            Phase.CLOSING: self._closing,
            Phase.RESET: self._resetting,
        }
        return steps[self.phase](seen) if self.phase in steps else None

    def _go(self, phase: Phase, now_ns: int) -> None:
        self.phase, self._since_ns = phase, now_ns

    def _at_gate(self, seen: Seen) -> Step | None:
        if Wish.FINISH in seen.wishes:
            self._go(Phase.OVER, seen.now_ns)
        elif seen.blames is not None and not seen.blames:
            self._go(Phase.COUNTDOWN, seen.now_ns)
        elif not self.config.attended and self._has_lasted(self.config.gate_s, seen.now_ns):
            blames = "the recorder is silent" if seen.blames is None else "; ".join(seen.blames)
            self._give_up(f"the start gate stayed closed: {blames}", seen.now_ns)
        return None

    def _counting(self, seen: Seen) -> Step | None:
        if Wish.FINISH in seen.wishes:
            self._go(Phase.OVER, seen.now_ns)
        elif seen.blames:
            self._go(Phase.GATE, seen.now_ns)
        elif Wish.KEEP in seen.wishes or self._has_lasted(self.config.countdown_s, seen.now_ns):
            self._go(Phase.RECORDING, seen.now_ns)
            return Step(Act.BEGIN, seed=self.seed)
        return None

    def _recording(self, seen: Seen) -> Step | None:
        if seen.ended is not None:  # it ended by itself
            return self._closing(seen)
        self._again = Wish.RERECORD in seen.wishes
        self._finish = Wish.FINISH in seen.wishes
        if Wish.KEEP in seen.wishes:
            outcome, reason = Outcome.KEPT, "kept by the operator"
        elif Wish.DISCARD in seen.wishes:
            outcome, reason = Outcome.DISCARDED, "discarded by the operator"
        elif self._again:
            outcome, reason = Outcome.DISCARDED, "to be recorded again"
        elif self._finish:
            outcome, reason = Outcome.DISCARDED, "the session was finished by the operator"
        elif seen.verdict is not None:
            outcome, reason = seen.verdict.outcome, seen.verdict.reason
        else:
            return None
        self._go(Phase.CLOSING, seen.now_ns)
        return Step(Act.CLOSE, outcome, reason)

    def _closing(self, seen: Seen) -> Step | None:
        if seen.ended is None:
            return None
        if not seen.ended.has_begun:
            self._refused(seen.ended.reason, seen.now_ns)
            return None
        self._refusals = 0
        self.episodes.append(replace(seen.ended, seed=self.seed))
        if self._finish or self.kept >= self.config.episodes:
            self._go(Phase.OVER, seen.now_ns)
            return None
        if self._fails_always():
            self._give_up(f"{self.config.give_up_after} episodes in a row were discarded, the "
                          f"last: {seen.ended.reason}", seen.now_ns)  # fmt: skip
            return None
        if not self._again:
            self.seed += 1
        self._again = False
        self._go(Phase.RESET, seen.now_ns)
        return Step(Act.RESET, seed=self.seed)

    def _refused(self, reason: str, now_ns: int) -> None:
        """Go back to the gate: something went wrong in the moment of the beginning."""
        self._refusals += 1
        self.refusal = reason
        self._go(Phase.OVER if self._finish else Phase.GATE, now_ns)
        if not self.config.attended and self._refusals >= self.config.give_up_after:
            self._give_up(f"{self._refusals} episodes in a row could not begin: {reason}", now_ns)

    def _resetting(self, seen: Seen) -> Step | None:
        if Wish.FINISH in seen.wishes:
            self._go(Phase.OVER, seen.now_ns)
        elif seen.is_reset and (
            Wish.KEEP in seen.wishes or self._has_lasted(self.config.reset_s, seen.now_ns)
        ):
            self._go(Phase.GATE, seen.now_ns)
        return None

    def _fails_always(self) -> bool:
        last = self.episodes[-self.config.give_up_after :]
        enough = len(last) == self.config.give_up_after
        return not self.config.attended and enough and not any(e.is_kept for e in last)

    def _give_up(self, why: str, now_ns: int) -> None:
        self.trouble = why
        self._go(Phase.OVER, now_ns)

    def _has_lasted(self, seconds: float, now_ns: int) -> bool:
        return now_ns - self._since_ns >= seconds * NS_PER_S
