"""What is on the table is found in real pictures of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lam_ros.core.scene import Literal
from lam_ros.perception.detecting import Detection, Detector
from lam_ros.perception.tracking import Tracker
from lam_sim.render import POLICY
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig, SceneSpec

SEEDS = (1_000_000, 1_000_004, 1_000_007, 1_000_012)


def found_at(sight, kind: str, position_m: tuple[float, float, float]) -> Detection | None:
    """Return the detection of a kind that is nearest to a place, within 15 mm."""
    near = [
        (math.dist(item.fit.center_m[:2], position_m[:2]), index)
        for index, item in enumerate(sight.objects)
        if item.fit.kind.name == kind
    ]
    distance, index = min(near, default=(1.0, -1))
    return sight.objects[index] if distance < 0.015 else None


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_found_with_kind_color_and_place_under_random_light(stage, seed) -> None:
    image, camera = stage.set(seed)
    sight = Detector(stage.config, stage.arm).see(image, camera, stage.joints_rad)
    truth = stage.sim.truth().objects
    for item in truth:
        seen = found_at(sight, item.kind, item.position_m)
        assert seen is not None, item.id
        assert seen.color == item.color, item.id
        assert math.dist(seen.fit.center_m[:2], item.position_m[:2]) < 0.006, item.id
    assert len(sight.objects) == len(truth)


def test_a_cubes_turn_is_found(stage) -> None:
    image, camera = stage.set(SEEDS[0])
    sight = Detector(stage.config, stage.arm).see(image, camera, stage.joints_rad)
    for item in stage.sim.truth().of_kind("cube"):
        seen = found_at(sight, "cube", item.position_m)
        assert seen is not None
        gap = (seen.fit.yaw_rad - item.yaw_rad + math.pi / 4) % (math.pi / 2) - math.pi / 4
        assert abs(gap) < 0.12


def settled_scene(seed: int, *names: str) -> SceneSpec:
    config = SceneConfig(objects=names, placed_probability=1.0)
    return sample_scene(config, seed)


@pytest.mark.parametrize("support", ["bowl", "spot", "tray", "cube"])
def test_what_rests_in_or_on_something_is_seen_to_do_so(stage, support: str) -> None:
    names = ("red cube", "green cube", "blue cube", "purple bowl", "yellow spot", "white tray")
    specs = (settled_scene(seed, *names) for seed in range(1_000_000, 1_000_200))
    spec = next(spec for spec in specs if any(support in item.held_by for item in spec.objects))
    item = next(item for item in spec.objects if support in item.held_by)
    image, camera = stage.set(spec)
    detector, tracker = Detector(stage.config, stage.arm), Tracker(stage.config.track)
    for stamp_ns in (1, 2):
        scene = tracker.update(detector.see(image, camera, stage.joints_rad), stamp_ns)
    predicate = "in" if support in ("bowl", "tray") else "on"
    assert scene.holds(Literal(predicate, (item.id, item.held_by)))
    assert abs(scene[item.id].position_m[2] - item.position_m[2]) < 0.004


def test_an_empty_table_shows_nothing(stage) -> None:
    spec = SceneSpec(seed=0, objects=())
    image, camera = stage.set(spec)
    assert Detector(stage.config, stage.arm).see(image, camera, stage.joints_rad).objects == ()


def test_a_small_picture_shows_the_cubes_too(stage) -> None:
    stage.set(SEEDS[0])
    small = stage.sim.render("front", 128, 80, POLICY)
    _, camera = stage.look()
    sight = Detector(stage.config, stage.arm).see(small, camera, stage.joints_rad)
    for item in stage.sim.truth().of_kind("cube"):
        seen = found_at(sight, "cube", item.position_m)
        assert seen is not None, item.id
        assert seen.color == item.color, item.id


def test_black_white_and_noise_are_seen_without_an_error(stage) -> None:
    _, camera = stage.set(SEEDS[0])
    detector = Detector(stage.config, stage.arm)
    rng = np.random.default_rng(1)
    for image in (
        np.zeros((400, 640, 3), np.uint8),
        np.full((400, 640, 3), 255, np.uint8),
        rng.integers(0, 256, (400, 640, 3), dtype=np.uint8),
    ):
        sight = detector.see(image, camera, stage.joints_rad)
        assert all(0.0 <= item.confidence <= 1.0 for item in sight.objects)
