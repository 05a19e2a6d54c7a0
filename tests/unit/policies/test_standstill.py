"""A step is said again where the arm stands before it, and only so often."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lam_policies.standstill import STILL_S, TRIES, Standstill
from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.types import Observation

ASKED_EVERY_S = 0.16


def _seen(positions_rad: np.ndarray) -> Iterator[Observation]:
    for i, position in enumerate(positions_rad):
        yield Observation(seconds_to_ns(i * ASKED_EVERY_S), np.full(6, position), {})


def _said_again(positions_rad: np.ndarray, watch: Standstill | None = None) -> list[bool]:
    watch = watch or Standstill()
    return [watch.must_say_again(seen) for seen in _seen(positions_rad)]


def test_an_arm_that_moves_is_told_nothing_however_slowly_it_does() -> None:
    assert not any(_said_again(np.linspace(0.0, 1.0, 100)))
    assert not any(_said_again(0.02 * np.arange(60) % 0.5))


def test_an_arm_that_stands_is_told_again_and_hears_it_until_it_has_finished_again() -> None:
    waits = int(STILL_S / ASKED_EVERY_S) + 1
    positions = np.concatenate([np.zeros(waits + 1), np.linspace(0.05, 1.0, 20)])
    said = _said_again(positions)
    assert not any(said[:waits])
    assert all(said[waits:])


def test_after_some_tries_an_arm_that_stands_is_left_in_peace() -> None:
    said = _said_again(np.zeros(200))
    assert not said[-1]
    told_s = sum(said) * ASKED_EVERY_S
    assert (TRIES - 1) * STILL_S < told_s < (TRIES + 2) * STILL_S


def test_a_new_step_begins_anew() -> None:
    watch = Standstill()
    assert any(_said_again(np.zeros(20), watch))
    watch.begin()
    assert not any(_said_again(np.zeros(5), watch))
