"""The safety room: every command passes it, and nothing passes a limit.

A request comes in, a report goes out, always: the verdict, the rule that decided
and what goes to the motors.  The room never raises on a request, whatever it holds.

    PASS     sent as asked
    CLAMPED  sent within limits
    HOLD     the arm keeps its last safe command
    STOP     the same, latched until someone resets it on purpose

The rules are applied in the order of `Rule`; the first that bites is named, and the
detail tells of the others.  Only one moves the arm where nobody asked it to go: a joint
that presses too hard for too long is let give in, which is to say that the command goes
to where the arm is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lam_ros.core.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from lam_ros.core.geometry import Fence, Guard
from lam_ros.core.limits import Limits, SafetyConfig
from lam_ros.core.robot import RobotDescription
from lam_ros.core.strain import Strain
from lam_ros.core.types import (
    Expired,
    FloatArray,
    JointState,
    SafetyReport,
    Source,
    Target,
    Verdict,
    frozen_floats,
)

__all__ = ["GEOMETRIC", "Rule", "SafetyConfig", "SafetyRoom"]


class Rule(StrEnum):
    """What decided; where nothing is asked for, the rule is the `ExpiredReason`."""

    OK = "ok"
    ESTOP = "estop"
    MALFORMED = "malformed"
    LENGTH = "length"
    NOT_FINITE = "not_finite"
    STALE = "stale"
    FUTURE = "future"
    JOINTS_MISSING = "joints_missing"
    JOINTS_LENGTH = "joints_length"
    JOINTS_STALE = "joints_stale"
    JOINTS_FUTURE = "joints_future"
    POSITION = "position"
    LEAD = "lead"
    VELOCITY = "velocity"
    ACCELERATION = "acceleration"
    WORKSPACE = "workspace"
    KEEP_OUT = "keep_out"
    SELF_COLLISION = "self_collision"
    TABLE = "table"
    EFFORT = "effort"
    MOTORS = "motors"


GEOMETRIC = frozenset({Rule.WORKSPACE, Rule.KEEP_OUT, Rule.SELF_COLLISION, Rule.TABLE})
"""Rules that a pose breaks, not a message: another pose may pass at once."""


@dataclass(frozen=True)
class _Trouble:
    rule: str
    detail: str


_NOTHING = _Trouble("nothing_asked", "nothing is asked for")


class SafetyRoom:
    """Judges one request a tick and remembers what was sent.  Deterministic."""

    def __init__(
        self,
        robot: RobotDescription,
        config: SafetyConfig | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Start with nothing sent and nothing stopped; without `guard`, no geometric rules."""
        config = config or SafetyConfig()
        self.config = config
        self._names = robot.joint_names
        self._shape = (len(robot.joints),)
        self._limits = Limits(robot, config)
        self._fence = Fence(guard)
        self._strain = Strain(robot, config)
        self._gripper = robot.gripper_index
        self._period_ns = robot.control_period_ns
        self._max_step_ns = round(config.max_step_periods * robot.control_period_ns)
        self._joints_stale_ns = robot.joint_state.stale_after_ns
        self._max_age_ns = seconds_to_ns(config.max_age_s)
        self._tolerance_ns = seconds_to_ns(config.future_tolerance_s)
        self._last: FloatArray | None = None
        self._velocity: FloatArray = np.zeros(self._shape)
        self._judged_ns: int | None = None
        self._stop: str | None = None
        self._fault = ""

    @property
    def last_rad(self) -> FloatArray | None:
        """The last safe command, shape (J,); None before the first."""
        return self._last

    @property
    def stopped(self) -> bool:
        """Whether the e-stop is latched."""
        return self._stop is not None

    def estop(self, reason: str) -> None:
        """Stop, until reset on purpose."""
        self._stop = reason or "e-stop"

    def set_fault(self, detail: str) -> None:
        """Hold while the motors are not well, as the arm says; an empty `detail` ends it."""
        self._fault = detail

    def reset(self, measured: JointState | None, now_ns: int) -> str | None:
        """Release the e-stop, resuming from where the arm is; return why not, or None.

        The gripper keeps its last command, so that what it holds is not let go.
        """
        trouble = self._joints_trouble(measured, now_ns)
        if trouble or measured is None:
            return trouble.detail if trouble else "no joint state has come"
        kept = self._last
        self._stop, self._velocity = None, np.zeros(self._shape)
        self._last = self._limits.inside(measured.position_rad)
        if kept is not None:
            self._last[self._gripper] = kept[self._gripper]
        return None

    def judge(
        self, request: Target | Expired | None, measured: JointState | None, now_ns: int
    ) -> SafetyReport:
        """Decide what goes to the motors now.

        Args:
            request: what is asked for, or why nothing is.
            measured: the newest joint state.
            now_ns: the present time, in the time base of all stamps.
        """
        elapsed_ns = self._elapsed(now_ns)
        joints_trouble = self._joints_trouble(measured, now_ns)
        if self._last is None and measured is not None and not joints_trouble:
            self._last = self._limits.inside(measured.position_rad)
        if self._stop is not None:
            return self._report(Verdict.STOP, _Trouble(Rule.ESTOP, self._stop), request)
        trouble = self._request_trouble(request, now_ns) or joints_trouble or _no_target(request)
        if trouble or measured is None or not isinstance(request, Target) or self._last is None:
            return self._report(Verdict.HOLD, trouble or _NOTHING, request)
        return self._decide(request, measured, self._last, elapsed_ns, now_ns)

    def _elapsed(self, now_ns: int) -> int:
        """Time since the last judgement, bounded so that no tick allows a jump."""
        last_ns, self._judged_ns = self._judged_ns, now_ns
        if last_ns is None:
            return self._period_ns
        return max(0, min(now_ns - last_ns, self._max_step_ns))

    def _request_trouble(self, request: object, now_ns: int) -> _Trouble | None:
        """Length, finiteness and age, in this order."""
        if request is None or isinstance(request, Expired):
            return None
        if not isinstance(request, Target):
            return _Trouble(Rule.MALFORMED, f"a {type(request).__name__} came, a Target is needed")
        position, stamp_ns = request.position_rad, request.obs_stamp_ns
        if position.shape != self._shape:
            return _Trouble(Rule.LENGTH, f"shape {position.shape} came, {self._shape} is needed")
        finite = np.isfinite(position)
        if not finite.all():
            name = self._names[int(np.argmin(finite))]
            return _Trouble(Rule.NOT_FINITE, f"joint '{name}' is asked to go to NaN or infinity")
        if not isinstance(stamp_ns, int | np.integer):
            return _Trouble(Rule.MALFORMED, "the stamp is not a whole number of nanoseconds")
        age_ns = now_ns - int(stamp_ns)
        if age_ns > self._max_age_ns:
            return _Trouble(Rule.STALE, f"its observation is {age_ns / NS_PER_S:.3f} s old")
        if -age_ns > self._tolerance_ns:
            return _Trouble(Rule.FUTURE, f"its observation lies {-age_ns / NS_PER_S:.3f} s ahead")
        return None

    def _joints_trouble(self, measured: JointState | None, now_ns: int) -> _Trouble | None:
        if measured is None:
            return _Trouble(Rule.JOINTS_MISSING, "no joint state has come")
        if measured.position_rad.shape != self._shape:
            count = len(measured.position_rad)
            return _Trouble(Rule.JOINTS_LENGTH, f"joint state has {count} of {len(self._names)}")
        age_ns = now_ns - measured.stamp_ns
        if age_ns > self._joints_stale_ns:
            return _Trouble(Rule.JOINTS_STALE, f"joint state is {age_ns / NS_PER_MS:.0f} ms old")
        if -age_ns > self._tolerance_ns:
            return _Trouble(
                Rule.JOINTS_FUTURE, f"joint state lies {-age_ns / NS_PER_MS:.0f} ms ahead"
            )
        return None

    def _decide(
        self, request: Target, measured: JointState, last: FloatArray, elapsed_ns: int, now_ns: int
    ) -> SafetyReport:
        """Judge a well-formed request by limits, geometry, effort and the motors' health."""
        if self._fault:
            return self._report(Verdict.HOLD, _Trouble(Rule.MOTORS, self._fault), request)
        strained = self._strain.judge(measured, now_ns)
        wanted = self._giving_in(measured, last) if strained else request.position_rad
        elapsed_s = elapsed_ns / NS_PER_S
        sent, bites = self._limits.apply(
            wanted, measured.position_rad, last, self._velocity, elapsed_s
        )
        blocked = self._fence.blocks(last, sent)
        if blocked is not None:
            return self._report(Verdict.HOLD, _Trouble(blocked.rule, blocked.detail), request)
        velocity = (sent - last) / elapsed_s if elapsed_s > 0 else np.zeros(self._shape)
        self._last, self._velocity = sent, velocity
        if strained:
            trouble = _Trouble(Rule.EFFORT, strained)
            return self._report(Verdict.CLAMPED, trouble, request, moved=True)
        if not bites:
            return self._report(Verdict.PASS, _Trouble(Rule.OK, ""), request, moved=True)
        detail = "; ".join(bite.detail for bite in bites)
        return self._report(Verdict.CLAMPED, _Trouble(bites[0].name, detail), request, moved=True)

    def _giving_in(self, measured: JointState, last: FloatArray) -> FloatArray:
        """Return where the arm is, with the gripper's grip kept."""
        wanted = measured.position_rad.copy()
        wanted[self._gripper] = last[self._gripper]
        return wanted

    def _report(
        self, verdict: Verdict, why: _Trouble, request: object, *, moved: bool = False
    ) -> SafetyReport:
        if not moved:
            self._velocity = np.zeros(self._shape)
        sent = None if self._last is None else frozen_floats(self._last, "sent_rad", 1)
        if not isinstance(request, Target):
            return SafetyReport(verdict, str(why.rule), why.detail, sent)
        position = request.position_rad
        sound = position.shape == self._shape and bool(np.isfinite(position).all())
        return SafetyReport(
            verdict,
            str(why.rule),
            why.detail,
            sent,
            position if sound else None,
            request.obs_stamp_ns,
            request.source if isinstance(request.source, Source) else Source.NONE,
        )


def _no_target(request: Target | Expired | None) -> _Trouble | None:
    if isinstance(request, Expired):
        return _Trouble(str(request.reason), request.detail)
    return _NOTHING if request is None else None
