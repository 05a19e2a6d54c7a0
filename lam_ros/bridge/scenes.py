"""Scenes: `lam_interfaces/Scene` <-> `core.scene.Scene`."""

from __future__ import annotations

import math

from lam_interfaces import msg as lam_msg
from lam_ros.bridge.messages import ns_to_stamp, stamp_to_ns
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.scene import Scene, SceneError, SceneObject

BASE_FRAME = "base"

_TO_FLAG = {
    None: lam_msg.SceneObject.UNKNOWN,
    False: lam_msg.SceneObject.NO,
    True: lam_msg.SceneObject.YES,
}
_FROM_FLAG = {number: flag for flag, number in _TO_FLAG.items()}


def scene_to(scene: Scene) -> lam_msg.Scene:
    """Make a scene message."""
    message = lam_msg.Scene()
    message.header.stamp = ns_to_stamp(scene.stamp_ns)
    message.header.frame_id = BASE_FRAME
    message.objects = [_object_to(item) for item in scene.objects]
    message.held = scene.held
    return message


def scene_from(message: lam_msg.Scene) -> Scene | Rejected:
    """Read a scene message."""
    objects = tuple(_object_from(item) for item in message.objects)
    for item in objects:
        if not all(map(math.isfinite, (*item.position_m, *item.size_m, item.yaw_rad))):
            return Rejected(RejectRule.NOT_FINITE, f"object '{item.id:.40}' is not anywhere")
    try:
        return Scene(objects, stamp_to_ns(message.header.stamp), message.held)
    except SceneError as error:
        return Rejected(RejectRule.MALFORMED, str(error))


def _object_to(item: SceneObject) -> lam_msg.SceneObject:
    message = lam_msg.SceneObject(
        id=item.id, kind=item.kind, color=item.color, confidence=float(item.confidence)
    )
    position, size = message.pose.position, message.size
    position.x, position.y, position.z = map(float, item.position_m)
    size.x, size.y, size.z = map(float, item.size_m)
    message.pose.orientation.z = math.sin(item.yaw_rad / 2)
    message.pose.orientation.w = math.cos(item.yaw_rad / 2)
    message.on, message.inside = item.on, item.inside
    message.is_open, message.is_on = _TO_FLAG[item.is_open], _TO_FLAG[item.is_on]
    return message


def _object_from(message: lam_msg.SceneObject) -> SceneObject:
    position, turn, size = message.pose.position, message.pose.orientation, message.size
    return SceneObject(
        id=message.id,
        kind=message.kind,
        color=message.color,
        position_m=(position.x, position.y, position.z),
        size_m=(size.x, size.y, size.z),
        yaw_rad=_yaw(turn.x, turn.y, turn.z, turn.w),
        confidence=message.confidence,
        on=message.on,
        inside=message.inside,
        is_open=_FROM_FLAG.get(message.is_open),
        is_on=_FROM_FLAG.get(message.is_on),
    )


def _yaw(x: float, y: float, z: float, w: float) -> float:
    """Return the rotation about z of a quaternion (x, y, z, w)."""
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
