"""LeRobot's numbers <-> radians: the border at which degrees and percent end.

LeRobot names a joint's position `<joint>.pos`.  Its SO-101 drivers give degrees about the
middle of the range, or -100 to 100 over the range, and 0 to 100 for the gripper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray

SUFFIX = ".pos"
_PERCENT = 100.0


class Unit(StrEnum):
    """What the numbers of the arm's joints mean; the gripper's are percent but for radians."""

    DEGREES = "degrees"
    RANGE = "range"
    RADIANS = "radians"


class LeRobotUnits:
    """Converts joint positions of one robot."""

    def __init__(
        self, robot: RobotDescription, unit: Unit = Unit.DEGREES, flip: Sequence[str] = ()
    ) -> None:
        """Convert between radians and `unit`.

        Args:
            robot: whose joints, in its order.
            unit: of the arm's joints.
            flip: joints that the other side counts the other way round.

        Raises:
            ConfigError: if `flip` names a joint that the robot has not.
        """
        for name in flip:
            if name not in robot.joint_names:
                raise ConfigError(f"flip: {unknown_name('joint', name, robot.joint_names)}")
        self.names = tuple(f"{name}{SUFFIX}" for name in robot.joint_names)
        lower, upper = robot.lower_rad, robot.upper_rad
        scale, offset = _linear(unit, lower, upper)
        if unit is not Unit.RADIANS:
            grip = robot.gripper_index
            scale[grip] = (upper[grip] - lower[grip]) / _PERCENT
            offset[grip] = lower[grip]
        for index, name in enumerate(robot.joint_names):
            if name in flip:
                scale[index] *= -1.0
                if unit is not Unit.RADIANS and index == robot.gripper_index:
                    offset[index] = upper[index]
        self._scale, self._offset = scale, offset

    def to_rad(self, action: Mapping[str, object]) -> FloatArray | Rejected:
        """Return joint positions, shape (J,), or what is wrong with the numbers."""
        values = np.empty(len(self.names))
        for index, name in enumerate(self.names):
            if name not in action:
                return Rejected(RejectRule.MISSING_NAME, f"'{name}' is missing")
            try:
                values[index] = float(action[name])  # type: ignore[arg-type]
            except (TypeError, ValueError):
                return Rejected(RejectRule.MALFORMED, f"'{name}' is no number")
        if not np.isfinite(values).all():
            name = self.names[int(np.argmin(np.isfinite(values)))]
            return Rejected(RejectRule.NOT_FINITE, f"'{name}' is not finite")
        return np.asarray(self._offset + self._scale * values)

    def from_rad(self, position_rad: FloatArray) -> dict[str, float]:
        """Return name -> number of joint positions, shape (J,)."""
        values = (np.asarray(position_rad) - self._offset) / self._scale
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}


def _linear(unit: Unit, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scale and offset to radians, each of shape (J,)."""
    if unit is Unit.DEGREES:
        return np.full(len(lower), np.pi / 180.0), np.zeros(len(lower))
    if unit is Unit.RANGE:
        return (upper - lower) / (2 * _PERCENT), (upper + lower) / 2
    return np.ones(len(lower)), np.zeros(len(lower))
