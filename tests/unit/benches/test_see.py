"""How seeing is judged: what counts as found, right and false."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.benches.see import Tally, match
from lam_ros.core.scene import Scene, SceneObject

BOWL = SceneObject("blue_bowl_1", "bowl", "blue", (0.2, 0.1, 0.017), (0.092, 0.092, 0.034))
CUBE = SceneObject("red_cube_1", "cube", "red", (0.2, 0.1, 0.018), (0.028,) * 3)
TRUTH = Scene((BOWL, CUBE))


def figures(*objects: SceneObject) -> dict[str, object]:
    tally = Tally()
    tally.add(Scene(objects), TRUTH)
    return tally.figures()


def test_the_truth_itself_is_all_right() -> None:
    found = figures(BOWL, CUBE)
    assert found["scenes_all_right"] == found["recall"] == found["precision"] == 1.0
    assert found["relation_recall"] == found["color_accuracy"] == 1.0


def test_a_shift_is_an_error_in_millimetres() -> None:
    found = figures(BOWL, replace(CUBE, position_m=(0.203, 0.104, 0.018)))
    assert found["p95_error_mm_by_kind"] == {"bowl": 0.0, "cube": 5.0}


def test_what_is_missing_costs_recall_and_its_relation() -> None:
    found = figures(BOWL)
    assert found["recall"] == 0.5
    assert found["precision"] == 1.0
    assert found["relation_recall"] == found["scenes_all_right"] == 0.0


def test_another_kind_in_the_place_is_missing_and_false() -> None:
    found = figures(BOWL, replace(CUBE, id="x", kind="ball"))
    assert found["recall"] == found["precision"] == 0.5


def test_a_wrong_color_is_found_but_not_right() -> None:
    found = figures(BOWL, replace(CUBE, color="orange"))
    assert found["recall"] == 1.0
    assert found["color_accuracy"] == 0.5
    assert found["scenes_all_right"] == 0.0


def test_what_is_too_far_is_another_thing() -> None:
    far = replace(CUBE, position_m=(0.25, 0.1, 0.014))
    assert match(Scene((far,)), Scene((CUBE,))) == []
