"""A cube that vanishes under another is still there, and carries it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lam_ros.core.scene import Literal, Scene
from lam_ros.perception.seer import Seer
from lam_sim.sampling import sample_scene
from lam_sim.scenes import ObjectSpec, SceneConfig, SceneSpec

SCENES = SceneConfig(placed_probability=0.0, roaming_start_probability=0.0)
EDGE_M = 0.028

STACKS = (
    (1_031_009, "red_cube_1", "yellow_cube_1", (0.0063, 0.0017), -2.91),
    (1_031_026, "orange_cube_1", "purple_cube_1", (0.0066, 0.0022), 2.99),
    (1_031_029, "blue_cube_1", "green_cube_1", (0.0064, -0.0015), 1.52),
    (1_031_042, "purple_cube_1", "yellow_cube_1", (0.0033, 0.0017), 1.87),
    (1_031_043, "red_cube_1", "orange_cube_1", (0.0061, 0.0024), -2.36),
)
"""(seed, what is put, on what, how far off its middle [m], turned by [rad]), each once missed."""


def moved(spec: SceneSpec, item_id: str, **changes: object) -> SceneSpec:
    objects = (replace(o, **changes) if o.id == item_id else o for o in spec.objects)
    return replace(spec, objects=tuple(objects))


def named(spec: SceneSpec, item_id: str) -> ObjectSpec:
    return next(item for item in spec.objects if item.id == item_id)


def on_top(lower: ObjectSpec, offset_m: tuple[float, float]) -> tuple[float, float, float]:
    x, y, z = lower.position_m
    return x + offset_m[0], y + offset_m[1], z + EDGE_M + 0.0005


class Watch:
    """Looks at one scene after another."""

    def __init__(self, stage) -> None:
        self.stage, self.now_ns = stage, 0
        self.seer = Seer(stage.robot, stage.config, stage.arm)

    def see(self, spec: SceneSpec, times: int = 3) -> Scene:
        image, camera = self.stage.set(spec)
        state = self.stage.sim.joint_state().position_rad
        for _ in range(times):
            self.now_ns += 250_000_000
            scene = self.seer.see(image, camera, state, self.now_ns)
        return scene


@pytest.fixture
def watch(stage) -> Watch:
    return Watch(stage)


@pytest.mark.parametrize(("seed", "upper", "lower", "offset_m", "yaw_rad"), STACKS)
def test_a_cube_put_on_a_known_one_is_seen_on_it_however_little_of_that_shows(
    stage, watch, seed, upper, lower, offset_m, yaw_rad
) -> None:
    spec = sample_scene(SCENES, seed)
    before = watch.see(spec)
    place = on_top(named(spec, lower), offset_m)
    after = watch.see(moved(spec, upper, position_m=place, yaw_rad=yaw_rad), times=6)
    assert stage.sim.truth().holds(Literal("on", (upper, lower)))
    assert after.holds(Literal("on", (upper, lower)))
    assert set(after.ids) == set(before.ids)
    assert math.dist(after[lower].position_m[:2], before[lower].position_m[:2]) < 0.004
    assert after[lower].confidence > 0.5


@pytest.mark.parametrize(("seed", "upper", "lower", "offset_m", "yaw_rad"), STACKS)
def test_a_stack_is_seen_at_a_first_look(stage, watch, seed, upper, lower, offset_m, yaw_rad):
    spec = sample_scene(SCENES, seed)
    place = on_top(named(spec, lower), offset_m)
    seen = watch.see(moved(spec, upper, position_m=place, yaw_rad=yaw_rad))
    assert seen.holds(Literal("on", (upper, lower)))
    assert set(seen.ids) <= set(stage.sim.truth().ids)


def test_a_covered_cube_is_still_on_the_spot_that_it_was_put_on(watch) -> None:
    seed, upper, lower, offset_m, yaw_rad = STACKS[0]
    spec = sample_scene(SCENES, seed)
    spot = next(item for item in spec.objects if item.kind == "spot")
    on_spot = moved(spec, lower, position_m=(*spot.position_m[:2], EDGE_M / 2 + 0.001))
    assert watch.see(on_spot).holds(Literal("on", (lower, spot.id)))
    place = on_top(named(on_spot, lower), offset_m)
    after = watch.see(moved(on_spot, upper, position_m=place, yaw_rad=yaw_rad), times=6)
    assert after.holds(Literal("on", (upper, lower)))
    assert after.holds(Literal("on", (lower, spot.id)))


def test_what_stands_under_another_is_itself_again_when_that_is_taken_off(watch) -> None:
    seed, upper, lower, offset_m, yaw_rad = STACKS[0]
    spec = sample_scene(SCENES, seed)
    before = watch.see(spec)
    place = on_top(named(spec, lower), offset_m)
    watch.see(moved(spec, upper, position_m=place, yaw_rad=yaw_rad), times=6)
    again = watch.see(spec)
    assert set(again.ids) == set(before.ids)
    assert not again.holds(Literal("on", (upper, lower)))


def test_a_cube_that_only_seems_to_stand_where_another_stood_is_on_the_table(watch) -> None:
    seed, upper, lower, _, yaw_rad = STACKS[0]
    spec = sample_scene(SCENES, seed)
    watch.see(spec)
    x, y, z = named(spec, lower).position_m
    swapped = moved(spec, lower, position_m=named(spec, upper).position_m)
    after = watch.see(moved(swapped, upper, position_m=(x, y, z), yaw_rad=yaw_rad), times=6)
    assert not after.holds(Literal("on", (upper, lower)))
    assert after[upper].position_m[2] < EDGE_M
