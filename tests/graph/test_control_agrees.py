"""The graph and the lockstep loop decide alike.

The same inputs at the same times go to the control node, as messages over DDS with
time from `/clock`, and to a `Controller` of the lockstep kind; every report must be
the same to the last bit.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lam_ros.config import load_group, load_robot
from lam_ros.core.controller import Controller
from lam_ros.core.types import ActionChunk, JointState, SafetyReport, Source, Target
from lam_ros.evaluation.settings import control_config
from lam_sim.guard import guard_for

TICK = 20_000_000
START = 10_000_000_000
TICKS = 300


class Wire:
    """The node's side: sends items as messages and waits until they have arrived."""

    def __init__(self, graph: Any) -> None:
        from rclpy.parameter import Parameter
        from rosgraph_msgs.msg import Clock
        from std_msgs.msg import Bool

        from lam_interfaces import msg as lam_msg
        from lam_ros.bridge import messages, qos, topics
        from lam_ros.nodes.control import ControlNode

        overrides = [
            Parameter("use_sim_time", value=True),
            Parameter("discovery_s", value=0.0),
            Parameter("realtime", value=False),
        ]
        self.graph, self.messages, self.robot = graph, messages, load_robot("so101")
        self.node = graph.add(ControlNode(parameter_overrides=overrides))
        node, names = graph.node, self.robot.topics
        self.clock_kind, self.bool_kind = Clock, Bool
        self.clock = node.create_publisher(Clock, "/clock", 10)
        joint_kind = messages.sensor_msgs.msg.JointState
        self.joints = node.create_publisher(joint_kind, names.joint_state, qos.COMMAND)
        self.chunks = node.create_publisher(lam_msg.ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
        self.teleop = node.create_publisher(
            lam_msg.JointCommand, topics.TELEOP_COMMAND, qos.COMMAND
        )
        self.estop = node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
        self.reports: list[Any] = graph.collect(
            lam_msg.SafetyReport, topics.SAFETY_REPORT, qos.REPORT
        )
        self.arrived = 0
        self.set_time(START)
        self.node.bring_up()
        self._count_arrivals()
        publishers = (self.joints, self.chunks, self.teleop, self.estop)
        graph.spin_until(lambda: all(p.get_subscription_count() for p in publishers), "readers")

    def _count_arrivals(self) -> None:
        """Count what reaches the controller, whatever it answers."""
        controller = self.node._controller

        def counted(inner: Any, *arguments: Any) -> Any:
            self.arrived += 1
            return inner(*arguments)

        for name in ("on_joints", "on_chunk", "on_teleop", "on_estop"):
            setattr(controller, name, partial(counted, getattr(controller, name)))

    def set_time(self, now_ns: int) -> None:
        stamp = self.messages.ns_to_stamp(now_ns)
        self.clock.publish(self.clock_kind(clock=stamp))
        clock = self.node.get_clock()
        self.graph.spin_until(lambda: clock.now().nanoseconds == now_ns, "the node's time")

    def send(self, publisher: Any, message: Any) -> None:
        before = self.arrived
        publisher.publish(message)
        self.graph.spin_until(lambda: self.arrived > before, "the message's arrival")

    def report(self, now_ns: int) -> SafetyReport:
        """Let the time come and return the report of its tick."""
        self.reports.clear()
        self.set_time(now_ns)

        def stamped() -> bool:
            stamps = [self.messages.stamp_to_ns(report.header.stamp) for report in self.reports]
            return now_ns in stamps

        self.graph.spin_until(stamped, f"the report of {now_ns}")
        return self.messages.report_from(self.reports[-1])


def script(robot: Any) -> list[dict[str, Any]]:
    """Return what comes at each tick: sound and unsound, of policy, person and button."""
    rng = np.random.default_rng(7)
    home, inputs = np.array(robot.poses.home_rad), []
    for i in range(TICKS):
        now = START + (i + 1) * TICK
        entry: dict[str, Any] = {"now": now}
        if rng.random() < 0.95:
            entry["joints"] = JointState(now - int(rng.integers(0, TICK)), home)
        if i % 6 == 0:
            age = int(rng.integers(0, 1_200_000_000)) if rng.random() < 0.2 else 0
            rows = home + np.cumsum(rng.normal(0, 0.02, (12, len(home))), axis=0)
            rows += 0.8 * (rng.random() < 0.1)
            entry["chunk"] = ActionChunk(now - age, 40_000_000, robot.joint_names, rows, "p", i)
        if 120 <= i < 160 and i % 2:
            entry["person"] = Target(home + 0.1 * rng.random(), now, Source.TELEOP)
        if i == 200:
            entry["estop"] = True
        inputs.append(entry)
    return inputs


def lockstep(robot: Any, inputs: list[dict[str, Any]]) -> list[SafetyReport]:
    config = control_config(load_group("control", "default"), load_group("safety", "default"))
    control = Controller(robot, config, guard_for(robot, config.safety.geometry))
    reports = []
    for entry in inputs:
        now, at = entry["now"], entry["now"] - TICK
        if "joints" in entry:
            control.on_joints(entry["joints"], at)
        if "chunk" in entry:
            control.on_chunk(entry["chunk"], at)
        if "person" in entry:
            control.on_teleop(entry["person"], at)
        if "estop" in entry:
            control.on_estop("e-stop on topic estop", at)
            control.tick(at)
        reports.append(control.tick(now))
    return reports


def over_the_wire(wire: Wire, inputs: list[dict[str, Any]]) -> list[SafetyReport]:
    messages, robot, reports = wire.messages, wire.robot, []
    for entry in inputs:
        if "joints" in entry:
            wire.send(wire.joints, messages.joints_to(entry["joints"], robot))
        if "chunk" in entry:
            wire.send(wire.chunks, messages.chunk_to(entry["chunk"]))
        if "person" in entry:
            person = entry["person"]
            command = messages.command_to(
                person.position_rad, robot, stamp_ns=person.obs_stamp_ns, source=person.source
            )
            wire.send(wire.teleop, command)
        if "estop" in entry:
            wire.send(wire.estop, wire.bool_kind(data=True))
        reports.append(wire.report(entry["now"]))
    return reports


def same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)


def test_the_node_and_the_lockstep_controller_decide_alike(graph):
    wire = Wire(graph)
    inputs = script(wire.robot)
    expected = lockstep(wire.robot, inputs)
    came = over_the_wire(wire, inputs)
    for i, (a, b) in enumerate(zip(expected, came, strict=True)):
        words_a = (a.verdict, a.rule, a.detail, a.source, a.obs_stamp_ns)
        assert words_a == (b.verdict, b.rule, b.detail, b.source, b.obs_stamp_ns), i
        assert same(a.sent_rad, b.sent_rad), i
        assert same(a.requested_rad, b.requested_rad), i
    assert len({report.verdict for report in came}) == 4
    wire.node.take_down()
