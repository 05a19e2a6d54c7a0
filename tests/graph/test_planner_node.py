"""The planner's node: from words to the true state of the table, and every other end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from lam_interfaces.action import ExecuteInstruction
from lam_interfaces.msg import Plan, PlanStep
from lam_interfaces.srv import Judge, PlanInstruction
from lam_ros.bridge import qos, topics
from lam_ros.config import load_group, load_robot
from lam_ros.core.homing import is_home

INSTRUCTION = "put the red cube in the blue bowl"
SCENE = json.dumps({"include": ["red cube", "blue bowl"], "placed_probability": 0.0})
Result = ExecuteInstruction.Result


class Instructions:
    """A client of `lam/execute_instruction`."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.plans: list[Plan] = graph.collect(Plan, topics.PLAN, qos.LATCHED)
        self.client = ActionClient(graph.node, ExecuteInstruction, topics.EXECUTE_INSTRUCTION)
        graph.spin_until(self.client.server_is_ready, "the action server")

    def send(self, instruction: str, answer: str = "") -> Any:
        """Send an instruction and return its handle."""
        goal = ExecuteInstruction.Goal(instruction=instruction, answer=answer)
        return self.graph.send_goal(self.client, goal)

    def end(self, goal: Any, timeout_s: float = 40.0) -> Any:
        """Wait for the result."""
        return self.graph.result(goal.get_result_async(), "the result", timeout_s)

    def ask(self, instruction: str, answer: str = "") -> Any:
        """Return the result of an instruction."""
        return self.end(self.send(instruction, answer)).result


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., str]:
    """Write planner settings with some changed, and return the file."""

    def write(**execution: object) -> str:
        group = load_group("planner", "default")
        group["execution"] |= {"ask_timeout_s": 0.0} | execution
        path = tmp_path / "planner.yaml"
        path.write_text(yaml.safe_dump(group))
        return str(path)

    return write


def test_an_instruction_is_carried_out_and_the_ground_truth_agrees(graph: Any, world: Any) -> None:
    world.sim(scene=SCENE, scene_rate_hz=50.0)
    world.control()
    world.expert()
    world.planner()
    instructions = Instructions(graph)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    end = instructions.end(instructions.send(f"{INSTRUCTION}, then go home"))
    assert end.status == GoalStatus.STATUS_SUCCEEDED, end.result.message
    assert end.result.termination == Result.SUCCEEDED
    assert [step.status for step in end.result.plan.steps] == [PlanStep.DONE] * 2
    assert is_home(load_robot("so101"), np.array(joints[-1].position))
    assert list(end.result.goal) == ["in(red_cube_1, blue_bowl_1)"]
    judge = graph.node.create_client(Judge, topics.JUDGE)
    verdict = graph.call(judge, Judge.Request(literals=end.result.goal))
    assert list(verdict.holds) == [True]
    statuses = [plan.steps[0].status for plan in instructions.plans]
    assert statuses[0] <= PlanStep.RUNNING
    assert statuses[-1] == PlanStep.DONE
    again = instructions.ask(INSTRUCTION)
    assert again.termination == Result.SUCCEEDED
    assert "already" in again.message


def test_cancel_ends_the_skill_and_the_arm_holds(graph: Any, world: Any) -> None:
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.sim(scene=SCENE, scene_rate_hz=50.0)
    world.control()
    world.policy()
    world.planner()
    instructions = Instructions(graph)
    goal = instructions.send(INSTRUCTION)
    moved = len(joints)
    graph.spin_until(lambda: len(joints) > moved + 40, "some motion")
    graph.result(goal.cancel_goal_async())
    end = instructions.end(goal)
    held = list(joints[-1].position)
    graph.spin_for(0.3)
    assert end.status == GoalStatus.STATUS_CANCELED
    assert end.result.termination == Result.CANCELLED
    assert list(joints[-1].position) == pytest.approx(held, abs=0.03)


def test_what_cannot_be_done_is_refused_and_what_is_unclear_is_asked(
    graph: Any, world: Any
) -> None:
    world.sim(scene=json.dumps({"objects": ["red cube", "green cube", "blue bowl"]}))
    world.planner()
    instructions = Instructions(graph)
    refused = instructions.ask("put the purple cube in the blue bowl")
    assert refused.termination == Result.REFUSED
    assert "purple" in refused.message
    asked = instructions.ask("put the cube in the bowl")
    assert asked.termination == Result.QUESTION
    assert set(asked.candidates) == {"red_cube_1", "green_cube_1"}
    assert asked.question

    dry = graph.node.create_client(PlanInstruction, topics.PLAN_INSTRUCTION)
    request = PlanInstruction.Request(instruction="put the cube in the bowl", answer="the red one")
    answer = graph.call(dry, request)
    assert answer.kind == PlanInstruction.Response.PLAN
    assert [step.prompt for step in answer.plan.steps] == [INSTRUCTION]


def test_without_a_policy_the_step_fails_and_says_so(
    graph: Any, world: Any, settings: Callable[..., str]
) -> None:
    world.sim(scene=SCENE)
    world.planner(planner=settings(max_replans=0, max_attempts=1))
    result = Instructions(graph).ask(INSTRUCTION)
    assert result.termination == Result.STEP_FAILED
    assert "no node serves lam/run_skill" in result.message


def test_a_policy_that_is_found_late_is_waited_for(graph: Any, world: Any) -> None:
    world.sim(scene=SCENE)
    world.control()
    world.planner()
    instructions = Instructions(graph)
    goal = instructions.send(INSTRUCTION)
    running = lambda: instructions.plans and instructions.plans[-1].steps  # noqa: E731
    graph.spin_until(running, "the plan")
    graph.spin_for(0.3)
    policy = world.policy()
    graph.spin_until(lambda: policy.prompts, "the policy to be asked")
    graph.result(goal.cancel_goal_async())
    assert instructions.end(goal).result.termination == Result.CANCELLED


