"""One arm, one commander, and one teleoperator: whoever comes second gives way.

On one machine a lock decides, at once.  Between machines the graph does: a node that
finds another publisher of the command topic when it starts gives way, and since
discovery may take seconds, each commander also says when it began (latched and again
each second, on `lam/commander`), and the later of two that meet ends.  Of teleoperators, which say so
on `lam/teleoperator`, others may be heard on their topic between episodes (`lam record`
has the arm go home), so for them the lock and what is said decide alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from lam_ros.bridge import qos, topics
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.messages import ns_to_stamp, stamp_to_ns
from lam_ros.core.errors import BusyError, LamError
from lam_ros.locks import Lock, commander_lock

NAME_PATIENCE_S = 1.0
"""How long the name of another publisher is waited for; it comes after the publisher."""

LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Office:
    """What there may be one of.

    Attributes:
        announcements: topic on which its holder says when it began.
        rule: said to whoever comes second.
        is_alone: whether nobody else may publish the topic.
    """

    announcements: str
    rule: str
    is_alone: bool


CONTROL = Office(topics.COMMANDER, "only one node may command an arm", is_alone=True)
TELEOPERATION = Office(
    topics.TELEOPERATOR, "only one teleoperator may drive an arm", is_alone=False
)


class SoleCommander:
    """The claim of one node to a command topic, which it publishes."""

    def __init__(
        self,
        node: Node,
        topic: str,
        give_way: Callable[[LamError], None],
        office: Office = CONTROL,
    ) -> None:
        """Prepare; `give_way` is called if an earlier commander is met later on."""
        self._office = office
        self._node, self._give_way = node, give_way
        self._topic = node.resolve_topic_name(topic)
        self._began_ns = time.time_ns()
        self._name = f"{node.get_fully_qualified_name()} (process {os.getpid()})"
        self._opened = Entities(node)
        self._strangers: set[str] = set()
        self._lost: BusyError | None = None

    def claim(self, wait_s: float) -> None:
        """Take the topic, after `wait_s` [s] of looking for others on the graph.

        Raises:
            BusyError: if another node commands it.
        """
        self._opened.add(self._lock().release)
        self._announce()
        if not self._office.is_alone:
            return
        time.sleep(wait_s)  # discovery runs in the middleware's own threads
        others = self._others()
        end = time.monotonic() + NAME_PATIENCE_S
        while any("_UNKNOWN_" in name for name in others) and time.monotonic() < end:
            time.sleep(0.05)
            others = self._others()
        if others:
            raise self._busy(f"node '{others[0]}'")
        self._opened.timer(LOOK_EVERY_S, self._look).reset()

    def check(self) -> None:
        """Check that no earlier commander has been met since the claim.

        Raises:
            BusyError: if one has.
        """
        if self._lost is not None:
            raise self._lost

    def release(self) -> None:
        """Give the topic up."""
        self._opened.close()

    def _lock(self) -> Lock:
        lock = commander_lock(self._node.context.get_domain_id(), self._topic)
        if not lock.try_acquire():
            raise self._busy(f"process {lock.holder()} of this machine")
        return lock

    def _announce(self) -> None:
        topic = self._office.announcements
        publisher = self._opened.publisher(Header, topic, qos.LATCHED)
        self._opened.listen(Header, topic, self._on_announcement, qos.LATCHED)
        said = Header(stamp=ns_to_stamp(self._began_ns), frame_id=self._name)
        publisher.publish(said)
        self._opened.timer(LOOK_EVERY_S, lambda: publisher.publish(said)).reset()

    def _on_announcement(self, message: Any) -> None:
        theirs, ours = (stamp_to_ns(message.stamp), message.frame_id), (self._began_ns, self._name)
        if theirs < ours and self._lost is None:
            self._lost = self._busy(f"node {message.frame_id}, which began earlier")
            self._give_way(self._lost)

    def _look(self) -> None:
        """Say who else has turned up; an announced one goes by itself."""
        for name in self._others():
            if name not in self._strangers and "_UNKNOWN_" not in name:
                self._strangers.add(name)
                self._node.get_logger().error(f"node '{name}' publishes {self._topic} too: end it")

    def _others(self) -> list[str]:
        """Return the nodes that publish the topic, without one of our name."""
        names = [
            f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            for info in self._node.get_publishers_info_by_topic(self._topic)
        ]
        own = self._node.get_fully_qualified_name()
        if own in names:
            names.remove(own)
        return names

    def _busy(self, other: str) -> BusyError:
        return BusyError(
            f"{self._topic} is already commanded by {other}; {self._office.rule}: "
            "end that one, or give this robot a namespace or ROS_DOMAIN_ID of its own"
        )
