"""Keeping a stepped world in pace with a clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Pacer:
    """Says how many steps are due, and at what time each belongs.

    A late caller catches up, but never by more than `max_catch_up` steps at once: what
    is beyond that is dropped and counted, so that a world that cannot keep up runs
    slower and does not fall behind without end.  Steps lie on a fixed grid, so their
    stamps do not carry the caller's jitter.

    Attributes:
        period_ns: time between two steps.
        max_catch_up: most steps that `due` asks for at once.
        overruns: steps dropped so far.
        late: calls so far that came more than one period late.
    """

    period_ns: int
    max_catch_up: int = 3
    overruns: int = 0
    late: int = 0
    _next_ns: int | None = None

    def start(self, now_ns: int) -> int:
        """Make the first step due one period from now; returns its stamp."""
        self._next_ns = now_ns + self.period_ns
        return self._next_ns

    def due(self, now_ns: int) -> list[int]:
        """Return the stamps [ns] of the steps to take now, oldest first, none later than now.

        A clock that went back starts the grid anew.
        """
        next_ns = self._next_ns
        if next_ns is None or next_ns - now_ns > 2 * self.period_ns:
            next_ns = self.start(now_ns)
        behind = (now_ns - next_ns) // self.period_ns + 1
        if behind <= 0:
            return []
        self.late += behind > 1
        dropped = max(0, behind - self.max_catch_up)
        self.overruns += dropped
        first = next_ns + dropped * self.period_ns
        self._next_ns = first + (behind - dropped) * self.period_ns
        return list(range(first, self._next_ns, self.period_ns))


@dataclass
class Every:
    """Picks from the steps of a loop those at which something slower is done.

    Works on the grid of stamps, so a rate that is no divisor of the loop's is kept on
    average.
    """

    period_ns: int
    _next_ns: int | None = None

    def is_due(self, stamp_ns: int) -> bool:
        """Tell whether it is time; the answer True takes the turn."""
        if self._next_ns is None or abs(stamp_ns - self._next_ns) > 10 * self.period_ns:
            self._next_ns = stamp_ns
        if stamp_ns < self._next_ns:
            return False
        while self._next_ns <= stamp_ns:
            self._next_ns += self.period_ns
        return True
