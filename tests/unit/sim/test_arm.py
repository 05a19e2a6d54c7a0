"""The arm's description against the published chain."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from lam_ros.core.robot import RobotDescription
from lam_sim.arms import arm_xml, names
from lam_sim.model import load_arm_spec

OFFSETS_M = {
    "shoulder": (0.03884, 0.0, 0.0624),
    "upper_arm": (0.0304, -0.01828, 0.0542),
    "lower_arm": (0.0280, 0.0, 0.11257),
    "wrist": (0.1349, 0.0, 0.0052),
    "gripper": (0.0611, 0.0181, 0.0),
    "moving_jaw": (0.0234, 0.0188, 0.0202),
}
AXES = {
    "shoulder_pan": (0, 0, -1),
    "shoulder_lift": (0, 1, 0),
    "elbow_flex": (0, 1, 0),
    "wrist_flex": (0, 1, 0),
    "wrist_roll": (-1, 0, 0),
    "gripper": (0, -1, 0),
}


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return load_arm_spec().compile()


def site_m(model: mujoco.MjModel, joints_rad: list[float], name: str) -> np.ndarray:
    data = mujoco.MjData(model)
    data.qpos[:] = joints_rad
    mujoco.mj_forward(model, data)
    return data.site(name).xpos.copy()


def test_offsets_and_axes_are_those_of_the_table(model: mujoco.MjModel) -> None:
    for body, offset in OFFSETS_M.items():
        np.testing.assert_allclose(model.body(body).pos, offset, atol=1e-9)
    for joint, axis in AXES.items():
        np.testing.assert_allclose(model.joint(joint).axis, axis, atol=1e-9)


def test_joints_and_limits_are_those_of_the_robot(
    model: mujoco.MjModel, robot: RobotDescription
) -> None:
    assert tuple(model.joint(i).name for i in range(model.njnt)) == robot.joint_names
    np.testing.assert_allclose(model.jnt_range[:, 0], robot.lower_rad, atol=1e-4)
    np.testing.assert_allclose(model.jnt_range[:, 1], robot.upper_rad, atol=1e-4)
    np.testing.assert_allclose(model.actuator_forcerange, [[-2.94, 2.94]] * 6)


def test_link_lengths(model: mujoco.MjModel) -> None:
    lengths = [np.linalg.norm(np.delete(model.body(b).pos, 1)) for b in ("lower_arm", "wrist")]
    np.testing.assert_allclose(lengths, [0.1160, 0.1350], atol=5e-5)


def test_the_tool_points_along_x_at_zero(model: mujoco.MjModel) -> None:
    expected = np.sum([OFFSETS_M[b] for b in list(OFFSETS_M)[:5]], axis=0)
    tip = site_m(model, [0.0] * 6, "jaw_tip")
    np.testing.assert_allclose(tip, expected + np.array([0.0981, 0.0, -0.0079]), atol=1e-9)


@pytest.mark.parametrize(("joint", "direction"), [(0, (0, -1, 0)), (1, (0, 0, -1))])
def test_turning_a_joint_moves_the_tool_the_right_way(
    model: mujoco.MjModel, joint: int, direction: tuple[int, int, int]
) -> None:
    turned = [0.0] * 6
    turned[joint] = 0.01
    moved = site_m(model, turned, "jaw_tip") - site_m(model, [0.0] * 6, "jaw_tip")
    assert moved @ np.array(direction) > 0.002


@pytest.mark.parametrize(
    ("jaw_rad", "gap_m"), [(-0.1745, 0.0041), (0.0, 0.0163), (0.5, 0.055), (1.0, 0.091)]
)
def test_the_gap_between_the_jaws_tips(model: mujoco.MjModel, jaw_rad: float, gap_m: float) -> None:
    data = mujoco.MjData(model)
    data.qpos[5] = jaw_rad
    mujoco.mj_forward(model, data)
    jaw = data.body("moving_jaw")
    moving = jaw.xpos + jaw.xmat.reshape(3, 3) @ [0.078, -0.0188, -0.0120]
    fixed = data.body("gripper").xpos + np.array([0.101, 0.0, -0.0081])
    assert np.linalg.norm(moving - fixed) == pytest.approx(gap_m, abs=0.004)


def test_pads_are_parallel_on_a_cube(model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    data.qpos[5] = 0.150
    mujoco.mj_forward(model, data)
    fixed, moving = data.geom("fixed_pad"), data.geom("moving_pad")
    np.testing.assert_allclose(fixed.xmat, moving.xmat, atol=1e-6)
    gap_m = moving.xpos[2] - fixed.xpos[2] - 0.006
    assert gap_m == pytest.approx(0.028, abs=2e-4)


@pytest.mark.parametrize("name", names())
def test_the_description_names_no_mesh(name: str) -> None:
    assert "mesh" not in arm_xml(name).read_text(encoding="utf-8").replace("no meshes", "")
