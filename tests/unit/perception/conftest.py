"""Real rendered scenes, and the perception that looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lam_ros.config import load_robot
from lam_ros.core.types import ImageArray
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.seer import load_perception
from lam_sim.cameras import true_camera
from lam_sim.scenes import SceneConfig, SceneSpec
from lam_sim.world import LockstepSim, SimConfig

WIDTH_PX, HEIGHT_PX = 640, 400


class Stage:
    """One simulated table that is looked at from the front."""

    def __init__(self) -> None:
        robot = load_robot("so101")
        front = replace(robot.camera("front"), width_px=WIDTH_PX, height_px=HEIGHT_PX)
        self.robot = replace(robot, cameras=(front,))
        self.config, self.arm = load_perception("default")
        self.sim = LockstepSim(self.robot, SimConfig(SceneConfig(placed_probability=0.0)))

    def set(self, scene: int | SceneSpec) -> tuple[ImageArray, TableCamera]:
        """Set a scene and return its picture, and the camera that took it."""
        self.sim.reset(scene)
        return self.look()

    def look(self) -> tuple[ImageArray, TableCamera]:
        """Return a picture of now, and the camera that took it."""
        image = self.sim.observe().images["front"]
        camera = true_camera(self.sim.model, self.sim.data, "front", WIDTH_PX, HEIGHT_PX)
        return image, camera

    @property
    def joints_rad(self) -> dict[str, float]:
        """Joint name -> position now."""
        state = self.sim.joint_state().position_rad
        return dict(zip(self.robot.joint_names, map(float, state), strict=True))


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A simulated table."""
    made = Stage()
    yield made
    made.sim.close()
