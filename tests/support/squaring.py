"""What worker processes do in the tests: they import it by its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

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
