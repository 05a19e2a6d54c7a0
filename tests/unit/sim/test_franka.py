"""The second arm: its chain is the maker's, and what is written for arms works with it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest
import yaml

from lam_ros.config import load_group, load_robot
from lam_ros.core.errors import ConfigError, LamError, RobotError
from lam_ros.core.robot import RobotDescription
from lam_ros.paths import find_checkpoint
from lam_ros.teleop.jog import Jogger
from lam_ros.teleop.port import CartesianTwist, Frame
from lam_sim.arms import ASSETS, model_of
from lam_sim.ik import POINTING_DOWN_RAD, CartesianTeleop, ToolTarget
from lam_sim.model import load_arm_spec
from lam_sim.placement import PICK
from lam_sim.rollout import Demonstrator
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import TRAINING_MIX, TaskType, sample_episode
from lam_sim.world import LockstepSim, SimConfig

DT_S = 0.04
ALPHA = np.radians([0, -90, 90, 90, -90, 90, 90])
A_M = [0, 0, 0, 0.0825, -0.0825, 0, 0.088]
D_M = [0.333, 0, 0.316, 0, 0.384, 0, 0]
FLANGE_M = 0.107


@pytest.fixture(scope="module")
def franka() -> RobotDescription:
    return load_robot("franka")


@pytest.fixture(scope="module")
def kinematics(franka: RobotDescription) -> CartesianTeleop:
    return CartesianTeleop(franka)


@pytest.fixture(scope="module")
def world(franka: RobotDescription):
    world = LockstepSim(franka, SimConfig(render=False))
    yield world
    world.close()


def flange(joints_rad: np.ndarray) -> np.ndarray:
    """Return the flange's pose in the arm's base, by the Denavit-Hartenberg table, (4, 4)."""
    pose = np.eye(4)
    for alpha, a, d, theta in zip(ALPHA, A_M, D_M, joints_rad, strict=True):
        ca, sa, ct, st = np.cos(alpha), np.sin(alpha), np.cos(theta), np.sin(theta)
        pose = pose @ np.array(
            [
                [ct, -st, 0, a],
                [st * ca, ct * ca, -sa, -d * sa],
                [st * sa, ct * sa, ca, d * ca],
                [0, 0, 0, 1],
            ]
        )
    return pose @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, FLANGE_M], [0, 0, 0, 1]])


def test_the_chain_is_the_makers_table(franka: RobotDescription) -> None:
    model = load_arm_spec("franka").compile()
    data = mujoco.MjData(model)
    low, high = franka.lower_rad[:7], franka.upper_rad[:7]
    for joints in np.random.default_rng(0).uniform(low, high, (30, 7)):
        data.qpos[:7] = joints
        mujoco.mj_kinematics(model, data)
        here = data.site("flange_tip").xpos - data.body("base").xpos
        np.testing.assert_allclose(here, flange(joints)[:3, 3], atol=1e-6)
        axis = data.body("hand").xmat.reshape(3, 3)[:, 2]
        np.testing.assert_allclose(axis, flange(joints)[:3, 2], atol=1e-6)


def test_limits_of_model_and_description_agree(franka: RobotDescription) -> None:
    model = load_arm_spec("franka").compile()
    for joint in franka.joints:
        np.testing.assert_allclose(
            model.joint(joint.name).range, [joint.lower_rad, joint.upper_rad], atol=1e-9
        )


@pytest.mark.parametrize("radius_m", [PICK.inner_m, PICK.outer_m])
@pytest.mark.parametrize("angle_rad", [-1.1, 0.0, 0.9])
@pytest.mark.parametrize("height_m", [0.010, 0.15])
def test_it_reaches_all_that_scenes_hold(
    franka, kinematics, radius_m: float, angle_rad: float, height_m: float
) -> None:
    place = (0.039 + radius_m * math.cos(angle_rad), radius_m * math.sin(angle_rad), height_m)
    joints = np.array(franka.poses.home_rad)
    for _ in range(80):
        moved = kinematics.solve(joints, ToolTarget(place, yaw_rad=-1.2, jaw_rad=0.0), DT_S)
        assert (np.abs(moved - joints) <= franka.velocity_rad_s * DT_S + 1e-9).all()
        joints = moved
    pose = kinematics.tool_pose(joints)
    assert math.dist(pose.position_m, place) < 1e-3
    assert pose.pitch_rad == pytest.approx(POINTING_DOWN_RAD, abs=0.02)
    assert pose.yaw_rad == pytest.approx(-1.2, abs=0.02)
    assert pose.jaw_rad == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("task_type", [*TRAINING_MIX, TaskType.HOME])
def test_the_scripted_teleoperator_does_each_type_of_task(world, task_type: TaskType) -> None:
    episode = sample_episode(SceneConfig(), 900, {task_type: 1.0})
    demonstration = Demonstrator(world).run(episode, max_frames=400)
    assert demonstration.outcome.success, demonstration.outcome
    assert demonstration.came_to_rest
    assert demonstration.state_rad.shape[1] == 8


def test_a_scene_begins_near_home_and_differently_with_the_seed(world, franka) -> None:
    starts = [world.reset(seed).state_rad for seed in (1, 2)]
    assert not np.allclose(*starts)
    for start in starts:
        assert np.abs(start - franka.poses.home_rad).max() < 0.16


@pytest.mark.parametrize(
    ("twist", "moves"),
    [
        (CartesianTwist(linear_m_s=(0.1, 0, 0)), (0.04, 0, 0)),
        (CartesianTwist(linear_m_s=(0.05, 0, 0), frame=Frame.TOOL), (0, 0, -0.02)),
    ],
)
def test_jogging_moves_the_tool_and_keeps_its_direction(franka, kinematics, twist, moves) -> None:
    jogger = Jogger(franka, kinematics)
    joints = np.array(franka.poses.home_rad)
    before = kinematics.tool_pose(joints)
    jogger.begin(joints)
    for _ in range(20):
        joints = jogger.step(twist, joints, 0.02)
    after = kinematics.tool_pose(joints)
    came = np.array(after.position_m) - before.position_m
    np.testing.assert_allclose(came, moves, atol=4e-3)
    assert after.pitch_rad == pytest.approx(before.pitch_rad, abs=0.02)


def test_jogging_rolls_the_hand_on_the_spot(franka, kinematics) -> None:
    jogger = Jogger(franka, kinematics)
    joints = np.array(franka.poses.home_rad)
    before = kinematics.tool_pose(joints)
    jogger.begin(joints)
    for _ in range(20):
        joints = jogger.step(CartesianTwist(roll_rad_s=0.5), joints, 0.02)
    after = kinematics.tool_pose(joints)
    assert after.yaw_rad - before.yaw_rad == pytest.approx(0.2, abs=0.03)
    assert math.dist(after.position_m, before.position_m) < 1e-3


def test_the_shipped_checkpoint_is_refused_with_the_differences_named(franka) -> None:
    from lam_policies.loader import load_policy

    with pytest.raises(LamError) as refused:
        load_policy(find_checkpoint("lam_so101"), franka, "cpu")
    words = str(refused.value)
    assert "was made for robot 'so101' and does not fit robot 'franka'" in words
    assert "joints only there: shoulder_pan, " in words
    assert "joints only here: panda_joint1, " in words


def test_the_description_survives_being_written_down(franka: RobotDescription) -> None:
    data = yaml.safe_load(yaml.safe_dump(franka.to_dict()))
    assert RobotDescription.from_dict(data) == franka
    assert data["joints"][-1] | {"kind": "prismatic", "upper_m": 0.04} == data["joints"][-1]
    assert data["gripper"]["open_m"] == 0.04


def test_the_model_is_no_part_of_the_fingerprint(franka: RobotDescription) -> None:
    assert replace(franka, model="elsewhere.xml").fingerprint() == franka.fingerprint()
    so101 = load_robot("so101")
    assert "model" not in so101.to_dict()
    assert all("kind" not in joint for joint in so101.to_dict()["joints"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "sliding"}, "kind 'sliding'"),
        ({"upper_rad": 0.04}, "has no 'upper_rad'; give 'upper_m'"),
        ({"uper_m": 0.04}, "unknown key 'uper_m'"),
    ],
)
def test_a_joint_that_is_described_wrongly_is_refused(change, says) -> None:
    data = load_group("robot", "franka")
    data["joints"][-1] |= change
    with pytest.raises(RobotError, match=says):
        RobotDescription.from_dict(data)


def test_a_model_that_is_not_there_is_named_with_those_that_are(franka) -> None:
    with pytest.raises(ConfigError, match=r"model 'frnka'.*franka"):
        model_of(replace(franka, model="frnka"))


def test_a_robot_whose_model_has_other_joints_is_refused_with_the_remedy(franka) -> None:
    with pytest.raises(RobotError, match="wrist_roll is not in both; name its own MJCF"):
        LockstepSim(replace(franka, model="so101"))
    with pytest.raises(RobotError, match="shoulder_pan"):
        CartesianTeleop(replace(load_robot("so101"), model="franka"))


def test_an_arm_of_ones_own_is_two_files_anywhere(franka, tmp_path: Path) -> None:
    for name in ("franka.xml", "franka.yaml"):
        (tmp_path / name.replace("franka", "mine")).write_text((ASSETS / name).read_text())
    mine = replace(franka, name="mine", model=str(tmp_path / "mine.xml"))
    pose = CartesianTeleop(mine).tool_pose(np.array(mine.poses.home_rad))
    assert pose.position_m[2] == pytest.approx(0.2, abs=0.01)
    (tmp_path / "half.xml").write_text((ASSETS / "franka.xml").read_text())
    with pytest.raises(ConfigError, match=r"half\.yaml is missing"):
        model_of(replace(mine, model=str(tmp_path / "half.xml")))
