"""The controller: what the control node and the lockstep loop both run.

It holds the player of the policy's chunks, the teleoperator's stream and the safety
room, decides who is being listened to, and gives one report a tick.

One source is active at a time:

- The policy is, until a person speaks.
- A person's first command takes over at once, and the policy's chunks are dropped
  and refused (`not_active`) from then on.
- After a long silence of everybody the arm goes to its rest pose, if that is configured
  (`core.soft_stop`).
- When the person falls silent the arm holds.  The policy does not get the arm back
  by that: someone gives it back on purpose (`release_teleop`).

Whatever is taken up after a hold, a stop or a change of source begins at the command
in force, without a step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lam_ros.core.chunking import Accepted, ChunkConfig, ChunkPlayer
from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.geometry import Guard
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.robot import RobotDescription
from lam_ros.core.safety import GEOMETRIC, SafetyConfig, SafetyRoom
from lam_ros.core.soft_stop import SoftStop, SoftStopConfig
from lam_ros.core.teleop import TeleopConfig, TeleopStream
from lam_ros.core.types import (
    ActionChunk,
    Expired,
    ExpiredReason,
    FloatArray,
    JointState,
    SafetyReport,
    Source,
    Target,
    Verdict,
)
from lam_ros.core.watchdog import Watchdog

_NONSENSE = (RejectRule.NOT_FINITE, RejectRule.IMPLAUSIBLE)
"""What no working policy sends."""


@dataclass(frozen=True)
class ControlConfig:
    """Everything that the controller can be told.

    Attributes:
        policy_silent_after_s: without a chunk for so long the arm holds, even if the
            chunk that is playing has rows left.
        beat_silent_after_s: the same without a sign of life (`on_beat`) of a policy that
            gives such signs.
        joint_jump_rad: a joint state further than this from where a joint can have gone
            at its greatest speed is not believed, until the one held is stale.  What the
            policy was doing then is over: its chunks are refused until `cancel`.
    """

    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    teleop: TeleopConfig = field(default_factory=TeleopConfig)
    safety: SafetyConfig = field(default_factory=SafetyConfig)
    soft_stop: SoftStopConfig = field(default_factory=SoftStopConfig)
    policy_silent_after_s: float = 1.0
    beat_silent_after_s: float = 0.08
    joint_jump_rad: float = 0.2


class Controller:
    """Inputs come by the `on_...` methods; `tick` says what to send.  Deterministic."""

    def __init__(
        self,
        robot: RobotDescription,
        config: ControlConfig | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Start with nothing heard from anyone; `guard` knows the arm's shape."""
        config = config or ControlConfig()
        self.robot = robot
        self.config = config
        self.safety = SafetyRoom(robot, config.safety, guard)
        self._player = ChunkPlayer(robot, config.chunk)
        self._teleop = TeleopStream(robot, config.teleop)
        self._policy_watchdog = Watchdog(seconds_to_ns(config.policy_silent_after_s))
        self._soft_stop = SoftStop(robot, config.soft_stop)
        self._beat = Watchdog(seconds_to_ns(config.beat_silent_after_s))
        self._is_beating = False
        self._jumped = ""
        self._leapt = ""
        self._joints: JointState | None = None
        self._active = Source.POLICY
        self._tolerance_ns = seconds_to_ns(config.chunk.future_tolerance_s)
        self._newest_ns = 0
        self._released_ns: int | None = None

    @property
    def active(self) -> Source:
        """Who is being listened to."""
        return self._active

    @property
    def joints(self) -> JointState | None:
        """The newest joint state."""
        return self._joints

    def on_joints(self, state: JointState, now_ns: int) -> Accepted | Rejected:
        """Take a joint state; a malformed one never replaces the one that is held."""
        self._watch_clock(now_ns)
        count, held = len(self.robot.joints), self._joints
        if state.position_rad.shape != (count,):
            got = len(state.position_rad)
            return Rejected(RejectRule.LENGTH, f"{got} positions came, {count} are needed")
        if state.stamp_ns > now_ns + self._tolerance_ns:
            return Rejected(RejectRule.FUTURE, "the joint state is stamped ahead of the clock")
        if held is not None and state.stamp_ns <= held.stamp_ns:
            return Rejected(RejectRule.OUT_OF_ORDER, "a newer joint state is held")
        jump = self._jump(state)
        if held is not None and jump:
            self._jumped = self._jumped or (jump if self._player.chunk is not None else "")
            self.distrust(jump)
            if now_ns - held.stamp_ns <= self.robot.joint_state.stale_after_ns:
                return Rejected(RejectRule.IMPLAUSIBLE, jump)
        self._joints = state
        return Accepted()

    def on_beat(self, trouble: str, now_ns: int) -> None:
        """Take a sign of life of the policy that drives, or why what it has sent is not to be played.

        From the first one on, until the policy is cancelled, its silence makes the arm hold.
        """
        self._watch_clock(now_ns)
        self._beat.feed(now_ns)
        self._is_beating = True
        if trouble:
            self._player.drop(trouble)

    def distrust(self, detail: str) -> None:
        """Drop what is played: what it was computed from, or who sent it, makes no sense.

        The arm holds until someone speaks sense again.
        """
        self._player.drop(detail)
        self._teleop.disengage()
        self._soft_stop.forbid()

    def on_chunk(self, chunk: ActionChunk, now_ns: int) -> Accepted | Rejected:
        """Take a chunk from the policy."""
        self._watch_clock(now_ns)
        start = self._start(Source.POLICY)
        if isinstance(start, Rejected):
            return start
        answer = self._player.accept(chunk, now_ns, start)
        if isinstance(answer, Accepted):
            self._policy_watchdog.feed(now_ns)
        else:
            self.nonsense(answer)
        return answer

    def nonsense(self, rejected: Rejected) -> None:
        """Hear that a chunk was refused: one that no working policy sends is a reason to hold."""
        if rejected.rule in _NONSENSE:
            self.distrust(f"the policy sent nonsense: {rejected.detail}")

    def on_teleop(self, command: Target, now_ns: int) -> Accepted | Rejected:
        """Take a command from a person, who thereby takes over.

        One from before the arm was given back does not take it again: it was on its way.
        """
        self._watch_clock(now_ns)
        if self._released_ns is not None and command.obs_stamp_ns <= self._released_ns:
            return Rejected(RejectRule.OUT_OF_ORDER, "the person has let go since")
        start = self._start(Source.TELEOP)
        if isinstance(start, Rejected):
            return start
        answer = self._teleop.accept(command, now_ns, start)
        if isinstance(answer, Accepted) and self._active is not Source.TELEOP:
            self._active = Source.TELEOP
            self._player.cancel(now_ns, "a person has taken over")
        return answer

    def on_motors(self, fault: str) -> None:
        """Hold while the arm's motors are not well; an empty `fault` ends it."""
        self.safety.set_fault(fault)

    def on_estop(self, reason: str, now_ns: int) -> None:
        """Stop at once, until `reset`."""
        self.safety.estop(reason)
        self.halt(now_ns, "stopped")

    def reset(self, now_ns: int) -> str | None:
        """Release the e-stop; return why that cannot be, or None when it is done.

        Nothing moves by it: motion begins with the next chunk from an observation
        made after the reset, or the next command of a person.
        """
        self._watch_clock(now_ns)
        why_not = self.safety.reset(self._joints, now_ns)
        if why_not is None:
            self.halt(now_ns, "reset")
        return why_not

    def cancel(self, now_ns: int, detail: str = "cancelled") -> None:
        """Stop playing the policy; chunks from observations before now are refused.

        A person who is in charge stays so.
        """
        self._player.cancel(now_ns, detail)
        self._is_beating, self._jumped = False, ""
        if self._soft_stop.is_moving:
            self._soft_stop.forbid()

    def release_teleop(self, now_ns: int) -> None:
        """Give the arm back to the policy; it holds until the next chunk."""
        self._teleop.disengage()
        self._active = Source.POLICY
        self._released_ns = now_ns
        self.cancel(now_ns, "the person has let go")

    def halt(self, now_ns: int, detail: str = "halted") -> None:
        """Drop what both sources want; the arm holds until one of them speaks again."""
        self.cancel(now_ns, detail)
        self._soft_stop.forbid()
        self._teleop.disengage()
        self._policy_watchdog.starve()

    def tick(self, now_ns: int) -> SafetyReport:
        """Return what to send now, and why."""
        self._watch_clock(now_ns)
        request = self._request(now_ns)
        if isinstance(request, Target):
            self._soft_stop.spoken()
        else:
            rest = self._soft_stop.target(self.safety.last_rad, self._joints, now_ns)
            request = rest or request
        report = self.safety.judge(request, self._joints, now_ns)
        if report.verdict >= Verdict.HOLD and self._soft_stop.is_moving:
            self._soft_stop.forbid()
        if report.verdict is Verdict.HOLD and isinstance(request, Target):
            # What was playing is not resumed after a hold: the path would have run ahead.
            self._player.drop(f"held: {report.rule}")
            if report.rule not in GEOMETRIC:  # a person sees the arm stand, and steers back
                self._teleop.disengage()
        return report

    def _request(self, now_ns: int) -> Target | Expired:
        if self._leapt:  # said once, even if a chunk of the new time has come since
            leapt, self._leapt = self._leapt, ""
            return Expired(ExpiredReason.CLOCK_JUMPED, leapt)
        if self._active is Source.TELEOP:
            return self._teleop.target(now_ns)
        if self._jumped:
            return Expired(ExpiredReason.JOINTS_JUMPED, self._jumped)
        request = self._player.target(now_ns)
        if isinstance(request, Target) and self._is_beating and self._beat.is_silent(now_ns):
            limit_ms = 1e3 * self.config.beat_silent_after_s
            self._player.drop(f"no sign of life of the policy for more than {limit_ms:g} ms")
            self._is_beating = False
            return Expired(ExpiredReason.POLICY_SILENT, f"no sign of life for {limit_ms:g} ms")
        if isinstance(request, Target) and self._policy_watchdog.is_silent(now_ns):
            limit_s = self.config.policy_silent_after_s
            return Expired(ExpiredReason.POLICY_SILENT, f"no chunk for more than {limit_s:g} s")
        return request

    def _jump(self, state: JointState) -> str:
        """Return how a joint state is too far from the one held, if it is."""
        held = self._joints
        if held is None:
            return ""
        reach = self.robot.velocity_rad_s * ns_to_seconds(state.stamp_ns - held.stamp_ns)
        excess = np.abs(state.position_rad - held.position_rad) - reach
        joint = int(np.argmax(excess))
        if not excess[joint] > self.config.joint_jump_rad:
            return ""
        name = self.robot.joint_names[joint]
        jumped = abs(float(state.position_rad[joint] - held.position_rad[joint]))
        return f"joint state: {name} has jumped {jumped:.2f} rad"

    def _start(self, source: Source) -> FloatArray | Rejected:
        """Return where a new path begins, or why nobody may begin one."""
        if self.safety.stopped:
            return Rejected(RejectRule.STOPPED, "stopped; reset the e-stop first")
        if source is Source.POLICY and self._active is Source.TELEOP:
            return Rejected(RejectRule.NOT_ACTIVE, "a person has taken over; release first")
        if source is Source.POLICY and self._jumped:
            return Rejected(RejectRule.NOT_ACTIVE, f"{self._jumped}; end the skill first")
        if self.safety.last_rad is not None:
            return self.safety.last_rad
        if self._joints is None:
            return Rejected(RejectRule.NO_JOINTS, "no joint state has come, nothing to begin from")
        return self._joints.position_rad

    def _watch_clock(self, now_ns: int) -> None:
        """Drop what is played, and hold for a tick at least, when the clock leaps.

        What was stamped by a clock that has since gone back is forgotten.  To find that
        much later than at the last input or tick is to have commanded nothing for so long.
        """
        leap_ns = now_ns - self._newest_ns if self._newest_ns else 0
        went_back = leap_ns < -self._tolerance_ns
        if went_back:
            self._joints = None
            self._released_ns = None
            self._newest_ns = now_ns
        if went_back or leap_ns > self._policy_watchdog.timeout_ns:
            self._leapt = f"the clock went {ns_to_seconds(leap_ns):+.3f} s at once"
            self.distrust(self._leapt)
        self._newest_ns = max(self._newest_ns, now_ns)
