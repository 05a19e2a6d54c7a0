"""The Franka behind ros2_control: simulator as controller, driver node, safety room, person."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from lam_interfaces.msg import JointCommand
from lam_ros.bridge import qos, topics
from lam_ros.bridge.controllers import TOPICS
from lam_ros.bridge.messages import command_to, joints_from
from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError
from lam_ros.core.types import Source

ROBOT = load_robot("franka")
SCENE = '{"randomization": {"arm_pose": 0.0}}'


def measured(messages) -> np.ndarray:
    return joints_from(messages[-1], ROBOT).position_rad


@pytest.mark.parametrize("kind", ["joint_trajectory", "forward_position"])
def test_a_person_moves_the_franka_through_room_driver_and_controller(graph, world, kind) -> None:
    from lam_ros.nodes.control import ControlNode
    from lam_ros.nodes.ros2_control import Ros2ControlNode
    from lam_ros.nodes.sim import SimNode

    came = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.bring_up(SimNode, robot="franka", seed=7, scene=SCENE, controller=kind)
    world.bring_up(Ros2ControlNode, robot="franka", controller=kind)
    world.bring_up(ControlNode, robot="franka", discovery_s=0.0, realtime=False)
    goal = np.array(ROBOT.poses.home_rad) + np.array([0.2, 0, 0, 0.1, 0, 0, 0, 0.01])
    out = graph.node.create_publisher(JointCommand, topics.TELEOP_COMMAND, qos.COMMAND)
    clock = graph.node.get_clock()
    graph.node.create_timer(
        0.02,
        lambda: out.publish(
            command_to(goal, ROBOT, stamp_ns=clock.now().nanoseconds, source=Source.TELEOP)
        ),
    )
    graph.spin_until(
        lambda: came and np.abs(measured(came) - goal).max() < 0.01, "the arm to arrive"
    )


def test_the_simulator_as_controller_hears_no_joint_command(graph, world) -> None:
    from lam_ros.nodes.sim import SimNode

    came = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.bring_up(SimNode, robot="franka", scene=SCENE, controller="forward_position")
    graph.spin_until(lambda: came, "joint states")
    assert not graph.node.get_subscriptions_info_by_topic("/lam/joint_command")
    out = graph.node.create_publisher(Float64MultiArray, TOPICS["forward_position"], qos.COMMAND)
    graph.spin_until(out.get_subscription_count, "the controller to listen")
    home = np.array(ROBOT.poses.home_rad)
    for bad in ([np.nan] * 8, [0.0] * 3):
        out.publish(Float64MultiArray(data=bad))
    graph.spin_for(0.2)
    np.testing.assert_allclose(measured(came), home, atol=0.02)
    out.publish(Float64MultiArray(data=(home + 0.02).tolist()))
    graph.spin_until(lambda: measured(came)[0] > 0.015, "the arm to move")


def test_a_controller_that_there_is_not_is_refused(world) -> None:
    from lam_ros.nodes.sim import SimNode

    with pytest.raises(ConfigError, match="joint_trajectory"):
        world.bring_up(SimNode, robot="franka", controller="joint_trajectry")
