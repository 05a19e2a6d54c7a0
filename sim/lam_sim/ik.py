"""Cartesian teleoperation: from where the tool should be to where the joints should go.

A keyboard, a gamepad and the scripted expert all say the same thing, a `ToolTarget`;
`CartesianTeleop` turns it into a joint target that keeps every joint within its position
and velocity limits.  One call is one step of differential inverse kinematics: the arm
goes towards the target as fast as its limits allow.

The arm has five joints, so position comes first; roll and pitch of the tool follow as
far as they can.  Pointing straight down is given up before the wrist reaches its limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mink
import mujoco
import numpy as np
import numpy.typing as npt
import qpsolvers

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, frozen_floats
from lam_sim.model import arm_joint_names, load_arm_spec
from lam_sim.placement import PAN_AXIS_X_M

POINTING_DOWN_RAD = math.pi / 2

_SITE = "pinch"
_LOW_BODIES = ("lower_arm", "wrist", "gripper", "moving_jaw")
_WRIST_FLEX_MAX_RAD = 1.60
_LIMIT_MARGIN_RAD = 0.01
_SPEED_SHARE = 0.9
_POSITION_COST = 1.0
_ROLL_COST = 0.06
_PITCH_COST = 0.012
_POSTURE_COST = 0.001
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
        self._arm = arm_joint_names(robot)
        self._arm_index = np.array([robot.joint_names.index(name) for name in self._arm])
        self._roll_index = robot.joint_names.index("wrist_roll")
        model = _arm_model(robot)
        self._configuration = mink.Configuration(model)
        self._tool = mink.FrameTask(
            _SITE, "site", _POSITION_COST, [_ROLL_COST, _PITCH_COST, _PITCH_COST]
        )
        self._posture = mink.PostureTask(model, _POSTURE_COST)
        speed = {
            joint.name: _SPEED_SHARE * joint.velocity_rad_s
            for joint in robot.joints
            if joint.name in self._arm
        }
        self._limits = [mink.ConfigurationLimit(model, 1.0), mink.VelocityLimit(model, speed)]
        self._lower, self._upper = model.jnt_range[:, 0].copy(), model.jnt_range[:, 1].copy()
        self._solid = _solid_geoms(model)
        self._boxes = model.geom_aabb[self._solid].copy()

    def tool_pose(self, joint_rad: npt.ArrayLike) -> ToolPose:
        """Return where the tool is at joint positions, shape (J,)."""
        joints = frozen_floats(joint_rad, "joint_rad", 1)
        self._configuration.update(np.clip(joints[self._arm_index], self._lower, self._upper))
        transform = self._configuration.get_transform_frame_to_world(_SITE, "site")
        x, y, z = transform.translation()
        forward = transform.rotation().as_matrix()[:, 0]
        return ToolPose(
            (float(x), float(y), float(z)),
            _wrap(float(joints[self._roll_index] - joints[0])),
            math.atan2(-forward[2], math.hypot(forward[0], forward[1])),
            float(joints[self._robot.gripper_index]),
        )

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
        here = self._configuration.get_transform_frame_to_world(_SITE, "site").translation()
        # The pads lie beside the roll axis, so the arm's plane misses them by a little.
        beside_rad = _wrap(-joints[0] - heading_rad((here[0], here[1], here[2])))
        self._tool.set_target(_tool_transform(target, joints[self._roll_index], beside_rad))
        self._posture.set_target(self._configuration.q)
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


def heading_rad(position_m: tuple[float, float, float]) -> float:
    """Return the direction of a point as seen from the first joint's axis."""
    return math.atan2(position_m[1], position_m[0] - PAN_AXIS_X_M)


def roll_for_yaw(yaw_rad: float, position_m: tuple[float, float, float]) -> float:
    """Return the wrist roll that gives the fingers a yaw when the tool points down."""
    return _wrap(yaw_rad - heading_rad(position_m))


def _tool_transform(target: ToolTarget, roll_now_rad: float, beside_rad: float) -> mink.SE3:
    """Return the pose to go to.

    Args:
        target: where the tool should be.
        roll_now_rad: present wrist roll, kept if the target asks for no yaw.
        beside_rad: angle from the tool's heading to the plane that the arm moves in.
    """
    heading = heading_rad(target.position_m) + beside_rad
    roll = roll_now_rad
    if target.yaw_rad is not None:
        roll = _wrap(target.yaw_rad - heading)
    # Past half a turn, the rotation error would take the short way, through the joint's stop.
    roll = float(np.clip(roll, roll_now_rad - 2.8, roll_now_rad + 2.8))
    rotation = (
        mink.SO3.from_z_radians(heading)
        @ mink.SO3.from_y_radians(target.pitch_rad)
        @ mink.SO3.from_x_radians(-roll)
    )
    return mink.SE3.from_rotation_and_translation(rotation, np.asarray(target.position_m))


def _arm_model(robot: RobotDescription) -> mujoco.MjModel:
    """Return the arm without the gripper's joint, with limits a little inside the robot's."""
    spec = load_arm_spec()
    spec.delete(spec.actuator(robot.gripper.joint))
    spec.delete(spec.joint(robot.gripper.joint))
    for joint in robot.joints:
        if joint.name != robot.gripper.joint:
            upper = joint.upper_rad - _LIMIT_MARGIN_RAD
            if joint.name == "wrist_flex":
                upper = min(upper, _WRIST_FLEX_MAX_RAD)
            spec.joint(joint.name).range = [joint.lower_rad + _LIMIT_MARGIN_RAD, upper]
    return spec.compile()


def _solid_geoms(model: mujoco.MjModel) -> npt.NDArray[np.int64]:
    """Return the geoms with contacts of what could touch the table, from the forearm on."""
    bodies = {model.body(name).id for name in _LOW_BODIES}
    found = [
        geom
        for geom in range(model.ngeom)
        if model.geom_contype[geom] and model.geom_bodyid[geom] in bodies
    ]
    return np.array(found)


def _wrap(angle_rad: float) -> float:
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi
