"""The ROS clock as the core knows clocks."""

from __future__ import annotations

from rclpy.node import Node


class RosClock:
    """A `core.clock.Clock` that follows `/clock` where simulated time is on."""

    def __init__(self, node: Node) -> None:
        """Read the time of `node`."""
        self._clock = node.get_clock()

    def now_ns(self) -> int:
        """Return the time in nanoseconds."""
        return int(self._clock.now().nanoseconds)
