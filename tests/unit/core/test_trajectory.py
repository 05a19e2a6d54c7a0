"""Paths are linear between knots, and go over into each other without a step."""

import numpy as np
import pytest

from lam_ros.core.trajectory import Trajectory, splice


def line(*knots):
    return Trajectory(tuple(t for t, _ in knots), np.array([[float(x)] for _, x in knots]))


@pytest.mark.parametrize(
    ("time", "value"), [(-5, 0), (0, 0), (5, 1), (10, 2), (15, 1), (20, 0), (99, 0)]
)
def test_linear_between_knots_and_constant_outside(time, value):
    assert line((0, 0), (10, 2), (20, 0)).at(time) == pytest.approx(value)


def test_a_splice_of_agreeing_paths_is_the_new_path():
    past, new = line((0, 0), (100, 10)), line((20, 2), (200, 20))
    path = splice(past, new, 50, 30, 0)
    for time in range(0, 201, 7):
        assert path.at(time) == pytest.approx(time / 10)


def test_one_path_goes_over_into_the_other_without_a_step_in_position_or_speed():
    past, new = line((0, 0), (200, 20)), line((0, 1), (200, 41))
    path = splice(past, new, 20, 80, 0, tick_ns=1)
    values = np.array([float(path.at(t)[0]) for t in range(201)])
    assert values[20] == pytest.approx(2)
    assert values[100] == pytest.approx(float(new.at(100)[0]))
    speeds = np.diff(values)
    assert speeds[19] == pytest.approx(speeds[20], abs=0.02)
    assert speeds[99] == pytest.approx(speeds[100], abs=0.02)


def test_a_path_that_stands_still_is_left_gently():
    path = splice(line((0, 0)), line((0, 1), (100, 1)), 20, 40, 0, tick_ns=10)
    assert [float(path.at(t)[0]) for t in (0, 20, 40, 60, 100)] == pytest.approx([0, 0, 0.5, 1, 1])


def test_the_step_has_faded_by_the_end_of_a_short_path():
    path = splice(line((0, 0), (100, 0)), line((0, 1), (30, 1)), 20, 1000, 0)
    assert path.at(30) == pytest.approx(1)
    assert path.end_ns == 30


def test_without_blending_it_jumps():
    path = splice(line((0, 0), (100, 0)), line((0, 1), (100, 1)), 20, 0, 0)
    assert path.at(20) == pytest.approx(1)


def test_the_past_is_kept_for_a_while_and_then_forgotten():
    past = line((0, 0), (10, 1), (20, 2), (30, 3))
    path = splice(past, line((30, 3), (60, 6)), 30, 10, 15)
    assert path.times_ns[0] == 20
    assert path.at(25) == pytest.approx(2.5)
