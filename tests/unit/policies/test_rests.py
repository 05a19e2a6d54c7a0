"""Which samples are drawn when less of a demonstration's end is to be learnt."""

import numpy as np
import pytest

from lam_policies.training.frames import Frames, draw, fewer_rests
from lam_ros.core.skills import Skill, StepWords

MOVES, RESTS = 6, 4
"""Rows of an episode in which the arm goes somewhere, and in which it then stands there."""


def frames(n_episodes: int = 5) -> Frames:
    """Episodes in which the arm stands, moves, and stands where it has got to."""
    way = [0.0, 0.0, 0.3, 0.6, 0.9, 1.0, *[1.0] * RESTS]
    length, n_rows = len(way), len(way) * n_episodes
    action = np.repeat(np.tile(way, n_episodes)[:, None], 6, axis=1)
    state = action - np.where(action < 1.0, 0.2, 0.01)  # on its way, and nearly there
    row = np.arange(n_rows)
    return Frames(
        pictures={},
        picture_row=row,
        state_rad=state.astype(np.float32),
        action_rad=action.astype(np.float32),
        episode_end=(row // length + 1) * length,
        progress=(row % length / length).astype(np.float32),
        said=(StepWords(Skill.PLACE_IN, "red", "cube", "blue", "bowl"),),
        said_index=np.zeros(n_rows, int),
        places_m=np.zeros((n_rows, 2, 3), np.float32),
        yaw_rad=np.zeros(n_rows, np.float32),
        pixels=np.zeros((n_rows, 0, 2, 3), np.float32),
    )


def within(indices: np.ndarray) -> np.ndarray:
    """Where in their episodes samples are."""
    return indices % (MOVES + RESTS)


def test_all_are_drawn_from_unless_less_is_asked_for():
    data = frames()
    np.testing.assert_array_equal(fewer_rests(data, 1.0), np.arange(len(data)))


def test_of_the_end_at_rest_a_share_is_left_and_all_of_the_rest():
    data = frames()
    moving, none = fewer_rests(data, 0.0), len(data) - len(fewer_rests(data, 0.0))
    assert (within(moving) <= MOVES).all()
    assert none == 5 * (RESTS + 1)  # the row that arrives is wanted nowhere else, either
    assert len(data) - len(fewer_rests(data, 0.4)) == 5 * (RESTS + 1) * 0.6


def test_an_arm_that_stands_at_the_beginning_is_not_at_rest():
    assert 0 in within(fewer_rests(frames(), 0.0))


def test_data_in_which_nobody_acts_are_all_drawn_from():
    data = frames()
    data.action_rad[:] = np.nan
    assert len(fewer_rests(data, 0.0)) == len(data)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_nothing_else_is_drawn(share):
    data, rng = frames(), np.random.default_rng(0)
    among = fewer_rests(data, share)
    drawn = draw(data, 200, 8, rng, "train", among)
    rows = {tuple(row) for row in data.state_rad[among].tolist()}
    assert {tuple(row) for row in drawn.state_rad.tolist()} <= rows
