"""Pushes into regions, and sweeps of many pieces at once."""

from __future__ import annotations

import pytest

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import DEMONSTRATED, TRAINED, Skill, Step
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.outcome import Plan, Refuse
from lam_ros.planning.planner import Planner

CONFIG = PlannerConfig(movable_kinds=frozenset({"cube"}))
CUBE = SceneObject("red_cube_1", "cube", "red", (0.20, 0.05, 0.014), (0.028, 0.028, 0.028))
REGION = SceneObject("blue_region_1", "region", "blue", (0.22, -0.08, 0.0004), (0.09, 0.09, 0.0008))
PIECES = tuple(
    SceneObject(f"brown_piece_{i}", "piece", "brown", (0.18, 0.02 * i, 0.0075), (0.015,) * 3)
    for i in (1, 2, 3)
)
WHITE = SceneObject("white_piece_1", "piece", "white", (0.15, 0.0, 0.0075), (0.015,) * 3)
TABLE = Scene((CUBE, REGION, *PIECES, WHITE))
ABLE = Planner(DEMONSTRATED, CONFIG)


def steps_of(words: str) -> list[Step]:
    plan = ABLE.plan(words, TABLE)
    assert isinstance(plan, Plan), plan
    return [planned.step for planned in plan.steps]


@pytest.mark.parametrize("verb", ["push", "slide", "shove"])
def test_what_is_pushed_into_a_region_is_not_picked_up(verb: str) -> None:
    wanted = [Step(Skill.PUSH, "red_cube_1", "blue_region_1")]
    assert steps_of(f"{verb} the red cube into the blue region") == wanted


@pytest.mark.parametrize("verb", ["sweep", "wipe", "brush"])
def test_pieces_of_a_colour_are_swept_in_one_step_and_all_are_to_arrive(verb: str) -> None:
    plan = ABLE.plan(f"{verb} the brown pieces into the blue region", TABLE)
    assert isinstance(plan, Plan)
    (planned,) = plan.steps
    assert planned.step.skill is Skill.SWEEP
    arrived = {literal.args for literal in plan.goal}
    assert arrived == {(piece.id, "blue_region_1") for piece in PIECES}
    assert set(planned.effects) == set(plan.goal)


def test_pieces_of_two_colours_are_two_sweeps() -> None:
    assert [step.skill for step in steps_of("sweep all the pieces into the blue region")] == [
        Skill.SWEEP, Skill.SWEEP,
    ]  # fmt: skip


def test_a_piece_is_not_picked_up_by_a_policy_that_cannot() -> None:
    assert isinstance(ABLE.plan("put the white piece on the blue region", TABLE), Refuse)


def test_a_policy_that_only_places_refuses_to_push() -> None:
    refusal = Planner(TRAINED, CONFIG).plan("push the red cube into the blue region", TABLE)
    assert isinstance(refusal, Refuse)
