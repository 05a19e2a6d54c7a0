"""Several robots on one machine: each in its namespace, and none hears the other's commands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String

from lam_interfaces.msg import JointCommand
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import command_to
from lam_ros.config import load_robot
from lam_ros.core.types import Source

ROBOT = load_robot("so101")
SIDES = ("left", "right")


@pytest.fixture
def arms(graph: Any, tmp_path) -> Any:
    """Bring up two whole arms in this process, from the table's own rows, in two namespaces."""
    import importlib

    from rclpy.parameter import Parameter

    from lam_ros.up.arguments import values_of
    from lam_ros.up.table import setup_of

    setup, nodes = setup_of("sim"), []
    for side in SIDES:
        values = values_of(setup.arguments, {"namespace": side, "policy": "none"})
        for spec in setup.specs(values, tmp_path)[:-1]:  # the bring-up node needs a second process
            make = getattr(importlib.import_module(spec.module), spec.class_name)
            parameters = dict(spec.parameters) | {"realtime": False, "discovery_s": 0.0}
            overrides = [Parameter(name, value=value) for name, value in parameters.items()]
            node = graph.add(make(parameter_overrides=overrides, namespace=spec.namespace))
            node.bring_up()
            nodes.append(node)
    yield nodes
    for node in reversed(nodes):
        node.take_down()


def test_a_command_and_an_estop_to_one_do_not_reach_the_other(graph: Any, arms: Any) -> None:
    joints = {side: graph.collect(JointState, f"{side}/joint_states", qos.SENSOR) for side in SIDES}
    sent = {
        side: graph.collect(JointCommand, f"{side}/lam/joint_command", qos.COMMAND)
        for side in SIDES
    }
    graph.spin_until(lambda: all(joints.values()) and all(sent.values()), "both arms")
    start = {side: np.array(joints[side][-1].position) for side in SIDES}
    goal = start["left"] + np.array([0.3, 0, 0, 0, 0, 0])
    out = graph.node.create_publisher(JointCommand, f"left/{topics.TELEOP_COMMAND}", qos.COMMAND)
    clock = graph.node.get_clock()
    graph.node.create_timer(
        0.02,
        lambda: out.publish(
            command_to(goal, ROBOT, stamp_ns=clock.now().nanoseconds, source=Source.TELEOP)
        ),
    )
    graph.spin_until(
        lambda: abs(joints["left"][-1].position[0] - goal[0]) < 0.03, "the left arm to arrive"
    )
    right = np.array([message.position for message in joints["right"]])
    assert np.abs(right - start["right"]).max() < 0.01
    asked = np.array([message.position_rad for message in sent["right"]])
    assert np.abs(asked[:, 0] - start["right"][0]).max() < 0.01

    stop = graph.node.create_publisher(Bool, f"left/{topics.ESTOP}", qos.ESTOP)
    graph.spin_until(stop.get_subscription_count, "the left arm to hear of the e-stop")
    from lam_interfaces.msg import SafetyReport
    from lam_ros.core.types import Verdict

    said = {
        side: graph.collect(SafetyReport, f"{side}/{topics.SAFETY_REPORT}", qos.REPORT)
        for side in SIDES
    }
    stop.publish(Bool(data=True))
    graph.spin_until(
        lambda: said["left"] and said["left"][-1].verdict == int(Verdict.STOP), "the stop"
    )
    seen = len(said["right"])
    graph.spin_until(lambda: len(said["right"]) > seen + 5, "the right arm's reports")
    assert not any(message.verdict == int(Verdict.STOP) for message in said["right"])


def test_each_has_its_own_description(graph: Any, arms: Any) -> None:
    texts = {
        side: graph.collect(String, f"{side}/{topics.ROBOT_DESCRIPTION}", qos.LATCHED)
        for side in SIDES
    }
    graph.spin_until(lambda: all(texts.values()), "both descriptions")
    assert graph.node.get_publishers_info_by_topic(f"/{topics.ROBOT_DESCRIPTION}") == []
