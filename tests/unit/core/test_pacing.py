"""Pacing: a fixed grid, bounded catching up, and clocks that jump."""

from __future__ import annotations

from lam_ros.core.pacing import Every, Pacer

PERIOD = 20


def test_steps_lie_on_the_grid_whatever_the_caller_jitters() -> None:
    pacer = Pacer(PERIOD)
    pacer.start(0)
    asked_at = (19, 21, 45, 59, 60, 83)
    assert [pacer.due(now) for now in asked_at] == [[], [20], [40], [], [60], [80]]
    assert pacer.overruns == 0


def test_a_late_caller_catches_up_but_not_without_bound() -> None:
    pacer = Pacer(PERIOD, max_catch_up=3)
    pacer.start(0)
    assert pacer.due(60) == [20, 40, 60]
    assert pacer.due(200) == [160, 180, 200]
    assert pacer.overruns == 4
    assert pacer.late == 2
    assert pacer.due(219) == []


def test_a_clock_that_goes_back_starts_the_grid_anew() -> None:
    pacer = Pacer(PERIOD)
    pacer.start(1000)
    assert pacer.due(1020) == [1020]
    assert pacer.due(100) == []
    assert pacer.due(120) == [120]


def test_no_stamp_is_ever_ahead_of_the_clock() -> None:
    pacer = Pacer(PERIOD)
    for now in (0, 7, 33, 90, 91, 140, 20, 41, 500):
        assert all(stamp <= now for stamp in pacer.due(now))


def test_a_slower_rate_is_kept_on_average() -> None:
    every = Every(50)
    taken = [stamp for stamp in range(0, 1000, PERIOD) if every.is_due(stamp)]
    assert len(taken) == 20
    assert taken[:4] == [0, 60, 100, 160]


def test_a_slower_rate_goes_on_after_a_jump_of_the_clock() -> None:
    every = Every(50)
    assert every.is_due(10_000)
    assert every.is_due(0)
    assert not every.is_due(20)
