"""Success is reported with an interval, times with percentiles."""

from __future__ import annotations

import math

import pytest

from lam_ros.evaluation.stats import percentiles_ms, wilson_95


def test_wilson_gives_the_published_interval() -> None:
    low, high = wilson_95(95, 100)  # Newcombe (1998), Statistics in Medicine 17, 857-872, method 3
    assert (low, high) == (pytest.approx(0.8882, abs=1e-3), pytest.approx(0.9785, abs=1e-3))


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (1, 1)])
def test_the_interval_stays_within_nothing_and_all(successes: int, trials: int) -> None:
    low, high = wilson_95(successes, trials)
    assert 0.0 <= low <= successes / trials <= high <= 1.0


def test_without_trials_nothing_is_known() -> None:
    assert wilson_95(0, 0) == (0.0, 1.0)


def test_percentiles_come_with_the_count() -> None:
    found = percentiles_ms(list(range(101)))
    assert found == {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0, "n": 101}


def test_no_samples_give_no_figures() -> None:
    found = percentiles_ms([])
    assert found["n"] == 0
    assert math.isnan(found["p50"])
