"""A simulated controller follows trajectories as ros2_control's does."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.follower import TrajectoryFollower

MS = 1_000_000


@pytest.fixture
def follower() -> TrajectoryFollower:
    return TrajectoryFollower(("a", "b"), np.array([0.0, 1.0]))


def test_before_anything_came_it_stands(follower) -> None:
    np.testing.assert_array_equal(follower.target(5), [0.0, 1.0])


def test_it_goes_linearly_from_where_it_is_through_the_points_and_stays(follower) -> None:
    why = follower.accept(
        ["b", "a"], [100 * MS, 200 * MS], [[2.0, 0.5], [3.0, 1.5]], 1000 * MS, 1000 * MS
    )
    assert not why
    for at, wanted in ((1000, [0, 1]), (1050, [0.25, 1.5]), (1150, [1.0, 2.5]), (9000, [1.5, 3.0])):
        np.testing.assert_allclose(follower.target(at * MS), wanted)


def test_a_new_trajectory_replaces_the_old_one_for_its_joints_alone(follower) -> None:
    follower.accept(["a", "b"], [100 * MS], [[1.0, 2.0]], 0, 0)
    assert not follower.accept(["a"], [50 * MS], [[0.0]], 50 * MS, 50 * MS)
    np.testing.assert_allclose(follower.target(50 * MS), [0.5, 1.5])
    np.testing.assert_allclose(follower.target(100 * MS), [0.0, 2.0])


def test_one_that_begins_later_leaves_the_arm_where_it_is_until_then(follower) -> None:
    assert not follower.accept(["a"], [100 * MS], [[1.0]], 500 * MS, 0)
    assert follower.target(400 * MS)[0] == 0.0
    assert follower.target(550 * MS)[0] == pytest.approx(0.5)


def test_a_point_that_is_due_is_gone_to_at_once(follower) -> None:
    assert not follower.accept(["a"], [0], [[0.7]], 10, 10)
    assert follower.target(10)[0] == 0.7


@pytest.mark.parametrize(
    ("names", "times", "positions", "says"),
    [
        (["c"], [1], [[0.0]], "joint 'c'"),
        ([], [1], [[]], "must be named"),
        (["a", "a"], [1], [[0.0, 0.0]], "only once"),
        (["a"], [], [], "at least one point"),
        (["a"], [1], [[0.0, 1.0]], "1 positions are needed"),
        (["a"], [1, 2], [[0.0], [0.0, 1.0]], "1 positions are needed"),
        (["a"], [1], [[float("nan")]], "not finite"),
        (["a"], [2, 2], [[0.0], [1.0]], "must rise"),
        (["a"], [-1], [[0.0]], "must rise"),
    ],
)
def test_what_is_wrong_is_refused_whole(follower, names, times, positions, says) -> None:
    assert says in follower.accept(names, times, positions, 100, 100)
    np.testing.assert_array_equal(follower.target(10**12), [0.0, 1.0])


def test_a_trajectory_that_is_over_is_refused(follower) -> None:
    assert "past" in follower.accept(["a"], [10], [[1.0]], 100, 1000)
