"""What an arm's node takes from the graph: sound, fresh commands of one commander."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node

from lam_interfaces.msg import JointCommand
from lam_ros.bridge.living import Living
from lam_ros.bridge.messages import command_from, stamp_to_ns
from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray

OLD_AFTER_NS = 200 * NS_PER_MS
"""Age above which a command is not sent any more; of a future stamp too."""

_BEYOND_RAD = 1e-6


class CommandGate:
    """The last look at a command before it reaches motors, whoever sent it."""

    def __init__(self, node: Node, robot: RobotDescription) -> None:
        """Guard one robot's command topic."""
        self._node, self._robot = node, robot
        self._topic = node.resolve_topic_name(robot.topics.joint_command)
        self._living = Living(node)
        self._count = 0

    def accept(self, message: JointCommand, now_ns: int) -> FloatArray | Rejected:
        """Return the joint targets [rad], shape (J,), in the robot's order, or what is wrong."""
        rivals = self.rivalry()
        if rivals:
            return Rejected(RejectRule.RIVALS, rivals)
        command = command_from(message, self._robot)
        if isinstance(command, Rejected):
            return command
        age_ns = now_ns - stamp_to_ns(message.header.stamp)
        if abs(age_ns) > OLD_AFTER_NS:
            rule = RejectRule.STALE if age_ns > 0 else RejectRule.FUTURE
            return Rejected(rule, "its stamp is old, or in the future: are the clocks in step?")
        low, high = self._robot.lower_rad - _BEYOND_RAD, self._robot.upper_rad + _BEYOND_RAD
        target = command.position_rad
        beyond = (target < low) | (target > high)
        if beyond.any():
            name = self._robot.joint_names[int(np.argmax(beyond))]
            return Rejected(RejectRule.IMPLAUSIBLE, f"{name} is beyond its limit")
        return target

    def rivalry(self) -> str:
        """Return who commands the arm, if more than one node does; else nothing.

        A publisher is counted before a message of it can be heard: cheap enough for each.
        One whose process was killed is not counted.
        """
        count, before = self._node.count_publishers(self._topic), self._count
        if count < 2 and count == before:
            return ""
        self._count = count
        infos = self._living.among(self._node.get_publishers_info_by_topic(self._topic))
        if len(infos) < 2:
            return ""
        names = sorted(f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos)
        return f"{len(infos)} nodes command the arm, one may: {', '.join(names)}"
