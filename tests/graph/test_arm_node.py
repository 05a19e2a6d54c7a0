"""A real arm's node against its servos at the wire, with the arm's simulated body on them.

LeRobot's own driver runs unmodified.
"""

from __future__ import annotations

import json
import signal
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import JointState

from lam_interfaces.msg import JointCommand
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import command_to
from lam_ros.config import load_robot
from lam_ros.core.errors import MachineError
from lam_ros.core.types import Source
from lam_sim.feetech import Register
from lam_sim.physical_bus import PhysicalArm
from lam_sim.so101_bus import SerialPort

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
STILL_RAD = 0.03
SAME_RAD = 0.005
WAIT_S = 30.0


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver wait 0.3 s for an answer, not 50 ms: this machine may be busy."""
    from lerobot.motors.feetech import feetech

    def wait(port: Any, _packet_length: int) -> None:
        port.packet_start_time = port.getCurrentTime()
        port.packet_timeout = 300.0

    monkeypatch.setattr(feetech, "patch_setPacketTimeout", wait)


@pytest.fixture
def body() -> PhysicalArm:
    arm = PhysicalArm(ROBOT)
    arm.place(HOME)
    for servo in arm.bus.servos.values():
        servo.write(Register.TORQUE_ENABLE, b"\x01")
    return arm


@pytest.fixture
def port(body: PhysicalArm) -> Any:
    with SerialPort(body.bus) as opened:
        yield opened


@pytest.fixture
def options(body: PhysicalArm, port: Any, tmp_path: Any) -> dict[str, str]:
    """Return the node's parameters for this arm, with its calibration file written."""
    (tmp_path / "follower.json").write_text(json.dumps(body.calibration()))
    return {"port": port.path, "calibration_dir": str(tmp_path)}


@pytest.fixture
def make(graph: Any, options: dict[str, str]) -> Any:
    """Bring up the arm's node in this process; taken down at the end."""
    from rclpy.parameter import Parameter

    from lam_ros.nodes.arm import ArmNode

    made = []

    def bring_up(**more: object) -> Any:
        values = {"autostart": False} | options | more
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        node = graph.add(ArmNode(parameter_overrides=overrides))
        made.append(node)
        node.bring_up()
        return node

    yield bring_up
    for node in made:
        node.take_down()


class Commander:
    """Sends joint commands at the control rate, and sees what the arm says."""

    def __init__(self, graph: Any) -> None:
        self.graph, self.goal = graph, None
        self.joints = graph.collect(JointState, "joint_states", qos.SENSOR)
        self.health = graph.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.REPORT)
        self._out = graph.node.create_publisher(JointCommand, "lam/joint_command", qos.COMMAND)
        self._clock = graph.node.get_clock()
        self.age_ns = 0
        graph.node.create_timer(1 / ROBOT.control_rate_hz, self._send)

    def _send(self) -> None:
        if self.goal is None:
            return
        now_ns = self._clock.now().nanoseconds - self.age_ns
        message = command_to(HOME, ROBOT, stamp_ns=now_ns, source=Source.POLICY)
        message.position_rad = [float(value) for value in self.goal]
        self._out.publish(message)

    @property
    def start(self) -> np.ndarray:
        """Where the arm was when it was first seen: it sags while it is connected."""
        return np.array(self.joints[0].position)

    def position(self) -> np.ndarray:
        return np.array(self.joints[-1].position)

    def go(self, joint: int, by_rad: float) -> np.ndarray:
        """Command the first pose with one joint moved."""
        self.goal = self.start
        self.goal[joint] += by_rad
        return self.goal

    def has_settled(self) -> bool:
        """Tell whether the arm has moved, and has been where it is for ten messages."""
        latest = np.array([message.position for message in self.joints[-10:]])
        moved = np.abs(latest[-1] - self.start).max() > 10 * SAME_RAD
        return bool(moved and np.ptp(latest, axis=0).max() < SAME_RAD)

    def until(self, condition: Any, what: str) -> None:
        self.graph.spin_until(lambda: self.joints and condition(), what, WAIT_S)

    def faults(self) -> list[str]:
        """Return what the arm's last diagnostics complain of."""
        entries = [e for m in self.health[-1:] for e in m.status if e.name.startswith("arm: ")]
        return [e.message for e in entries if e.level == DiagnosticStatus.ERROR]


@pytest.fixture
def commander(graph: Any) -> Commander:
    return Commander(graph)


def torque(body: PhysicalArm) -> list[bool]:
    return [servo.torque_on for servo in body.bus.servos.values()]


def lie_down(body: PhysicalArm) -> np.ndarray:
    """Let the arm sink without torque as deep as it goes, and return where that is [rad]."""
    for servo in body.bus.servos.values():
        servo.write(Register.TORQUE_ENABLE, b"\x00")
    for _ in range(100):
        body.bus.advance(0.1)
    return body.position_rad()


