"""LeRobot's numbers and radians are the same positions."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.teleop.units import LeRobotUnits, Unit


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("flip", [(), ("wrist_roll", "gripper")])
def test_there_and_back(robot, unit, flip):
    units = LeRobotUnits(robot, unit, flip)
    for position in (robot.lower_rad, np.array(robot.poses.home_rad), robot.upper_rad):
        np.testing.assert_allclose(units.to_rad(units.from_rad(position)), position)


def test_degrees_are_about_the_middle_and_the_gripper_is_percent(robot):
    units = LeRobotUnits(robot)
    numbers = dict.fromkeys(units.names, 0.0)
    closed = units.to_rad(numbers)
    np.testing.assert_allclose(closed[:5], 0.0)
    assert closed[5] == robot.lower_rad[5]
    opened = units.to_rad(numbers | {"gripper.pos": 100.0, "shoulder_pan.pos": 90.0})
    assert opened[5] == pytest.approx(robot.upper_rad[5])
    assert opened[0] == pytest.approx(np.pi / 2)


def test_the_range_is_a_hundred_to_either_side(robot):
    units = LeRobotUnits(robot, Unit.RANGE)
    numbers = units.from_rad(robot.upper_rad)
    assert all(value == pytest.approx(100.0) for value in numbers.values())
    assert units.from_rad(robot.lower_rad)["elbow_flex.pos"] == pytest.approx(-100.0)


def test_a_flipped_joint_counts_the_other_way(robot):
    units = LeRobotUnits(robot, flip=("shoulder_pan", "gripper"))
    numbers = dict.fromkeys(units.names, 0.0) | {"shoulder_pan.pos": 10.0}
    assert units.to_rad(numbers)[0] == pytest.approx(-np.radians(10))
    assert units.to_rad(numbers)[5] == robot.upper_rad[5]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("elbow_flex.pos", None, RejectRule.MALFORMED),
        ("elbow_flex.pos", "much", RejectRule.MALFORMED),
        ("elbow_flex.pos", float("nan"), RejectRule.NOT_FINITE),
        ("elbow_flex.pos", float("-inf"), RejectRule.NOT_FINITE),
    ],
)
def test_what_is_no_number_is_refused(robot, name, value, rule):
    units = LeRobotUnits(robot)
    answer = units.to_rad(dict.fromkeys(units.names, 0.0) | {name: value})
    assert isinstance(answer, Rejected)
    assert answer.rule is rule


def test_a_missing_joint_is_refused(robot):
    assert LeRobotUnits(robot).to_rad({"gripper.pos": 1.0}).rule is RejectRule.MISSING_NAME


def test_flipping_what_is_not_there_is_an_error(robot):
    with pytest.raises(ConfigError, match="unknown joint"):
        LeRobotUnits(robot, flip=("knee",))
