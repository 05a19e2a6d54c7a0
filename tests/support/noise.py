"""Pictures of nothing, for policies of which only the way there is tried."""

import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ImageArray


def noise_pictures(robot: RobotDescription, rng: np.random.Generator) -> dict[str, ImageArray]:
    """Return a picture of noise of each camera."""
    return {
        c.name: rng.integers(0, 255, (c.height_px, c.width_px, 3), dtype=np.uint8)
        for c in robot.cameras
    }
