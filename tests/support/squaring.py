"""What worker processes do in the tests: they import it by its name."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lam_ros.workers import each

closed: list[bool] = []


@contextmanager
def squaring() -> Iterator[Callable[[int], tuple[int, int]]]:
    """Square numbers; refuse three."""

    def work(number: int) -> tuple[int, int]:
        if number == 3:
            raise ValueError("no three")
        return number * number, os.getpid()

    try:
        yield work
    finally:
        closed.append(True)


@contextmanager
def nothing() -> Iterator[Callable[[int], int]]:
    pytest.fail("made for no job")
    yield lambda number: number


@contextmanager
def waiting() -> Iterator[Callable[[int], None]]:
    """Say which process it is, and wait until that ends."""

    def work(_: int) -> None:
        os.write(2, f"{os.getpid()}\n".encode())  # at once: the other worker writes there, too
        signal.pause()

    yield work


def wait_in_two() -> None:
    """Have two workers wait, for ever."""
    list(each(waiting, [1, 2], 2))
