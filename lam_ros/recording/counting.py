"""Counts the messages of one stream and what is wrong with their stamps."""

from __future__ import annotations

from dataclasses import dataclass

from lam_ros.recording.format import StreamFaults


@dataclass
class StreamCount:
    """What came on one topic so far."""

    count: int = 0
    dropped: int = 0
    _zero_stamps: int = 0
    _decreasing_stamps: int = 0
    _last_publish_ns: int = 0

    def note(self, publish_time_ns: int) -> None:
        """Take note of a message."""
        self.count += 1
        if publish_time_ns <= 0:
            self._zero_stamps += 1
            return
        self._decreasing_stamps += publish_time_ns < self._last_publish_ns
        self._last_publish_ns = publish_time_ns

    @property
    def faults(self) -> StreamFaults:
        """What was wrong so far."""
        return StreamFaults(self._zero_stamps, self._decreasing_stamps, self.dropped)


@dataclass
class Span:
    """From the earliest time to the latest."""

    start_ns: int | None = None
    end_ns: int = 0

    def note(self, time_ns: int) -> None:
        """Reach out to a time."""
        self.start_ns = time_ns if self.start_ns is None else min(self.start_ns, time_ns)
        self.end_ns = max(self.end_ns, time_ns)

    @property
    def duration_ns(self) -> int:
        """Its length; 0 if no time came."""
        return 0 if self.start_ns is None else self.end_ns - self.start_ns
