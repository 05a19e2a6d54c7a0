"""Where a camera is: `sensor_msgs/CameraInfo` and `geometry_msgs/PoseStamped` <-> `TableCamera`.

The pose is of the optical frame (x right, y down, z forward) in the base frame.
"""

from __future__ import annotations

import geometry_msgs.msg
import numpy as np
import sensor_msgs.msg

from lam_ros.bridge.messages import ns_to_stamp
from lam_ros.bridge.scenes import BASE_FRAME
from lam_ros.core.frames import quat_from_matrix
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.perception.camera import TableCamera


def pose_topic(image_topic: str) -> str:
    """Return the topic of a camera's pose, beside that of its pictures."""
    return f"{image_topic.rpartition('/')[0]}/pose"


def pose_to(camera: TableCamera, stamp_ns: int) -> geometry_msgs.msg.PoseStamped:
    """Make the message of a camera's pose."""
    message = geometry_msgs.msg.PoseStamped()
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.header.frame_id = BASE_FRAME
    position, turn = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = map(float, camera.position_m)
    quat_xyzw = quat_from_matrix(camera.rotation_base_camera)
    turn.x, turn.y, turn.z, turn.w = map(float, quat_xyzw)
    return message


def camera_from(
    info: sensor_msgs.msg.CameraInfo, pose: geometry_msgs.msg.PoseStamped
) -> TableCamera | Rejected:
    """Read a calibrated camera from its two messages."""
    from scipy.spatial.transform import Rotation

    position, turn = pose.pose.position, pose.pose.orientation
    quat_xyzw = np.array([turn.x, turn.y, turn.z, turn.w])
    place = np.array([position.x, position.y, position.z])
    matrix = np.array(info.k, dtype=np.float64).reshape(3, 3)
    if not all(np.isfinite(item).all() for item in (quat_xyzw, place, matrix)):
        return Rejected(RejectRule.NOT_FINITE, "camera: its pose or its matrix is not finite")
    if np.linalg.norm(quat_xyzw) < 0.5 or matrix[0, 0] <= 0 or info.width < 1 or info.height < 1:
        return Rejected(RejectRule.MALFORMED, "camera: its pose or its matrix is none")
    rotation = Rotation.from_quat(quat_xyzw).as_matrix()
    return TableCamera(int(info.width), int(info.height), matrix, rotation, place)
