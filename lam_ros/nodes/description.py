"""The description node: what the arm looks like, and where its links are.

    `robot_description` (std_msgs/String, latched)  the URDF
    `/tf_static`, `/tf`                             its frames, from the measured joint states

Parameters: `robot`; `urdf`: path of a URDF file, by default the one made from the
simulated arm; `frame_prefix`: before every frame, by default the namespace, so that
robots share one tree.  Without tf2_msgs (a ROS from pip has none) it publishes the
description alone, and says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sensor_msgs.msg
import std_msgs.msg

from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.frames import FramePublisher, has_tf
from lam_ros.bridge.messages import joints_from
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError
from lam_ros.core.frames import FrameTree
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_sim.urdf import urdf


class DescriptionNode(LamNode):
    """Thin over `core.frames.FrameTree`."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("description", **node_arguments)
        self._opened = Entities(self)
        self._frames: FramePublisher | None = None

    def configure(self) -> None:
        """Make the description, and publishers for it and its frames.

        Raises:
            ConfigError: if the URDF file cannot be read.
            RobotError: if it is no URDF, or lacks a joint of the robot.
        """
        self._robot = load_robot(self.text("robot", "so101"))
        self._text = _description(self._robot, self.text("urdf"))
        self._tree = FrameTree.from_urdf(self._text)
        missing = set(self._robot.joint_names) - set(self._tree.joint_names)
        if missing:
            raise ConfigError(
                f"the URDF lacks joints {', '.join(sorted(missing))} of robot '{self._robot.name}'"
            )
        opened, kind = self._opened, sensor_msgs.msg.JointState
        self._out = opened.publisher(std_msgs.msg.String, topics.ROBOT_DESCRIPTION, qos.LATCHED)
        if has_tf():
            namespace = self.get_namespace().strip("/")
            prefix = self.text("frame_prefix", f"{namespace}/" if namespace else "")
            self._frames = FramePublisher(opened, prefix)
            opened.listen(kind, self._robot.topics.joint_state, self._on_joints, qos.SENSOR)
        else:
            self.get_logger().info("no /tf: tf2_msgs is not installed, it comes with ROS")

    def activate(self) -> None:
        """Publish what does not change."""
        self._out.publish(std_msgs.msg.String(data=self._text))
        if self._frames is not None:
            self._frames.fixed(self._tree.fixed(), RosClock(self).now_ns())

    def cleanup(self) -> None:
        """Close the topics."""
        self._frames = None
        self._opened.close()

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if self._frames is None or not self.is_active or isinstance(state, Rejected):
            return
        positions = dict(zip(self._robot.joint_names, state.position_rad.tolist(), strict=True))
        self._frames.moving(self._tree.moving(positions), state.stamp_ns)


def _description(robot: RobotDescription, path: str) -> str:
    if not path:
        return urdf(robot)
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"parameter 'urdf': cannot read {path} ({error})") from None


def main() -> None:
    """Run the node."""
    sys.exit(run_node(DescriptionNode))


if __name__ == "__main__":
    main()
