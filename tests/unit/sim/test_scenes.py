"""Scenes: drawn from the seed, within reach, apart from each other, and checked."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError, LamError
from lam_sim import catalog
from lam_sim.placement import CLEARANCE_M, PICK, SECTORS
from lam_sim.sampling import sample_scene
from lam_sim.scenes import Randomization, SceneConfig, TextureSpec
from lam_sim.textures import PATTERNS, paint

SEEDS = range(40)
PLAIN = SceneConfig(placed_probability=0.0)


def test_a_scene_follows_from_its_seed() -> None:
    assert sample_scene(PLAIN, 7) == sample_scene(PLAIN, 7)
    assert sample_scene(PLAIN, 7) != sample_scene(PLAIN, 8)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_lies_within_reach_and_apart(seed: int) -> None:
    objects = sample_scene(PLAIN, seed).objects
    for item in objects:
        assert SECTORS.get(item.kind, PICK).contains(item.position_m[:2])
    for index, one in enumerate(objects):
        for other in objects[:index]:
            room = sum(catalog.kind_named(o.kind).footprint_m for o in (one, other)) + CLEARANCE_M
            assert math.dist(one.position_m[:2], other.position_m[:2]) >= room - 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_and_colors_are_those_asked_for(seed: int) -> None:
    objects = sample_scene(PLAIN, seed).objects
    kinds = Counter(item.kind for item in objects)
    assert 3 <= kinds["cube"] <= 5
    assert 1 <= kinds["bowl"] <= 2
    assert 1 <= kinds["spot"] <= 2
    assert kinds["bowl"] + kinds["spot"] + kinds["tray"] <= 3
    for kind in ("cube", "bowl", "spot"):
        colors = [item.color for item in objects if item.kind == kind]
        assert len(set(colors)) == len(colors)
    assert len({item.id for item in objects}) == len(objects)
    assert all(item.id.startswith(f"{item.color}_{item.kind}_") for item in objects)


def test_some_cubes_start_in_or_on_something_if_asked_for() -> None:
    config = SceneConfig(placed_probability=1.0)
    placed = [i for seed in SEEDS for i in sample_scene(config, seed).objects if i.held_by]
    kinds = {item.held_by.split("_")[1] for item in placed}
    assert {"bowl", "spot", "cube"} <= kinds


@pytest.mark.parametrize("part", ["light", "texture", "color", "camera", "arm_pose"])
def test_each_randomization_can_be_switched_off_alone(part: str) -> None:
    off = replace(PLAIN, randomization=Randomization(**{part: 0.0}))
    one, two = sample_scene(off, 1), sample_scene(off, 2)
    values = {
        "light": lambda s: s.light,
        "texture": lambda s: s.texture,
        "color": lambda s: {i.color: i.rgba for i in s.objects if i.color == "red"},
        "camera": lambda s: s.cameras,
        "arm_pose": lambda s: [abs(v) for v in s.arm_offset_rad],
    }
    if part == "color":
        assert all(
            item.rgba[:3] == pytest.approx(catalog.rgb_of(item.color)) for item in one.objects
        )
    else:
        assert values[part](one) == values[part](two)
    on_one, on_two = sample_scene(PLAIN, 1), sample_scene(PLAIN, 2)
    assert values[part](on_one) != values[part](on_two) or part == "color"


def test_without_texture_randomization_the_table_is_the_usual_one() -> None:
    off = replace(PLAIN, randomization=Randomization(texture=0.0))
    assert sample_scene(off, 3).texture == TextureSpec()


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_textures_stay_between_their_two_colors(pattern: str) -> None:
    pixels = paint(pattern, (0.2, 0.3, 0.4), (0.8, 0.7, 0.6), grain_seed=5, size_px=64)
    assert pixels.shape == (64, 64, 3)
    assert pixels.dtype == np.uint8
    low, high = np.array([0.2, 0.3, 0.4]) * 255 - 1, np.array([0.8, 0.7, 0.6]) * 255 + 1
    assert ((pixels >= low) & (pixels <= high)).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cubes": (3, 9)}, "cubes 3..9"),
        ({"bowls": (2, 1)}, "bowls 2..1"),
        ({"cube_colors": ("red",), "cubes": (2, 2)}, "need as many colors"),
        ({"target_colors": ("blu",)}, "Did you mean 'blue'"),
        ({"distractor_kinds": ("cube",)}, "unknown distractor 'cube'"),
    ],
)
def test_impossible_configurations_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(LamError, match=said):
        replace(PLAIN, **change)  # type: ignore[arg-type]


def test_negative_randomization_is_refused() -> None:
    with pytest.raises(ConfigError, match="light"):
        Randomization(light=-1.0)
