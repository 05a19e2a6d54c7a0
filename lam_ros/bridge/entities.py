"""What a node has opened on the graph, so that it can close all of it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile


class Entities:
    """Opens publishers, subscriptions, services, clients and timers of a node."""

    def __init__(self, node: Node) -> None:
        """Open nothing yet."""
        self._node = node
        self._closers: list[Callable[[], object]] = []

    def publisher(self, kind: Any, topic: str, quality: QoSProfile) -> Any:
        """Open a publisher."""
        publisher = self._node.create_publisher(kind, topic, quality)
        self._closers.append(lambda: self._node.destroy_publisher(publisher))
        return publisher

    def listen(
        self, kind: Any, topic: str, callback: Callable[[Any], object], quality: QoSProfile
    ) -> None:
        """Open a subscription."""
        subscription = self._node.create_subscription(kind, topic, callback, quality)
        self._closers.append(lambda: self._node.destroy_subscription(subscription))

    def serve(self, kind: Any, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """Open a service."""
        service = self._node.create_service(kind, name, callback)
        self._closers.append(lambda: self._node.destroy_service(service))

    def client(self, kind: Any, name: str) -> Any:
        """Open a client of a service."""
        client = self._node.create_client(kind, name)
        self._closers.append(lambda: self._node.destroy_client(client))
        return client

    def timer(self, period_s: float, callback: Callable[[], object]) -> Any:
        """Open a timer that stands still: `reset` starts it, `cancel` stops it.

        It is never destroyed while the executor looks at it, and no jump of the date
        reaches it.
        """
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self._node.create_timer(period_s, callback, clock=clock)
        timer.cancel()
        self._closers.append(lambda: self._node.destroy_timer(timer))
        return timer

    def add(self, close: Callable[[], object]) -> None:
        """Have `close` called with the others."""
        self._closers.append(close)

    def close(self) -> None:
        """Close everything, the newest first."""
        while self._closers:
            self._closers.pop()()
