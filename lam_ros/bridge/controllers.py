"""The controllers of ros2_control: their topics, and a simulated one that stands behind them."""

from __future__ import annotations

from typing import Any

from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from lam_ros.bridge import qos
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.messages import stamp_to_ns
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.follower import TrajectoryFollower
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray

TOPICS = {
    "joint_trajectory": "joint_trajectory_controller/joint_trajectory",
    "forward_position": "forward_position_controller/commands",
}


def require_controller(kind: str) -> None:
    """Refuse a kind of controller that there is not.

    Raises:
        ConfigError: with what is allowed.
    """
    if kind not in TOPICS:
        raise ConfigError(unknown_name("controller", kind, TOPICS))


class SimulatedController:
    """Plays one controller for all joints of an arm: messages in, joint targets out."""

    def __init__(
        self, opened: Entities, robot: RobotDescription, kind: str, clock: Any, log: Any
    ) -> None:
        """Listen on the controller's topic.

        Raises:
            ConfigError: if there is no such kind.
        """
        require_controller(kind)
        self._names = robot.joint_names
        self._clock, self._log = clock, log
        self.place(robot.poses.home_rad)
        if kind == "joint_trajectory":
            opened.listen(JointTrajectory, TOPICS[kind], self._on_trajectory, qos.COMMAND)
        else:
            opened.listen(Float64MultiArray, TOPICS[kind], self._on_positions, qos.COMMAND)

    def place(self, position_rad: Any) -> None:
        """Stand at joint positions, shape (J,); what was on the way is forgotten."""
        self._follower = TrajectoryFollower(self._names, position_rad)

    def target(self, now_ns: int) -> FloatArray:
        """Return where the joints should be now, shape (J,)."""
        return self._follower.target(now_ns)

    def _on_trajectory(self, message: JointTrajectory) -> None:
        now_ns = self._clock.now_ns()
        begin_ns = stamp_to_ns(message.header.stamp) or now_ns  # 0 is now, as in ros2_control
        times = [
            p.time_from_start.sec * NS_PER_S + p.time_from_start.nanosec for p in message.points
        ]
        positions = [list(point.positions) for point in message.points]
        self._take(list(message.joint_names), times, positions, begin_ns, now_ns)

    def _on_positions(self, message: Float64MultiArray) -> None:
        now_ns = self._clock.now_ns()
        self._take(list(self._names), [0], [list(message.data)], now_ns, now_ns)

    def _take(self, *trajectory: Any) -> None:
        why = self._follower.accept(*trajectory)
        if why:
            self._log.warning(f"trajectory refused: {why}", throttle_duration_sec=1.0)