def test_connecting_holds_the_arm_where_it_is_and_says_where_that_is(body, make, commander) -> None:
    lying = lie_down(body)  # or it sinks for as long as connecting takes
    assert np.abs(lying - HOME).max() > 0.3
    make()
    commander.until(lambda: len(commander.joints) > 20, "joint states")
    np.testing.assert_allclose(commander.position(), body.position_rad(), atol=0.01)
    np.testing.assert_allclose(commander.start, lying, atol=STILL_RAD)
    np.testing.assert_allclose(commander.position(), lying, atol=STILL_RAD)
    assert all(torque(body))
    assert tuple(commander.joints[-1].name) == ROBOT.joint_names


def test_a_command_moves_the_body_and_the_end_switches_the_torque_off(
    body, make, commander
) -> None:
    node = make()
    commander.until(lambda: commander.joints, "joint states")
    goal = commander.go(0, 0.4)
    commander.until(lambda: commander.has_settled(), "the arm to come to rest")
    assert commander.position()[0] == pytest.approx(goal[0], abs=STILL_RAD)
    assert body.position_rad()[0] == pytest.approx(goal[0], abs=STILL_RAD)
    node.take_down()
    assert not any(torque(body))


@pytest.mark.parametrize(
    ("joint", "value", "age_ns"),
    [(0, np.nan, 0), (0, np.inf, 0), (0, 2.5, 0), (0, 0.4, 10**9), (0, 0.4, -(10**9))],
    ids=["nan", "inf", "beyond", "old", "future"],
)
def test_a_hostile_command_moves_nothing(make, commander, joint, value, age_ns) -> None:
    make()
    commander.until(lambda: len(commander.joints) > 5, "joint states")
    commander.goal = commander.start
    commander.goal[joint], commander.age_ns = value, age_ns
    seen = len(commander.joints)
    commander.until(lambda: len(commander.joints) > seen + 40, "joint states")
    moved = np.array([message.position for message in commander.joints]) - commander.start
    assert np.abs(moved).max() < STILL_RAD


def test_a_hot_motor_makes_the_arm_hold_until_it_has_cooled(body, make, commander) -> None:
    make()
    commander.until(lambda: commander.health, "diagnostics")
    body.bus.servos[2].table[Register.PRESENT_TEMPERATURE] = 66
    commander.until(commander.faults, "the fault")
    assert commander.faults() == ["shoulder_lift is at 66 C, 65 is allowed"]
    goal = commander.go(0, 0.4)
    seen = len(commander.joints)
    commander.until(lambda: len(commander.joints) > seen + 30, "joint states")
    assert abs(commander.position()[0] - commander.start[0]) < STILL_RAD
    assert all(torque(body))
    body.bus.servos[2].table[Register.PRESENT_TEMPERATURE] = 55
    commander.until(lambda: abs(commander.position()[0] - goal[0]) < STILL_RAD, "it to go on")


def test_an_overload_that_lerobot_does_not_see_makes_the_arm_hold(body, make, commander) -> None:
    make()
    commander.until(lambda: commander.health, "diagnostics")
    body.bus.servos[3].error_bits = 32
    commander.until(commander.faults, "the fault")
    assert commander.faults() == ["elbow_flex reports overload"]
    assert all(torque(body))


def test_pressing_on_the_table_draws_current_until_the_arm_gives_in(body, make, commander) -> None:
    make()
    commander.until(lambda: commander.joints, "joint states")
    commander.go(1, 2.6)  # the whole arm down onto the table
    commander.until(commander.faults, "the fault")
    assert " A, 2 is allowed" in commander.faults()[0]
    counts = [servo.get(Register.PRESENT_CURRENT) for servo in body.bus.servos.values()]
    commander.until(
        lambda: max(s.get(Register.PRESENT_CURRENT) for s in body.bus.servos.values()) * 0.0065 < 2,
        f"the current to fall from {max(counts)} counts",
    )
    assert all(torque(body))


def test_a_pulled_cable_stops_the_joint_states_and_the_node_says_so(port, make, commander) -> None:
    node = make()
    commander.until(lambda: commander.joints, "joint states")
    commander.go(0, 1.5)
    commander.until(lambda: commander.position()[0] > 0.1, "the arm to move")
    port.unplug()
    commander.until(lambda: node.failure is not None, "the node to notice")
    assert isinstance(node.failure, MachineError)
    assert "the arm does not answer" in str(node.failure)
    seen = len(commander.joints)
    commander.graph.spin_for(0.3)
    assert len(commander.joints) == seen


