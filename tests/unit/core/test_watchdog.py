"""Silence is stop."""

from lam_ros.core.watchdog import Watchdog


def test_it_is_armed_from_the_start():
    dog = Watchdog(100)
    assert dog.is_silent(0)
    assert dog.silence_ns(0) is None


def test_a_sign_of_life_lasts_for_the_timeout():
    dog = Watchdog(100)
    dog.feed(1000)
    assert not dog.is_silent(1000)
    assert not dog.is_silent(1100)
    assert dog.is_silent(1101)
    assert dog.silence_ns(1101) == 101


def test_it_recovers_when_fed_again():
    dog = Watchdog(100)
    dog.feed(0)
    assert dog.is_silent(500)
    dog.feed(500)
    assert not dog.is_silent(510)


def test_a_clock_that_goes_back_leaves_it_silent_until_fed():
    dog = Watchdog(100)
    dog.feed(1000)
    assert dog.is_silent(999)
    dog.feed(10)
    assert not dog.is_silent(10)


def test_starved_it_is_silent():
    dog = Watchdog(100)
    dog.feed(0)
    dog.starve()
    assert dog.is_silent(0)
