"""The teleoperation node with the control node and the simulator, over real DDS."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from lam_ros.config import load_robot
from lam_ros.core.errors import MachineError
from lam_ros.core.types import ActionChunk, Source, Verdict
from lam_ros.teleop.port import STILL, CartesianTwist, Control, JointTarget, Reading, View

EVERY = QoSProfile(depth=500, reliability=QoSReliabilityPolicy.RELIABLE)
DT_NS = 40_000_000
ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)


@dataclass
class Device:
    """A device whose reading the test sets."""

    reading: Reading = field(default_factory=Reading)
    views: list[View] = field(default_factory=list)
    error: MachineError | None = None
    is_open: bool = False

    @property
    def controls(self) -> tuple[Control, ...]:
        return (Control("the test", "moves the arm"),)

    def open(self) -> None:
        self.is_open = True

    def read(self, view: View) -> Reading:
        self.views.append(view)
        if self.error is not None:
            raise self.error
        return self.reading

    def close(self) -> None:
        self.is_open = False

    def take(self, command: Any = STILL) -> None:
        self.reading = Reading(command, engaged=True)

    def let_go(self) -> None:
        self.reading = Reading()


class Scene:
    """Simulator, control, teleoperation and a policy of the test's own, on one graph."""

    def __init__(self, world: Any, patient: Any, *, sim: bool = True) -> None:
        from std_msgs.msg import Bool

        from lam_interfaces import msg as lam_msg
        from lam_ros.bridge import messages, qos, topics
        from lam_ros.bridge.clock import RosClock
        from lam_ros.nodes.teleop import TeleopNode

        self.world, self.graph, self.device, self.messages = world, world.graph, Device(), messages
        self.clock = RosClock(self.graph.node)
        self.robot = patient.robot
        node = self.graph.node
        self.commands = self.graph.collect(lam_msg.JointCommand, "lam/joint_command", EVERY)
        self.reports = self.graph.collect(lam_msg.SafetyReport, topics.SAFETY_REPORT, EVERY)
        self.asked = self.graph.collect(lam_msg.JointCommand, topics.TELEOP_COMMAND, EVERY)
        self.engaged = self.graph.collect(Bool, topics.TELEOP_ENGAGED, qos.LATCHED)
        joints = messages.sensor_msgs.msg.JointState
        self.joints = self.graph.collect(joints, ROBOT.topics.joint_state, qos.SENSOR)
        self.chunks = node.create_publisher(lam_msg.ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
        if sim:
            world.sim(robot=patient.robot)
        patient.bring_up_control(world)
        self.node = world.bring_up(
            lambda **more: TeleopNode(lambda *_: self.device, **more), robot=patient.robot
        )
        if sim:
            self.until(lambda: self.reports and self.reports[-1].rule == "nothing_yet", "it holds")
            self.until(lambda: self.device.views and self.device.views[-1].joints, "the joints")

    def until(self, done: Callable[[], object], what: str) -> None:
        self.graph.spin_until(done, what, timeout_s=40)

    @property
    def measured(self) -> np.ndarray:
        return np.array(self.joints[-1].position)

    def run_policy(self, swing_rad_s: float = 0.4) -> None:
        """Have a policy that turns the arm, a chunk every 0.16 s from the newest observation."""

        def infer() -> None:
            rows = np.tile(self.measured, (12, 1))
            rows[:, 0] += swing_rad_s * 0.04 * np.arange(1, 13)
            stamp_ns = self.messages.stamp_to_ns(self.joints[-1].header.stamp)
            chunk = ActionChunk(stamp_ns, DT_NS, ROBOT.joint_names, rows, "test")
            self.chunks.publish(self.messages.chunk_to(chunk))

        self.until(self.chunks.get_subscription_count, "the chunks' reader")
        self.graph.node.create_timer(0.16, infer)

    def until_driven_by(self, source: Source) -> None:
        self.reports.clear()
        self.until(
            lambda: any(r.source == source and r.verdict <= Verdict.CLAMPED for r in self.reports),
            f"{source} drives",
        )

    def greatest_step(self) -> float:
        """Return the greatest change from one command to the next, as a share of the limit."""
        stamps = np.array([self.messages.stamp_to_ns(c.header.stamp) for c in self.commands])
        positions = np.array([c.position_rad for c in self.commands])
        allowed = ROBOT.velocity_rad_s * np.maximum(np.diff(stamps) * 1e-9, 0.020)[:, None]
        return float((np.abs(np.diff(positions, axis=0)) / allowed).max())


@pytest.fixture
def scene(world: Any, patient: Any) -> Scene:
    return Scene(world, patient)


def test_nothing_is_asked_for_until_the_person_takes_hold(scene):
    scene.device.reading = Reading(CartesianTwist((0.1, 0.0, 0.0)), engaged=False)
    scene.graph.spin_for(0.3)
    assert not scene.asked
    assert [message.data for message in scene.engaged] == [False]
    scene.device.take()
    scene.until(lambda: len(scene.asked) > 5, "commands")
    assert [message.data for message in scene.engaged] == [False, True]
    np.testing.assert_allclose(scene.asked[0].position_rad, scene.measured, atol=0.02)


def test_jogging_moves_the_simulated_arm(scene):
    before = scene.measured
    scene.device.take(CartesianTwist((0.0, 0.08, 0.0), gripper_rad_s=0.5))
    scene.until(lambda: scene.measured[0] < before[0] - 0.2, "the arm turns left")
    assert scene.measured[5] > before[5] + 0.1
    assert scene.greatest_step() <= 1.0 + 1e-6


def test_a_person_takes_over_from_the_policy_and_gives_back_without_a_jump(scene):
    """The arm moves all the while: the policy to one side, the person up, the policy again."""
    scene.run_policy()
    scene.until_driven_by(Source.POLICY)
    scene.until(lambda: scene.measured[0] > 0.2, "the policy moves the arm")

    scene.device.take(CartesianTwist((0.0, 0.0, 0.05)))
    scene.until_driven_by(Source.TELEOP)
    scene.reports.clear()
    scene.graph.spin_for(0.8)
    assert Source.TELEOP in {r.source for r in scene.reports}
    assert Source.POLICY not in {r.source for r in scene.reports}  # its chunks are refused
    assert scene.engaged[-1].data

    assert scene.greatest_step() <= 1.0 + 1e-6
    released_ns = scene.clock.now_ns()
    at_release = scene.measured
    scene.device.let_go()
    scene.until_driven_by(Source.POLICY)
    first = next(r for r in scene.reports if r.source == Source.POLICY)
    assert scene.messages.stamp_to_ns(first.obs_stamp) > released_ns  # not what was under way
    np.testing.assert_allclose(first.sent_rad, at_release, atol=0.06)  # from where the arm is
    scene.graph.spin_for(0.5)
    assert not scene.engaged[-1].data
    assert scene.reports[-1].source == Source.POLICY
    assert scene.greatest_step() <= 1.0 + 1e-6


def test_a_skill_that_runs_outlives_the_intervention(world, patient):
    """The policy's own node: its goal goes on, and its chunks are followed again."""
    from rclpy.action import ActionClient

    from lam_interfaces.action import RunSkill
    from lam_ros.bridge import topics

    scene = Scene(world, patient)
    world.policy(robot=patient.robot)
    client = ActionClient(scene.graph.node, RunSkill, topics.RUN_SKILL)
    scene.until(client.server_is_ready, "the policy")
    request = RunSkill.Goal(prompt="put the red cube in the blue bowl", timeout_s=60.0)
    goal = scene.graph.send_goal(client, request)
    result = goal.get_result_async()
    scene.until_driven_by(Source.POLICY)
    scene.device.take(CartesianTwist((0.0, 0.0, 0.05)))
    scene.until_driven_by(Source.TELEOP)
    scene.graph.spin_for(0.5)
    scene.device.let_go()
    scene.until_driven_by(Source.POLICY)
    scene.graph.spin_for(0.3)
    assert not result.done()
    assert scene.reports[-1].source == Source.POLICY
    assert scene.greatest_step() <= 1.0 + 1e-6
    scene.graph.result(goal.cancel_goal_async())
    scene.graph.result(result)


def test_a_leader_far_from_the_arm_takes_over_without_a_jump(scene):
    scene.run_policy()
    scene.until_driven_by(Source.POLICY)
    leader = HOME + np.array([-0.6, 0.3, 0.2, -0.2, 0.5, 0.4])
    scene.device.take(JointTarget(leader))
    scene.until(lambda: np.abs(scene.measured - leader).max() < 0.05, "the arm at the leader")
    assert scene.greatest_step() <= 0.6
    scene.device.let_go()
    scene.until_driven_by(Source.POLICY)
    scene.graph.spin_for(0.3)
    assert scene.greatest_step() <= 0.6


def test_taking_hold_again_begins_where_the_arm_is_by_then(scene):
    scene.run_policy(swing_rad_s=0.6)
    scene.device.take()
    scene.until_driven_by(Source.TELEOP)
    scene.device.let_go()
    scene.until(lambda: scene.measured[0] > 0.3, "the policy moves the arm away")
    scene.asked.clear()
    scene.device.take()
    scene.until(lambda: scene.asked, "the second hold")
    np.testing.assert_allclose(scene.asked[0].position_rad, scene.measured, atol=0.05)


def test_a_device_that_breaks_off_leaves_the_arm_held_and_not_to_the_policy(scene):
    scene.run_policy()
    scene.device.take()
    scene.until_driven_by(Source.TELEOP)
    scene.device.error = MachineError("leader: the bus is silent")
    scene.until(lambda: scene.reports[-1].rule == "teleop_silent", "the arm holds")
    assert str(scene.node.failure) == "leader: the bus is silent"
    assert not scene.engaged[-1].data
    scene.reports.clear()
    scene.graph.spin_for(0.4)
    assert {r.verdict for r in scene.reports} == {Verdict.HOLD}


def test_stale_joints_silence_it(world, patient):
    scene = Scene(world, patient, sim=False)
    from lam_ros.bridge import qos
    from lam_ros.core.types import JointState

    kind = scene.messages.sensor_msgs.msg.JointState
    joints = scene.graph.node.create_publisher(kind, ROBOT.topics.joint_state, qos.SENSOR)

    def send() -> None:
        joints.publish(scene.messages.joints_to(JointState(scene.clock.now_ns(), HOME), ROBOT))

    timer = scene.graph.node.create_timer(0.02, send)
    scene.device.take()
    scene.until(lambda: len(scene.asked) > 3, "commands")
    timer.cancel()
    scene.until(lambda: not scene.engaged[-1].data, "silence")
    scene.asked.clear()
    scene.graph.spin_for(0.3)
    assert not scene.asked
    assert scene.node.flight.idle.reason == "joints_stale"
    timer.reset()
    scene.until(lambda: scene.asked, "commands again")


def test_an_estop_makes_it_forget_what_was_asked_for(scene):
    from std_msgs.msg import Bool
    from std_srvs.srv import Trigger

    from lam_ros.bridge import qos, topics

    button = scene.graph.node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
    reset = scene.graph.node.create_client(Trigger, topics.ESTOP_RESET)
    scene.until(lambda: button.get_subscription_count() and reset.service_is_ready(), "control")
    scene.device.take(CartesianTwist((0.0, 0.08, 0.0)))
    scene.until(lambda: scene.measured[0] < -0.1, "motion")
    button.publish(Bool(data=True))
    scene.until(lambda: scene.reports[-1].verdict == Verdict.STOP, "the stop")
    scene.until(lambda: not scene.engaged[-1].data, "teleoperation lets go")
    scene.graph.spin_for(0.5)
    stopped = np.array(scene.commands[-1].position_rad)
    scene.device.take()  # still holding the button, but no stick
    scene.graph.call(reset, Trigger.Request(), "the reset")
    scene.until_driven_by(Source.TELEOP)
    scene.graph.spin_for(0.6)
    np.testing.assert_allclose(scene.commands[-1].position_rad, stopped, atol=0.03)


def test_the_device_is_given_back_when_the_node_is_cleaned_up(scene):
    assert scene.device.is_open
    scene.node.take_down()
    assert not scene.device.is_open


def test_the_script_does_a_task_that_a_topic_names(world):
    from std_msgs.msg import Bool, String

    from lam_interfaces import msg as lam_msg
    from lam_interfaces.srv import Judge
    from lam_ros.bridge import qos, topics
    from lam_ros.bridge.scenes import scene_from
    from lam_ros.core.skills import canonical_prompt, words
    from lam_ros.nodes.teleop import TeleopNode
    from lam_sim.tasks import TaskType, feasible_steps

    graph = world.graph
    scenes = graph.collect(lam_msg.Scene, topics.SCENE, qos.SCENE)
    engaged = graph.collect(Bool, topics.TELEOP_ENGAGED, qos.LATCHED)
    tasks = graph.node.create_publisher(String, topics.TELEOP_TASK, qos.ESTOP)
    judge = graph.node.create_client(Judge, topics.JUDGE)
    world.sim(scene_rate_hz=50.0)
    world.control()
    node = world.bring_up(TeleopNode, teleop="expert")
    graph.spin_until(lambda: scenes and tasks.get_subscription_count(), "scene and reader")
    scene = scene_from(scenes[-1])
    step = next(step for kind in TaskType for step in feasible_steps(scene, kind))
    tasks.publish(String(data=canonical_prompt(words(step, scene))))
    graph.spin_until(lambda: engaged[-1].data, "the script takes the arm")
    graph.spin_until(lambda: node.flight.reading.finished, "the script's end", timeout_s=200)
    assert node.flight.reading.status == "done"
    graph.spin_until(lambda: not engaged[-1].data, "the script lets go")
    answer = graph.call(judge, Judge.Request(literals=[str(step.goal)]))
    assert list(answer.holds) == [True]


def test_a_second_teleoperator_is_refused_in_one_line_and_the_first_goes_on(scene, tmp_path):
    scene.device.take(CartesianTwist((0.0, 0.03, 0.0)))
    scene.until_driven_by(Source.TELEOP)
    second = scene.graph.start("lam_ros.nodes.teleop", "--ros-args", "-p", "teleop:=expert")
    scene.until(lambda: second.poll() is not None, "the second one's end")
    assert second.returncode == 2
    said = (tmp_path / "process-0.log").read_text().strip().splitlines()
    assert len(said) == 1
    assert f"teleop/joint_command is already commanded by process {os.getpid()}" in said[0]
    assert "only one teleoperator may drive an arm" in said[0]
    scene.until_driven_by(Source.TELEOP)


def test_the_script_in_the_place_of_a_policy_is_a_teleoperator_like_any_other(scene, tmp_path):
    second = scene.graph.start("lam_ros.nodes.expert")
    scene.until(lambda: second.poll() is not None, "the script's end")
    assert second.returncode == 2
    said = (tmp_path / "process-0.log").read_text().strip().splitlines()
    assert len(said) == 1
    assert f"teleop/joint_command is already commanded by process {os.getpid()}" in said[0]
    scene.node.take_down()
    script = scene.world.expert()
    third = scene.graph.start("lam_ros.nodes.teleop", "--ros-args", "-p", "teleop:=expert")
    scene.graph.spin_until(lambda: third.poll() is not None, "the third one's end")
    assert third.returncode == 2
    assert script.is_active


def test_a_second_teleoperator_of_another_machine_gives_way(scene, tmp_path, monkeypatch):
    """Locks do not reach from machine to machine; what the first one says does."""
    monkeypatch.setenv("LAM_RUNTIME_DIR", str(tmp_path / "another machine"))
    second = scene.graph.start("lam_ros.nodes.teleop", "--ros-args", "-p", "teleop:=expert")
    scene.until(lambda: second.poll() is not None, "the second one's end")
    assert second.returncode == 2
    assert "commanded by node /teleop (process" in (tmp_path / "process-0.log").read_text()
    scene.device.take(CartesianTwist((0.0, 0.03, 0.0)))
    scene.until_driven_by(Source.TELEOP)


def test_the_arm_of_a_teleoperator_that_is_gone_is_free(scene):
    from lam_ros.nodes.teleop import TeleopNode

    scene.node.take_down()
    again = Device()
    scene.world.bring_up(lambda **more: TeleopNode(lambda *_: again, **more), robot=scene.robot)
    again.take(CartesianTwist((0.0, 0.03, 0.0)))
    scene.until_driven_by(Source.TELEOP)


def test_the_estop_key_stops_a_driving_person_latched_and_only_its_own_key_releases(scene) -> None:
    graph, device = scene.graph, scene.device
    device.take(JointTarget(HOME + np.array([0.5, 0, 0, 0, 0, 0])))
    graph.spin_until(lambda: scene.joints[-1].position[0] > 0.05, "the arm to move")
    moving = device.reading
    device.reading = Reading(moving.command, engaged=True, pressed=("z",))
    graph.spin_until(lambda: scene.reports[-1].verdict == Verdict.STOP, "the stop")
    device.reading = Reading(moving.command, engaged=True, pressed=("x", "esc", "space"))
    at = scene.reports[-1].sent_rad[0]
    graph.spin_for(0.3)
    assert scene.reports[-1].verdict == Verdict.STOP
    assert scene.reports[-1].sent_rad[0] == at
    device.reading = Reading(pressed=("ctrl+r",))
    graph.spin_until(lambda: scene.reports[-1].verdict == Verdict.HOLD, "the release")
    device.reading = Reading()
    graph.spin_for(0.2)
    assert scene.reports[-1].verdict == Verdict.HOLD
