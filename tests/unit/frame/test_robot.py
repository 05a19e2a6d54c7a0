"""The robot description refuses what does not fit, and knows what it was made for."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError, FingerprintMismatch, RobotError
from lam_ros.core.robot import RobotDescription


@pytest.fixture
def data() -> dict[str, Any]:
    return copy.deepcopy(load_robot("so101").to_dict())


def test_the_so101_reads_and_survives_a_round_trip(data: dict[str, Any]) -> None:
    robot = RobotDescription.from_dict(data)
    assert robot.joint_names[0] == "shoulder_pan"
    assert robot.joint_names[robot.gripper_index] == "gripper"
    assert RobotDescription.from_dict(robot.to_dict()) == robot
    assert robot.image_topic("front") == "camera/front/image_raw"
    assert robot.image_feature("wrist") == "observation.images.wrist"


def test_an_unknown_robot_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"unknown robot 'so100'; allowed: .*so101.*Did you mean"):
        load_robot("so100")


def test_an_unknown_key_is_refused_with_the_nearest_one(data: dict[str, Any]) -> None:
    data["joints"][0]["lower_rd"] = data["joints"][0].pop("lower_rad")
    with pytest.raises(RobotError, match="Did you mean 'lower_rad'"):
        RobotDescription.from_dict(data)


def test_a_missing_key_is_named(data: dict[str, Any]) -> None:
    del data["topics"]["camera_info"]
    with pytest.raises(RobotError, match="topics: missing camera_info"):
        RobotDescription.from_dict(data)


def test_limits_that_leave_no_room_are_refused(data: dict[str, Any]) -> None:
    data["joints"][1]["lower_rad"] = 2.0
    with pytest.raises(RobotError, match="is not below"):
        RobotDescription.from_dict(data)


def test_a_limit_that_is_not_a_number_is_refused(data: dict[str, Any]) -> None:
    data["joints"][1]["velocity_rad_s"] = float("nan")
    with pytest.raises(RobotError, match="not finite"):
        RobotDescription.from_dict(data)


def test_a_pose_outside_the_limits_is_refused(data: dict[str, Any]) -> None:
    data["poses"]["home_rad"][0] = 3.0
    with pytest.raises(RobotError, match=r"puts 'shoulder_pan' at 3\.0"):
        RobotDescription.from_dict(data)


def test_the_fingerprint_follows_what_a_policy_depends_on(data: dict[str, Any]) -> None:
    robot = RobotDescription.from_dict(data)
    data["topics"]["joint_state"] = "other"
    assert RobotDescription.from_dict(data).fingerprint() == robot.fingerprint()
    data["cameras"]["front"]["width_px"] += 2
    assert RobotDescription.from_dict(data).fingerprint() != robot.fingerprint()


def test_a_mismatch_says_what_differs_and_what_to_do(data: dict[str, Any]) -> None:
    robot = RobotDescription.from_dict(data)
    data["joints"][2]["upper_rad"] = 1.65
    data["name"] = "shorter"
    other = RobotDescription.from_dict(data)
    with pytest.raises(FingerprintMismatch, match=r"joints.elbow_flex .* robot=shorter"):
        robot.require_match(other, "checkpoint 'x'")