def test_disturbed_answers_are_asked_for_again(body, make, commander) -> None:
    node = make()
    for _ in range(5):
        seen = len(commander.joints)
        body.bus.corrupt_next = 1
        commander.until(lambda seen=seen: len(commander.joints) > seen + 5, "joint states")
    assert node.failure is None


def test_two_commanders_are_named_and_neither_moves_the_arm(graph, make, commander) -> None:
    node = make()
    commander.until(lambda: commander.health, "diagnostics")
    other = graph.node.create_publisher(JointCommand, "lam/joint_command", qos.COMMAND)
    graph.spin_until(lambda: "2 nodes command" in node.holding, "it to be noticed")
    assert "/test" in node.holding
    commander.go(0, 0.4)
    seen = len(commander.joints)
    commander.until(lambda: len(commander.joints) > seen + 30, "joint states")
    assert abs(commander.position()[0] - commander.start[0]) < STILL_RAD
    graph.node.destroy_publisher(other)
    commander.until(lambda: commander.position()[0] > 0.3, "it to go on with one")


def test_an_arm_that_is_not_there_or_not_calibrated_is_refused_untouched(
    body, make, tmp_path
) -> None:
    with pytest.raises(MachineError, match=r"cannot connect to /dev/nowhere"):
        make(port="/dev/nowhere")
    body.bus.servos[2].put(Register.MIN_POSITION, 100)
    before = bytes(body.bus.servos[1].table[: Register.PRESENT_POSITION])
    with pytest.raises(MachineError, match=r"lerobot-calibrate --robot.type=so101_follower"):
        make()
    assert bytes(body.bus.servos[1].table[: Register.PRESENT_POSITION]) == before


def test_a_motor_that_has_fallen_silent_does_not_keep_the_torque_of_the_others(
    body, make, commander
) -> None:
    node = make()
    commander.until(lambda: commander.joints, "joint states")
    body.bus.servos[1].silent = True
    commander.until(lambda: node.failure is not None, "the node to notice")
    node.take_down()
    assert torque(body) == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("number", "is_deactivated"), [(signal.SIGTERM, False), (signal.SIGINT, True)]
)
def test_ended_by_a_signal_it_leaves_no_torque(
    graph, body, options, commander, number, is_deactivated
) -> None:
    words = [f"{name}:={value}" for name, value in options.items()]
    arguments = [word for each in words for word in ("-p", each)]
    process = graph.start("lam_ros.nodes.arm", "--ros-args", *arguments)
    graph.spin_until(
        lambda: process.poll() is not None or len(commander.joints) > 5, "joint states", 60.0
    )
    assert all(torque(body))
    if is_deactivated:
        graph.change_state("arm", Transition.TRANSITION_DEACTIVATE)
    process.send_signal(number)
    graph.spin_until(lambda: process.poll() is not None, "the end", WAIT_S)
    assert process.returncode == 0
    assert not any(torque(body))


def test_a_person_moves_the_arm_through_the_safety_room(graph, body, make) -> None:
    from rclpy.parameter import Parameter

    from lam_ros.nodes.control import ControlNode

    make()
    values = {"autostart": False, "discovery_s": 0.0, "realtime": False}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    control = graph.add(ControlNode(parameter_overrides=overrides))
    control.bring_up()
    goal = HOME + np.array([0.3, 0, 0, 0, 0, 0])
    out = graph.node.create_publisher(JointCommand, topics.TELEOP_COMMAND, qos.COMMAND)
    clock = graph.node.get_clock()
    graph.node.create_timer(
        0.02,
        lambda: out.publish(
            command_to(goal, ROBOT, stamp_ns=clock.now().nanoseconds, source=Source.TELEOP)
        ),
    )
    sent = graph.collect(JointCommand, "lam/joint_command", qos.COMMAND)
    graph.spin_until(
        lambda: abs(body.position_rad()[0] - goal[0]) < STILL_RAD, "the arm to arrive", WAIT_S
    )
    asked = np.array([message.position_rad for message in sent])
    # Whatever was asked for, the goal was not handed on at once.
    assert np.abs(np.diff(asked[:, 0])).max() < 0.1
    control.take_down()


def test_killed_it_leaves_the_motors_holding_where_they_were_told_to_be(
    graph, body, options, commander
) -> None:
    words = [f"{name}:={value}" for name, value in options.items()]
    arguments = [word for each in words for word in ("-p", each)]
    process = graph.start("lam_ros.nodes.arm", "--ros-args", *arguments)
    graph.spin_until(
        lambda: process.poll() is not None or len(commander.joints) > 5, "joint states", 60.0
    )
    goal = commander.go(0, 0.3)
    commander.until(lambda: abs(commander.position()[0] - goal[0]) < STILL_RAD, "the arm to arrive")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    graph.spin_for(0.3)
    assert all(torque(body))
    assert body.position_rad()[0] == pytest.approx(goal[0], abs=STILL_RAD)
