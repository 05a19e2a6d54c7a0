"""An arm behind ros2_control: what its controllers are sent, and what they are not.

The test stands in for the controller: like it, it interpolates to each point in the time given,
and its broadcaster tells the joints in an order of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from lam_interfaces.msg import JointCommand
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import command_to
from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError
from lam_ros.core.types import Source

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
PERIOD_S = 1 / ROBOT.control_rate_hz
TRAJECTORY = "joint_trajectory_controller/joint_trajectory"
FORWARD = "forward_position_controller/commands"


class Controller:
    """A joint trajectory controller with a perfect arm, and its broadcaster."""

    def __init__(self, graph: Any) -> None:
        self.position = dict(zip(ROBOT.joint_names, HOME, strict=True))
        self.came: list[JointTrajectory] = []
        self._clock = graph.node.get_clock()
        self._left: dict[str, tuple[float, int]] = {}
        graph.node.create_subscription(JointTrajectory, TRAJECTORY, self._on_points, 10)
        self._out = graph.node.create_publisher(JointState, "joint_states", 10)
        graph.node.create_timer(PERIOD_S, self._tick)

    def _on_points(self, message: JointTrajectory) -> None:
        self.came.append(message)
        (point,) = message.points
        seconds = point.time_from_start.sec + point.time_from_start.nanosec * 1e-9
        ticks = max(1, round(seconds / PERIOD_S))
        for name, goal in zip(message.joint_names, point.positions, strict=True):
            self._left[name] = (goal, ticks)

    def _tick(self) -> None:
        for name, (goal, ticks) in list(self._left.items()):
            self.position[name] += (goal - self.position[name]) / ticks
            self._left[name] = (goal, max(1, ticks - 1))
        names = sorted(self.position)
        message = JointState(name=names, position=[float(self.position[n]) for n in names])
        message.header.stamp = self._clock.now().to_msg()
        self._out.publish(message)


@pytest.fixture
def make(graph: Any) -> Any:
    """Bring up the node; taken down at the end."""
    from rclpy.parameter import Parameter

    from lam_ros.nodes.ros2_control import Ros2ControlNode

    made = []

    def bring_up(**values: object) -> Any:
        values = {"autostart": False} | values
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        node = graph.add(Ros2ControlNode(parameter_overrides=overrides))
        made.append(node)
        node.bring_up()
        return node

    yield bring_up
    for node in made:
        node.take_down()


@pytest.fixture
def send(graph: Any) -> Any:
    """Return what sends one command, with its fields replaced."""
    out = graph.node.create_publisher(JointCommand, "lam/joint_command", qos.COMMAND)

    def once(position: np.ndarray, age_ns: int = 0) -> None:
        graph.spin_until(out.get_subscription_count, "the node to listen")
        now_ns = graph.node.get_clock().now().nanoseconds - age_ns
        message = command_to(HOME, ROBOT, stamp_ns=now_ns, source=Source.POLICY)
        message.position_rad = [float(value) for value in position]
        out.publish(message)

    return once


def test_a_person_moves_the_arm_through_the_safety_room_and_the_controller(graph, make) -> None:
    from rclpy.parameter import Parameter

    from lam_ros.nodes.control import ControlNode

    arm = Controller(graph)
    make()
    values = {"autostart": False, "discovery_s": 0.0, "realtime": False}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    control = graph.add(ControlNode(parameter_overrides=overrides))
    control.bring_up()
    goal = HOME + np.array([0.3, 0, 0, 0, 0, -0.1])
    out = graph.node.create_publisher(JointCommand, topics.TELEOP_COMMAND, qos.COMMAND)
    clock = graph.node.get_clock()
    graph.node.create_timer(
        PERIOD_S,
        lambda: out.publish(
            command_to(goal, ROBOT, stamp_ns=clock.now().nanoseconds, source=Source.TELEOP)
        ),
    )
    graph.spin_until(
        lambda: (
            abs(arm.position["shoulder_pan"] - goal[0]) < 0.01
            and abs(arm.position["gripper"] - goal[5]) < 0.01
        ),
        "the arm to arrive",
    )
    assert {len(message.points) for message in arm.came} == {1}
    control.take_down()


def test_a_part_of_the_arm_goes_to_a_forward_controller_in_its_order(graph, make, send) -> None:
    topic = "gripper_controller/commands"
    came = graph.collect(Float64MultiArray, topic, 10)
    make(controller="forward_position", controller_topic=topic, joints="gripper, shoulder_pan")
    send(np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.6]))
    graph.spin_until(lambda: came, "the command")
    assert list(came[0].data) == [0.6, 0.1]


@pytest.mark.parametrize(
    ("value", "age_ns"), [(np.nan, 0), (2.5, 0), (0.1, 10**9), (0.1, -(10**9))]
)
def test_a_hostile_command_goes_no_further(graph, make, send, value, age_ns) -> None:
    came = graph.collect(Float64MultiArray, FORWARD, 10)
    make(controller="forward_position")
    send(np.array([value, 0, 0, 0, 0, 0]), age_ns)
    graph.spin_for(0.2)
    send(np.array([0.2, 0, 0, 0, 0, 0]))
    graph.spin_until(lambda: came, "the sound command")
    assert [message.data[0] for message in came] == [0.2]


def test_deactivated_it_sends_the_arm_to_where_it_is_and_nothing_more(graph, make, send) -> None:
    arm = Controller(graph)
    told = graph.collect(JointState, "joint_states", qos.SENSOR)
    node = make()
    send(HOME + 0.05)
    graph.spin_until(lambda: arm.position["shoulder_pan"] > 0.04, "the arm to move")
    at = len(told)
    graph.spin_until(lambda: len(told) > at + 5, "the arm to be seen there")
    seen = len(arm.came)
    node.trigger_deactivate()
    graph.spin_until(lambda: len(arm.came) > seen, "the last point")
    assert arm.came[-1].points[0].positions[0] == pytest.approx(
        arm.position["shoulder_pan"], abs=0.02
    )
    send(HOME - 0.05)
    graph.spin_for(0.2)
    assert len(arm.came) == seen + 1


def test_two_commanders_are_named_and_neither_is_heard(graph, make, send) -> None:
    came = graph.collect(Float64MultiArray, FORWARD, 10)
    node = make(controller="forward_position")
    other = graph.node.create_publisher(JointCommand, "lam/joint_command", qos.COMMAND)
    graph.spin_until(lambda: "2 nodes command" in node.holding, "it to be noticed")
    send(np.zeros(6))
    graph.spin_for(0.2)
    assert not came
    graph.node.destroy_publisher(other)
    graph.spin_until(lambda: not node.holding, "it to go on")
    send(np.zeros(6))
    graph.spin_until(lambda: came, "the command")


def test_what_is_configured_wrongly_is_refused_with_what_is_allowed(make) -> None:
    with pytest.raises(ConfigError, match="joint_trajectory"):
        make(controller="joint_trajectry")
    with pytest.raises(ConfigError, match="'joints': unknown joint 'elbow'"):
        make(joints="elbow")
