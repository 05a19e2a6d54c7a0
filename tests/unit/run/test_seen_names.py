"""A run is judged by the ground truth, whatever the names that its planner saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.run.naming import Naming, Unknown
from lam_ros.run.sight import Sight


def thing(name: str, kind: str, color: str, x_m: float, y_m: float = 0.0) -> SceneObject:
    return SceneObject(name, kind, color, (x_m, y_m, 0.014), (0.028, 0.028, 0.028))


TRUTH = Scene(
    (
        thing("red_cube_1", "cube", "red", 0.15),
        thing("red_cube_2", "cube", "red", 0.25),
        thing("blue_bowl_1", "bowl", "blue", 0.2, 0.1),
    ),
    stamp_ns=1_000_000_000,
)
# The camera numbers the red cubes the other way round, and takes nothing for a spot.
SEEN = Scene(
    (
        thing("red_cube_1", "cube", "red", 0.252),
        thing("red_cube_2", "cube", "red", 0.149),
        thing("blue_bowl_1", "bowl", "blue", 0.2, 0.102),
        thing("green_spot_1", "spot", "green", 0.1, -0.1),
    ),
    stamp_ns=1_010_000_000,
)


@pytest.mark.parametrize("truth_first", [True, False])
def test_names_are_told_apart_by_place_in_whatever_order_the_scenes_come(truth_first) -> None:
    naming = Naming()
    for add in (naming.add_truth, naming.add_seen)[:: 1 if truth_first else -1]:
        add(TRUTH if add == naming.add_truth else SEEN)
    assert naming.true_literal("in(red_cube_1, blue_bowl_1)") == "in(red_cube_2, blue_bowl_1)"
    assert naming.true_literal("holding(red_cube_2)") == "holding(red_cube_1)"


def test_a_thing_keeps_its_true_name_wherever_it_is_carried() -> None:
    naming = Naming()
    naming.add_truth(TRUTH)
    naming.add_seen(SEEN)
    swapped = [replace(item, position_m=other.position_m)
               for item, other in zip(SEEN.objects, (SEEN.objects[1], SEEN.objects[0]), strict=False)]  # fmt: skip
    naming.add_seen(Scene((*swapped, *SEEN.objects[2:])))
    assert naming.true_literal("holding(red_cube_1)") == "holding(red_cube_2)"


def test_what_is_not_there_or_of_another_colour_is_no_success() -> None:
    naming = Naming()
    naming.add_truth(TRUTH)
    naming.add_seen(SEEN)
    naming.add_seen(Scene((thing("orange_bowl_1", "bowl", "orange", 0.2, 0.1),)))
    assert naming.true_literal("on(red_cube_1, green_spot_1)") == Unknown(
        "where green_spot_1 was seen is no spot"
    )
    assert naming.true_literal("in(red_cube_1, orange_bowl_1)") == Unknown(
        "what was seen as orange_bowl_1 is blue_bowl_1"
    )
    assert naming.true_literal("holding(lemon_1)") == Unknown("lemon_1 was never seen")


def test_errors_of_sight_are_those_at_the_time_of_the_picture() -> None:
    sight = Sight()
    moved = replace(TRUTH, stamp_ns=1_500_000_000, objects=TRUTH.objects[:1])
    sight.add_truth(TRUTH)
    sight.add_truth(moved)
    sight.add_seen(SEEN)
    figures = sight.figures()
    assert figures["recall"] == 1.0
    assert figures["precision"] == 0.75
    assert figures["colors"] == 1.0
    assert figures["position_mm_p50"] == pytest.approx(2.0, abs=0.01)
    sight.add_seen(replace(SEEN, stamp_ns=9_000_000_000))  # no truth is of that time
    assert sight.figures() == figures


def test_without_a_look_there_are_no_figures() -> None:
    assert Sight().figures() == {}
