"""The way home: straight, slow enough, and over when the arm is there or will not come."""

from __future__ import annotations

import numpy as np

from lam_ros.config import load_robot
from lam_ros.record.homing import SPEED_SHARE, WayHome

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
S = 10**9


def test_the_arm_goes_home_within_its_speed_and_stays_there() -> None:
    start = HOME + np.array([0.8, -0.2, 0.3, 0.0, 0.5, 0.1])
    way = WayHome(ROBOT, start, 0)
    times = np.arange(0, 3 * S, S // 50)
    path = np.array([way.target(int(time)) for time in times])
    np.testing.assert_allclose(path[0], start)
    np.testing.assert_allclose(path[-1], HOME)
    speed = np.abs(np.diff(path, axis=0)) * 50
    assert (speed <= SPEED_SHARE * ROBOT.velocity_rad_s + 1e-9).all()
    assert np.allclose(way.target(-S), start)


def test_it_is_over_on_arrival_or_when_the_arm_is_held_up() -> None:
    start = HOME + 0.5
    way = WayHome(ROBOT, start, 0)
    assert not way.is_over(HOME, S // 10)
    assert way.is_over(HOME + 0.02, 2 * S)
    assert not way.is_over(start, 2 * S)
    assert way.is_over(start, 10 * S)
    assert WayHome(ROBOT, HOME, 0).is_over(HOME, 0)
