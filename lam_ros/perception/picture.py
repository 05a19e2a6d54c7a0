"""The scene that one picture file shows, taken with the calibrated camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lam_ros.core.errors import DataError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import ImageArray
from lam_ros.perception.calibration import Calibration
from lam_ros.perception.seer import Seer, load_perception

_LOOKS = 2
"""As often as a thing must be seen to count."""

_ASPECT_TOLERANCE = 0.02


def read_picture(path: Path) -> ImageArray:
    """Return a picture file as rgb8, shape (H, W, 3).

    Raises:
        DataError: if it cannot be read.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DataError(f"picture '{path}': {error.strerror}") from None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise DataError(f"picture '{path}': no picture that can be read; PNG or JPEG is needed")
    return np.ascontiguousarray(image[..., ::-1])


def scene_in(
    image: ImageArray, calibration: Calibration, robot: RobotDescription, name: str = "default"
) -> Scene:
    """Return what a picture shows, the arm at home: rgb8, shape (H, W, 3).

    Args:
        name: of the configuration of perception.

    Raises:
        DataError: if the picture is of another shape than the camera's.
    """
    height, width = image.shape[:2]
    camera = calibration.camera
    wanted = camera.width_px / camera.height_px
    if abs(width / height - wanted) > _ASPECT_TOLERANCE * wanted:
        raise DataError(
            f"picture: {width}x{height} came, the calibrated camera takes "
            f"{camera.width_px}x{camera.height_px}; take it with that camera, uncut"
        )
    config, arm = load_perception(name)
    seer = Seer(robot, config, arm)
    home_rad = np.array(robot.poses.home_rad)
    rectified = calibration.rectified(image)
    for _ in range(max(_LOOKS, config.track.confirm_count)):
        scene = seer.see(rectified, camera, home_rad, 0)
    return scene
