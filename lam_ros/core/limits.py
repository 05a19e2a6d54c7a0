"""Limits of position, lead, velocity and acceleration: how a request is brought within them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lam_ros.core.errors import ConfigError
from lam_ros.core.geometry import GeometryConfig
from lam_ros.core.preview import PreviewConfig
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray

EPSILON_RAD = 1e-9
"""Differences up to this are rounding, not a limit that bites."""


@dataclass(frozen=True)
class SafetyConfig:
    """The limits that are not the robot's own.

    Attributes:
        max_age_s: a request computed from an older observation is not carried out.
        future_tolerance_s: how far a stamp may lie ahead of the clock.
        velocity_scale: part of the robot's velocity limits that may be used.
        max_acceleration_rad_s2: limit on speeding up, where it is below the robot's own;
            braking is always allowed.  None for the robot's own.
        max_lead_rad: how far a command may be from where the joint is, so that it
            does not run away from an arm that is held up.
        gripper_max_lead_rad: the same for the gripper, which grips by leading;
            None for no limit.
        max_step_periods: a tick that comes late moves no further than so many
            control periods allow.
        geometry: where the arm may be.
        preview: what a policy's chunk must not come to.
        max_effort_share: share of a joint's effort limit at and above which the arm gives
            in, if it lasts; the gripper, which grips by effort, is not counted.  None for
            no such rule.
        effort_patience_s: for so long; a short peak is how motors start.
    """

    max_age_s: float = 5.0
    future_tolerance_s: float = 0.05
    velocity_scale: float = 1.0
    max_acceleration_rad_s2: float | None = None
    max_lead_rad: float = 0.5
    gripper_max_lead_rad: float | None = None
    max_step_periods: float = 2.0
    geometry: GeometryConfig = field(default_factory=GeometryConfig)
    preview: PreviewConfig = field(default_factory=PreviewConfig)
    max_effort_share: float | None = 0.97
    effort_patience_s: float = 0.5

    def __post_init__(self) -> None:
        """Refuse limits that are none."""
        if not 0.0 < self.velocity_scale <= 1.0:
            raise ConfigError(
                f"safety: velocity_scale {self.velocity_scale} came, above 0 and up to 1 is allowed"
            )
        positive = ["max_age_s", "max_lead_rad", "max_step_periods", "effort_patience_s"]
        optional = ("max_acceleration_rad_s2", "gripper_max_lead_rad", "max_effort_share")
        positive += [name for name in optional if getattr(self, name) is not None]
        for name in positive:
            value = getattr(self, name)
            if not 0.0 < value < float("inf"):
                raise ConfigError(f"safety: {name} {value} came, give a positive number")


@dataclass(frozen=True)
class Bite:
    """A limit that changed a request; `name` is a rule of the safety room."""

    name: str
    detail: str


class Limits:
    """The limits of one robot."""

    def __init__(self, robot: RobotDescription, config: SafetyConfig) -> None:
        """Read them."""
        self._names = robot.joint_names
        self.lower_rad, self.upper_rad = robot.lower_rad, robot.upper_rad
        self._speed = robot.velocity_rad_s * config.velocity_scale
        own = robot.acceleration_rad_s2
        cap = config.max_acceleration_rad_s2
        self._acceleration = own if cap is None else np.minimum(own, cap)
        self._lead = np.full(len(robot.joints), config.max_lead_rad)
        gripper_lead = config.gripper_max_lead_rad
        self._lead[robot.gripper_index] = np.inf if gripper_lead is None else gripper_lead

    def inside(self, position_rad: FloatArray) -> FloatArray:
        """Return the nearest position within the position limits, shape (J,)."""
        nearest: FloatArray = np.clip(position_rad, self.lower_rad, self.upper_rad)
        return nearest

    def apply(
        self,
        wanted_rad: FloatArray,
        measured_rad: FloatArray,
        last_rad: FloatArray,
        velocity_rad_s: FloatArray,
        elapsed_s: float,
    ) -> tuple[FloatArray, list[Bite]]:
        """Bring a request within all limits; all arrays of shape (J,).

        The request is first brought within the position limits and near the arm; then
        the command goes from the last one towards it no further than speed and
        acceleration allow.  The last one being within the position limits, so is all
        that lies between.
        """
        sent, bites = wanted_rad, []
        for name, low, high in self._bounds(measured_rad, last_rad, velocity_rad_s, elapsed_s):
            bounded = np.minimum(np.maximum(sent, low), high)
            change = np.abs(bounded - sent)
            worst = int(np.argmax(change))
            if change[worst] > EPSILON_RAD:
                change_text = f"{self._names[worst]} {sent[worst]:.4f} -> {bounded[worst]:.4f}"
                bites.append(Bite(name, f"{name}: {change_text}"))
            sent = bounded
        return sent, bites

    def _bounds(
        self,
        measured_rad: FloatArray,
        last_rad: FloatArray,
        velocity_rad_s: FloatArray,
        elapsed_s: float,
    ) -> Iterator[tuple[str, FloatArray, FloatArray]]:
        step = self._speed * elapsed_s
        yield "position", self.lower_rad, self.upper_rad
        yield (
            "lead",
            self.inside(measured_rad - self._lead),
            self.inside(measured_rad + self._lead),
        )
        yield "velocity", last_rad - step, last_rad + step
        if elapsed_s > 0.0 and np.isfinite(self._acceleration).any():
            gain = self._acceleration * elapsed_s
            down = (np.maximum(-velocity_rad_s, 0.0) + gain) * elapsed_s
            up = (np.maximum(velocity_rad_s, 0.0) + gain) * elapsed_s
            yield "acceleration", last_rad - down, last_rad + up
