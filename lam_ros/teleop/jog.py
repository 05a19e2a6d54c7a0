"""Jogging: from how the tool should move to where the joints should go next.

The jogger keeps a reference, which begins at the measured joints and moves by the
inverse kinematics that the scripted expert goes through too.  Whatever is asked for, the
reference stays finite, within the joints' limits and speeds, above the table, and near
the arm: where the arm is held up, the reference waits for it.

A tool that is told to stand still does, at once; what was left of the way is forgotten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_ros.teleop.port import CartesianTwist, Frame
from lam_sim.ik import CartesianTeleop, ToolPose, ToolTarget

_PAN = 0
_SPEED_SHARE = 0.9
_RAISE_TRIES = 3


@dataclass(frozen=True)
class JogConfig:
    """Where the tool may be jogged.

    Attributes:
        clearance_m: least height of the hand above the table.
        least_radius_m: how near to the first joint's axis the tool may come.
        most_height_m: how high the tool may go.
        leash_m: how far the aim may be ahead of the reference.
        leash_rad: the same for the tool's pitch.
        lead_rad: how far the reference may be from a measured joint of the arm.
    """

    clearance_m: float = 0.001
    least_radius_m: float = 0.09
    most_height_m: float = 0.40
    leash_m: float = 0.02
    leash_rad: float = 0.15
    lead_rad: float = 0.3

    def __post_init__(self) -> None:
        """Refuse leashes on which nothing can move."""
        for name in ("leash_m", "leash_rad", "lead_rad", "most_height_m"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"teleop.jog.{name}: {value} came, a positive number is needed")


@dataclass(frozen=True)
class _Aim:
    """Where the tool would be if the arm could follow at once."""

    position_m: tuple[float, float, float]
    pitch_rad: float
    yaw_rad: float


class Jogger:
    """Moves one reference; `begin` puts it where the arm is."""

    def __init__(
        self, robot: RobotDescription, kinematics: CartesianTeleop, config: JogConfig | None = None
    ) -> None:
        """Stand nowhere yet."""
        self._config = config or JogConfig()
        self._kinematics = kinematics
        self._lower, self._upper = robot.lower_rad, robot.upper_rad
        self._speed = _SPEED_SHARE * robot.velocity_rad_s
        self._gripper = robot.gripper_index
        self._roll = kinematics.roll_index
        self._axis = np.array(kinematics.arm.axis_m)
        self._reference: FloatArray = np.array(robot.poses.home_rad)
        self._aim: _Aim | None = None
        self._seen_m = (0.0, 0.0, 0.0)

    def begin(self, joint_rad: FloatArray) -> None:
        """Put the reference at joint positions, shape (J,)."""
        self._reference = np.clip(joint_rad, self._lower, self._upper)
        self._aim = None

    def step(self, twist: CartesianTwist, measured_rad: FloatArray, dt_s: float) -> FloatArray:
        """Return the reference after `dt_s` of a twist, shape (J,).

        Args:
            twist: how the tool should move.
            measured_rad: where the joints are, shape (J,).
            dt_s: time since the last step.
        """
        joints = self._near(measured_rad)
        if not twist.moves_tool or dt_s <= 0:
            self._aim = None
        else:
            joints = self._moved(joints, twist, dt_s)
        step = np.clip(twist.gripper_rad_s, -self._speed[self._gripper], self._speed[self._gripper])
        joints[self._gripper] = self._reference[self._gripper] + step * max(dt_s, 0.0)
        self._reference = np.clip(joints, self._lower, self._upper)
        return self._reference.copy()

    def _near(self, measured_rad: FloatArray) -> FloatArray:
        """Return the reference, brought near the arm; the gripper may lead, it grips by that."""
        lead = np.full(len(self._reference), self._config.lead_rad)
        lead[self._gripper] = np.inf
        near = np.clip(self._reference, measured_rad - lead, measured_rad + lead)
        if not np.array_equal(near, self._reference):
            self._aim = None
        return np.clip(near, self._lower, self._upper)

    def _moved(self, joints: FloatArray, twist: CartesianTwist, dt_s: float) -> FloatArray:
        """Return the next joints, and raise the aim as far as the table asks for."""
        kinematics = self._kinematics
        pose = kinematics.tool_pose(joints)
        aim = self._ahead(joints, pose, twist, dt_s)
        floor = min(self._config.clearance_m, kinematics.lowest_m(joints))
        for _ in range(_RAISE_TRIES):
            moved = self._solved(joints, aim, twist, dt_s)
            missing = floor - kinematics.lowest_m(moved)
            if missing <= 0:
                self._aim = aim
                return moved
            x, y, z = aim.position_m
            aim = replace(aim, position_m=(x, y, z + missing + 1e-4))
        self._aim = None
        return joints.copy()

    def _solved(
        self, joints: FloatArray, aim: _Aim, twist: CartesianTwist, dt_s: float
    ) -> FloatArray:
        if self._roll is None:  # the inverse kinematics turns the hand too
            target = ToolTarget(aim.position_m, aim.yaw_rad, aim.pitch_rad)
            return self._kinematics.solve(joints, target, dt_s)
        target = ToolTarget(aim.position_m, None, aim.pitch_rad)
        moved = self._kinematics.solve(joints, target, dt_s)
        turn = twist.roll_rad_s * dt_s
        if twist.frame is Frame.BASE:
            turn += moved[_PAN] - joints[_PAN]  # the fingers keep their direction on the table
        limit = self._speed[self._roll] * dt_s
        roll = joints[self._roll] + np.clip(turn, -limit, limit)
        moved[self._roll] = np.clip(roll, self._lower[self._roll], self._upper[self._roll])
        return moved

    def _ahead(
        self, joints: FloatArray, pose: ToolPose, twist: CartesianTwist, dt_s: float
    ) -> _Aim:
        """Return the aim after a step, on its leash and in the workspace."""
        aim = self._aim or _Aim(pose.position_m, pose.pitch_rad, pose.yaw_rad)
        velocity = np.array(twist.linear_m_s)
        if twist.frame is Frame.TOOL:
            velocity = self._kinematics.tool_axes(joints) @ velocity
        config, here = self._config, np.array(pose.position_m)
        position = np.array(aim.position_m) + velocity * dt_s
        away = position - here
        distance = float(np.linalg.norm(away))
        if distance > config.leash_m:
            position = here + away * (config.leash_m / distance)
        pitch = aim.pitch_rad + twist.pitch_rad_s * dt_s
        pitch = float(np.clip(pitch, pose.pitch_rad - config.leash_rad,
                              pose.pitch_rad + config.leash_rad))  # fmt: skip
        pitch = float(np.clip(pitch, -math.pi / 2, math.pi / 2))
        return _Aim(self._inside(position, here), pitch, self._yaw(aim, pose, twist, dt_s))

    def _yaw(self, aim: _Aim, pose: ToolPose, twist: CartesianTwist, dt_s: float) -> float:
        """Return the fingers' yaw after a step, on its leash; in the tool's frame it pans along."""
        yaw = aim.yaw_rad + twist.roll_rad_s * dt_s
        if twist.frame is Frame.TOOL and self._aim is not None:
            here = self._kinematics.heading_rad
            yaw += here(pose.position_m) - here(self._seen_m)
        self._seen_m = pose.position_m
        ahead = (yaw - pose.yaw_rad + math.pi) % (2 * math.pi) - math.pi
        return pose.yaw_rad + float(np.clip(ahead, -self._config.leash_rad, self._config.leash_rad))

    def _inside(self, position: FloatArray, here: FloatArray) -> tuple[float, float, float]:
        """Return a position no further out of the workspace than the tool is already."""
        config, axis = self._config, self._axis
        x, y, z = position.tolist()
        now_m = float(np.linalg.norm(here[:2] - axis))
        radius = math.hypot(x - axis[0], y - axis[1])
        least = min(config.least_radius_m, now_m)
        if 0 < radius < least:
            x = float(axis[0] + (x - axis[0]) * least / radius)
            y = float(axis[1] + (y - axis[1]) * least / radius)
        return x, y, min(z, max(config.most_height_m, float(here[2])))
