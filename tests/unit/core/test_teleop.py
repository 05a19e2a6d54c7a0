"""A person's commands become a continuous path, and silence is stop."""

import numpy as np
import pytest

from lam_ros.core.chunking import Accepted
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.teleop import TeleopConfig, TeleopStream
from lam_ros.core.types import Expired, ExpiredReason, Source, Target

MS = 1_000_000
T0 = 5_000 * MS


def command(home, stamp, offset=0.0):
    return Target(home + offset, stamp, Source.TELEOP)


@pytest.fixture
def stream(robot):
    return TeleopStream(robot, TeleopConfig(ramp_s=0.04, handover_s=0.5))


def test_it_is_silent_from_the_start(stream):
    answer = stream.target(T0)
    assert isinstance(answer, Expired)
    assert answer.reason is ExpiredReason.TELEOP_SILENT


def test_a_position_is_reached_within_the_ramp(stream, home):
    stream.accept(command(home, T0), T0, home)
    stream.accept(command(home, T0 + 40 * MS, 0.1), T0 + 40 * MS, home)
    assert stream.target(T0 + 60 * MS).position_rad[0] == pytest.approx(home[0] + 0.05)
    assert stream.target(T0 + 80 * MS).position_rad[0] == pytest.approx(home[0] + 0.1)
    assert stream.target(T0 + 99 * MS).position_rad[0] == pytest.approx(home[0] + 0.1)


def test_taking_over_far_from_the_command_in_force_makes_no_step(stream, home):
    far, positions = 1.0, []
    for i in range(40):
        now = T0 + i * 40 * MS
        assert isinstance(stream.accept(command(home, now, far), now, home), Accepted)
        positions += [stream.target(now + part * MS).position_rad[0] for part in (0, 10, 20, 30)]
    steps = np.abs(np.diff(positions))
    assert positions[0] == home[0]
    assert steps.max() <= far * 10 / 500 * 1.01
    assert positions[-1] == pytest.approx(home[0] + far)


def test_silence_ends_it_and_the_next_command_takes_over_anew(stream, home):
    stream.accept(command(home, T0, 0.3), T0, home + 0.3)
    assert isinstance(stream.target(T0 + 250 * MS), Target)
    answer = stream.target(T0 + 251 * MS)
    assert answer.reason is ExpiredReason.TELEOP_SILENT
    now = T0 + 1000 * MS
    stream.accept(command(home, now, 0.6), now, home + 0.3)
    assert stream.target(now).position_rad[0] == pytest.approx(home[0] + 0.3)


@pytest.mark.parametrize(
    ("stamp", "rule"),
    [
        (T0 - 251 * MS, RejectRule.STALE),
        (0, RejectRule.STALE),
        (T0 + 51 * MS, RejectRule.FUTURE),
    ],
)
def test_a_command_of_another_time_is_refused(stream, home, stamp, rule):
    assert stream.accept(command(home, stamp), T0, home).rule is rule


def test_a_command_that_is_not_newer_is_refused(stream, home):
    stream.accept(command(home, T0), T0, home)
    assert stream.accept(command(home, T0), T0 + MS, home).rule is RejectRule.OUT_OF_ORDER
    assert stream.accept(command(home, T0 - MS), T0 + MS, home).rule is RejectRule.OUT_OF_ORDER


def test_a_hostile_position_is_refused(stream, home, hostile_array):
    answer = stream.accept(Target(hostile_array, T0, Source.TELEOP), T0, home)
    assert isinstance(answer, Rejected)
    assert answer.rule in (RejectRule.LENGTH, RejectRule.NOT_FINITE, RejectRule.IMPLAUSIBLE)
    assert isinstance(stream.target(T0), Expired)
