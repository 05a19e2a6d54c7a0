"""Drawers, buttons, regions and pieces: what they do, and that other scenes know nothing of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import pytest

from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import DEMONSTRATED, Skill, Step, canonical_prompt, swept, words
from lam_ros.evaluation.settings import Suite, load_settings
from lam_ros.planning.prompts import prompt_for
from lam_sim import catalog
from lam_sim.ik import ToolPose
from lam_sim.moves import Line, item_of
from lam_sim.noise import NoiseConfig
from lam_sim.rollout import Demonstrator
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import TaskType, initial_scene, sample_episode
from lam_sim.world import LockstepSim, SimConfig

BEFORE = {
    "pick_place": "225e9f3c3978e581",
    "in_tray": "2a767b7d29483395",
    "next_to": "d95ef2db90bd657d",
    "stack": "939738f117e5a5db",
}
"""Digests of twenty evaluation episodes, taken before there were fixtures."""

SUITES = {
    TaskType.PUSH: "push",
    TaskType.OPEN: "drawer",
    TaskType.CLOSE: "drawer",
    TaskType.PRESS: "button",
    TaskType.SWEEP: "sweep",
    TaskType.HOME: "home",
}

World = Callable[[str], LockstepSim]


def suite(name: str) -> Suite:
    return load_settings([f"suite={name}"]).suite


@pytest.fixture(scope="module")
def world(robot: RobotDescription) -> Iterator[World]:
    """A furnished simulator for a suite; all share one model, which holds every fixture."""
    sim = LockstepSim(robot, SimConfig(scene=suite("drawer").scene, render=False))
    yield lambda name: sim
    sim.close()


@pytest.mark.parametrize("name", list(BEFORE))
def test_fixtures_leave_the_scenes_of_former_suites_as_they_were(name: str) -> None:
    family, rows = suite(name), []
    for seed in range(1_000_000, 1_000_020):
        episode = sample_episode(family.scene, seed, family.mix)
        spec, step = episode.scene, episode.step
        objects = [(o.id, o.position_m, o.yaw_rad, o.rgba, o.held_by) for o in spec.objects]
        cameras = [(camera, asdict(shift)) for camera, shift in spec.cameras]
        look = [spec.arm_offset_rad, asdict(spec.light), asdict(spec.texture), cameras]
        rows.append([objects, *look, str(episode.task_type), step.object_id, step.target_id])
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16] == BEFORE[name]


def test_a_scene_without_fixtures_has_none_in_its_model(sim: LockstepSim) -> None:
    names = {sim.model.body(index).name for index in range(sim.model.nbody)}
    fixtures = [kind.name for kind in catalog.KINDS.values() if kind.is_fixture]
    assert fixtures
    assert not [name for name in names if name.rsplit("_", 1)[0] in fixtures]
    assert sim.model.nq == 6 + 7 * sum(
        kind.slots for kind in catalog.KINDS.values() if kind.is_free and not kind.is_fixture
    )


@pytest.mark.parametrize("task_type", list(SUITES))
def test_the_teleoperator_does_each_skill_disturbed(world: World, task_type: TaskType) -> None:
    family = suite(SUITES[task_type])
    for seed in (900, 901):
        episode = sample_episode(family.scene, seed, {task_type: 1.0})
        demonstration = Demonstrator(world(family.name), NoiseConfig()).run(episode, max_frames=500)
        assert demonstration.outcome.success, (seed, demonstration.outcome)
        assert demonstration.came_to_rest


@pytest.mark.parametrize("task_type", list(SUITES))
def test_what_a_skill_achieves_does_not_come_by_itself(world: World, task_type: TaskType) -> None:
    from lam_ros.core.skills import achieved

    family = suite(SUITES[task_type])
    sim = world(family.name)
    episode = sample_episode(family.scene, 905, {task_type: 1.0})
    sim.reset(episode.scene)
    for _ in range(60):
        sim.step(sim.target_rad)
        assert not achieved(episode.step, sim.truth())


def test_a_pressed_button_stays_down_until_the_next_scene(world: World) -> None:
    family = suite("button")
    sim = world("button")
    episode = sample_episode(family.scene, 910, family.mix)
    assert Demonstrator(sim).run(episode).outcome.success
    pressed = sim.truth()[episode.step.object_id]
    slot = sim._slots[pressed.id]
    assert pressed.is_on
    assert sim.data.qpos[slot.part_qpos] > catalog.BUTTON_LATCHED_M - 5e-4
    sim.reset(episode.scene)
    for _ in range(25):
        sim.step(sim.target_rad)
    assert sim.truth()[pressed.id].is_on is False
    assert abs(sim.data.qpos[slot.part_qpos]) < 1e-3


@pytest.mark.parametrize("seed", [940, 941, 942, 943])
def test_a_sweep_leaves_every_piece_in_the_region_with_all_of_itself(
    world: World, seed: int
) -> None:
    family, sim = suite("sweep"), world("sweep")
    episode = sample_episode(family.scene, seed, family.mix)
    assert Demonstrator(sim, NoiseConfig()).run(episode, max_frames=500).came_to_rest
    region = sim.truth()[episode.step.target_id]
    for piece in swept(episode.step, sim.truth()):
        most_m = (region.size_m[0] - piece.size_m[0] * 2**0.5) / 2  # however it is turned
        assert piece.distance_xy_m(region) < most_m


def test_the_hand_goes_on_with_the_piece_that_it_has_come_nearer_to() -> None:
    region = SceneObject("r", "region", "red", (0.2, 0.1, 0.0004), (0.09, 0.09, 0.0008))
    pieces = [
        SceneObject(name, "piece", "blue", (x, -0.02, 0.0075), (0.015,) * 3)
        for name, x in (("left", 0.185), ("right", 0.215))
    ]
    scene = Scene((region, *pieces))
    step = Step(Skill.SWEEP, "left", "r")
    for piece in pieces:
        x, y = Line.of(piece, region).behind.tolist()
        assert item_of(step, scene, ToolPose((x, y, 0.06), 0.0, 0.0, 0.0)) == piece


def test_truth_and_the_scene_as_described_agree(world: World) -> None:
    for name in ("drawer", "button", "push", "sweep"):
        family, sim = suite(name), world(name)
        for seed in range(920, 926):
            spec = sample_scene(family.scene, seed)
            sim.reset(spec)
            for said, true in zip(initial_scene(spec).objects, sim.truth().objects, strict=True):
                assert (said.id, said.is_open, said.is_on) == (true.id, true.is_open, true.is_on)
                assert said.inside == true.inside
                np.testing.assert_allclose(said.position_m, true.position_m, atol=1e-9)
                np.testing.assert_allclose(said.size_m, true.size_m, atol=1e-9)


def test_an_object_pushed_over_a_region_is_in_it_and_one_held_above_is_not() -> None:
    from lam_ros.core.scene import within_regions

    region = SceneObject("r", "region", "red", (0.2, 0.0, 0.0004), (0.09, 0.09, 0.0008), 0.5)
    low = SceneObject("c", "cube", "blue", (0.22, 0.01, 0.014), (0.028,) * 3)
    beside = SceneObject("d", "cube", "green", (0.27, 0.0, 0.014), (0.028,) * 3)
    high = SceneObject("e", "cube", "red", (0.2, 0.0, 0.044), (0.028,) * 3)
    found = {item.id: item.inside for item in within_regions([region, low, beside, high], "")}
    assert found == {"r": "", "c": "r", "d": "", "e": ""}
    assert within_regions([region, low], "c")[1].inside == ""


@pytest.mark.parametrize("task_type", list(SUITES))
def test_prompts_are_the_planners(task_type: TaskType) -> None:
    family = suite(SUITES[task_type])
    for seed in range(930, 935):
        episode = sample_episode(family.scene, seed, {task_type: 1.0})
        scene = initial_scene(episode.scene)
        said = canonical_prompt(words(episode.step, scene))
        if episode.step.object_id:
            assert said == prompt_for(episode.step, scene)
        assert "  " not in said


def test_every_skill_that_is_demonstrated_has_a_type_of_task() -> None:
    from lam_sim.tasks import _SKILL_OF

    assert {skill for skill, _ in _SKILL_OF.values()} == set(DEMONSTRATED)
    assert Skill.PICK not in DEMONSTRATED


def test_a_family_that_names_a_fixture_is_furnished() -> None:
    assert not SceneConfig().is_furnished
    assert SceneConfig(include=("white drawer",)).is_furnished
    assert SceneConfig(buttons=(0, 1)).is_furnished
