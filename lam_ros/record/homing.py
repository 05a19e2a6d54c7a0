"""The way home between two episodes, as commands of a teleoperator."""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import NS_PER_S, ns_to_seconds
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray

SPEED_SHARE = 0.4
"""Share of the joints' velocity limits."""

ARRIVED_RAD = 0.08
"""Where gravity and friction let the servos stop."""

PATIENCE_NS = 4 * NS_PER_S
"""After the last command, for the joints to follow."""


class WayHome:
    """A straight line from where the joints are to the robot's home pose."""

    def __init__(self, robot: RobotDescription, start_rad: FloatArray, now_ns: int) -> None:
        """Begin at measured joints, shape (J,)."""
        self._start_rad = np.array(start_rad)
        self._home_rad = np.array(robot.poses.home_rad)
        self._began_ns = now_ns
        way = np.abs(self._home_rad - self._start_rad)
        self._seconds = float(np.max(way / (SPEED_SHARE * robot.velocity_rad_s)))

    def target(self, now_ns: int) -> FloatArray:
        """Return where the joints should be, shape (J,)."""
        passed_s = ns_to_seconds(now_ns - self._began_ns)
        share = 1.0 if self._seconds <= 0 else min(1.0, max(0.0, passed_s / self._seconds))
        target: FloatArray = self._start_rad + share * (self._home_rad - self._start_rad)
        return target

    def is_over(self, measured_rad: FloatArray, now_ns: int) -> bool:
        """Tell whether the arm has arrived, or will not."""
        left_ns = self._began_ns + self._seconds * NS_PER_S - now_ns
        arrived = float(np.abs(self._home_rad - measured_rad).max()) < ARRIVED_RAD
        return (arrived and left_ns <= 0) or left_ns < -PATIENCE_NS
