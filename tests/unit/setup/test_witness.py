"""The bare loop that tells what of a delay the machine itself has made."""

from __future__ import annotations

import os
import signal
import threading
import time

from lam_ros.witness import watch, witness

PERIOD_NS = 5_000_000


def test_it_counts_its_wakings_and_says_so_when_the_block_ends() -> None:
    with witness(PERIOD_NS) as found:
        assert not found.seen
        time.sleep(1.0)
    assert found.seen["beats"] > 20
    assert found.seen["longest_ms"] > 0.0


def test_what_wakes_late_is_missed_once_and_not_made_up_for() -> None:
    ended: list[int] = []

    def stall(_number: int, _frame: object) -> None:
        time.sleep(0.15)  # in the loop's own thread: it cannot wake meanwhile

    before = signal.signal(signal.SIGUSR1, stall)
    timers = (
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)),
        threading.Timer(0.4, ended.append, (1,)),
    )
    try:
        for timer in timers:
            timer.start()
        seen = watch(PERIOD_NS, ended)
    finally:
        signal.signal(signal.SIGUSR1, before)
        for timer in timers:
            timer.join()
    assert seen["missed"] >= 1
    assert seen["longest_ms"] >= 150.0
    assert seen["beats"] <= 0.4 * 1e9 / PERIOD_NS, "what was lost was made up for"
