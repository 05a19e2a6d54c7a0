"""The same thing keeps its id, seen or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lam_ros.core.scene import Literal
from lam_ros.perception.detecting import Detection, Detector, Sight
from lam_ros.perception.tracking import Tool, Tracker

SEED = 1_000_000


@pytest.fixture(scope="module")
def sight(stage) -> Sight:
    """One real picture, seen, without the arm."""
    image, camera = stage.set(SEED)
    seen = Detector(stage.config, stage.arm).see(image, camera, stage.joints_rad)
    return replace(seen, hidden=np.zeros_like(seen.hidden))


@pytest.fixture
def tracker(stage) -> Tracker:
    return Tracker(stage.config.track)


def at(item: Detection, x_m: float, y_m: float) -> Detection:
    return replace(item, fit=replace(item.fit, center_m=(x_m, y_m, item.fit.center_m[2])))


def without(sight: Sight, color: str, kind: str = "cube") -> Sight:
    left = tuple(i for i in sight.objects if (i.color, i.fit.kind.name) != (color, kind))
    assert len(left) == len(sight.objects) - 1
    return replace(sight, objects=left)


def the(sight: Sight, color: str, kind: str = "cube") -> Detection:
    return next(i for i in sight.objects if (i.color, i.fit.kind.name) == (color, kind))


def test_a_thing_counts_when_it_was_seen_twice(sight, tracker) -> None:
    assert tracker.update(sight, 1).objects == ()
    scene = tracker.update(sight, 2)
    assert len(scene.objects) == len(sight.objects)
    assert "red_cube_1" in scene
    assert scene.stamp_ns == 2


def test_a_glint_that_is_seen_once_never_counts(sight, tracker) -> None:
    tracker.update(sight, 1)
    for stamp in (2, 3, 4):
        scene = tracker.update(without(sight, "red"), stamp)
    assert "red_cube_1" not in scene


def test_what_the_arm_hides_stays_and_what_is_missing_in_plain_view_goes(
    sight, tracker, stage
) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    gone = without(sight, "red")
    veiled = replace(gone, hidden=np.full_like(gone.hidden, 255))
    for stamp in range(3, 40):
        scene = tracker.update(veiled, stamp)
    assert "red_cube_1" in scene
    for stamp in range(40, 40 + stage.config.track.miss_limit + 1):
        scene = tracker.update(gone, stamp)
    assert "red_cube_1" not in scene


def test_a_thing_that_a_person_moves_keeps_its_id(sight, tracker) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    red = the(sight, "red")
    moved = replace(
        without(sight, "red"), objects=(*without(sight, "red").objects, at(red, 0.3, 0.0))
    )
    for stamp in (3, 4, 5):
        tracker.update(without(sight, "red"), stamp)  # while the hand is in the way
    for stamp in (6, 7):
        scene = tracker.update(moved, stamp)
    reds = [item for item in scene.of_kind("cube") if item.color == "red"]
    assert [item.id for item in reds] == ["red_cube_1"]
    assert reds[0].position_m[:2] == pytest.approx((0.3, 0.0), abs=0.002)


def test_the_order_of_detections_changes_no_id(sight, tracker) -> None:
    for stamp in (1, 2):
        before = tracker.update(sight, stamp)
    shuffled = replace(sight, objects=tuple(replace(i, support=-1) for i in sight.objects[::-1]))
    after = tracker.update(shuffled, 3)
    assert sorted(after.ids) == sorted(before.ids)
    for item in before.objects:
        assert after[item.id].position_m == pytest.approx(item.position_m), item.id


def test_what_the_fingers_take_is_held_unseen_and_goes_with_them_until_let_go(
    sight, tracker
) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    place = np.array(the(sight, "red").fit.center_m)
    rest = without(sight, "red")
    assert tracker.update(sight, 3, Tool(place, is_gripping=False)).held == ""
    assert tracker.update(rest, 4, Tool(place, is_gripping=True)).held == "red_cube_1"
    high = place + np.array([0.02, 0.05, 0.08])
    for stamp in range(5, 30):
        scene = tracker.update(rest, stamp, Tool(high, is_gripping=True))
    assert scene.held == "red_cube_1"
    assert scene["red_cube_1"].position_m == pytest.approx(tuple(high))
    assert tracker.update(rest, 30, Tool(high, is_gripping=False)).held == ""


def test_what_is_let_go_over_a_bowl_and_not_seen_again_is_in_it(sight, tracker) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    place = np.array(the(sight, "red").fit.center_m)
    rest = without(sight, "red")
    tracker.update(rest, 3, Tool(place, is_gripping=True))
    x, y, _ = the(sight, "purple", "bowl").fit.center_m
    over = np.array([x, y, 0.08])
    tracker.update(rest, 4, Tool(over, is_gripping=True))
    scene = tracker.update(rest, 5, Tool(over, is_gripping=False))
    assert scene.holds(Literal("in", ("red_cube_1", "purple_bowl_1")))
    assert scene["red_cube_1"].position_m[2] < 0.03


def test_fingers_that_close_on_nothing_hold_nothing(sight, tracker) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    far = Tool(np.array([0.2, 0.0, 0.3]), is_gripping=True)
    assert tracker.update(sight, 3, far).held == ""


def test_a_thing_that_turns_up_elsewhere_after_the_arm_hid_it_keeps_its_id(sight, tracker) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    gone = without(sight, "red")
    tracker.update(replace(gone, hidden=np.full_like(gone.hidden, 255)), 3)
    moved = replace(sight, objects=(*gone.objects, at(the(sight, "red"), 0.10, 0.30)))
    for stamp in range(4, 20):
        scene = tracker.update(moved, stamp)
    assert [item.id for item in scene.objects if item.color == "red"] == ["red_cube_1"]
    assert scene["red_cube_1"].position_m[:2] == pytest.approx((0.10, 0.30), abs=1e-6)


def test_a_spot_under_a_cube_that_covers_it_stays(sight, tracker, stage) -> None:
    for stamp in (1, 2):
        before = tracker.update(sight, stamp)
    spot = next(item for item in sight.objects if item.fit.kind.name == "spot")
    spot_id = next(item.id for item in before.objects if item.kind == "spot")
    cube = at(the(sight, "red"), *spot.fit.center_m[:2])
    rest = tuple(i for i in sight.objects if i is not spot and i is not the(sight, "red"))
    for stamp in range(3, 6 + 2 * stage.config.track.miss_limit):
        scene = tracker.update(replace(sight, objects=(*rest, cube)), stamp)
    assert spot_id in scene


def test_a_thing_that_is_carried_farther_than_expected_stays_itself(sight, tracker) -> None:
    for stamp in (1, 2):
        tracker.update(sight, stamp)
    red = the(sight, "red")
    tool = Tool(np.array(red.fit.center_m), is_gripping=True)
    tracker.update(sight, 3, tool)
    far = replace(sight, objects=(*without(sight, "red").objects, at(red, 0.10, 0.30)))
    scene = tracker.update(far, 4, tool)
    assert scene.held == "red_cube_1"
    for stamp in (5, 6, 7):
        scene = tracker.update(far, stamp, tool)
    assert scene.held == ""
    assert [item.id for item in scene.objects if item.color == "red"] == ["red_cube_1"]
    assert scene["red_cube_1"].position_m[:2] == pytest.approx((0.10, 0.30), abs=1e-6)
