"""A camera's delay is found from what its pictures show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lam_ros.recording.quality.skew import (
    NoSkew,
    Skew,
    change_between,
    find_skew,
    skew_curve,
    thumbnail,
)

MS = 1_000_000


def strokes(times_s: np.ndarray, seed: int) -> np.ndarray:
    """Return three joints that move in strokes, with rests, shape (N, 3)."""
    rng = np.random.default_rng(seed)
    at, found = np.linspace(-1, 13, 22), []
    for _ in range(3):
        goals = rng.uniform(-0.7, 0.7, len(at))
        share = np.clip(np.interp(times_s, at, np.arange(len(at))) % 1.0 * 1.4, 0, 1)
        k = np.clip(np.interp(times_s, at, np.arange(len(at))).astype(int), 0, len(at) - 2)
        eased = share**3 * (10 - 15 * share + 6 * share**2)
        found.append(goals[k] + eased * (goals[k + 1] - goals[k]))
    return np.column_stack(found)


def picture(joints: np.ndarray) -> np.ndarray:
    """Return three soft blobs, each moved by a joint, shape (60, 80)."""
    y, x = np.mgrid[0:60, 0:80]
    image = np.full((60, 80), 90.0)
    for k, joint in enumerate(joints):
        image += 130 * np.exp(-((x - 40 - 30 * joint) ** 2 + (y - 12 - 18 * k) ** 2) / 40)
    return image.clip(0, 255).astype(np.uint8)


def curve(delay_s: float, seed: int = 0, still: bool = False):
    stamps_ns = (np.arange(300) * 33.3 * MS).astype(np.int64)
    joint_ns = (np.arange(500) * 20 * MS).astype(np.int64)
    seen_at = np.zeros(300) if still else stamps_ns / 1e9 - delay_s
    small = [thumbnail(picture(joints)) for joints in strokes(seen_at, seed)]
    change = np.array([change_between(a, b) for a, b in pairwise(small)])
    return skew_curve(stamps_ns, change, joint_ns, strokes(joint_ns / 1e9, seed))


@pytest.mark.parametrize("delay_ms", [-60, 0, 25, 80, 150])
def test_one_episode_tells_a_delay_to_ten_milliseconds(delay_ms):
    found = find_skew([curve(delay_ms / 1e3)])
    assert isinstance(found, Skew)
    assert found.lag_ms == pytest.approx(delay_ms, abs=10)


def test_several_episodes_tell_it_more_exactly():
    found = find_skew([curve(0.08, seed) for seed in range(5)])
    assert isinstance(found, Skew)
    assert found.lag_ms == pytest.approx(80, abs=5)


def test_pictures_in_which_nothing_moves_tell_nothing():
    assert isinstance(find_skew([curve(0.0, still=True)]), NoSkew)


def test_pictures_that_have_nothing_to_do_with_the_joints_tell_nothing():
    stamps_ns = (np.arange(300) * 33.3 * MS).astype(np.int64)
    change = np.random.default_rng(1).uniform(0, 5, 299)
    found = skew_curve(stamps_ns, change, stamps_ns, strokes(stamps_ns / 1e9, 0))
    assert isinstance(find_skew([found]), NoSkew)


def test_a_short_episode_tells_nothing():
    stamps_ns = (np.arange(20) * 33.3 * MS).astype(np.int64)
    assert isinstance(
        skew_curve(stamps_ns, np.ones(19), stamps_ns, strokes(stamps_ns / 1e9, 0)), NoSkew
    )
