"""The way home: straight, within the speed limits, and over when there."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_S, ns_to_seconds
from lam_ros.core.homing import DT_NS, SPEED_SHARE, Homing
from lam_ros.core.types import Observation

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)


def seen(state_rad: np.ndarray, stamp_ns: int = 0) -> Observation:
    """Return an observation of an arm in a pose."""
    return Observation(stamp_ns, state_rad, {})


@pytest.mark.parametrize("seed", range(5))
def test_followed_it_leads_home_within_the_speed_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    state = rng.uniform(ROBOT.lower_rad, ROBOT.upper_rad)
    homing, stamp = Homing(ROBOT), 0
    limit = SPEED_SHARE * ROBOT.velocity_rad_s * ns_to_seconds(DT_NS) + 1e-9
    while not homing.is_over(seen(state, stamp)):
        chunk = homing.infer(seen(state, stamp))
        steps = np.diff(np.vstack([state, chunk.targets_rad]), axis=0)
        assert (np.abs(steps) <= limit).all()
        assert chunk.obs_stamp_ns == stamp
        state, stamp = chunk.targets_rad[3], stamp + 4 * DT_NS
    assert np.abs(state - HOME).max() < 0.08
    assert stamp < 4 * NS_PER_S


def test_an_arm_that_cannot_move_is_given_up() -> None:
    homing, stuck = Homing(ROBOT), HOME + 0.15
    assert not homing.is_over(seen(stuck, 0))
    assert homing.is_over(seen(stuck, 5 * NS_PER_S))


def test_at_home_there_is_no_way_to_go() -> None:
    assert Homing(ROBOT).is_over(seen(HOME))
    assert np.allclose(Homing(ROBOT).infer(seen(HOME)).targets_rad, HOME)


def test_each_other_grasp_begins_elsewhere_beside_home() -> None:
    ends = []
    for grasp in range(1, 5):
        homing = Homing(ROBOT, grasp)
        state = HOME
        for stamp in range(0, 2 * NS_PER_S, DT_NS):
            state = homing.infer(seen(state, stamp)).targets_rad[0]
        ends.append(float(state[0] - HOME[0]))
        assert np.allclose(state[1:], HOME[1:])
    assert np.allclose(ends, [0.25, -0.25, 0.5, -0.5], atol=1e-3)
