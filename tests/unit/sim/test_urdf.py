"""The URDF is the simulated arm: two readers of it agree with MuJoCo."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.errors import RobotError
from lam_ros.core.frames import FrameTree
from lam_sim.model import build_spec, load_arm_spec
from lam_sim.urdf import urdf

TOLERANCE = 1e-6
POSES = 50


@pytest.fixture(scope="module", params=["so101", "franka"])
def arm(request):
    return load_robot(request.param)


@pytest.fixture(scope="module")
def text(arm) -> str:
    return urdf(arm)


@pytest.fixture(scope="module")
def model(arm) -> mujoco.MjModel:
    return load_arm_spec(arm.model).compile()


def poses(arm):
    """Return joint positions all over the range, the limits among them."""
    random = np.random.default_rng(1).uniform(
        arm.lower_rad, arm.upper_rad, (POSES, len(arm.joints))
    )
    return [np.zeros(len(arm.joints)), arm.lower_rad, arm.upper_rad, *random]


def place(model, position_rad) -> mujoco.MjData:
    data = mujoco.MjData(model)
    data.qpos[: len(position_rad)] = position_rad
    for index in range(model.neq):  # a finger that follows the other
        follower, leader = model.eq_obj1id[index], model.eq_obj2id[index]
        data.qpos[model.jnt_qposadr[follower]] = data.qpos[model.jnt_qposadr[leader]]
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)
    return data


def same_turn(quat_xyzw, quat_wxyz) -> float:
    """Return how far two unit quaternions are from the same rotation."""
    other = np.roll(quat_wxyz, -1)
    return min(np.abs(quat_xyzw - other).max(), np.abs(quat_xyzw + other).max())


def test_our_reader_places_every_link_where_mujoco_does(arm, text, model):
    tree = FrameTree.from_urdf(text)
    for position_rad in poses(arm):
        placed = tree.in_root(dict(zip(arm.joint_names, position_rad, strict=True)))
        data = place(model, position_rad)
        for index in range(1, model.nbody):
            frame = placed[f"{model.body(index).name}_link"]
            np.testing.assert_allclose(frame.position_m, data.xpos[index], atol=TOLERANCE)
            assert same_turn(frame.quat_xyzw, data.xquat[index]) < TOLERANCE
        for index in range(model.nsite):
            frame = placed[f"{model.site(index).name}_frame"]
            np.testing.assert_allclose(frame.position_m, data.site_xpos[index], atol=TOLERANCE)


def test_mujocos_own_reader_of_urdf_gets_the_same_arm(arm, text, model):
    spec = mujoco.MjSpec.from_string(text)
    spec.compiler.fusestatic = False
    read = spec.compile()
    names = tuple(read.joint(index).name for index in range(read.njnt))
    assert names == tuple(model.joint(index).name for index in range(model.njnt))
    for position_rad in poses(arm):
        ours = place(model, position_rad)
        theirs = place(read, ours.qpos)
        for index in range(1, model.nbody):
            link = read.body(f"{model.body(index).name}_link").id
            np.testing.assert_allclose(theirs.xpos[link], ours.xpos[index], atol=TOLERANCE)
            assert same_turn(np.roll(theirs.xquat[link], -1), ours.xquat[index]) < TOLERANCE
    np.testing.assert_allclose(read.body_mass.sum(), model.body_mass.sum(), rtol=1e-6)
    np.testing.assert_allclose(read.jnt_range, model.jnt_range, atol=TOLERANCE)


def test_cameras_look_along_z_of_the_frame_that_their_pictures_name(arm, text):
    placed = FrameTree.from_urdf(text).in_root(
        dict(zip(arm.joint_names, arm.poses.home_rad, strict=True))
    )
    scene = build_spec(arm.model).compile()
    data = place(scene, np.zeros(0))
    for name, value in zip(arm.joint_names, arm.poses.home_rad, strict=True):
        data.qpos[scene.joint(name).qposadr[0]] = value
    mujoco.mj_kinematics(scene, data)
    mujoco.mj_camlight(scene, data)
    for camera in arm.camera_names:
        frame = placed[f"{camera}_optical_frame"]
        looks = data.cam_xmat[scene.camera(camera).id].reshape(3, 3) * [1, -1, -1]
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, looks.flatten())
        np.testing.assert_allclose(
            frame.position_m, data.cam_xpos[scene.camera(camera).id], atol=TOLERANCE
        )
        assert same_turn(frame.quat_xyzw, quat) < TOLERANCE


def test_limits_are_those_of_the_robot_description(arm, text):
    limits = {
        joint.get("name"): joint.find("limit").attrib
        for joint in ElementTree.fromstring(text).findall("joint")
        if joint.get("type") in ("revolute", "prismatic")
    }
    for joint in arm.joints:
        found = limits[joint.name]
        assert float(found["lower"]) == pytest.approx(joint.lower_rad)
        assert float(found["upper"]) == pytest.approx(joint.upper_rad)
        assert float(found["velocity"]) == pytest.approx(joint.velocity_rad_s)
        assert float(found["effort"]) == pytest.approx(joint.effort_nm)


def test_a_robot_that_is_not_simulated_has_no_urdf_of_ours(arm):
    joints = (replace(arm.joints[0], name="axis_1"), *arm.joints[1:])
    with pytest.raises(RobotError, match="no model with joints axis_1"):
        urdf(replace(arm, joints=joints))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<robot>", "not XML"),
        ('<robot><link name="a"/><link name="b"/></robot>', "one tree; roots a, b"),
        ('<robot><link name="a"/><joint name="j" type="bent"/></robot>', "type 'bent'"),
        (
            '<robot><link name="a"/><link name="b"/><joint name="j" type="fixed">'
            '<parent link="a"/><child link="b"/><origin xyz="1 nan 0"/></joint></robot>',
            "3 numbers are needed",
        ),
    ],
)
def test_what_is_no_urdf_is_refused_with_the_reason(text, says):
    with pytest.raises(RobotError, match=says):
        FrameTree.from_urdf(text)


def test_a_finger_that_follows_the_other_is_a_mimic_joint():
    arm = load_robot("franka")
    tree = FrameTree.from_urdf(urdf(arm))
    assert tree.joint_names == arm.joint_names
    (mimic,) = ElementTree.fromstring(urdf(arm)).iter("mimic")
    assert mimic.get("joint") == "panda_finger_joint1"
    placed = tree.in_root({"panda_finger_joint1": 0.02})
    fingers = [placed[f"{name}_finger_link"].position_m for name in ("fixed", "moving")]
    assert np.linalg.norm(fingers[0] - fingers[1]) == pytest.approx(0.04)
    moving = {frame.child for frame in tree.moving({"panda_finger_joint1": 0.02})}
    assert moving == {"fixed_finger_link", "moving_finger_link"}


def test_a_sliding_joint_moves_along_its_axis():
    tree = FrameTree.from_urdf(
        '<robot><link name="a"/><link name="b"/><joint name="j" type="prismatic">'
        '<parent link="a"/><child link="b"/><origin xyz="1 0 0" rpy="0 0 1.5707963267948966"/>'
        '<axis xyz="2 0 0"/></joint></robot>'
    )
    np.testing.assert_allclose(tree.in_root({"j": 0.5})["b"].position_m, [1, 0.5, 0], atol=1e-12)
