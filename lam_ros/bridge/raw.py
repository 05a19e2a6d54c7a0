"""Subscriptions that hand messages over as they came, with what the middleware knows of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.subscription import Subscription

from lam_ros.bridge.entities import Entities
from lam_ros.recording.streams import Delivery

_RELIABLE, _BEST_EFFORT = QoSReliabilityPolicy.RELIABLE, QoSReliabilityPolicy.BEST_EFFORT
_LATCHED, _VOLATILE = QoSDurabilityPolicy.TRANSIENT_LOCAL, QoSDurabilityPolicy.VOLATILE


@dataclass(frozen=True)
class RawMessage:
    """A serialised message.

    Attributes:
        received_ns: when the middleware got it, before it waited for us.
        sequence: the publisher's count, from 1; None if the middleware does not tell.
    """

    data: bytes
    received_ns: int
    sequence: int | None


def listen_raw(
    opened: Entities,
    type_name: str,
    topic: str,
    callback: Callable[[RawMessage], object],
    quality: QoSProfile,
) -> None:
    """Open a subscription; `type_name` as `sensor_msgs/msg/Image`."""

    def relay(*came: Any) -> None:
        # rclpy 7.1's events executor gives message and information as one tuple.
        data, info = came if len(came) == 2 else came[0]
        callback(
            RawMessage(data, info["received_timestamp"], info.get("publication_sequence_number"))
        )

    subscription = opened.listen(message_type(type_name), topic, relay, quality, raw=True)
    # By its signature the callback would be taken for a callback without information.
    subscription._callback_type = Subscription.CallbackType.WithMessageInfo


def message_type(type_name: str) -> Any:
    """Return the class of a message type such as `sensor_msgs/msg/Image`."""
    package, folder, name = type_name.split("/")
    return getattr(importlib.import_module(f"{package}.{folder}"), name)


def quality_of(delivery: Delivery, depth: int) -> QoSProfile:
    """Return the quality of service of a subscription that misses nothing."""
    return QoSProfile(
        depth=depth,
        reliability=_BEST_EFFORT if delivery is Delivery.BEST_EFFORT else _RELIABLE,
        durability=_LATCHED if delivery is Delivery.LATCHED else _VOLATILE,
    )


def delivery_of(offered: Iterable[QoSProfile]) -> Delivery | None:
    """Return the most that all publishers of a topic offer, None if there is none."""
    profiles = list(offered)
    if not profiles:
        return None
    if any(profile.reliability != _RELIABLE for profile in profiles):
        return Delivery.BEST_EFFORT
    if all(profile.durability == _LATCHED for profile in profiles):
        return Delivery.LATCHED
    return Delivery.RELIABLE
