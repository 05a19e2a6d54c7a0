"""Cartesian teleoperation: from where the tool should be to where the joints should go.

A keyboard, a gamepad and the scripted expert all say the same thing, a `ToolTarget`;
`CartesianTeleop` turns it into a joint target that keeps every joint within its position
and velocity limits.  One call is one step of differential inverse kinematics: the arm
goes towards the target as fast as its limits allow.

Position comes first; the direction of the tool follows as far as it can.  An arm of five
joints gives up pointing straight down before its wrist reaches its limit; one of seven
keeps it, and stays near its home posture with the joint that it has to spare.
What differs between arms stands in `lam_sim.arms`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mink
import mujoco
import numpy as np
import numpy.typing as npt
import qpsolvers

from lam_ros.core.errors import RobotError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, frozen_floats
from lam_sim.arms import ArmModel, mismatch, model_of
from lam_sim.model import arm_joint_names, load_arm_spec
from lam_sim.placement import PAN_AXIS_X_M

POINTING_DOWN_RAD = math.pi / 2

_SITE = "pinch"
_LIMIT_MARGIN_RAD = 0.01
_SPEED_SHARE = 0.9
_POSITION_COST = 1.0
_DAMPING = 1e-7


@dataclass(frozen=True)
class ToolTarget:
    """Where the tool should be.

    Attributes:
        position_m: point midway between the finger pads, base frame, shape (3,).
        yaw_rad: direction, about the base's z, from the fixed to the moving finger when
            the tool points down; None leaves the wrist's roll as it is.
        pitch_rad: how far the tool points down: 0 is level, pi / 2 straight down.
        jaw_rad: gripper joint; None leaves it as it is.
    """

    position_m: tuple[float, float, float]
    yaw_rad: float | None = None
    pitch_rad: float = POINTING_DOWN_RAD
    jaw_rad: float | None = None


@dataclass(frozen=True)
class ToolPose:
    """Where the tool is; the fields mean what they do in `ToolTarget`."""

    position_m: tuple[float, float, float]
    yaw_rad: float
    pitch_rad: float
    jaw_rad: float


class CartesianTeleop:
    """Turns tool targets into joint targets."""

    def __init__(self, robot: RobotDescription) -> None:
        """Compile the arm's kinematics with the robot's limits."""
        self._robot = robot
        self.arm = model_of(robot)
        self._arm = arm_joint_names(robot)
        self._arm_index = np.array([robot.joint_names.index(name) for name in self._arm])
        roll = self.arm.roll_joint
        self.roll_index = robot.joint_names.index(roll) if roll else None
        model = _arm_model(robot, self.arm)
        self._configuration = mink.Configuration(model)
        self._tool = mink.FrameTask(_SITE, "site", _POSITION_COST, list(self.arm.orientation_cost))
        self._posture = mink.PostureTask(model, self.arm.posture_cost)
        self._home = np.array(robot.poses.home_rad)[self._arm_index]
        speed = {
            joint.name: _SPEED_SHARE * joint.velocity_rad_s
            for joint in robot.joints
            if joint.name in self._arm
        }
        self._limits = [mink.ConfigurationLimit(model, 1.0), mink.VelocityLimit(model, speed)]
        self._lower, self._upper = model.jnt_range[:, 0].copy(), model.jnt_range[:, 1].copy()
        self._solid = _solid_geoms(model, self.arm.low_bodies)
        self._boxes = model.geom_aabb[self._solid].copy()

    def tool_pose(self, joint_rad: npt.ArrayLike) -> ToolPose:
        """Return where the tool is at joint positions, shape (J,)."""
        joints = frozen_floats(joint_rad, "joint_rad", 1)
        self._configuration.update(np.clip(joints[self._arm_index], self._lower, self._upper))
        transform = self._configuration.get_transform_frame_to_world(_SITE, "site")
        x, y, z = (float(value) for value in transform.translation())
        axes = np.asarray(transform.rotation().as_matrix())
        forward = axes[:, 0]
        pitch = math.atan2(-forward[2], math.hypot(forward[0], forward[1]))
        if self.roll_index is not None:
            yaw = _wrap(float(joints[self.roll_index] - joints[0]))
        else:
            yaw = _yaw_rad(axes, self.heading_rad((x, y, z)), pitch)
        return ToolPose((x, y, z), yaw, pitch, float(joints[self._robot.gripper_index]))

    def heading_rad(self, position_m: tuple[float, float, float]) -> float:
        """Return the direction of a point as seen from this arm's first axis."""
        return heading_rad(position_m, self.arm.axis_m)

    def tool_axes(self, joint_rad: npt.ArrayLike) -> FloatArray:
        """Return the tool's x (to the finger tips), y and z in the base frame, as columns.

        Args:
            joint_rad: joint positions, shape (J,).
        """
        joints = frozen_floats(joint_rad, "joint_rad", 1)
        self._configuration.update(np.clip(joints[self._arm_index], self._lower, self._upper))
        transform = self._configuration.get_transform_frame_to_world(_SITE, "site")
        return np.array(transform.rotation().as_matrix(), dtype=np.float64)

    def lowest_m(self, joint_rad: npt.ArrayLike) -> float:
        """Return the height of the lowest point of forearm, wrist and closed hand.

        Args:
            joint_rad: joint positions, shape (J,).
        """
        joints = frozen_floats(joint_rad, "joint_rad", 1)
        self._configuration.update(np.clip(joints[self._arm_index], self._lower, self._upper))
        data, boxes = self._configuration.data, self._boxes
        upward = data.geom_xmat[self._solid].reshape(-1, 3, 3)[:, 2]
        centers = data.geom_xpos[self._solid, 2] + (upward * boxes[:, :3]).sum(axis=1)
        return float((centers - (np.abs(upward) * boxes[:, 3:]).sum(axis=1)).min())

    def solve(self, joint_rad: npt.ArrayLike, target: ToolTarget, dt_s: float) -> FloatArray:
        """Return the joint target for the next `dt_s`, shape (J,).

        Args:
            joint_rad: present joint positions, shape (J,).
            target: where the tool should be.
            dt_s: time until the joint target should be reached; bounds how far it may lie.
        """
        joints = frozen_floats(joint_rad, "joint_rad", 1)
        self._configuration.update(np.clip(joints[self._arm_index], self._lower, self._upper))
        self._tool.set_target(self._tool_transform(target, joints))
        spare = self.roll_index is None
        self._posture.set_target(self._home if spare else self._configuration.q)
        problem = mink.build_ik(
            self._configuration, [self._tool, self._posture], dt_s, _DAMPING, self._limits
        )
        solution = qpsolvers.solve_problem(problem, solver="daqp")
        result = joints.copy()
        if solution.found and solution.x is not None:
            result[self._arm_index] = self._configuration.q + solution.x
        grip = self._robot.gripper_index
        if target.jaw_rad is not None:
            step = _SPEED_SHARE * self._robot.joints[grip].velocity_rad_s * dt_s
            result[grip] += np.clip(target.jaw_rad - joints[grip], -step, step)
        return np.clip(result, self._robot.lower_rad, self._robot.upper_rad)

    def _tool_transform(self, target: ToolTarget, joints: FloatArray) -> mink.SE3:
        """Return the pose to go to from where the configuration is."""
        heading = self.heading_rad(target.position_m)
        if self.roll_index is None:
            yaw = target.yaw_rad
            if yaw is None:
                yaw = self.tool_pose(joints).yaw_rad
            return _pose(target, heading, _wrap(yaw - heading))
        here = self._configuration.get_transform_frame_to_world(_SITE, "site").translation()
        # The pads lie beside the roll axis, so the arm's plane misses them by a little.
        heading += _wrap(-joints[0] - self.heading_rad((here[0], here[1], here[2])))
        roll_now = joints[self.roll_index]
        roll = roll_now if target.yaw_rad is None else _wrap(target.yaw_rad - heading)
        # Past half a turn, the rotation error would take the short way, through the joint's stop.
        roll = float(np.clip(roll, roll_now - 2.8, roll_now + 2.8))
        return _pose(target, heading, roll)


