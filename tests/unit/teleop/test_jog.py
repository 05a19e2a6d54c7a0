"""Jogging goes where it is told, and never where it must not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_ros.teleop.jog import JogConfig, Jogger
from lam_ros.teleop.port import STILL, CartesianTwist, Frame
from lam_sim.ik import CartesianTeleop, ToolTarget

DT_S = 0.02


@pytest.fixture
def low(robot: RobotDescription, kinematics: CartesianTeleop) -> FloatArray:
    """The arm with the tool pointing down 5 cm above the table."""
    joints = np.array(robot.poses.home_rad)
    for _ in range(80):
        joints = kinematics.solve(joints, ToolTarget((0.22, 0.0, 0.05), 0.0, jaw_rad=0.4), 0.04)
    return joints


@pytest.fixture
def jogger(robot: RobotDescription, kinematics: CartesianTeleop) -> Jogger:
    return Jogger(robot, kinematics)


def jog(jogger: Jogger, start: FloatArray, twist: CartesianTwist, steps: int) -> list[FloatArray]:
    """Jog with an arm that follows perfectly; returns every reference, the start first."""
    jogger.begin(start)
    path = [start]
    for _ in range(steps):
        path.append(jogger.step(twist, path[-1], DT_S))
    return path


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_in_the_base_frame_the_tool_goes_along_the_axis(jogger, kinematics, low, axis):
    linear = [0.0, 0.0, 0.0]
    linear[axis] = -0.05 if axis == 0 else 0.05
    before = kinematics.tool_pose(low)
    after = kinematics.tool_pose(jog(jogger, low, CartesianTwist(tuple(linear)), 40)[-1])
    way = np.subtract(after.position_m, before.position_m)
    assert way[axis] == pytest.approx(linear[axis] * 0.8, abs=0.002)
    assert np.abs(np.delete(way, axis)).max() < 0.002
    assert after.yaw_rad == pytest.approx(before.yaw_rad, abs=0.02)
    assert after.pitch_rad == pytest.approx(before.pitch_rad, abs=0.03)


def test_in_the_tool_frame_forward_is_where_the_fingers_point(jogger, kinematics, low):
    twist = CartesianTwist((0.03, 0.0, 0.0), frame=Frame.TOOL)
    before = kinematics.tool_pose(low).position_m
    after = kinematics.tool_pose(jog(jogger, low, twist, 40)[-1]).position_m
    assert after[2] - before[2] == pytest.approx(-0.024, abs=0.002)
    assert math.dist(after[:2], before[:2]) < 0.003


def test_roll_turns_the_wrist_alone_about_the_point_between_the_fingers(jogger, kinematics, low):
    path = jog(jogger, low, CartesianTwist(roll_rad_s=1.0, frame=Frame.TOOL), 40)
    turned = path[-1] - low
    assert turned[4] == pytest.approx(0.8, abs=0.01)
    positions = [kinematics.tool_pose(joints).position_m for joints in (path[0], path[-1])]
    assert math.dist(*positions) < 0.002


def test_pitch_raises_the_tool_about_the_point_between_the_fingers(jogger, kinematics, low):
    path = jog(jogger, low, CartesianTwist(pitch_rad_s=-0.5), 40)
    before, after = (kinematics.tool_pose(joints) for joints in (path[0], path[-1]))
    assert after.pitch_rad - before.pitch_rad == pytest.approx(-0.4, abs=0.03)
    assert math.dist(before.position_m, after.position_m) < 0.003


def test_the_gripper_opens_and_closes_to_its_limits(jogger, robot, low):
    opened = jog(jogger, low, CartesianTwist(gripper_rad_s=3.0), 60)[-1]
    assert opened[5] == robot.upper_rad[5]
    closed = jog(jogger, low, CartesianTwist(gripper_rad_s=-30.0), 60)
    assert closed[-1][5] == robot.lower_rad[5]
    assert np.abs(np.diff([joints[5] for joints in closed])).max() <= 4.0 * DT_S
    np.testing.assert_array_equal(opened[:5], low[:5])


def test_standing_still_is_exact_and_at_once(jogger, low):
    moving = jog(jogger, low, CartesianTwist((0.0, 0.1, 0.0)), 10)[-1]
    for _ in range(20):
        np.testing.assert_array_equal(jogger.step(STILL, moving, DT_S), moving)


def test_the_hand_stops_above_the_table_and_can_still_be_moved_along_it(jogger, kinematics, low):
    path = jog(jogger, low, CartesianTwist((0.0, 0.0, -0.1)), 100)
    lowest = min(kinematics.lowest_m(joints) for joints in path)
    assert lowest >= JogConfig().clearance_m - 1e-9
    assert lowest < 0.004  # it came down all the way
    before = kinematics.tool_pose(path[-1]).position_m
    along = jog(jogger, path[-1], CartesianTwist((0.0, 0.1, -0.1)), 30)
    assert kinematics.tool_pose(along[-1]).position_m[1] - before[1] > 0.04
    assert min(kinematics.lowest_m(joints) for joints in along) >= JogConfig().clearance_m - 1e-9


def test_a_held_up_arm_is_not_run_away_from(jogger, low):
    jogger.begin(low)
    for _ in range(200):
        reference = jogger.step(CartesianTwist((0.0, 0.2, 0.0)), low, DT_S)
    assert np.abs(reference - low)[:5].max() <= JogConfig().lead_rad + 0.05


def test_it_begins_within_limits_even_where_the_arm_is_not(jogger, robot):
    outside = robot.upper_rad + 0.1
    jogger.begin(outside)
    reference = jogger.step(STILL, outside, DT_S)
    assert (reference <= robot.upper_rad).all()


@pytest.mark.parametrize("seed", range(4))
def test_no_way_of_jogging_leaves_the_limits(jogger, robot, kinematics, low, seed):
    """Into every corner: stretched out, folded, against the table, rolled to the stop."""
    rng = np.random.default_rng(seed)
    jogger.begin(low)
    joints, floor = low, kinematics.lowest_m(low)
    for _ in range(40):
        linear = rng.uniform(-0.4, 0.4, 3)
        twist = CartesianTwist(
            tuple(linear.tolist()),
            *rng.uniform(-4, 4, 3).tolist(),
            frame=Frame(rng.choice(list(Frame))),
        )
        for _ in range(25):
            moved = jogger.step(twist, joints, DT_S)
            assert np.isfinite(moved).all()
            assert (moved >= robot.lower_rad).all()
            assert (moved <= robot.upper_rad).all()
            assert (np.abs(moved - joints) <= robot.velocity_rad_s * DT_S + 1e-9).all()
            floor = min(floor, kinematics.lowest_m(moved))
            joints = moved
    assert floor >= 0.0
