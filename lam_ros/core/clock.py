"""Time: integer nanoseconds from an injected clock.

Nothing in the core asks the system for the time; whoever owns the loop passes a
`Clock` or a `now_ns`.  In the graph it is the ROS clock, in lockstep the
simulation's own, in tests a `ManualClock`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now_ns(self) -> int:
        """Return the time in nanoseconds since the clock's epoch."""
        ...


@dataclass
class ManualClock:
    """A clock that moves only when told to."""

    time_ns: int = 0

    def now_ns(self) -> int:
        """Return the time in nanoseconds."""
        return self.time_ns

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds` [s]; may be negative, as a jumping clock is."""
        self.time_ns += seconds_to_ns(seconds)


def seconds_to_ns(seconds: float) -> int:
    """Convert seconds to integer nanoseconds, rounding to the nearest."""
    return round(seconds * NS_PER_S)


def ns_to_seconds(time_ns: int) -> float:
    """Convert integer nanoseconds to seconds."""
    return time_ns / NS_PER_S


def period_ns(rate_hz: float) -> int:
    """Return the period [ns] of a rate [Hz]."""
    return round(NS_PER_S / rate_hz)