def heading_rad(
    position_m: tuple[float, float, float], axis_m: tuple[float, float] = (PAN_AXIS_X_M, 0.0)
) -> float:
    """Return the direction of a point as seen from the first joint's axis."""
    return math.atan2(position_m[1] - axis_m[1], position_m[0] - axis_m[0])


def roll_for_yaw(
    yaw_rad: float,
    position_m: tuple[float, float, float],
    axis_m: tuple[float, float] = (PAN_AXIS_X_M, 0.0),
) -> float:
    """Return the turn about the tool that gives the fingers a yaw when it points down."""
    return _wrap(yaw_rad - heading_rad(position_m, axis_m))


def _yaw_rad(axes: FloatArray, heading_rad: float, pitch_rad: float) -> float:
    """Return the fingers' yaw of a tool with axes as columns, shape (3, 3)."""
    plane = mink.SO3.from_z_radians(heading_rad) @ mink.SO3.from_y_radians(pitch_rad)
    turn = np.asarray(plane.as_matrix()).T @ axes
    return _wrap(heading_rad + math.atan2(turn[1, 2], turn[2, 2]))


def _pose(target: ToolTarget, heading: float, roll: float) -> mink.SE3:
    rotation = (
        mink.SO3.from_z_radians(heading)
        @ mink.SO3.from_y_radians(target.pitch_rad)
        @ mink.SO3.from_x_radians(-roll)
    )
    return mink.SE3.from_rotation_and_translation(rotation, np.asarray(target.position_m))


def _arm_model(robot: RobotDescription, arm: ArmModel) -> mujoco.MjModel:
    """Return the arm without the gripper's joints, with limits a little inside the robot's.

    Raises:
        RobotError: if the model lacks a joint of the robot.
    """
    spec = load_arm_spec(robot.model)
    names = arm_joint_names(robot)
    missing = sorted(set(names) - {joint.name for joint in spec.joints})
    if missing:
        raise RobotError(mismatch(robot, tuple(missing)))
    for part in (*spec.actuators, *spec.equalities, *spec.tendons):
        spec.delete(part)
    for joint in list(spec.joints):
        if joint.name not in names:
            spec.delete(joint)
    for limits in robot.joints:
        if limits.name in names:
            upper = limits.upper_rad - _LIMIT_MARGIN_RAD
            upper = min(upper, arm.upper_rad.get(limits.name, upper))
            spec.joint(limits.name).range = [limits.lower_rad + _LIMIT_MARGIN_RAD, upper]
    return spec.compile()


def _solid_geoms(model: mujoco.MjModel, low_bodies: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Return the geoms with contacts of what could touch the table, from the forearm on."""
    bodies = {model.body(name).id for name in low_bodies}
    found = [
        geom
        for geom in range(model.ngeom)
        if model.geom_contype[geom] and model.geom_bodyid[geom] in bodies
    ]
    return np.array(found)


def _wrap(angle_rad: float) -> float:
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi
