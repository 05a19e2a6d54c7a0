"""A motor that is not well is named; short peaks and small swings are borne."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.core.vitals import VitalLimits, Vitals, VitalWatch

MS = 1_000_000
WELL = ("", "")


@pytest.fixture
def watch() -> VitalWatch:
    return VitalWatch(("lift", "grip"), VitalLimits())


def vitals(temperature=(30, 30), current=(0.1, 0.1), alarms=WELL) -> Vitals:
    return Vitals(np.array(temperature, float), np.array(current, float), alarms)


def test_within_limits_nothing_is_said(watch):
    assert watch.judge(vitals((64.9, 30), (2.0, 0)), 0) == WELL


def test_a_hot_motor_stays_hot_until_it_has_cooled(watch):
    for temperature, is_hot in ((65, True), (61, True), (60, False), (64, False)):
        said = watch.judge(vitals((30, temperature)), 0)
        assert bool(said[1]) is is_hot
        assert not said[0]


def test_a_peak_of_current_is_borne_and_a_long_one_is_not(watch):
    assert watch.judge(vitals(current=(2.5, 0)), 0) == WELL
    assert watch.judge(vitals(current=(2.5, 0)), 499 * MS) == WELL
    assert watch.judge(vitals(current=(2.5, 0)), 500 * MS)[0] == "lift draws 2.5 A, 2 is allowed"


def test_a_pause_begins_the_patience_anew(watch):
    watch.judge(vitals(current=(2.5, 0)), 0)
    watch.judge(vitals(current=(1.0, 0)), 400 * MS)
    assert watch.judge(vitals(current=(2.5, 0)), 600 * MS) == WELL


def test_an_alarm_counts_at_once(watch):
    assert watch.judge(vitals(alarms=("", "overload")), 0) == ("", "grip reports overload")


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_limits_that_are_none_are_refused(value):
    with pytest.raises(ConfigError):
        VitalLimits(current_a=value)
