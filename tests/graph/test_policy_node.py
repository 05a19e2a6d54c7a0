"""The policy's node: it serves one goal at a time, and says why each one ended."""

from __future__ import annotations

import signal
import sys
from typing import Any

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool

from lam_interfaces.action import RunSkill
from lam_interfaces.msg import ActionChunk, SafetyReport
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import stamp_to_ns

PROMPT = "put the red cube in the blue bowl"


CLIENTS: list[ActionClient] = []


@pytest.fixture(autouse=True)
def leave_nobody(graph: Any) -> Any:
    """Destroy each test's clients: one left in this process would be there for the next goal."""
    yield
    while CLIENTS:
        CLIENTS.pop().destroy()


class Skill:
    """A client of `lam/run_skill`."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.feedback: list[Any] = []
        self.client = ActionClient(graph.node, RunSkill, topics.RUN_SKILL)
        CLIENTS.append(self.client)
        graph.spin_until(self.client.server_is_ready, "the action server")

    def send(self, prompt: str = PROMPT, timeout_s: float = 20.0) -> Any:
        """Send a goal and return its handle."""
        goal = RunSkill.Goal(prompt=prompt, timeout_s=timeout_s)
        return self.graph.send_goal(
            self.client, goal, lambda message: self.feedback.append(message.feedback)
        )

    def end(self, goal: Any) -> Any:
        """Wait for a goal's result."""
        return self.graph.result(goal.get_result_async(), "the goal's result")


def test_chunks_carry_the_stamp_of_their_picture_and_cancel_holds_the_arm(
    graph: Any, world: Any
) -> None:
    front = graph.collect(Image, "camera/front/image_raw", qos.SENSOR)
    chunks = graph.collect(ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.sim()
    world.control()
    policy = world.policy()
    skill = Skill(graph)
    goal = skill.send()
    assert goal.accepted
    graph.spin_until(lambda: len(chunks) >= 4 and len(skill.feedback) >= 4, "some chunks")
    start = joints[0].position[0]

    graph.result(goal.cancel_goal_async())
    end = skill.end(goal)
    count = len(chunks)
    held = joints[-1].position[0]
    graph.spin_for(0.3)

    assert end.status == GoalStatus.STATUS_CANCELED
    assert end.result.termination == RunSkill.Result.CANCELLED
    assert end.result.chunks == count == len(chunks)
    assert abs(held - start) > 0.02
    assert joints[-1].position[0] == pytest.approx(held, abs=0.02)
    assert set(policy.prompts) == {PROMPT}
    pictures = {stamp_to_ns(picture.header.stamp) for picture in front}
    stamps = [stamp_to_ns(chunk.header.stamp) for chunk in chunks]
    assert set(stamps) <= pictures
    assert min(np.diff(stamps)) >= 150_000_000
    assert 0 < skill.feedback[-1].latency_ms < 200


def test_one_goal_at_a_time_and_the_next_after_it(graph: Any, world: Any) -> None:
    world.sim()
    world.policy()
    skill = Skill(graph)
    first = skill.send()
    assert not skill.send("another").accepted
    graph.result(first.cancel_goal_async())
    skill.end(first)
    assert not skill.send("  ").accepted
    last = skill.send(timeout_s=0.3)
    assert skill.end(last).result.termination == RunSkill.Result.TIMEOUT


def test_a_camera_that_stops_ends_the_goal_and_is_named(graph: Any, world: Any) -> None:
    world.sim(stop_camera="wrist", stop_camera_after_s=0.3)
    world.policy(no_observation_after_s=0.3)
    skill = Skill(graph)
    end = skill.end(skill.send())
    assert end.status == GoalStatus.STATUS_ABORTED
    assert end.result.termination == RunSkill.Result.NO_OBSERVATION
    assert "wrist" in end.result.detail


@pytest.mark.parametrize("bad", [np.full((12, 6), np.nan), np.zeros((12, 5))])
def test_an_answer_that_is_no_chunk_ends_the_goal(graph: Any, world: Any, bad: np.ndarray) -> None:
    chunks = graph.collect(ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
    world.sim()
    world.policy().answer = lambda _: bad
    skill = Skill(graph)
    end = skill.end(skill.send())
    assert end.result.termination == RunSkill.Result.POLICY_ERROR
    assert not chunks


def test_an_emergency_stop_ends_the_goal(graph: Any, world: Any) -> None:
    world.sim()
    world.control()
    world.policy()
    skill = Skill(graph)
    goal = skill.send()
    graph.spin_until(lambda: skill.feedback, "a chunk")
    stop = graph.node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
    graph.spin_until(stop.get_subscription_count, "the control node to listen")
    stop.publish(Bool(data=True))
    assert skill.end(goal).result.termination == RunSkill.Result.STOPPED


def test_another_attempt_at_the_same_step_begins_from_home(graph: Any, world: Any) -> None:
    chunks = graph.collect(ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.sim()
    world.control()
    world.policy()
    skill = Skill(graph)
    first = skill.send()
    graph.spin_until(lambda: joints and joints[-1].position[0] > 0.4, "the arm to go away")
    graph.result(first.cancel_goal_async())
    skill.end(first)
    assert {chunk.policy_id for chunk in chunks} == {"fake-0"}

    count = len(chunks)
    skill.send()
    graph.spin_until(lambda: len(chunks) > count + 2, "the next attempt")
    assert chunks[count].policy_id == "home"
    graph.spin_until(lambda: chunks[-1].policy_id == "fake-0", "the policy to take over")
    assert abs(joints[-1].position[0]) < 0.15


ASKER = """
import rclpy
from rclpy.action import ActionClient
from lam_interfaces.action import RunSkill
rclpy.init()
node = rclpy.create_node("asker")
client = ActionClient(node, RunSkill, "lam/run_skill")
client.wait_for_server()
client.send_goal_async(RunSkill.Goal(prompt="turn", timeout_s=60.0))
rclpy.spin(node)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_whoever_asked_is_gone_the_skill_ends_and_the_arm_holds(
    graph: Any, world: Any, number: int
) -> None:
    reports = graph.collect(SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.sim()
    world.control()
    world.policy()
    asker = graph.start_command([sys.executable, "-c", ASKER])
    graph.spin_until(
        lambda: joints and joints[-1].position[0] - joints[0].position[0] > 0.05, "the arm to move"
    )
    asker.send_signal(number)
    graph.spin_until(lambda: asker.poll() is not None, "its end")
    said = ("whoever asked for the skill is gone", "service lam/hold")
    graph.spin_until(lambda: reports[-1].detail in said, "the hold")
    held = reports[-1].sent_rad[0]
    graph.spin_for(0.3)
    assert reports[-1].sent_rad[0] == held
    skill = Skill(graph)
    graph.spin_until(lambda: skill.send(timeout_s=0.2).accepted, "the next one to be served")
