"""What a node has opened on the graph, so that it can close all of it again.

The executor may have callbacks of closed entities in its queue.  None of them reaches
the node: what it used in them is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile


class Entities:
    """Opens publishers, subscriptions, services, clients and timers of a node.

    After `close` it can be used again; what was opened before stays closed.
    """

    def __init__(self, node: Node) -> None:
        """Open nothing yet."""
        self._node = node
        self._closers: list[Callable[[], object]] = []
        self._period = 0

    def while_open(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """Return a callback that does nothing from the next `close` on."""
        period = self._period

        def call(*came: Any) -> Any:
            return callback(*came) if period == self._period else None

        return call

    def publisher(self, kind: Any, topic: str, quality: QoSProfile) -> Any:
        """Open a publisher."""
        publisher = self._node.create_publisher(kind, topic, quality)
        self._closers.append(lambda: self._node.destroy_publisher(publisher))
        return publisher

    def listen(
        self,
        kind: Any,
        topic: str,
        callback: Callable[[Any], object],
        quality: QoSProfile,
        *,
        raw: bool = False,
    ) -> Any:
        """Open a subscription; a `raw` one gets messages as they came."""
        subscription = self._node.create_subscription(
            kind, topic, self.while_open(callback), quality, raw=raw
        )
        self._closers.append(lambda: self._node.destroy_subscription(subscription))
        return subscription

    def serve(self, kind: Any, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """Open a service; who asks as it is closed gets no answer."""
        service = self._node.create_service(kind, name, self.while_open(callback))

        def close() -> None:
            service.send_response = lambda *_: None  # rclpy's raises for a closed service
            self._node.destroy_service(service)

        self._closers.append(close)

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
        timer = self._node.create_timer(period_s, self.while_open(callback), clock=clock)
        timer.cancel()
        self._closers.append(lambda: self._node.destroy_timer(timer))
        return timer

    def add(self, close: Callable[[], object]) -> None:
        """Have `close` called with the others."""
        self._closers.append(close)

    def close(self) -> None:
        """Close everything, the newest first."""
        self._period += 1
        while self._closers:
            self._closers.pop()()
