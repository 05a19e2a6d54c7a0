"""The execution machine: success, retry, replan, undone effects, time-outs, cancel, stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.scene import Scene
from lam_ros.core.skills import Step
from lam_ros.planning.config import ExecutionConfig
from lam_ros.planning.decisions import (
    Decision,
    Finished,
    Hold,
    RunStep,
    SkillState,
    SkillStatus,
    Termination,
)
from lam_ros.planning.execution import PlanExecution
from lam_ros.planning.outcome import ALREADY_DONE, Plan
from lam_ros.planning.planner import Planner
from lam_ros.planning.progress import StepStatus
from lam_ros.planning.tree_view import NodeKind, NodeStatus, as_text, worth_showing

CONFIG = ExecutionConfig(
    settle_s=0.5, step_timeout_s=5.0, look_timeout_s=2.0, scene_stale_s=1.0,
    max_attempts=2, max_replans=2,
)  # fmt: skip
TICK_S = 0.1
TWO_STEPS = "put the red cube in the bowl and the green cube on the tray"
INTERFACES = Path(__file__).parents[3] / "lam_interfaces"

type Act = Callable[["World", RunStep, float], None]


def perfect(world: World, run: RunStep, seconds: float) -> None:
    """Grasp at 0.5 s and let go on the target at 1 s."""
    world.held = run.planned.step.object_id if 0.5 <= seconds < 1.0 else ""
    if seconds >= 1.0:
        world.put(run.planned.step)


def idle(world: World, run: RunStep, seconds: float) -> None:
    """Do nothing."""


@dataclass
class World:
    """A table, a policy that acts on it, and the owner of the machine in one."""

    scene: Scene
    act: Act = perfect
    now_s: float = 0.0
    held: str = ""
    skill: SkillStatus = field(default_factory=SkillStatus)
    is_seen: bool = True
    since_s: float = 0.0
    runs: list[RunStep] = field(default_factory=list)
    before_tick: Callable[[World], None] = lambda world: None

    def put(self, step: Step) -> None:
        """Move an object to a target: into a container, on top of anything else."""
        target = self.scene[step.target_id]
        item = self.scene[step.object_id]
        inside = target.kind in ("bowl", "tray")
        z_m = item.size_m[2] / 2 + (0.003 if inside else target.top_m)
        self.move(item.id, (target.position_m[0], target.position_m[1], z_m))

    def move(self, name: str, position_m: tuple[float, float, float]) -> None:
        """Put an object somewhere, as a hand would."""
        objects = [replace(item, position_m=position_m) if item.id == name else item
                   for item in self.scene.objects]  # fmt: skip
        self.scene = replace(self.scene, objects=tuple(objects))

    def remove(self, name: str) -> None:
        """Take an object away."""
        left = tuple(item for item in self.scene.objects if item.id != name)
        self.scene = replace(self.scene, objects=left)

    def observed(self) -> Scene | None:
        """Return the scene as it is seen now."""
        if not self.is_seen:
            return None
        return replace(self.scene, stamp_ns=seconds_to_ns(self.now_s), held=self.held)

    def follow(self, decision: Decision) -> None:
        """Do what the machine decided, as its owner does."""
        if isinstance(decision, RunStep):
            if decision.run != self.skill.run:
                self.skill = SkillStatus(decision.run, SkillState.RUNNING)
                self.since_s = self.now_s
                self.runs.append(decision)
            if self.skill.state is SkillState.RUNNING:
                self.act(self, decision, self.now_s - self.since_s)
        elif self.skill.state is SkillState.RUNNING:
            self.skill = replace(self.skill, state=SkillState.CANCELLED)

    def run(self, execution: PlanExecution, limit_s: float = 120.0) -> Finished:
        """Tick until it is over."""
        while self.now_s < limit_s:
            self.now_s += TICK_S
            self.before_tick(self)
            decision = execution.tick(self.observed(), seconds_to_ns(self.now_s), self.skill)
            if isinstance(decision, Finished):
                return decision
            self.follow(decision)
        raise AssertionError(f"not over after {limit_s} s: {execution.progress()}")


def start(
    scene: Scene, instruction: str = TWO_STEPS, config: ExecutionConfig = CONFIG
) -> PlanExecution:
    plan = Planner().plan(instruction, scene)
    assert isinstance(plan, Plan)
    return PlanExecution(plan, Planner(), config)


def statuses(execution: PlanExecution) -> list[tuple[str, StepStatus]]:
    return [(s.planned.step.object_id, s.status) for s in execution.progress().steps]


DONE, FAILED, SKIPPED = StepStatus.DONE, StepStatus.FAILED, StepStatus.SKIPPED


def test_steps_are_run_one_after_the_other_until_the_goal_holds(scenes) -> None:
    world = World(scenes["plain"])
    execution = start(world.scene)
    assert world.run(execution) == Finished(Termination.SUCCEEDED, "done")
    assert [run.planned.prompt for run in world.runs] == [
        "put the red cube in the blue bowl",
        "put the green cube on the grey tray",
    ]
    assert statuses(execution) == [("red_cube_1", DONE), ("green_cube_1", DONE)]
    progress = execution.progress()
    assert (progress.current, progress.replans, progress.state) == (2, 0, "done")
    assert [step.seconds for step in progress.steps] == pytest.approx([1.6, 1.6], abs=0.3)


def test_the_effect_must_last_and_the_gripper_be_open(scenes) -> None:
    world = World(scenes["plain"])
    held_in_bowl = world.scene["blue_bowl_1"].position_m

    def hover(world: World, run: RunStep, seconds: float) -> None:
        world.move("red_cube_1", (held_in_bowl[0], held_in_bowl[1], 0.02))
        world.held = "red_cube_1" if seconds < 2.0 else ""

    world.act = hover
    execution = start(world.scene, "put the red cube in the bowl")
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert world.now_s == pytest.approx(2.0 + CONFIG.settle_s, abs=0.4)


def test_an_effect_that_flickers_does_not_count(scenes) -> None:
    world = World(scenes["plain"])

    def flicker(world: World, run: RunStep, seconds: float) -> None:
        if round(seconds / TICK_S) % 3:
            world.put(run.planned.step)
        else:
            world.move(run.planned.step.object_id, (0.2, 0.1, 0.014))

    world.act = flicker
    execution = start(world.scene, "put the red cube in the bowl")
    assert world.run(execution).termination is Termination.STEP_FAILED


def test_a_step_that_times_out_is_tried_again(scenes) -> None:
    world = World(scenes["plain"])
    world.act = lambda w, run, s: (idle if run.run == 1 else perfect)(w, run, s)
    execution = start(world.scene)
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert [(run.planned.step.object_id, run.attempt) for run in world.runs] == [
        ("red_cube_1", 1), ("red_cube_1", 2), ("green_cube_1", 1),
    ]  # fmt: skip
    assert execution.progress().steps[0].attempts == 2


@pytest.mark.parametrize(
    "state", [SkillState.TIMEOUT, SkillState.NO_OBSERVATION, SkillState.POLICY_ERROR]
)
def test_a_skill_that_ends_without_the_effect_is_tried_again(scenes, state: SkillState) -> None:
    world = World(scenes["plain"])

    def end_first(world: World, run: RunStep, seconds: float) -> None:
        if run.run == 1:
            world.skill = replace(world.skill, state=state, detail="camera 'front' is stale")
        else:
            perfect(world, run, seconds)

    world.act = end_first
    assert world.run(start(world.scene)).termination is Termination.SUCCEEDED
    assert len(world.runs) == 3


def test_a_skill_that_ends_just_as_the_effect_is_seen_has_done_it(scenes) -> None:
    world = World(scenes["plain"])

    def put_and_end(world: World, run: RunStep, seconds: float) -> None:
        world.put(run.planned.step)
        world.skill = replace(world.skill, state=SkillState.TIMEOUT)

    world.act = put_and_end
    assert world.run(start(world.scene)).termination is Termination.SUCCEEDED
    assert len(world.runs) == 2


def test_after_the_last_attempt_it_plans_anew_and_in_the_end_gives_up(scenes) -> None:
    world = World(scenes["plain"], act=idle)
    execution = start(world.scene)
    over = world.run(execution)
    assert over.termination is Termination.STEP_FAILED
    assert over.message == (
        "step 'put the red cube in the blue bowl' failed: "
        "in(red_cube_1, blue_bowl_1) not seen in 5 s"
    )
    assert over.failed_step is not None
    assert over.failed_step.step.object_id == "red_cube_1"
    assert len(world.runs) == CONFIG.max_attempts * (1 + CONFIG.max_replans)
    assert execution.progress().replans == CONFIG.max_replans


def test_replanning_uses_what_is_seen(scenes) -> None:
    world = World(scenes["plain"])

    def wrong_then_right(world: World, run: RunStep, seconds: float) -> None:
        if run.run <= 2:  # the policy puts green away where red should go
            world.put(Step(run.planned.step.skill, "green_cube_1", "grey_tray_1"))
        else:
            perfect(world, run, seconds)

    world.act = wrong_then_right
    execution = start(world.scene)
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert [run.planned.step.object_id for run in world.runs] == ["red_cube_1"] * 3
    assert statuses(execution) == [("red_cube_1", FAILED), ("red_cube_1", DONE)]


def test_an_effect_that_is_undone_before_the_end_is_done_again(scenes) -> None:
    world = World(scenes["plain"])
    taken = []

    def take_red_out(world: World) -> None:
        if len(world.runs) == 2 and not taken:
            taken.append(True)
            world.move("red_cube_1", (0.2, 0.1, 0.014))

    world.before_tick = take_red_out
    execution = start(world.scene)
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert [run.planned.step.object_id for run in world.runs] == [
        "red_cube_1", "green_cube_1", "red_cube_1",
    ]  # fmt: skip
    assert execution.progress().replans == 1


def test_what_is_undone_again_and_again_ends_in_giving_up(scenes) -> None:
    world = World(scenes["plain"])

    def always_take_red_out(world: World) -> None:
        if (world.runs and world.runs[-1].planned.step.object_id == "green_cube_1") or (
            world.skill.state is not SkillState.RUNNING and len(world.runs) > 2
        ):
            world.move("red_cube_1", (0.2, 0.1, 0.014))

    world.before_tick = always_take_red_out
    over = world.run(start(world.scene))
    assert over.termination is Termination.STEP_FAILED
    assert over.message == "in(red_cube_1, blue_bowl_1) was undone"


def test_a_step_whose_effect_holds_already_is_skipped(scenes) -> None:
    world = World(scenes["plain"])
    execution = start(world.scene)
    world.put(execution.progress().steps[0].planned.step)
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert statuses(execution) == [("red_cube_1", SKIPPED), ("green_cube_1", DONE)]
    assert len(world.runs) == 1


def test_a_plan_without_steps_is_over_at_once_if_its_goal_is_seen(scenes) -> None:
    world = World(scenes["twins"])
    execution = start(world.scene, "put the blue cube in the blue bowl")
    assert world.run(execution) == Finished(Termination.SUCCEEDED, ALREADY_DONE)
    assert not world.runs


def test_an_object_that_is_out_of_sight_for_a_moment_is_waited_for(scenes) -> None:
    world = World(scenes["plain"])
    red = world.scene["red_cube_1"]
    execution = start(world.scene)
    world.remove("red_cube_1")

    def bring_back(world: World) -> None:
        if world.now_s > 1.0 and "red_cube_1" not in world.scene:
            world.scene = replace(world.scene, objects=(red, *world.scene.objects))

    world.before_tick = bring_back
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert execution.progress().replans == 0


def test_an_object_that_stays_away_ends_it_with_the_reason(scenes) -> None:
    world = World(scenes["plain"])
    execution = start(world.scene)
    world.remove("red_cube_1")
    over = world.run(execution)
    assert over.termination is Termination.STEP_FAILED
    assert "red_cube_1 is not seen" in over.message
    assert not world.runs


def test_an_object_that_vanishes_during_the_step_ends_it_too(scenes) -> None:
    world = World(scenes["plain"], act=lambda w, run, s: w.remove("red_cube_1"))
    over = world.run(start(world.scene))
    assert over.termination is Termination.STEP_FAILED
    assert "red_cube_1" in over.message


def test_something_put_on_top_meanwhile_is_moved_away_by_a_new_plan(scenes) -> None:
    world = World(scenes["plain"])
    execution = start(world.scene, "put the red cube in the bowl")
    world.move("blue_cube_1", (0.20, 0.10, 0.042))
    world.run(execution)
    assert execution.progress().replans >= 1
    assert next(run.planned.step.object_id for run in world.runs) == "blue_cube_1"


def test_without_a_scene_nothing_moves_and_it_gives_up(scenes) -> None:
    world = World(scenes["plain"], is_seen=False)
    over = world.run(start(world.scene))
    assert over.termination is Termination.STEP_FAILED
    assert "waiting for a fresh scene, none came in 2 s" in over.message
    assert not world.runs


def test_a_scene_that_goes_stale_confirms_nothing(scenes) -> None:
    world = World(scenes["plain"])

    def blind(world: World, run: RunStep, seconds: float) -> None:
        perfect(world, run, seconds)
        world.is_seen = False

    world.act = blind
    over = world.run(start(world.scene))
    assert over.termination is Termination.STEP_FAILED


def test_an_old_scene_is_not_believed(scenes) -> None:
    execution = start(scenes["plain"])
    old = replace(scenes["plain"], stamp_ns=seconds_to_ns(1.0))
    decision = execution.tick(old, seconds_to_ns(5.0), SkillStatus())
    assert decision == Hold("waiting for a fresh scene")


def test_cancel_holds_first_and_then_is_over(scenes) -> None:
    world = World(scenes["plain"], act=idle)
    execution = start(world.scene)
    seen = world.observed()
    assert isinstance(execution.tick(seen, 0, SkillStatus()), RunStep)
    running = SkillStatus(1, SkillState.RUNNING)
    execution.cancel()
    assert isinstance(execution.tick(seen, 1, running), Hold)
    over = execution.tick(seen, 2, replace(running, state=SkillState.CANCELLED))
    assert isinstance(over, Finished)
    assert (over.termination, over.message) == (Termination.CANCELLED, "cancelled")
    assert statuses(execution)[0] == ("red_cube_1", FAILED)
    assert execution.tick(seen, 3, running) == over


def test_cancel_after_the_end_changes_nothing(scenes) -> None:
    world = World(scenes["plain"])
    execution = start(world.scene)
    over = world.run(execution)
    execution.cancel()
    assert execution.tick(world.observed(), seconds_to_ns(world.now_s), world.skill) == over


def test_an_emergency_stop_ends_it_and_is_never_retried(scenes) -> None:
    def stop(world: World, run: RunStep, seconds: float) -> None:
        world.skill = replace(world.skill, state=SkillState.STOPPED, detail="e-stop pressed")

    world = World(scenes["plain"], act=stop)
    assert world.run(start(world.scene)).termination is Termination.STOPPED
    assert len(world.runs) == 1


def test_the_end_of_an_earlier_run_is_not_taken_for_that_of_the_present(scenes) -> None:
    execution = start(scenes["plain"])
    late = SkillStatus(0, SkillState.TIMEOUT, "left over")
    first = execution.tick(scenes["plain"], 0, late)
    assert isinstance(first, RunStep)
    assert execution.tick(scenes["plain"], 1, late) == first


def test_the_same_tick_twice_decides_the_same(scenes) -> None:
    execution = start(scenes["plain"])
    running = SkillStatus(1, SkillState.RUNNING)
    first = execution.tick(scenes["plain"], 0, SkillStatus())
    assert [execution.tick(scenes["plain"], 0, running) for _ in range(3)] == [first] * 3


def test_a_clock_that_jumps_back_does_not_hang_it(scenes) -> None:
    world = World(scenes["plain"], act=idle, now_s=1000.0)
    execution = start(world.scene)
    jumped = []

    def reset_clock(world: World) -> None:
        if world.now_s > 1001.0 and not jumped:
            jumped.append(True)
            world.now_s, world.since_s = 0.0, 0.0

    world.before_tick = reset_clock
    assert world.run(execution, limit_s=1100.0).termination is Termination.STEP_FAILED
    assert world.now_s < 60.0


def test_progress_shows_the_running_step(scenes) -> None:
    execution = start(scenes["plain"])
    execution.tick(scenes["plain"], 0, SkillStatus())
    execution.tick(scenes["plain"], seconds_to_ns(0.5), SkillStatus(1, SkillState.RUNNING))
    progress = execution.progress()
    assert [step.status for step in progress.steps] == [StepStatus.RUNNING, StepStatus.PENDING]
    assert progress.steps[0].seconds == pytest.approx(0.5)
    assert progress.current == 0
    assert progress.state == "running: put the red cube in the blue bowl"


# The behaviour tree

ONE_STEP = "put the red cube in the bowl"


def test_the_tree_names_the_steps_their_checks_and_what_comes_when_they_fail(scenes) -> None:
    execution = start(scenes["plain"], config=replace(CONFIG, other_grasps=1))
    nodes = execution.progress().tree
    assert [node.name for node in nodes if node.depth == 2 and node.kind is NodeKind.SELECTOR] == [
        "put the red cube in the blue bowl",
        "put the green cube on the grey tray",
    ]
    tries = [node.name for node in nodes if node.depth == 3 and node.kind is NodeKind.SEQUENCE]
    assert tries[:3] == ["as planned", "again", "with another grasp"]
    assert [node.name for node in nodes if node.depth == 1] == [
        "plan", "plan anew (2 left)", "ask", "give up",
    ]  # fmt: skip


def test_the_tree_shows_what_is_over_what_runs_and_what_has_failed(scenes) -> None:
    world = World(scenes["plain"])
    world.act = lambda w, run, s: (idle if run.run == 1 else perfect)(w, run, s)
    execution = start(world.scene, ONE_STEP)
    assert world.run(execution).termination is Termination.SUCCEEDED
    status = {node.name: node.status for node in execution.progress().tree}
    assert status["as planned"] is NodeStatus.FAILURE
    assert status["again"] is NodeStatus.SUCCESS
    assert status["put the red cube in the blue bowl"] is NodeStatus.SUCCESS
    assert status["plan anew (2 left)"] is NodeStatus.IDLE
    text = as_text(worth_showing(execution.progress().tree))
    assert "✓ ? put the red cube in the blue bowl" in text


def test_after_the_usual_tries_another_grasp_is_asked_for(scenes) -> None:
    world = World(scenes["plain"])
    world.act = lambda w, run, s: (perfect if run.grasp else idle)(w, run, s)
    config = replace(CONFIG, other_grasps=2)
    assert world.run(start(world.scene, ONE_STEP, config)).termination is Termination.SUCCEEDED
    assert [(run.attempt, run.grasp) for run in world.runs] == [(1, 0), (2, 0), (3, 1)]


def test_retry_other_grasp_new_plan_question_and_giving_up_come_in_that_order(scenes) -> None:
    world = World(scenes["plain"], act=idle)
    config = replace(CONFIG, other_grasps=1, max_replans=1, ask_timeout_s=3.0)
    execution = start(world.scene, ONE_STEP, config)
    heard: list[str] = []
    world.before_tick = lambda w: heard.append(execution.question)
    over = world.run(execution)
    assert [(run.attempt, run.grasp) for run in world.runs] == [(1, 0), (2, 0), (3, 1)] * 2
    assert execution.progress().replans == 1
    asked = next(text for text in heard if text)
    assert "put the red cube in the blue bowl" in asked
    assert "skip" in asked
    assert over.termination is Termination.STEP_FAILED
    assert execution.question == ""


def test_a_pause_holds_the_arm_and_costs_no_attempt(scenes) -> None:
    world = World(scenes["plain"])
    execution = start(world.scene, ONE_STEP)

    def wait(world: World) -> None:
        if 0.3 < world.now_s < 60.0:
            execution.pause()
        elif world.now_s >= 60.0:
            execution.go_on()

    world.before_tick = wait
    assert world.run(execution).termination is Termination.SUCCEEDED
    assert [run.attempt for run in world.runs] == [1, 1]
    assert execution.progress().steps[0].seconds < 5.0


def test_a_thing_that_a_person_covers_during_a_step_is_noticed_before_the_time_is_up(
    scenes,
) -> None:
    world = World(scenes["plain"])
    world.act = lambda w, run, s: (idle if run.run == 1 else perfect)(w, run, s)
    execution = start(world.scene, ONE_STEP, replace(CONFIG, step_timeout_s=20.0))
    seconds: list[float] = []

    def cover(world: World) -> None:
        seconds.append(world.now_s) if len(world.runs) < 2 else None
        if world.now_s > 1.0 and len(world.runs) == 1:
            world.move("blue_cube_1", (0.20, 0.10, 0.042))

    world.before_tick = cover
    world.run(execution)
    assert [run.planned.step.object_id for run in world.runs][:2] == ["red_cube_1", "blue_cube_1"]
    assert seconds[-1] < 10.0


@pytest.mark.parametrize(
    ("path", "enum"),
    [
        ("msg/PlanStep.msg", StepStatus),
        ("action/ExecuteInstruction.action", Termination),
        ("msg/TreeNode.msg", NodeKind),
        ("msg/TreeNode.msg", NodeStatus),
    ],
)
def test_the_numbers_are_those_of_the_interfaces(path: str, enum: type) -> None:
    text = (INTERFACES / path).read_text(encoding="utf-8")
    told = dict(re.findall(r"^uint8 ([A-Z_]+)=(\d+)$", text, flags=re.MULTILINE))
    assert {name: int(told[name]) for name in enum.__members__} == dict(enum.__members__)
