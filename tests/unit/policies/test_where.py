"""What tells the policy, in training, where things are."""

from __future__ import annotations

import numpy as np
import pytest

from lam_policies.training.near import ToolFrame
from lam_policies.training.projection import Pinhole
from lam_ros.config import load_robot
from lam_sim.ik import CartesianTeleop
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig
from lam_sim.world import LockstepSim, SimConfig

ROBOT = load_robot("so101")


@pytest.fixture(scope="module")
def frame() -> ToolFrame:
    tool = ToolFrame.of(ROBOT)
    assert tool is not None
    return tool


def _see(
    frame: ToolFrame, joints: list[float], place: tuple[float, float, float], yaw: float
) -> tuple[np.ndarray, np.ndarray]:
    states, places = np.array([joints], np.float32), np.array([[place, place]], np.float32)
    offsets, turn = frame.see(states, places, np.array([yaw], np.float32))
    return offsets[0, :3], turn[0]


def test_what_is_at_the_tool_has_no_offset_and_no_turn(frame: ToolFrame) -> None:
    joints = [0.4, -0.9, 0.9, 1.0, 0.7, 0.3]
    pose = CartesianTeleop(ROBOT).tool_pose(joints)
    offset, turn = _see(frame, joints, pose.position_m, pose.yaw_rad)
    assert offset == pytest.approx(np.zeros(3), abs=1e-6)
    assert turn == pytest.approx([1.0, 0.0], abs=1e-5)


def test_an_offset_turns_with_the_arm(frame: ToolFrame) -> None:
    """What lies ahead of the tool stays ahead of it when the arm pans with the thing."""
    offsets = []
    for pan in (0.0, 0.8):
        joints = [pan, -0.9, 0.9, 1.0, 0.0, 0.3]
        pose = CartesianTeleop(ROBOT).tool_pose(joints)
        ahead = np.array([np.cos(pose.yaw_rad), np.sin(pose.yaw_rad), 0.0])
        place = np.array(pose.position_m) + 0.05 * ahead - [0, 0, 0.03]
        offsets.append(_see(frame, joints, tuple(place), 0.0)[0])
    assert offsets[0] == pytest.approx([0.05, 0.0, -0.03], abs=1e-6)
    assert offsets[1] == pytest.approx(offsets[0], abs=1e-6)


@pytest.mark.parametrize("sides", [1, 2, 3, 4])
def test_the_four_sides_of_a_cube_are_alike(frame: ToolFrame, sides: int) -> None:
    joints = [0.1, -0.9, 0.9, 1.0, 0.2, 0.3]
    once = _see(frame, joints, (0.2, 0.0, 0.01), 0.3)[1]
    again = _see(frame, joints, (0.2, 0.0, 0.01), 0.3 + sides * np.pi / 2)[1]
    assert again == pytest.approx(once, abs=1e-4)


@pytest.mark.parametrize("camera", ROBOT.cameras, ids=lambda camera: camera.name)
def test_the_pinhole_says_where_a_thing_is_drawn(camera) -> None:
    """A cube's colour is found in the picture at the pixel that the pinhole names."""
    config = SceneConfig(objects=("red cube", "blue bowl"))
    sim = LockstepSim(ROBOT, SimConfig(scene=config))
    found = 0
    for seed in range(6):
        picture = sim.reset(sample_scene(config, seed)).images[camera.name].astype(int)
        place = next(x for x in sim.truth().objects if x.kind == "cube").position_m
        view = sim.model.camera(camera.name).id
        pinhole = Pinhole(
            sim.data.cam_xpos[view],
            sim.data.cam_xmat[view].reshape(3, 3),
            float(sim.model.cam_fovy[view]),
            camera.width_px / camera.height_px,
        )
        x, y, is_seen = pinhole.see(np.array([place]))[0]
        red = (picture[..., 0] > 1.8 * picture[..., 1]) & (picture[..., 0] > 1.8 * picture[..., 2])
        if not is_seen or red.sum() < 12:
            continue
        rows, columns = np.nonzero(red)
        assert (x + 1) / 2 * camera.width_px == pytest.approx(columns.mean() + 0.5, abs=4)
        assert (y + 1) / 2 * camera.height_px == pytest.approx(rows.mean() + 0.5, abs=4)
        found += 1
    sim.close()
    if camera.name == "front":
        assert found >= 4
