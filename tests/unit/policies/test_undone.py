"""Scenes in which a step looks as good as done, and is not: what training would not see else."""

from __future__ import annotations

import numpy as np
import pytest

from lam_policies.families import families
from lam_policies.undone import nearly_done
from lam_ros.config import load_robot
from lam_ros.core.skills import Skill, achieved, swept
from lam_sim.tasks import Episode, initial_scene
from lam_sim.world import LockstepSim, SimConfig

SEEDS = range(700, 730)


def _drawn(name: str) -> list[tuple[Episode, Episode | None]]:
    (family,) = families([name])
    episodes = [family.episode(seed) for seed in SEEDS]
    return [(e, nearly_done(e, np.random.default_rng(e.scene.seed))) for e in episodes]


@pytest.mark.parametrize("name", ["placing", "drawer", "push", "sweep", "chains"])
def test_the_step_stays_the_same_and_is_not_done(name: str) -> None:
    changed = [(before, after) for before, after in _drawn(name) if after is not None]
    assert len(changed) > len(SEEDS) // 2
    for before, after in changed:
        assert after.step == before.step
        assert not achieved(after.step, initial_scene(after.scene))
        assert [o.id for o in after.scene.objects] == [o.id for o in before.scene.objects]
        assert after.scene != before.scene


def test_a_drawer_is_neither_open_nor_closed_and_pieces_and_cubes_lie_near_where_they_belong() -> (
    None
):
    for _, after in _drawn("drawer"):
        assert after is not None
        out = after.scene.object(after.step.object_id).out
        assert 0.12 < out < 0.70 if after.step.skill is Skill.OPEN else 0.24 < out < 0.90
    for name in ("push", "sweep"):
        for _, after in _drawn(name):
            if after is None:
                continue
            scene, target = initial_scene(after.scene), after.step.target_id
            item = scene[after.step.object_id]
            named = [item] if name == "push" else swept(after.step, scene)
            assert all(o.distance_xy_m(scene[target]) < 0.075 for o in named)


def test_a_cube_lies_on_what_it_ought_to_be_next_to_or_beside_what_it_ought_to_be_in() -> None:
    on_target = beside = on_another = 0
    for _, after in (*_drawn("placing"), *_drawn("chains")):
        if after is None or after.step.skill not in (
            Skill.PLACE_IN, Skill.PLACE_ON, Skill.PLACE_NEXT_TO,
        ):  # fmt: skip
            continue
        item = after.scene.object(after.step.object_id)
        on_target += item.held_by == after.step.target_id
        on_another += item.held_by not in ("", after.step.target_id)
        beside += not item.held_by
    assert min(on_target, beside, on_another) > 0


def test_a_target_lies_in_a_bowl_or_on_a_stack_as_an_earlier_step_leaves_it() -> None:
    under = set()
    for before, after in (*_drawn("placing"), *_drawn("chains")):
        if after is None or after.step.skill is Skill.PLACE_IN or not after.step.target_id:
            continue
        was, target = (e.scene.object(after.step.target_id) for e in (before, after))
        if target.held_by and not was.held_by:
            assert target.kind == "cube"
            under.add(after.scene.object(target.held_by).kind)
    assert {"bowl", "cube"} <= under


def test_what_lies_so_stays_so_when_the_simulation_begins() -> None:
    (family,) = families(["chains"])
    sim = LockstepSim(load_robot("so101"), SimConfig(scene=family.scene, render=False))
    stays = 0
    episodes = [after for _, after in _drawn("chains") if after is not None][:12]
    for episode in episodes:
        sim.reset(episode.scene)
        for _ in range(50):
            sim.step(sim.target_rad)
        stays += not achieved(episode.step, sim.truth())
    assert stays == len(episodes)


def test_a_press_and_the_way_home_cannot_look_done() -> None:
    for name in ("button", "home"):
        assert all(after is None for _, after in _drawn(name))
