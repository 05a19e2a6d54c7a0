"""Any arm behind ros2_control: `lam/joint_command` to the controller that it has.

    joint_trajectory   `joint_trajectory_controller/joint_trajectory`, one point a command
    forward_position   `forward_position_controller/commands`, positions in joint order

Joint states come from the robot's own joint_state_broadcaster.  Silence of the control
node leaves the controller at its last point; when this node is deactivated, it sends the
arm to where it was measured last.

Parameters: `robot`; `controller`: one of the above; `controller_topic`: its topic if it
has another name; `joints`: those that it drives, by default all, in its order.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import sensor_msgs.msg
from builtin_interfaces.msg import Duration
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.controllers import TOPICS, require_controller
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.gate import CommandGate
from lam_ros.bridge.messages import doubles, joints_from
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.inbound import Rejected
from lam_ros.core.types import FloatArray

PERIODS_AHEAD = 2
"""How far ahead a point lies, in control periods: a command that is late leaves no pause."""

LOOK_EVERY_S = 0.2


class Ros2ControlNode(LamNode):
    """Thin: the controller moves the arm, and the gate says what it may be sent."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("arm", **node_arguments)
        self._opened = Entities(self)
        self._timer: Any = None
        self._out: Any = None
        self._measured_rad: FloatArray | None = None
        self._why_holding = ""

    @property
    def holding(self) -> str:
        """Why the arm holds and takes no commands; empty while it follows."""
        return self._why_holding

    def configure(self) -> None:
        """Open the topics.

        Raises:
            ConfigError: if there is no such kind of controller, or no such joint.
        """
        self._time = RosClock(self)
        self._robot = robot = load_robot(self.text("robot", "so101"))
        self._kind = self.text("controller", "joint_trajectory")
        require_controller(self._kind)
        self._joints = self._driven(self.text("joints"))
        self._indices = [robot.joint_names.index(name) for name in self._joints]
        self._gate = CommandGate(self, robot)
        kind = JointTrajectory if self._kind == "joint_trajectory" else Float64MultiArray
        topic = self.text("controller_topic") or TOPICS[self._kind]
        opened, names = self._opened, robot.topics
        self._out = opened.publisher(kind, topic, qos.COMMAND)
        state = sensor_msgs.msg.JointState
        opened.listen(lam_msg.JointCommand, names.joint_command, self._on_command, qos.COMMAND)
        opened.listen(state, names.joint_state, self._on_joints, qos.SENSOR)
        self._timer = opened.timer(LOOK_EVERY_S, self._look)

    def activate(self) -> None:
        """Pass commands on."""
        self._timer.reset()

    def deactivate(self) -> None:
        """Pass none on; the arm holds where it was measured last."""
        if self._timer is not None:
            self._timer.cancel()
        self._hold()

    def cleanup(self) -> None:
        """Close the topics."""
        self._timer, self._out, self._measured_rad = None, None, None
        self._opened.close()

    def _driven(self, text: str) -> tuple[str, ...]:
        known = self._robot.joint_names
        names = tuple(name.strip() for name in text.split(",") if name.strip()) or known
        for name in names:
            if name not in known:
                raise ConfigError(f"parameter 'joints': {unknown_name('joint', name, known)}")
        return names

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if not isinstance(state, Rejected):
            self._measured_rad = state.position_rad

    def _on_command(self, message: lam_msg.JointCommand) -> None:
        if not self.is_active or self._why_holding:
            return
        target = self._gate.accept(message, self._time.now_ns())
        if isinstance(target, Rejected):
            self.get_logger().warning(
                f"joint command refused: {target.detail}", throttle_duration_sec=1.0
            )
            return
        self._send(target)

    def _look(self) -> None:
        why = self._gate.rivalry()
        if why and not self._why_holding:
            self.get_logger().error(f"holding: {why}")
            self._hold()
        self._why_holding = why

    def _hold(self) -> None:
        if self._measured_rad is not None and self._out is not None:
            low, high = self._robot.lower_rad, self._robot.upper_rad
            self._send(np.clip(self._measured_rad, low, high))

    def _send(self, target_rad: FloatArray) -> None:
        positions = doubles(target_rad[self._indices])
        if self._kind == "forward_position":
            self._out.publish(Float64MultiArray(data=positions))
            return
        ahead_ns = PERIODS_AHEAD * self._robot.control_period_ns
        sec, nanosec = divmod(ahead_ns, NS_PER_S)
        point = JointTrajectoryPoint(
            positions=positions, time_from_start=Duration(sec=sec, nanosec=nanosec)
        )
        # A stamp of zero: the controller starts when it comes, whatever its clock says.
        self._out.publish(JointTrajectory(joint_names=list(self._joints), points=[point]))


def main() -> None:
    """Run the node."""
    sys.exit(run_node(Ros2ControlNode))


if __name__ == "__main__":
    main()
