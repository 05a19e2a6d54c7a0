"""One skill run of a policy: what to do next, and when and why it ends.

The decisions only; who owns the thread, the policy and the streams acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from lam_ros.core.clock import NS_PER_MS, ns_to_seconds, seconds_to_ns
from lam_ros.core.types import NotReady, Observation


@dataclass(frozen=True)
class ServingConfig:
    """How a policy is served.

    Attributes:
        replan_every_s: least time between the stamps of two inferences.
        no_observation_after_s: without an observation for so long the run ends.
        max_timeout_s: longest run; a longer or no time-out is cut to this.
        max_rejections: after so many chunks in a row that must not be released the run ends.
    """

    replan_every_s: float = 0.16
    no_observation_after_s: float = 1.0
    max_timeout_s: float = 120.0
    max_rejections: int = 5


class SkillEnd(IntEnum):
    """Why a skill run ended; the numbers are those of RunSkill.action."""

    CANCELLED = 0
    TIMEOUT = 1
    NO_OBSERVATION = 2
    POLICY_ERROR = 3
    STOPPED = 4
    REJECTED = 5


@dataclass(frozen=True)
class Ended:
    """The run is over: why, and one line for people."""

    reason: SkillEnd
    detail: str


class Wait:
    """Nothing to do until something new comes."""


type Decision = Observation | Wait | Ended
"""Infer from this observation, wait, or stop."""

WAIT = Wait()


class SkillRun:
    """Decides for one run of one skill."""

    def __init__(self, config: ServingConfig, start_ns: int, timeout_s: float) -> None:
        """Begin at `start_ns`; a `timeout_s` that is not positive means the longest allowed."""
        asked_s = timeout_s if timeout_s > 0 else config.max_timeout_s
        self._timeout_s = min(asked_s, config.max_timeout_s)
        self._config = config
        self._start_ns = start_ns
        self._seen_ns = start_ns
        self._inferred_stamp_ns: int | None = None
        self._ended: Ended | None = None
        self.chunks = 0
        self._rejections = 0

    @property
    def has_ended(self) -> bool:
        """True once the run has been asked to end."""
        return self._ended is not None

    def end(self, reason: SkillEnd, detail: str) -> None:
        """Ask the run to end; the first reason stays."""
        if self._ended is None:
            self._ended = Ended(reason, detail)

    def seconds(self, now_ns: int) -> float:
        """Return the time since the start."""
        return ns_to_seconds(now_ns - self._start_ns)

    def decide(self, now_ns: int, seen: Observation | NotReady) -> Decision:
        """Return what to do now, given what can be seen now."""
        if self._ended is None and self.seconds(now_ns) > self._timeout_s:
            self.end(SkillEnd.TIMEOUT, f"not done within {self._timeout_s:g} s")
        if self._ended is not None:
            return self._ended
        if isinstance(seen, NotReady):
            return self._wait_for_sight(now_ns, seen)
        self._seen_ns = now_ns
        return seen if self._is_new(seen) else WAIT

    def took(self, observation: Observation) -> None:
        """Note that a chunk was made of an observation and sent."""
        self._inferred_stamp_ns = observation.stamp_ns
        self.chunks += 1
        self._rejections = 0

    def withheld(self, observation: Observation, why: str) -> None:
        """Note that the chunk made of an observation must not be released; it is asked again."""
        self._inferred_stamp_ns = observation.stamp_ns
        self._rejections += 1
        if self._rejections >= self._config.max_rejections:
            self.end(SkillEnd.REJECTED, f"{self._rejections} chunks in a row were refused; {why}")

    def _wait_for_sight(self, now_ns: int, reason: NotReady) -> Decision:
        blind_ns = now_ns - self._seen_ns
        limit_ns = seconds_to_ns(self._config.no_observation_after_s)
        if blind_ns <= limit_ns:
            return WAIT
        detail = (
            f"no observation for {blind_ns / NS_PER_MS:.0f} ms ({reason.detail}); "
            f"see that '{reason.stream}' is published"
        )
        self.end(SkillEnd.NO_OBSERVATION, detail)
        return Ended(SkillEnd.NO_OBSERVATION, detail)

    def _is_new(self, seen: Observation) -> bool:
        if self._inferred_stamp_ns is None:
            return True
        since_ns = seen.stamp_ns - self._inferred_stamp_ns
        # A clock that went back starts over; half a control period of slack lets the
        # camera's grid and the interval meet.
        slack_ns = 10 * NS_PER_MS
        return since_ns < 0 or since_ns >= seconds_to_ns(self._config.replan_every_s) - slack_ns