def test_an_instruction_that_waits_for_a_policy_can_be_cancelled(graph: Any, world: Any) -> None:
    world.sim(scene=SCENE)
    world.planner()
    instructions = Instructions(graph)
    goal = instructions.send(INSTRUCTION)
    running = lambda: instructions.plans and instructions.plans[-1].steps  # noqa: E731
    graph.spin_until(running, "the plan")
    graph.result(goal.cancel_goal_async())
    assert instructions.end(goal).result.termination == Result.CANCELLED


def test_a_camera_that_stops_fails_the_step_and_is_named(
    graph: Any, world: Any, patient: Any, settings: Callable[..., str]
) -> None:
    world.sim(scene=SCENE, stop_camera="front", stop_camera_after_s=0.5)
    patient.bring_up_control(world)
    world.policy(robot=patient.robot, no_observation_after_s=0.3)
    world.planner(planner=settings(max_replans=0, max_attempts=1))
    result = Instructions(graph).ask(INSTRUCTION)
    assert result.termination == Result.STEP_FAILED
    assert "front" in result.message


def test_without_a_scene_the_instruction_fails(
    graph: Any, world: Any, settings: Callable[..., str]
) -> None:
    world.planner(planner=settings(look_timeout_s=0.3))
    result = Instructions(graph).ask(INSTRUCTION)
    assert result.termination == Result.STEP_FAILED
    assert topics.SCENE in result.message


def test_a_scene_of_long_ago_is_not_planned_on(
    graph: Any, world: Any, settings: Callable[..., str]
) -> None:
    world.sim(scene=SCENE)
    world.planner(planner=settings(look_timeout_s=0.3, scene_stale_s=0.2))
    service = graph.node.create_client(PlanInstruction, topics.PLAN_INSTRUCTION)
    planned = lambda: graph.result(  # noqa: E731
        service.call_async(PlanInstruction.Request(instruction=INSTRUCTION))
    )
    graph.spin_until(service.service_is_ready, "the planner")
    graph.spin_until(lambda: planned().kind == PlanInstruction.Response.PLAN, "a plan")
    world.nodes[0].take_down()
    graph.spin_for(0.3)
    result = Instructions(graph).ask(INSTRUCTION)
    assert result.termination == Result.STEP_FAILED
    assert "s old" in result.message
    assert planned().kind == PlanInstruction.Response.REFUSE


def test_a_policy_that_goes_away_fails_the_step(
    graph: Any, world: Any, settings: Callable[..., str]
) -> None:
    world.sim(scene=SCENE)
    world.control()
    policy = world.policy()
    world.planner(planner=settings(max_replans=0, max_attempts=2))
    instructions = Instructions(graph)
    goal = instructions.send(INSTRUCTION)
    graph.spin_until(lambda: policy.prompts, "the policy to be asked")
    world.nodes[2].take_down()
    result = instructions.end(goal).result
    assert result.termination == Result.STEP_FAILED
    assert "lam/run_skill" in result.message


def test_a_newer_goal_takes_the_place_of_the_one_that_runs(graph: Any, world: Any) -> None:
    world.sim(scene=SCENE, scene_rate_hz=50.0)
    world.control()
    policy = world.policy()
    world.planner()
    instructions = Instructions(graph)
    first = instructions.send(INSTRUCTION)
    graph.spin_until(lambda: policy.prompts, "the policy to be asked")
    second = instructions.send("put the red cube next to the blue bowl")
    ended = instructions.end(first)
    assert ended.status == GoalStatus.STATUS_ABORTED
    assert ended.result.termination == Result.CANCELLED
    assert "newer" in ended.result.message
    graph.spin_until(lambda: "next to" in policy.prompts[-1], "the newer step")
    graph.result(second.cancel_goal_async())
    assert instructions.end(second).result.termination == Result.CANCELLED


def test_what_is_said_on_the_topic_begins_halts_and_ends_a_run(graph: Any, world: Any) -> None:
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    replies = graph.collect(String, topics.REPLY, qos.REPORT)
    world.sim(scene=json.dumps({"objects": ["red cube", "blue bowl"]}))
    world.control()
    policy = world.policy()
    world.planner()
    plans = graph.collect(Plan, topics.PLAN, qos.LATCHED)
    spoken = graph.node.create_publisher(String, topics.INSTRUCTION, qos.REPORT)
    graph.spin_until(lambda: spoken.get_subscription_count() > 0, "the planner")
    graph.spin_until(lambda: len(joints) > 5, "the joints")

    def say(text: str) -> str:
        heard = len(replies)
        spoken.publish(String(data=text))
        graph.spin_until(lambda: len(replies) > heard, f"a reply to '{text}'")
        return str(replies[-1].data)

    assert say("stop") == "nothing is being carried out"
    assert "purple" in say("put the purple cube in the bowl")
    assert say(INSTRUCTION) == INSTRUCTION
    graph.spin_until(lambda: policy.prompts, "the policy to be asked")
    say("wait")
    graph.spin_until(lambda: "go on" in plans[-1].state, "the pause")
    graph.spin_for(0.5)
    asked, held = len(policy.prompts), list(joints[-1].position)
    graph.spin_for(0.5)
    assert len(policy.prompts) == asked
    assert list(joints[-1].position) == pytest.approx(held, abs=0.03)
    say("go on")
    graph.spin_until(lambda: len(policy.prompts) > asked, "the policy to be asked again")
    assert plans[-1].tree
    say("stop")
    graph.spin_until(lambda: "stopped by a person" in plans[-1].state, "the end")
    assert plans[-1].steps[0].status == PlanStep.FAILED
