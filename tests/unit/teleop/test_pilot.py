"""Hand-overs begin at the measured arm, and what is not sound is not sent."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.types import JointState, Source, Target
from lam_ros.teleop.pilot import Idle, IdleReason, Pilot
from lam_ros.teleop.port import CartesianTwist, JointTarget, Reading

MS = 1_000_000
T0 = 10_000 * MS
PERIOD = 20 * MS


@pytest.fixture
def pilot(robot, kinematics):
    return Pilot(robot, kinematics)


@pytest.fixture
def home(robot):
    return np.array(robot.poses.home_rad)


def engaged(command=None):
    return Reading(command, engaged=True)


def at(position, now=T0):
    return JointState(now, position)


def test_nothing_is_sent_while_nobody_has_hold(pilot, home):
    answer = pilot.step(Reading(CartesianTwist((0.1, 0.0, 0.0))), at(home), None, T0)
    assert isinstance(answer, Idle)
    assert answer.reason is IdleReason.RELEASED
    assert not pilot.is_driving


def test_taking_hold_asks_for_where_the_arm_is(pilot, home):
    for position in (home, home + 0.2):
        target = pilot.step(engaged(CartesianTwist((0.1, 0.0, 0.0))), at(position), None, T0)
        assert isinstance(target, Target)
        assert target.source is Source.TELEOP
        np.testing.assert_allclose(target.position_rad, position)
        pilot.step(Reading(), at(position), None, T0)


def test_it_never_goes_on_from_where_it_was_let_go(pilot, home):
    now = T0
    for _ in range(20):
        now += PERIOD
        pilot.step(engaged(CartesianTwist((0.0, 0.1, 0.0))), at(home, now), None, now)
    pilot.step(Reading(), at(home, now), None, now)
    elsewhere = home + 0.2
    target = pilot.step(engaged(), at(elsewhere, now), None, now)
    np.testing.assert_allclose(target.position_rad, elsewhere)


def test_the_gripper_goes_on_from_its_command_so_that_nothing_falls(pilot, robot, home):
    grip = robot.gripper_index
    measured, in_force = home.copy(), home.copy()
    measured[grip], in_force[grip] = 0.20, 0.05  # the fingers stand on a cube
    in_force[0] += 0.1
    target = pilot.step(engaged(), at(measured), in_force, T0)
    assert target.position_rad[grip] == 0.05
    np.testing.assert_allclose(target.position_rad[:grip], measured[:grip])


def test_a_gripper_command_that_holds_nothing_is_not_taken_over(pilot, robot, home):
    grip = robot.gripper_index
    in_force = home.copy()
    in_force[grip] = home[grip] + 1.0
    assert pilot.step(engaged(), at(home), in_force, T0).position_rad[grip] == home[grip]


@pytest.mark.parametrize("age_ms", [101, 5000, -51])
def test_stale_joints_silence_it_and_fresh_ones_begin_anew(pilot, home, age_ms):
    pilot.step(engaged(), at(home), None, T0)
    answer = pilot.step(engaged(), at(home, T0 - age_ms * MS), None, T0)
    assert answer.reason is IdleReason.JOINTS_STALE
    target = pilot.step(engaged(), at(home - 0.1, T0), None, T0)
    np.testing.assert_allclose(target.position_rad, home - 0.1)


def test_without_joints_nothing_is_sent(pilot):
    assert pilot.step(engaged(), None, None, T0).reason is IdleReason.NO_JOINTS


def test_a_leader_elsewhere_is_approached_slowly_then_followed(pilot, robot, home):
    leader, positions, now = home.copy(), [], T0
    leader[1] += 0.5
    for _ in range(75):
        target = pilot.step(engaged(JointTarget(leader)), at(home, now), None, now)
        positions.append(target.position_rad[1])
        now += PERIOD
    steps = np.diff(positions)
    assert positions[0] == home[1]
    assert steps.max() <= 0.03  # the last bit; before it, 0.5 rad/s
    assert np.median(steps[steps > 0]) == pytest.approx(0.5 * 0.020)
    assert positions[-1] == pytest.approx(leader[1])
    leader[1] += 0.3
    target = pilot.step(engaged(JointTarget(leader)), at(home, now), None, now)
    step = target.position_rad[1] - positions[-1]
    assert 0.5 * 0.020 < step <= robot.velocity_rad_s[1] * 0.020


def test_a_device_cannot_ask_for_more_than_the_limits(pilot, robot, home):
    now = T0
    for wanted in (robot.upper_rad + 5, robot.lower_rad - 5):
        for _ in range(400):
            now += PERIOD
            target = pilot.step(engaged(JointTarget(wanted)), at(home, now), None, now)
            assert (target.position_rad <= robot.upper_rad).all()
            assert (target.position_rad >= robot.lower_rad).all()


@pytest.mark.parametrize("position", [np.zeros(5), np.zeros(7), np.full(6, 1e6)])
def test_what_is_no_position_of_the_robot_is_not_sent(pilot, home, position):
    answer = pilot.step(engaged(JointTarget(position)), at(home), None, T0)
    assert answer.reason is IdleReason.MALFORMED


def test_numbers_that_are_none_cannot_even_be_said():
    with pytest.raises(ValueError, match="not finite"):
        JointTarget(np.full(6, np.nan))
    with pytest.raises(ValueError, match="not finite"):
        CartesianTwist((0.0, float("inf"), 0.0))


def test_a_late_step_moves_no_further_than_two_periods_allow(pilot, robot, home):
    pilot.step(engaged(CartesianTwist((0.0, 5.0, 0.0))), at(home), None, T0)
    late = T0 + 3_000 * MS
    target = pilot.step(engaged(CartesianTwist((0.0, 5.0, 0.0))), at(home, late), None, late)
    assert (np.abs(target.position_rad - home) <= robot.velocity_rad_s * 0.04 + 1e-9).all()


def test_from_a_leader_to_jogging_there_is_no_step(pilot, home):
    now, target = T0, None
    for _ in range(10):
        now += PERIOD
        target = pilot.step(engaged(JointTarget(home + 0.1)), at(home, now), None, now)
    after = pilot.step(engaged(), at(home, now + PERIOD), None, now + PERIOD)
    np.testing.assert_allclose(after.position_rad, target.position_rad)
