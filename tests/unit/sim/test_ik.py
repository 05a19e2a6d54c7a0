"""The arm goes where a person points, within its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_sim.ik import POINTING_DOWN_RAD, CartesianTeleop, ToolTarget, heading_rad, roll_for_yaw
from lam_sim.placement import PAN_AXIS_X_M

DT_S = 0.04


def target_at(radius_m: float, angle_rad: float, height_m: float, **more: float) -> ToolTarget:
    x = PAN_AXIS_X_M + radius_m * math.cos(angle_rad)
    return ToolTarget((x, radius_m * math.sin(angle_rad), height_m), **more)


def follow(
    teleop: CartesianTeleop, robot: RobotDescription, target: ToolTarget, steps: int = 60
) -> FloatArray:
    joints = np.array(robot.poses.home_rad)
    for _ in range(steps):
        joints = teleop.solve(joints, target, DT_S)
    return joints


@pytest.mark.parametrize("radius_m", [0.145, 0.185, 0.225])
@pytest.mark.parametrize("angle_rad", [-1.1, 0.0, 0.8])
@pytest.mark.parametrize("height_m", [0.010, 0.070])
def test_it_reaches_the_workspace(
    teleop: CartesianTeleop,
    robot: RobotDescription,
    radius_m: float,
    angle_rad: float,
    height_m: float,
) -> None:
    target = target_at(radius_m, angle_rad, height_m, yaw_rad=angle_rad + 0.4)
    pose = teleop.tool_pose(follow(teleop, robot, target))
    assert math.dist(pose.position_m, target.position_m) < 5e-4
    assert pose.pitch_rad == pytest.approx(POINTING_DOWN_RAD, abs=0.05)
    assert pose.yaw_rad == pytest.approx(angle_rad + 0.4, abs=0.05)


def test_up_high_it_gives_up_pitch_and_keeps_the_wrist_from_its_limit(
    teleop: CartesianTeleop, robot: RobotDescription
) -> None:
    target = target_at(0.20, 0.3, 0.13)
    joints = follow(teleop, robot, target)
    pose = teleop.tool_pose(joints)
    assert math.dist(pose.position_m, target.position_m) < 2e-3
    assert joints[robot.joint_names.index("wrist_flex")] <= 1.6 + 1e-6
    assert pose.pitch_rad < POINTING_DOWN_RAD - 0.1


@pytest.mark.parametrize("height_m", [-0.3, 0.05, 2.0])
def test_a_step_keeps_within_speed_and_position_limits(
    teleop: CartesianTeleop, robot: RobotDescription, height_m: float
) -> None:
    joints = np.array(robot.poses.home_rad)
    for _ in range(40):
        moved = teleop.solve(joints, target_at(0.5, -1.5, height_m, jaw_rad=1.7), DT_S)
        assert (np.abs(moved - joints) <= robot.velocity_rad_s * DT_S + 1e-9).all()
        assert ((moved >= robot.lower_rad) & (moved <= robot.upper_rad)).all()
        joints = moved


def test_without_yaw_the_wrist_does_not_roll(
    teleop: CartesianTeleop, robot: RobotDescription
) -> None:
    joints = follow(teleop, robot, target_at(0.18, 0.5, 0.05, yaw_rad=1.2))
    roll = robot.joint_names.index("wrist_roll")
    before = joints[roll]
    for _ in range(100):
        joints = teleop.solve(joints, target_at(0.18, 0.5, 0.05), DT_S)
    assert joints[roll] == pytest.approx(before, abs=0.02)


def test_a_pose_is_its_own_target(teleop: CartesianTeleop, robot: RobotDescription) -> None:
    joints = follow(teleop, robot, target_at(0.2, 0.2, 0.04, yaw_rad=0.2, jaw_rad=0.4))
    pose = teleop.tool_pose(joints)
    target = ToolTarget(pose.position_m, pose.yaw_rad, pose.pitch_rad, pose.jaw_rad)
    np.testing.assert_allclose(teleop.solve(joints, target, DT_S), joints, atol=2e-3)


def test_heading_and_roll() -> None:
    assert heading_rad((PAN_AXIS_X_M, 0.2, 0.0)) == pytest.approx(math.pi / 2)
    assert roll_for_yaw(1.0, (PAN_AXIS_X_M + 0.2, 0.0, 0.0)) == pytest.approx(1.0)
    assert -math.pi <= roll_for_yaw(3.0, (PAN_AXIS_X_M, -0.2, 0.0)) < math.pi
