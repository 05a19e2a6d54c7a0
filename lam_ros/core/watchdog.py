"""Silence is stop: a stream counts as alive only for a while after each sign of life."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Watchdog:
    """Watches one stream; armed from the start, so silent until first fed.

    The time of arrival feeds it, not the stamp that a sender wrote.  A clock that
    goes back leaves the stream silent until it is fed again.
    """

    timeout_ns: int
    _fed_ns: int | None = None

    def feed(self, now_ns: int) -> None:
        """Note a sign of life."""
        self._fed_ns = now_ns

    def starve(self) -> None:
        """Forget all signs of life."""
        self._fed_ns = None

    def is_silent(self, now_ns: int) -> bool:
        """Tell whether the last sign of life is too long ago, or never came."""
        return self._fed_ns is None or not 0 <= now_ns - self._fed_ns <= self.timeout_ns

    def silence_ns(self, now_ns: int) -> int | None:
        """Return the time since the last sign of life, None if there was none."""
        return None if self._fed_ns is None else now_ns - self._fed_ns
