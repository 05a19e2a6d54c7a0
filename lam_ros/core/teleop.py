"""From a person's commands to the target at *now*.

A teleoperator sends where the joints should be, one position at a time.  Each is
reached `ramp_s` after it came, linearly from where the path was.  When a person
takes over, the step between the command in force and the first position fades out
over `handover_s`.  When the person falls silent, nothing is asked for any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_ros.core.chunking import Accepted
from lam_ros.core.clock import NS_PER_MS, ns_to_seconds, seconds_to_ns
from lam_ros.core.inbound import Rejected, RejectRule, check_numbers
from lam_ros.core.robot import RobotDescription
from lam_ros.core.trajectory import Trajectory
from lam_ros.core.types import Expired, ExpiredReason, FloatArray, Source, Target
from lam_ros.core.watchdog import Watchdog


@dataclass(frozen=True)
class TeleopConfig:
    """How a person's commands are played.

    Attributes:
        silent_after_s: without a command for so long, the arm holds.
        max_age_s: a command with an older stamp is refused.
        future_tolerance_s: how far a stamp may lie ahead of the clock.
        ramp_s: time in which a commanded position is reached; the time between two
            commands makes the path continuous.
        handover_s: time over which the step at taking over fades out.
    """

    silent_after_s: float = 0.25
    max_age_s: float = 0.25
    future_tolerance_s: float = 0.05
    ramp_s: float = 0.02
    handover_s: float = 0.5


class TeleopStream:
    """Plays the commands of one teleoperator."""

    def __init__(self, robot: RobotDescription, config: TeleopConfig | None = None) -> None:
        """Start silent."""
        config = config or TeleopConfig()
        self.config = config
        self._shape = (len(robot.joints),)
        self._ramp_ns = max(1, seconds_to_ns(config.ramp_s))
        self._handover_ns = seconds_to_ns(config.handover_s)
        self._max_age_ns = seconds_to_ns(config.max_age_s)
        self._tolerance_ns = seconds_to_ns(config.future_tolerance_s)
        self._watchdog = Watchdog(seconds_to_ns(config.silent_after_s))
        self._path: Trajectory | None = None
        self._engaged_ns = 0
        self._step: FloatArray = np.zeros(self._shape)
        self._stamp_ns: int | None = None

    def check(self, command: Target, now_ns: int) -> Rejected | None:
        """Return why a command is not to be played, or None."""
        position, stamp_ns = command.position_rad, command.obs_stamp_ns
        if position.shape != self._shape:
            return Rejected(RejectRule.LENGTH, f"shape {position.shape} came, {self._shape} needed")
        trouble = check_numbers(position)
        if trouble:
            return trouble
        age_ns = now_ns - stamp_ns
        if age_ns > self._max_age_ns:
            return Rejected(RejectRule.STALE, f"the command is {ns_to_seconds(age_ns):.3f} s old")
        if -age_ns > self._tolerance_ns:
            return Rejected(
                RejectRule.FUTURE, f"the command lies {ns_to_seconds(-age_ns):.3f} s ahead"
            )
        if self._is_older(stamp_ns, now_ns):
            return Rejected(RejectRule.OUT_OF_ORDER, "a newer command is being played")
        return None

    def accept(self, command: Target, now_ns: int, in_force_rad: FloatArray) -> Accepted | Rejected:
        """Go to a commanded position, or say why not; arguments as in `ChunkPlayer.accept`."""
        trouble = self.check(command, now_ns)
        if trouble:
            return trouble
        if self._path is None or self._watchdog.is_silent(now_ns):
            start = np.asarray(in_force_rad, dtype=np.float64)
            self._engaged_ns, self._step = now_ns, start - command.position_rad
        else:
            start = self._path.at(now_ns)
        reach_ns = now_ns + self._ramp_ns
        goal = command.position_rad + self._fade(reach_ns) * self._step
        self._path = Trajectory((now_ns, reach_ns), np.array((start, goal)))
        self._stamp_ns = command.obs_stamp_ns
        self._watchdog.feed(now_ns)
        return Accepted(seam_rad=float(np.abs(start - command.position_rad).max()))

    def target(self, now_ns: int) -> Target | Expired:
        """Return where the joints should be now, or that the person is silent."""
        if self._path is None or self._stamp_ns is None:
            return Expired(ExpiredReason.TELEOP_SILENT, "no command has come yet")
        if self._watchdog.is_silent(now_ns):
            silence_ms = (self._watchdog.silence_ns(now_ns) or 0) / NS_PER_MS
            return Expired(ExpiredReason.TELEOP_SILENT, f"no command for {silence_ms:.0f} ms")
        return Target(self._path.at(now_ns), self._stamp_ns, Source.TELEOP)

    def disengage(self) -> None:
        """Forget the path: the next command takes over anew, without a step."""
        self._path = None
        self._stamp_ns = None
        self._watchdog.starve()

    def _is_older(self, stamp_ns: int, now_ns: int) -> bool:
        playing = self._path is not None and not self._watchdog.is_silent(now_ns)
        return playing and self._stamp_ns is not None and stamp_ns <= self._stamp_ns

    def _fade(self, time_ns: int) -> float:
        if self._handover_ns <= 0:
            return 0.0
        return max(0.0, 1.0 - (time_ns - self._engaged_ns) / self._handover_ns)
