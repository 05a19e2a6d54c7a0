"""The control node in a process of its own, over real DDS: what moves the arm, and what stops it.

The test is the arm: it publishes joint states that follow the commands, and is the policy
or the person.
"""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import numpy as np
import pytest
import yaml

from lam_ros.config import load_group, load_robot
from lam_ros.core.types import ActionChunk, JointState, SafetyReport, Source, Verdict

MODULE = "lam_ros.nodes.control"
MS = 1_000_000
STALE_S = 0.4
DT = 40 * MS


@pytest.fixture(scope="module")
def patient_robot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a robot whose joint states may be 0.4 s old: the test's own may come late."""
    data = load_group("robot", "so101")
    data["joint_state"]["stale_after_s"] = STALE_S
    path = tmp_path_factory.mktemp("robot") / "patient.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


class Arm:
    """A perfect arm with its policy and its person, on the graph of a test."""

    def __init__(self, graph: Any, robot: str) -> None:
        from std_msgs.msg import Bool
        from std_srvs.srv import Trigger

        from lam_interfaces import msg as lam_msg
        from lam_ros.bridge import messages, qos, topics
        from lam_ros.bridge.clock import RosClock

        self.graph, self.robot, self._messages = graph, load_robot(robot), messages
        self._clock, node = RosClock(graph.node), graph.node
        names = self.robot.topics
        self.position = np.array(self.robot.poses.home_rad)
        self.sends_joints = True
        self.sequence = 0
        self.commands: list[tuple[int, Any]] = []
        self.reports: list[SafetyReport] = []
        node.create_subscription(
            lam_msg.JointCommand, names.joint_command, self._on_command, qos.COMMAND
        )
        node.create_subscription(
            lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT
        )
        joint_kind = messages.sensor_msgs.msg.JointState
        self._joints = node.create_publisher(joint_kind, names.joint_state, qos.SENSOR)
        self.chunks = node.create_publisher(lam_msg.ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
        self._teleop = node.create_publisher(
            lam_msg.JointCommand, topics.TELEOP_COMMAND, qos.COMMAND
        )
        self._estop = node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
        self._bool, self._trigger = Bool, Trigger
        self._clients = {
            name: node.create_client(Trigger, name)
            for name in (topics.ESTOP_RESET, topics.HOLD, topics.TELEOP_RELEASE)
        }
        node.create_timer(0.01, self._send_joints)

    # -- what it does -------------------------------------------------------------------

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def chunk(self, offset: float = 0.0, rows: int = 12, **changes: Any) -> Any:
        """Return the message of a chunk to `home + offset`; keywords replace its fields."""
        self.sequence += 1
        goal = np.array(self.robot.poses.home_rad) + offset
        chunk = ActionChunk(
            changes.pop("obs_stamp_ns", self.now_ns()),
            DT,
            self.robot.joint_names,
            np.linspace(self.position, goal, rows + 1)[1:],
            "test",
            self.sequence,
        )
        message = self._messages.chunk_to(chunk)
        for name, value in changes.items():
            setattr(message, name, value)
        return message

    def person(self, offset: float) -> None:
        goal = np.array(self.robot.poses.home_rad) + offset
        self._teleop.publish(
            self._messages.command_to(
                goal, self.robot, stamp_ns=self.now_ns(), source=Source.TELEOP
            )
        )

    def estop(self, pressed: bool = True) -> None:
        self.graph.spin_until(self._estop.get_subscription_count, "the button's reader")
        self._estop.publish(self._bool(data=pressed))

    def call(self, name: str) -> Any:
        return self.graph.call(self._clients[name], self._trigger.Request())

    # -- what it hears ------------------------------------------------------------------

    def until(self, verdict: Verdict, rule: str | None = None, timeout_s: float = 10.0) -> Any:
        """Spin until a report says so; return it."""
        self.reports.clear()
        found: list[SafetyReport] = []

        def heard() -> bool:
            found.extend(
                report
                for report in self.reports
                if report.verdict is verdict and rule in (None, report.rule)
            )
            return bool(found)

        self.graph.spin_until(heard, f"a report {verdict.name} ({rule})", timeout_s)
        return found[0]

    def rests(self, seconds: float = 0.3) -> bool:
        """Spin for a while and tell whether every command was the same."""
        self._hear_commands(2)  # one may be left from before
        self.commands.clear()
        self.graph.spin_for(seconds)
        self._hear_commands(3)
        positions = np.array([message.position_rad for _, message in self.commands])
        return not np.ptp(positions, axis=0).any()

    def _hear_commands(self, count: int) -> None:
        wanted = len(self.commands) + count
        self.graph.spin_until(lambda: len(self.commands) >= wanted, "the command stream")

    def _on_command(self, message: Any) -> None:
        self.commands.append((time.monotonic_ns(), message))
        self.position = np.array(message.position_rad)

    def _on_report(self, message: Any) -> None:
        self.reports.append(self._messages.report_from(message))

    def _send_joints(self) -> None:
        if self.sends_joints:
            state = JointState(self.now_ns(), self.position)
            self._joints.publish(self._messages.joints_to(state, self.robot))


@pytest.fixture
def arm(graph: Any, patient_robot: str) -> Arm:
    """An arm at home, held by a control node that has heard from nobody else."""
    arm = Arm(graph, patient_robot)
    arm.process = graph.start(MODULE, "--ros-args", "-p", f"robot:={patient_robot}")
    arm.until(Verdict.HOLD, "nothing_yet", timeout_s=20)
    graph.spin_until(lambda: arm.chunks.get_subscription_count() == 1, "the chunk's reader")
    return arm


def test_silence_is_hold_where_the_arm_is(arm):
    assert arm.rests()
    np.testing.assert_allclose(arm.position, arm.robot.poses.home_rad)


def test_it_sends_nothing_before_it_knows_where_the_arm_is(graph):
    arm = Arm(graph, "so101")
    arm.sends_joints = False
    graph.start(MODULE)
    report = arm.until(Verdict.HOLD, "joints_missing", timeout_s=20)
    assert report.sent_rad is None
    graph.spin_for(0.2)
    assert not arm.commands


def test_a_chunk_is_played_and_then_the_arm_holds(arm):
    arm.chunks.publish(arm.chunk(0.1))
    report = arm.until(Verdict.PASS, "ok")
    assert report.source is Source.POLICY
    assert report.obs_stamp_ns > 0
    arm.until(Verdict.HOLD, "chunk_ended")
    np.testing.assert_allclose(arm.position, np.array(arm.robot.poses.home_rad) + 0.1, atol=1e-9)
    assert arm.rests()


def nan_row(arm):
    message = arm.chunk(0.1)
    message.targets_rad[-1] = float("nan")
    return message


HOSTILE = {
    "nan": nan_row,
    "wrong_name": lambda arm: arm.chunk(0.1, joint_names=["a", "b", "c", "d", "e", "f"]),
    "no_names": lambda arm: arm.chunk(0.1, joint_names=[]),
    "double_name": lambda arm: arm.chunk(0.1, joint_names=["gripper"] * 6),
    "short": lambda arm: arm.chunk(0.1, targets_rad=[0.0] * 11),
    "empty": lambda arm: arm.chunk(0.1, targets_rad=[]),
    "no_time_between_rows": lambda arm: arm.chunk(0.1, dt_ns=0),
    "endless_rows": lambda arm: arm.chunk(0.1, dt_ns=2**63),
    "stale": lambda arm: arm.chunk(0.1, obs_stamp_ns=arm.now_ns() - 2_000 * MS),
    "stampless": lambda arm: arm.chunk(0.1, obs_stamp_ns=0),
    "future": lambda arm: arm.chunk(0.1, obs_stamp_ns=arm.now_ns() + 2_000 * MS),
    "huge": lambda arm: arm.chunk(0.1, targets_rad=[1e308] * 6),
}


def test_hostile_chunks_move_nothing_and_leave_it_ready(arm):
    for name, make in HOSTILE.items():
        arm.chunks.publish(make(arm))
        assert arm.rests(0.15), name
        assert arm.reports[-1].verdict is Verdict.HOLD, name
    arm.chunks.publish(arm.chunk(0.1))
    arm.until(Verdict.PASS, "ok")


def test_permuted_names_mean_the_same_joints(arm):
    message = arm.chunk(0.1)
    message.joint_names = list(reversed(message.joint_names))
    rows = np.array(message.targets_rad).reshape(-1, 6)[:, ::-1]
    message.targets_rad = rows.ravel().tolist()
    arm.chunks.publish(message)
    arm.until(Verdict.HOLD, "chunk_ended")
    np.testing.assert_allclose(arm.position, np.array(arm.robot.poses.home_rad) + 0.1, atol=1e-9)


def test_a_jump_is_clamped_and_named(arm):
    home = np.array(arm.robot.poses.home_rad)
    inward = np.where(home > (arm.robot.lower_rad + arm.robot.upper_rad) / 2, -1.0, 1.0)
    goal = np.tile(home + 0.4 * inward, (12, 1))
    arm.chunks.publish(arm.chunk(targets_rad=goal.ravel().tolist()))
    report = arm.until(Verdict.CLAMPED)
    assert report.rule == "velocity"
    assert report.requested_rad is not None
    assert not np.allclose(report.requested_rad, report.sent_rad)
    positions = np.array([message.position_rad for _, message in arm.commands])
    steps = np.abs(np.diff(positions, axis=0))
    assert steps.any()
    assert (steps[steps.any(axis=1)][0] <= arm.robot.velocity_rad_s * 0.040 + 1e-9).all()


def test_when_joint_states_stop_the_arm_holds(arm):
    arm.chunks.publish(arm.chunk(0.3, rows=40))
    arm.until(Verdict.PASS)
    arm.sends_joints = False
    arm.until(Verdict.HOLD, "joints_stale")
    assert arm.rests()


def test_an_estop_stops_until_it_is_reset_on_purpose(arm):
    from lam_ros.bridge import topics

    arm.chunks.publish(arm.chunk(0.3, rows=40))
    arm.until(Verdict.PASS)
    arm.estop()
    report = arm.until(Verdict.STOP, "estop")
    assert topics.ESTOP in report.detail
    assert arm.rests()
    arm.estop(False)  # letting the button go does not start anything
    arm.chunks.publish(arm.chunk(0.2))
    assert arm.rests()
    assert arm.reports[-1].verdict is Verdict.STOP
    assert arm.call(topics.ESTOP_RESET).success
    assert arm.rests()
    assert arm.reports[-1].verdict is Verdict.HOLD
    arm.chunks.publish(arm.chunk(0.2))
    arm.until(Verdict.PASS)


def test_a_reset_that_cannot_be_is_refused_with_the_reason(arm):
    from lam_ros.bridge import topics

    arm.estop()
    arm.until(Verdict.STOP)
    arm.sends_joints = False
    arm.graph.spin_for(STALE_S + 0.1)
    answer = arm.call(topics.ESTOP_RESET)
    assert not answer.success
    assert "old" in answer.message


def test_hold_drops_what_is_played_and_what_was_under_way(arm):
    from lam_ros.bridge import topics

    late = arm.chunk(0.3, rows=40)
    late.sequence = 99
    arm.chunks.publish(arm.chunk(0.3, rows=40))
    arm.until(Verdict.PASS)
    assert arm.call(topics.HOLD).success
    arm.until(Verdict.HOLD, "cancelled")
    arm.chunks.publish(late)
    assert arm.rests()
    arm.chunks.publish(arm.chunk(0.2))
    arm.until(Verdict.PASS)


def test_a_person_takes_over_and_gives_back(arm):
    from lam_ros.bridge import topics

    timer = arm.graph.node.create_timer(0.02, lambda: arm.person(0.1))
    report = arm.until(Verdict.PASS)
    assert report.source is Source.TELEOP
    home = np.array(arm.robot.poses.home_rad)
    arm.graph.spin_until(lambda: np.allclose(arm.position, home + 0.1, atol=1e-6), "taken over")
    arm.chunks.publish(arm.chunk(0.3))
    arm.graph.spin_for(0.1)
    assert {report.source for report in arm.reports[-3:]} == {Source.TELEOP}
    arm.graph.node.destroy_timer(timer)
    arm.until(Verdict.HOLD, "teleop_silent")
    assert arm.rests()
    assert arm.call(topics.TELEOP_RELEASE).success
    arm.chunks.publish(arm.chunk(0.2))
    arm.until(Verdict.PASS)


# -- beginning and end ------------------------------------------------------------------


def test_a_second_control_node_is_refused_in_one_line(arm, graph, tmp_path):
    second = graph.start(MODULE)
    graph.spin_until(lambda: second.poll() is not None, "the second node's end")
    assert second.returncode == 2
    said = (tmp_path / "process-1.log").read_text().strip()
    assert len(said.splitlines()) == 1
    assert f"already commanded by process {arm.process.pid} of this machine" in said
    assert arm.rests()  # and the first goes on


def test_a_second_control_node_of_another_machine_gives_way(arm, graph, tmp_path, monkeypatch):
    """Locks do not reach from machine to machine; the graph does, sooner or later."""
    monkeypatch.setenv("LAM_RUNTIME_DIR", str(tmp_path / "another machine"))
    second = graph.start(MODULE, "--ros-args", "-p", "discovery_s:=0.0")
    graph.spin_until(lambda: second.poll() is not None, "the second node's end")
    assert second.returncode == 2
    assert "already commanded by node" in (tmp_path / "process-1.log").read_text()
    assert arm.process.poll() is None
    assert arm.rests()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_the_arm_at_rest(arm, number):
    arm.chunks.publish(arm.chunk(0.3, rows=40))
    arm.until(Verdict.PASS)
    arm.process.send_signal(number)
    arm.graph.spin_until(lambda: arm.process.poll() is not None, "its end")
    arm.graph.spin_for(0.1)
    assert arm.process.returncode == 0
    assert arm.reports[-1].verdict is Verdict.HOLD
    np.testing.assert_array_equal(arm.position, arm.commands[-2][1].position_rad)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("-p", "robot:=so10"),
            "unknown robot 'so10'; allowed: franka, so101. Did you mean 'so101'?",
        ),
        (("-p", "robot:=3"), "parameter 'robot'"),
        (("-p", "safety:=nope"), "unknown safety 'nope'"),
    ],
)
def test_a_wrong_parameter_is_answered_in_one_line(graph, tmp_path, arguments, message):
    process: subprocess.Popen[str] = graph.start(MODULE, "--ros-args", *arguments)
    graph.spin_until(lambda: process.poll() is not None, "its end")
    said = (tmp_path / "process-0.log").read_text().strip()
    assert process.returncode == 2
    assert len(said.splitlines()) == 1
    assert message in said


def test_without_autostart_it_waits_for_its_lifecycle(graph):
    from lifecycle_msgs.msg import Transition

    arm = Arm(graph, "so101")
    graph.start(MODULE, "--ros-args", "-p", "autostart:=false")
    graph.change_state("control", Transition.TRANSITION_CONFIGURE)
    arm.estop()  # an inactive node moves nothing, and says nothing
    graph.spin_for(0.2)
    assert not arm.reports
    graph.change_state("control", Transition.TRANSITION_ACTIVATE)
    arm.until(Verdict.STOP)  # but the button counts
    graph.change_state("control", Transition.TRANSITION_DEACTIVATE)
    graph.spin_for(0.1)
    arm.reports.clear()
    graph.spin_for(0.2)
    assert not arm.reports
    graph.change_state("control", Transition.TRANSITION_CLEANUP)
