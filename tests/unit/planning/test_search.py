"""Plans are short, valid and found; broken plans are mended.  An exhaustive oracle judges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest

from lam_ros.benches.ambiguity import questions
from lam_ros.benches.plan import corrupted
from lam_ros.benches.planning_problems import Problem, abilities, random_problem
from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.cli_plan import configured_planner
from lam_ros.planning.domain import World
from lam_ros.planning.outcome import Clarify
from lam_ros.planning.repair import Proposed, Repaired, repair
from lam_ros.planning.search import Stuck, _piecewise, plan_for, valid

MOST_EXTRA_STEPS = 1


def every_step(world: World) -> Iterator[Step]:
    """Every step that can be named in a scene of cubes, bowls and drawers."""
    items = world.scene.objects
    for drawer in (item.id for item in items if item.kind == "drawer"):
        yield Step(Skill.OPEN, drawer, "")
        yield Step(Skill.CLOSE, drawer, "")
    for cube in (item.id for item in items if item.kind == "cube"):
        yield Step(Skill.PLACE_ON, cube, "table")
        for other in items:
            if other.kind == "cube" and other.id != cube:
                yield Step(Skill.PLACE_ON, cube, other.id)
            if other.kind in ("bowl", "drawer"):
                yield Step(Skill.PLACE_IN, cube, other.id)


def optimum(problem: Problem) -> int:
    """Breadth first over every step, with no pruning at all: the least number of steps."""
    start = World(problem.scene)
    queue, seen = deque([(start, 0)]), {(frozenset(start.places.items()), start.flags)}
    while queue:
        world, depth = queue.popleft()
        if all(world.holds(goal) for goal in problem.goals):
            return depth
        for step in every_step(world):
            if world.lacks(step) is None:
                after = world.after(step)
                key = (frozenset(after.places.items()), after.flags)
                if key not in seen:
                    seen.add(key)
                    queue.append((after, depth + 1))
    raise AssertionError("no plan at all")


def problem_of(seed: int, cubes: int, goals: int) -> Problem:
    return random_problem(np.random.default_rng((5, seed)), cubes, goals)


@pytest.mark.parametrize("seed", range(12))
def test_plans_over_eight_objects_are_no_longer_than_the_optimum_and_one(seed: int) -> None:
    problem = problem_of(seed, cubes=3, goals=7)  # with two drawers, their cabinet, two bowls
    found = plan_for(World(problem.scene), problem.goals, abilities())
    assert not isinstance(found, Stuck)
    assert len(found) <= optimum(problem) + MOST_EXTRA_STEPS


@pytest.mark.parametrize(("cubes", "goals"), [(8, 7), (16, 12), (24, 20)])
def test_every_random_problem_gets_a_plan_that_works(cubes: int, goals: int) -> None:
    for seed in range(12):
        problem = problem_of(seed, cubes, goals)
        found = plan_for(World(problem.scene), problem.goals, abilities())
        assert not isinstance(found, Stuck)
        assert valid(World(problem.scene), problem.goals, found)


def test_a_stack_is_turned_over_with_as_few_steps_as_can_be() -> None:
    names = ("red_cube_1", "green_cube_1", "blue_cube_1")
    below = {"red_cube_1": "green_cube_1", "green_cube_1": "blue_cube_1"}
    scene = Scene(tuple(SceneObject(i, "cube", on=below.get(i, "")) for i in names))
    goals = (
        Literal("on", ("blue_cube_1", "green_cube_1")),
        Literal("on", ("green_cube_1", "red_cube_1")),
    )
    found = plan_for(World(scene), goals, abilities())
    assert found == (
        Step(Skill.PLACE_ON, "red_cube_1", "table"),
        Step(Skill.PLACE_ON, "green_cube_1", "red_cube_1"),
        Step(Skill.PLACE_ON, "blue_cube_1", "green_cube_1"),
    )


def test_a_goal_that_nothing_reaches_is_told_with_what_lacks() -> None:
    scene = Scene((SceneObject("a_1", "rock"), SceneObject("b_1", "bowl")))
    goal = Literal("in", ("a_1", "b_1"))
    found = plan_for(World(scene), (goal,), abilities())
    assert isinstance(found, Stuck)
    assert found.goal == goal


def test_goals_that_are_too_many_at_once_are_reached_one_after_the_other() -> None:
    problem = problem_of(3, cubes=16, goals=14)
    found = _piecewise(World(problem.scene), problem.goals, abilities())
    assert found is not None
    assert valid(World(problem.scene), problem.goals, found)


def test_broken_plans_are_valid_after_repair() -> None:
    mended = 0
    for seed in range(60):
        problem = problem_of(seed, cubes=8, goals=7)
        found = plan_for(World(problem.scene), problem.goals, abilities())
        assert not isinstance(found, Stuck)
        broken = corrupted(np.random.default_rng(seed), found, problem)
        fixed = repair(problem.scene, problem.goals, broken, abilities())
        mended += isinstance(fixed, Repaired) and valid(
            World(problem.scene), problem.goals, fixed.steps
        )
    assert mended >= 0.98 * 60


def test_a_sound_plan_is_left_as_it_was_proposed() -> None:
    problem = problem_of(1, cubes=8, goals=7)
    found = plan_for(World(problem.scene), problem.goals, abilities())
    assert not isinstance(found, Stuck)
    proposed = [Proposed(str(s.skill), s.object_id, s.target_id) for s in found]
    fixed = repair(problem.scene, problem.goals, proposed, abilities())
    assert fixed == Repaired(found, len(found), is_as_proposed=True)


def test_it_asks_where_two_fit_equally_and_only_there() -> None:
    planner = configured_planner()
    cases = questions(seed=3, count=240)
    asked = [isinstance(planner.plan(c.instruction, c.scene), Clarify) for c in cases]
    missed = [c for c, asks in zip(cases, asked, strict=True) if c.must_ask and not asks]
    needless = [c for c, asks in zip(cases, asked, strict=True) if asks and not c.must_ask]
    needed = sum(c.must_ask for c in cases)
    assert len(missed) < 0.05 * needed
    assert len(needless) < 0.05 * (len(cases) - needed)
