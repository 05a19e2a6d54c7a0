"""Tasks that a scene allows, where things go, and what the judge says of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.errors import ConfigError
from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import Skill, Step
from lam_ros.evaluation.settings import load_settings
from lam_sim.judge import Failure, Judge
from lam_sim.placing import place_point
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import (
    TRAINING_MIX,
    TaskType,
    feasible_steps,
    initial_scene,
    sample_episode,
    task_type_of,
)

CUBE_M = (0.028, 0.028, 0.028)


def cube(color: str, x: float, y: float, z: float = 0.014) -> SceneObject:
    return SceneObject(f"{color}_cube_1", "cube", color, (x, y, z), CUBE_M)


BOWL = SceneObject("blue_bowl_1", "bowl", "blue", (0.18, 0.12, 0.017), (0.092, 0.092, 0.034))
SPOT = SceneObject("red_spot_1", "spot", "red", (0.20, -0.10, 0.0004), (0.07, 0.07, 0.0008))
TRAY = SceneObject("white_tray_1", "tray", "white", (0.22, -0.03, 0.007), (0.10, 0.12, 0.014))
RED, GREEN = cube("red", 0.22, 0.02), cube("green", 0.20, -0.02)
TABLE = Scene((RED, GREEN, BOWL, SPOT))


def place(scene: Scene, item: SceneObject, point: tuple[float, float, float]) -> Scene:
    """Return the scene with an object lying with its lower side at a point."""
    at = replace(item, position_m=(point[0], point[1], point[2] + item.size_m[2] / 2))
    return Scene(tuple(at if o.id == item.id else o for o in scene.objects))


@pytest.mark.parametrize("seed", range(30))
def test_every_episode_can_be_done_and_is_not_done_yet(seed: int) -> None:
    episode = sample_episode(SceneConfig(), seed)
    scene = initial_scene(episode.scene)
    assert not scene.holds(episode.step.goal)
    assert place_point(episode.step, scene) is not None
    assert task_type_of(episode.step, scene) is episode.task_type
    assert episode == sample_episode(SceneConfig(), seed)


def test_the_mix_is_kept() -> None:
    drawn = Counter(sample_episode(SceneConfig(), seed).task_type for seed in range(300))
    for task_type, share in TRAINING_MIX.items():
        assert drawn[task_type] / 300 == pytest.approx(share, abs=0.08)


def test_a_mix_of_one_type_draws_only_that() -> None:
    only = {TaskType.STACK: 1.0}
    assert all(sample_episode(SceneConfig(), s, only).task_type is TaskType.STACK for s in range(8))


def test_a_mix_without_anything_possible_is_refused() -> None:
    config = SceneConfig(trays=(0, 0))
    with pytest.raises(ConfigError, match="mix"):
        sample_episode(config, 0, {TaskType.IN_TRAY: 1.0})


@pytest.mark.parametrize(
    "step",
    [
        Step(Skill.PLACE_IN, "red_cube_1", "blue_bowl_1"),
        Step(Skill.PLACE_ON, "red_cube_1", "red_spot_1"),
        Step(Skill.PLACE_ON, "red_cube_1", "green_cube_1"),
        Step(Skill.PLACE_NEXT_TO, "red_cube_1", "green_cube_1"),
        Step(Skill.PLACE_NEXT_TO, "red_cube_1", "blue_bowl_1"),
    ],
)
def test_where_the_expert_puts_it_the_goal_holds(step: Step) -> None:
    point = place_point(step, TABLE)
    assert point is not None
    if step.target_id == "blue_bowl_1" and step.skill is Skill.PLACE_IN:
        point = (point[0], point[1], 0.004)  # let go above, it falls to the floor
    assert place(TABLE, RED, point).holds(step.goal)


def test_in_a_tray_each_next_cube_gets_a_place_of_its_own() -> None:
    scene = Scene((RED, GREEN, TRAY))
    first = place_point(Step(Skill.PLACE_IN, "red_cube_1", "white_tray_1"), scene)
    assert first is not None
    after = place(scene, RED, first)
    second = place_point(Step(Skill.PLACE_IN, "green_cube_1", "white_tray_1"), after)
    assert second is not None
    assert math.dist(first[:2], second[:2]) > CUBE_M[0]


def test_an_occupied_place_is_no_place() -> None:
    taken = place(TABLE, GREEN, (0.20, -0.10, 0.0))
    assert place_point(Step(Skill.PLACE_ON, "red_cube_1", "red_spot_1"), taken) is None


def test_a_cube_in_a_bowl_is_not_to_be_grasped() -> None:
    inside = place(TABLE, GREEN, (0.18, 0.12, 0.004))
    steps = feasible_steps(inside, TaskType.ON_SPOT)
    assert {step.object_id for step in steps} == {"red_cube_1"}


# -- the judge -----------------------------------------------------------------------

STEP = Step(Skill.PLACE_IN, "red_cube_1", "blue_bowl_1")
IN_BOWL = place(TABLE, RED, (0.18, 0.12, 0.004))
UP = place(TABLE, RED, (0.20, 0.05, 0.06))


def watch(*scenes: Scene, step: Step = STEP) -> Judge:
    """Show the judge scenes at 0.2 s from each other."""
    judge = Judge(step, TABLE)
    for index, scene in enumerate(scenes, start=1):
        judge.watch(replace(scene, stamp_ns=index * seconds_to_ns(0.2)))
    return judge


def test_success_takes_the_goal_to_hold_for_a_while() -> None:
    assert not watch(IN_BOWL).succeeded
    outcome = watch(replace(UP, held="red_cube_1"), IN_BOWL, IN_BOWL, IN_BOWL).outcome()
    assert outcome.success
    assert outcome.named_first
    assert outcome.failure is None
    assert outcome.duration_s == pytest.approx(0.8)


def test_a_goal_that_does_not_last_is_no_success() -> None:
    assert not watch(IN_BOWL, IN_BOWL, IN_BOWL, TABLE).succeeded


def test_what_is_still_held_is_not_there_yet() -> None:
    held = replace(IN_BOWL, held="red_cube_1")
    assert not held.holds(Literal("in", ("red_cube_1", "blue_bowl_1")))
    assert not watch(held, held, held, held).succeeded


@pytest.mark.parametrize(
    ("scenes", "failure"),
    [
        ((TABLE, TABLE), Failure.NEVER_GRASPED),
        ((place(TABLE, GREEN, (0.14, -0.02, 0.0)),), Failure.DISTURBED),
        ((replace(place(TABLE, GREEN, (0.2, 0.0, 0.05)), held="green_cube_1"),), Failure.WRONG_OBJECT),
        ((replace(UP, held="red_cube_1"),), Failure.TIMEOUT),
        ((replace(UP, held="red_cube_1"), place(TABLE, RED, (0.25, -0.05, 0.0))), Failure.DROPPED),
        ((replace(UP, held="red_cube_1"), place(TABLE, RED, (0.18, 0.05, 0.0))), Failure.MISSED_TARGET),
    ],
)  # fmt: skip
def test_the_kinds_of_failure(scenes: tuple[Scene, ...], failure: Failure) -> None:
    outcome = watch(*scenes).outcome()
    assert not outcome.success
    assert outcome.failure is failure


def test_a_seed_whose_first_draw_has_no_room_draws_another() -> None:
    settings = load_settings(["suite=push"]).suite
    config, seed = replace(settings.scene, roaming_start_probability=0.15), 302617
    with pytest.raises(ConfigError, match="do not fit"):
        sample_scene(config, seed)
    assert sample_episode(config, seed, settings.mix).scene.seed == seed
