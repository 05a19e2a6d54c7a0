"""Frames as `/tf` and `/tf_static`, where this ROS has their message.

`tf2_msgs` comes with a ROS installation and is not on PyPI.  Both topics are absolute,
as every tool expects; robots are told apart by a prefix of their frames.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from lam_ros.bridge import qos
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.messages import ns_to_stamp
from lam_ros.core.frames import Transform

TF = "/tf"
TF_STATIC = "/tf_static"

_TF_QOS = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)


def has_tf() -> bool:
    """Tell whether this ROS has the message of `/tf`."""
    return importlib.util.find_spec("tf2_msgs") is not None


def transforms_to(
    transforms: Iterable[Transform], prefix: str, stamp_ns: int
) -> list[TransformStamped]:
    """Make messages of transforms; `prefix` goes before every frame."""
    return [_message(transform, prefix, stamp_ns) for transform in transforms]


class FramePublisher:
    """Publishes transforms of one arm; needs `has_tf`."""

    def __init__(self, opened: Entities, prefix: str) -> None:
        """Open both topics."""
        self._kind = importlib.import_module("tf2_msgs.msg").TFMessage
        self._prefix = prefix
        self._moving: Any = opened.publisher(self._kind, TF, _TF_QOS)
        self._fixed: Any = opened.publisher(self._kind, TF_STATIC, qos.LATCHED)

    def fixed(self, transforms: Iterable[Transform], stamp_ns: int) -> None:
        """Publish those that never change, once for everybody."""
        messages = transforms_to(transforms, self._prefix, stamp_ns)
        self._fixed.publish(self._kind(transforms=messages))

    def moving(self, transforms: Iterable[Transform], stamp_ns: int) -> None:
        """Publish those of one joint state."""
        messages = transforms_to(transforms, self._prefix, stamp_ns)
        self._moving.publish(self._kind(transforms=messages))


def _message(transform: Transform, prefix: str, stamp_ns: int) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.header.frame_id = f"{prefix}{transform.parent}"
    message.child_frame_id = f"{prefix}{transform.child}"
    place, turn = message.transform.translation, message.transform.rotation
    place.x, place.y, place.z = (float(value) for value in transform.position_m)
    turn.x, turn.y, turn.z, turn.w = (float(value) for value in transform.quat_xyzw)
    return message
