"""SIGTERM and SIGINT in every state of a node: it ends by itself, in order, with the arm at rest."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest
from lifecycle_msgs.msg import State, Transition
from sensor_msgs.msg import JointState

from lam_interfaces.msg import JointCommand, SafetyReport
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import joints_to
from lam_ros.config import load_robot
from lam_ros.core import types

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
WAYS = {
    "unconfigured": (),
    "inactive": (Transition.TRANSITION_CONFIGURE,),
    "active": (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE),
    "deactivated": (
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_DEACTIVATE,
    ),
    "cleaned up": (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP),
    "finalized": (Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,),
}
"""State -> the transitions that lead there."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("state", WAYS)
def test_a_signal_ends_the_control_node_in_any_state_with_the_arm_at_rest(
    graph: Any, state: str, number: int
) -> None:
    commands = graph.collect(JointCommand, "lam/joint_command", qos.COMMAND)
    reports = graph.collect(SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
    joints = graph.node.create_publisher(JointState, "joint_states", qos.SENSOR)
    clock = graph.node.get_clock()
    graph.node.create_timer(
        0.02,
        lambda: joints.publish(joints_to(types.JointState(clock.now().nanoseconds, HOME), ROBOT)),
    )
    values = ("autostart:=false", "discovery_s:=0.0", "realtime:=false")
    words = [word for value in values for word in ("-p", value)]
    process = graph.start("lam_ros.nodes.control", "--ros-args", *words)
    graph.change_state("control", *WAYS[state])
    if state == "active":
        graph.spin_until(lambda: len(commands) > 5, "commands")
    else:
        assert graph.state("control") != State.PRIMARY_STATE_ACTIVE
    process.send_signal(number)
    graph.spin_until(lambda: process.poll() is not None, "the end")
    graph.spin_for(0.1)
    assert process.returncode == 0
    for command in commands:
        np.testing.assert_allclose(command.position_rad, HOME)
    if state == "active":
        assert reports[-1].rule == "cancelled"
    elif state in ("unconfigured", "inactive", "cleaned up", "finalized"):
        assert not commands
