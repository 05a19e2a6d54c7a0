"""A recording on the running graph: sent as a person would, through control and safety."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from std_msgs.msg import Bool

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos, topics
from lam_ros.config import load_robot
from lam_ros.core.errors import MachineError
from lam_ros.core.types import Verdict
from lam_ros.nodes.replay import ReplayNode
from lam_ros.recording.replay.tape import Tape

NS = 1_000_000_000
ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)


def make_tape() -> Tape:
    """Return two seconds in which the arm turns by 0.4 rad, begun 0.2 rad away from home."""
    times_ns = np.arange(0, 2 * NS, 20_000_000)
    asked = np.tile(HOME, (len(times_ns), 1))
    asked[:, 0] += 0.2 + 0.4 * np.sin(np.pi / 2 * np.clip(times_ns / (1.5 * NS), 0, 1))
    return Tape(ROBOT, times_ns, asked, times_ns, asked, None, None)


def test_the_arm_goes_to_the_first_pose_plays_and_is_given_back(world):
    world.sim()
    world.control()
    graph = world.graph
    sent = graph.collect(lam_msg.JointCommand, ROBOT.topics.joint_command, qos.REPORT)
    engaged = graph.collect(Bool, topics.TELEOP_ENGAGED, qos.LATCHED)
    tape = make_tape()
    node = world.bring_up(partial(ReplayNode, tape, 0.8))
    graph.spin_until(node.is_over, "the recording was played", timeout_s=30)
    by_person = np.array([c.position_rad for c in sent if c.source == "teleop"])
    reached = by_person[-1]
    assert np.allclose(reached, tape.asked_rad[-1], atol=0.02)
    steps = np.abs(np.diff(by_person, axis=0)) / ROBOT.velocity_rad_s
    assert steps.max() < 0.06, "no leap: 20 ms at the joints' own speed, with room for a late tick"
    graph.spin_until(lambda: engaged and not engaged[-1].data, "the arm was let go")
    sent.clear()
    graph.spin_until(lambda: len(sent) > 5, "the arm is held")
    assert np.allclose(sent[-1].position_rad, reached, atol=0.02)


def test_an_e_stop_ends_it_for_good(world):
    world.sim()
    world.control()
    graph = world.graph
    stop = graph.node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
    node = world.bring_up(partial(ReplayNode, make_tape(), 1.0))
    graph.spin_until(lambda: node.player.is_playing, "it plays")
    graph.spin_until(stop.get_subscription_count, "the e-stop is heard")
    stop.publish(Bool(data=True))
    graph.spin_until(lambda: node.flight.verdict is Verdict.STOP, "the arm is stopped")
    with pytest.raises(MachineError, match="reset the e-stop"):
        node.is_over()


def test_without_a_control_node_it_says_so(world):
    world.sim()
    node = world.bring_up(partial(ReplayNode, make_tape(), 1.0))
    with pytest.raises(MachineError, match="no control node answers"):
        world.graph.spin_until(node.is_over, "it fails", timeout_s=20)


def test_without_joint_states_it_says_so(world):
    world.control()
    node = world.bring_up(partial(ReplayNode, make_tape(), 1.0))
    with pytest.raises(MachineError, match="no joint states come"):
        world.graph.spin_until(node.is_over, "it fails", timeout_s=20)
