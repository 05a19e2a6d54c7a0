"""The way home: chunks that bring the arm straight to its home pose.

A policy that got stuck tends to get stuck again from where it stands.  Trying again
from home is another attempt, not the same one.
"""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import NS_PER_MS, ns_to_seconds
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ActionChunk, FloatArray, Observation

DT_NS = 40 * NS_PER_MS
ROWS = 25
SPEED_SHARE = 0.4
"""Share of the joints' velocity limits."""

ASIDE_RAD = 0.25
"""How far the first joint, which pans, turns aside from home before another grasp; to one side,
to the other, then twice as far."""

ARRIVED_RAD = 0.08
"""Where gravity and friction let the servos stop."""

PATIENCE_S = 4.0


def is_home(robot: RobotDescription, state_rad: FloatArray) -> bool:
    """Tell whether the joints, shape (J,), stand at the robot's home pose."""
    return float(np.abs(state_rad - np.array(robot.poses.home_rad)).max()) < ARRIVED_RAD


class Homing:
    """Answers like a policy, until the arm is at home or that takes too long."""

    def __init__(self, robot: RobotDescription, grasp: int = 0) -> None:
        """Aim at the robot's home pose; for another grasp, beside it, from where it differs."""
        self._robot = robot
        self._home_rad = np.array(robot.poses.home_rad)
        if grasp:
            aside_rad = ASIDE_RAD * (1 + (grasp - 1) // 2 % 2)
            aimed_rad = self._home_rad[0] + (aside_rad if grasp % 2 else -aside_rad)
            self._home_rad[0] = np.clip(aimed_rad, robot.lower_rad[0], robot.upper_rad[0])
        self._step_rad = SPEED_SHARE * robot.velocity_rad_s * ns_to_seconds(DT_NS)
        self._since_ns: int | None = None

    def is_over(self, observation: Observation) -> bool:
        """Tell whether the arm has arrived, or cannot."""
        if self._since_ns is None:
            self._since_ns = observation.stamp_ns
        away = float(np.abs(observation.state_rad - self._home_rad).max())
        waited_s = ns_to_seconds(observation.stamp_ns - self._since_ns)
        return away < ARRIVED_RAD or not 0 <= waited_s < PATIENCE_S

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next second of the way home."""
        return ActionChunk(
            observation.stamp_ns,
            DT_NS,
            self._robot.joint_names,
            self._path(observation.state_rad),
            policy_id="home",
        )

    def _path(self, start_rad: FloatArray) -> FloatArray:
        """Return rows on the straight line home, all joints arriving together, shape (ROWS, J)."""
        way = self._home_rad - start_rad
        rows_needed = max(1.0, float(np.max(np.abs(way) / self._step_rad)))
        share = np.minimum(1.0, np.arange(1, ROWS + 1) / rows_needed)
        path: FloatArray = start_rad + share[:, None] * way
        return path
