"""Literals hold in a scene exactly when a person would say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lam_ros.core.scene import Literal, Scene, SceneError, SceneObject
from lam_ros.core.skills import Skill, Step, canonical_prompt, words

CUBE = SceneObject("red_cube_1", "cube", "red", (0.2, 0.0, 0.014), (0.028, 0.028, 0.028))
OTHER = SceneObject("blue_cube_1", "cube", "blue", (0.2, 0.1, 0.014), (0.028, 0.028, 0.028))
BOWL = SceneObject("blue_bowl_1", "bowl", "blue", (0.2, -0.1, 0.02), (0.09, 0.09, 0.04))
SPOT = SceneObject("green_spot_1", "spot", "green", (0.25, 0.0, 0.0005), (0.07, 0.07, 0.001))


def scene(cube: SceneObject = CUBE, held: str = "") -> Scene:
    return Scene((cube, OTHER, BOWL, SPOT), held=held)


def at(x: float, y: float, z: float) -> SceneObject:
    return replace(CUBE, position_m=(x, y, z))


def holds(predicate: str, target: str, cube: SceneObject = CUBE, held: str = "") -> bool:
    return scene(cube, held).holds(Literal(predicate, ("red_cube_1", target)))


def test_a_cube_inside_the_rim_is_in_the_bowl() -> None:
    assert holds("in", "blue_bowl_1", at(0.21, -0.11, 0.018))


@pytest.mark.parametrize(
    "cube", [CUBE, at(0.2, -0.1, 0.10), at(0.2, -0.04, 0.014)], ids=["away", "above", "beside"]
)
def test_a_cube_away_above_or_beside_is_not_in_the_bowl(cube: SceneObject) -> None:
    assert not holds("in", "blue_bowl_1", cube)


def test_a_held_cube_is_neither_in_nor_on_anything() -> None:
    assert not holds("in", "blue_bowl_1", at(0.2, -0.1, 0.018), held="red_cube_1")
    assert not holds("on", "green_spot_1", at(0.25, 0.0, 0.015), held="red_cube_1")


def test_a_cube_on_the_spot_is_on_it_and_one_above_is_not() -> None:
    assert holds("on", "green_spot_1", at(0.25, 0.01, 0.015))
    assert not holds("on", "green_spot_1", at(0.25, 0.01, 0.06))


def test_a_stacked_cube_is_on_the_lower_one_and_not_the_other_way_round() -> None:
    stacked = at(0.2, 0.1, 0.042)
    assert holds("on", "blue_cube_1", stacked)
    assert not scene(stacked).holds(Literal("on", ("blue_cube_1", "red_cube_1")))


def test_a_cube_under_another_is_not_in_it() -> None:
    stacked = at(0.2, 0.1, 0.042)
    assert not scene(stacked).holds(Literal("in", ("blue_cube_1", "red_cube_1")))


def test_next_to_is_near_and_on_the_same_level() -> None:
    assert holds("next_to", "blue_cube_1", at(0.2, 0.05, 0.014))
    assert not holds("next_to", "blue_cube_1", at(0.2, 0.0, 0.014))
    assert not holds("next_to", "blue_cube_1", at(0.2, 0.1, 0.042))


def test_left_is_the_robots_left() -> None:
    assert scene().holds(Literal("left_of", ("blue_cube_1", "red_cube_1")))
    assert scene().holds(Literal("right_of", ("red_cube_1", "blue_cube_1")))


def test_what_the_source_of_a_scene_says_comes_before_geometry() -> None:
    assert holds("in", "blue_bowl_1", replace(CUBE, inside="blue_bowl_1"))


def test_an_unknown_object_or_predicate_is_named_with_the_nearest() -> None:
    with pytest.raises(SceneError, match="Did you mean 'blue_bowl_1'"):
        holds("in", "blue_bowl_2")
    with pytest.raises(SceneError, match="unknown predicate 'inside'"):
        Literal("inside", ("a", "b"))
    with pytest.raises(SceneError, match="1 arguments came, 2 are needed"):
        Literal("on", ("a",))


def test_two_objects_cannot_share_an_id() -> None:
    with pytest.raises(SceneError, match="share an id"):
        Scene((CUBE, CUBE))


def test_a_step_knows_its_goal_and_its_words() -> None:
    step = Step(Skill.PLACE_IN, "red_cube_1", "blue_bowl_1")
    assert str(step.goal) == "in(red_cube_1, blue_bowl_1)"
    assert canonical_prompt(words(step, scene())) == "put the red cube in the blue bowl"
