"""Where the simulated cameras truly are: what a calibration would find."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from lam_ros.perception.camera import TableCamera, looking_camera

_FLIP_Y_Z = np.diag([1.0, -1.0, -1.0])
"""From the optical frame (y down, z forward) to OpenGL's (y up, z back)."""


def true_camera(
    model: mujoco.MjModel, data: mujoco.MjData, name: str, width_px: int, height_px: int
) -> TableCamera:
    """Return the camera of that name at its present pose, for pictures of that size."""
    camera = model.camera(name).id
    rotation = data.cam_xmat[camera].reshape(3, 3) @ _FLIP_Y_Z
    fovy_rad = math.radians(float(model.cam_fovy[camera]))
    return looking_camera(width_px, height_px, fovy_rad, data.cam_xpos[camera].copy(), rotation)
