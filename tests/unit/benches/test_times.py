"""What benches make of times."""

import numpy as np
import pytest

from lam_ros.benches.times import first_effects_ms, jitter_ms, percentiles_ms

MS = 1_000_000


def test_percentiles_have_the_fixed_keys():
    assert percentiles_ms(range(101)) == {"p50": 50, "p95": 95, "p99": 99, "max": 100, "n": 101}


def test_without_times_there_are_no_percentiles():
    assert percentiles_ms([]) == {"n": 0}


def test_jitter_is_how_far_each_interval_is_from_the_period():
    stamps = [0, 20 * MS, 41 * MS, 60 * MS]
    np.testing.assert_allclose(jitter_ms(stamps, 20 * MS), [0, 1, 1])


def test_only_the_first_command_of_an_observation_counts():
    stamps = [10 * MS, 30 * MS, 50 * MS, 70 * MS, 90 * MS]
    observations = [0, 5 * MS, 5 * MS, 0, 60 * MS]
    assert first_effects_ms(stamps, observations) == pytest.approx([25, 30])
