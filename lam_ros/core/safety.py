"""The safety room: every command passes it, and nothing passes a limit.

A request comes in, a report goes out, always: the verdict, the rule that decided
and what goes to the motors.  The room never raises on a request, whatever it holds.

    PASS     sent as asked
    CLAMPED  sent within limits
    HOLD     the arm keeps its last safe command
    STOP     the same, latched until someone resets it on purpose

The rules are applied in the order of `Rule`; the first that bites is named, and the
detail tells of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lam_ros.core.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
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

EPSILON_RAD = 1e-9
"""Differences up to this are rounding, not a limit that bites."""


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


@dataclass(frozen=True)
class SafetyConfig:
    """The limits that are not the robot's own.

    Attributes:
        max_age_s: a request computed from an older observation is not carried out.
        future_tolerance_s: how far a stamp may lie ahead of the clock.
        velocity_scale: part of the robot's velocity limits that may be used.
        max_acceleration_rad_s2: limit on speeding up; braking is always allowed.
            None for no limit.
        max_lead_rad: how far a command may be from where the joint is, so that it
            does not run away from an arm that is held up.
        gripper_max_lead_rad: the same for the gripper, which grips by leading;
            None for no limit.
        max_step_periods: a tick that comes late moves no further than so many
            control periods allow.
    """

    max_age_s: float = 5.0
    future_tolerance_s: float = 0.05
    velocity_scale: float = 1.0
    max_acceleration_rad_s2: float | None = None
    max_lead_rad: float = 0.5
    gripper_max_lead_rad: float | None = None
    max_step_periods: float = 2.0

    def __post_init__(self) -> None:
        """Refuse limits that are none."""
        if not 0.0 < self.velocity_scale <= 1.0:
            raise ConfigError(
                f"safety: velocity_scale {self.velocity_scale} came, above 0 and up to 1 is allowed"
            )
        for name in ("max_age_s", "max_lead_rad", "max_step_periods"):
            value = getattr(self, name)
            if not 0.0 < value < float("inf"):
                raise ConfigError(f"safety: {name} {value} came, give a positive number")


@dataclass(frozen=True)
class _Trouble:
    rule: str
    detail: str


_NOTHING = _Trouble("nothing_asked", "nothing is asked for")


class SafetyRoom:
    """Judges one request a tick and remembers what was sent.  Deterministic."""

    def __init__(self, robot: RobotDescription, config: SafetyConfig | None = None) -> None:
        """Start with nothing sent and nothing stopped."""
        config = config or SafetyConfig()
        self.config = config
        self._names = robot.joint_names
        self._shape = (len(robot.joints),)
        self._lower, self._upper = robot.lower_rad, robot.upper_rad
        self._speed = robot.velocity_rad_s * config.velocity_scale
        self._lead = np.full(self._shape, config.max_lead_rad)
        gripper_lead = config.gripper_max_lead_rad
        self._lead[robot.gripper_index] = np.inf if gripper_lead is None else gripper_lead
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

    def reset(self, measured: JointState | None, now_ns: int) -> str | None:
        """Release the e-stop, resuming from where the arm is; return why not, or None.

        The gripper keeps its last command, so that what it holds is not let go.
        """
        trouble = self._joints_trouble(measured, now_ns)
        if trouble or measured is None:
            return trouble.detail if trouble else "no joint state has come"
        kept = self._last
        self._stop, self._velocity = None, np.zeros(self._shape)
        self._last = np.clip(measured.position_rad, self._lower, self._upper)
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
            self._last = np.clip(measured.position_rad, self._lower, self._upper)
        if self._stop is not None:
            return self._report(Verdict.STOP, _Trouble(Rule.ESTOP, self._stop), request)
        trouble = self._request_trouble(request, now_ns) or joints_trouble or _no_target(request)
        if trouble or measured is None or not isinstance(request, Target) or self._last is None:
            return self._report(Verdict.HOLD, trouble or _NOTHING, request)
        return self._limit(request, measured.position_rad, self._last, elapsed_ns)

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

    def _limit(
        self, request: Target, measured: FloatArray, last: FloatArray, elapsed_ns: int
    ) -> SafetyReport:
        """Bring a well-formed request within the limits.

        The request is first brought within the position limits and near the arm; then
        the command goes from the last one towards it no further than speed allows.
        The last one being within the position limits, so is all that lies between.
        """
        elapsed_s = elapsed_ns / NS_PER_S
        lower, upper = self._lower, self._upper
        step = self._speed * elapsed_s
        bounds = [
            (Rule.POSITION, lower, upper),
            (
                Rule.LEAD,
                np.clip(measured - self._lead, lower, upper),
                np.clip(measured + self._lead, lower, upper),
            ),
            (Rule.VELOCITY, last - step, last + step),
        ]
        if self.config.max_acceleration_rad_s2 is not None:
            bounds.append((Rule.ACCELERATION, *self._acceleration_bounds(last, elapsed_s)))
        sent, bites = request.position_rad, []
        for rule, low, high in bounds:
            bounded = np.minimum(np.maximum(sent, low), high)
            change = np.abs(bounded - sent)
            worst = int(np.argmax(change))
            if change[worst] > EPSILON_RAD:
                bites.append(
                    _Trouble(
                        rule,
                        f"{rule}: {self._names[worst]} {sent[worst]:.4f} -> {bounded[worst]:.4f}",
                    )
                )
            sent = bounded
        self._velocity = (sent - last) / elapsed_s if elapsed_s > 0 else np.zeros(self._shape)
        self._last = sent
        if not bites:
            return self._report(Verdict.PASS, _Trouble(Rule.OK, ""), request, moved=True)
        detail = "; ".join(bite.detail for bite in bites)
        return self._report(Verdict.CLAMPED, _Trouble(bites[0].rule, detail), request, moved=True)

    def _acceleration_bounds(
        self, last: FloatArray, elapsed_s: float
    ) -> tuple[FloatArray, FloatArray]:
        gain = (self.config.max_acceleration_rad_s2 or 0.0) * elapsed_s
        down = np.maximum(-self._velocity, 0.0) + gain
        up = np.maximum(self._velocity, 0.0) + gain
        return last - down * elapsed_s, last + up * elapsed_s

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
