"""`sensor_msgs/CameraInfo` of a pinhole camera without distortion."""

from __future__ import annotations

import math

import sensor_msgs.msg

from lam_ros.core.robot import Camera


def pinhole_info(camera: Camera, fovy_rad: float) -> sensor_msgs.msg.CameraInfo:
    """Make the description of a camera with square pixels and this vertical field of view."""
    focal_px = camera.height_px / 2 / math.tan(fovy_rad / 2)
    cx_px, cy_px = (camera.width_px - 1) / 2, (camera.height_px - 1) / 2
    info = sensor_msgs.msg.CameraInfo()
    info.header.frame_id = f"{camera.name}_optical_frame"
    info.width, info.height = camera.width_px, camera.height_px
    info.distortion_model = "plumb_bob"
    info.d = [0.0] * 5
    info.k = [focal_px, 0.0, cx_px, 0.0, focal_px, cy_px, 0.0, 0.0, 1.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [focal_px, 0.0, cx_px, 0.0, 0.0, focal_px, cy_px, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def unknown_info(camera: Camera) -> sensor_msgs.msg.CameraInfo:
    """Make the description of a camera that nobody has calibrated: all zeros, as ROS says it."""
    info = sensor_msgs.msg.CameraInfo()
    info.header.frame_id = f"{camera.name}_optical_frame"
    info.width, info.height = camera.width_px, camera.height_px
    return info
