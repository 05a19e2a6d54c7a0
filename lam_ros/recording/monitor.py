"""What is seen of a stream while it runs: rate, age, what is missing, and what is wrong.

A monitor looks at the time of receipt, the stamp, the publisher's count and the size of
a picture.  It listens before, during and after an episode; `begin` starts its counts anew.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum

from lam_ros.core.clock import NS_PER_MS, NS_PER_S, period_ns
from lam_ros.recording.streams import Stream

WINDOW_NS = 2 * NS_PER_S
"""Over how long a rate is measured."""

DEAD_AFTER_NS = 2 * NS_PER_S
"""Silence of a stream that an episode needs, after which the episode cannot be used."""

REPEAT_NS = 5 * NS_PER_S
"""Time after which the same fault is told again."""

ONE_MISSING = 0.9
"""Periods that stamps lie behind the rate, from which on a message is missing."""

LEAK = 0.9
"""What is left of that lag at the next message, so that 29.97 Hz passes for 30."""

MOST_LOST = 10_000
"""A publisher's count that jumps further belongs to another publisher."""


class FaultKind(StrEnum):
    """What can be wrong with a stream."""

    ZERO_STAMP = "zero_stamp"
    DECREASING_STAMP = "decreasing_stamp"
    DROPPED = "dropped"
    STALE = "stale"
    DEAD = "dead"
    SIZE = "size"
    TYPE = "type"
    UNREADABLE = "unreadable"

    @property
    def is_fatal(self) -> bool:
        """True if an episode that goes on with it cannot be used."""
        return self in (FaultKind.DEAD, FaultKind.SIZE, FaultKind.UNREADABLE)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a stream, in one line."""

    stream: str
    kind: FaultKind
    detail: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.stream}: {self.detail}"


@dataclass(frozen=True)
class Arrival:
    """What is known of a message when it comes.

    Attributes:
        received_ns: when the middleware got it.
        stamp_ns: of its header; None for a type without one.
        sequence: the publisher's count; None if the middleware does not tell.
        size_px: of its picture; None for others.
    """

    received_ns: int
    stamp_ns: int | None = None
    sequence: int | None = None
    size_px: tuple[int, int] | None = None


@dataclass(frozen=True)
class StreamState:
    """How a stream stands.

    Attributes:
        rate_hz: of the last two seconds; 0 if it is silent.
        silence_ns: since the last message; None if none has come.
        age_ns: of the newest message at its receipt; None if it had no stamp.
        size_px: of the newest picture.
        count: messages since the beginning of the episode.
        dropped: messages known to be missing since then.
        faults: how often each fault was seen since then.
    """

    stream: Stream
    rate_hz: float
    silence_ns: int | None
    age_ns: int | None
    size_px: tuple[int, int] | None
    count: int
    dropped: int
    faults: dict[FaultKind, int]

    @property
    def is_stale(self) -> bool:
        """True if it has been silent for longer than it may."""
        limit_ns = self.stream.stale_after_ns
        return bool(limit_ns) and (self.silence_ns is None or self.silence_ns > limit_ns)


class StreamMonitor:
    """Watches one stream."""

    def __init__(self, stream: Stream) -> None:
        """Begin with nothing heard."""
        self.stream = stream
        self._period_ns = period_ns(stream.rate_hz) if stream.rate_hz else 0
        self._arrivals: deque[int] = deque(maxlen=max(8, int(4 * stream.rate_hz)))
        self._size_px: tuple[int, int] | None = None
        self._age_ns: int | None = None
        self.begin(0)

    def begin(self, now_ns: int) -> None:
        """Start the counts of an episode at a time [ns]."""
        self._began_ns = now_ns
        self._count = self._dropped = 0
        self._faults: Counter[FaultKind] = Counter()
        self._told: dict[FaultKind, int] = {}
        self._stamp_ns: int | None = None
        self._sequence: int | None = None
        self._behind = 0.0

    def note(self, arrival: Arrival) -> tuple[int, list[Fault]]:
        """Take a message; return how many are missing before it, and faults worth telling."""
        self._arrivals.append(arrival.received_ns)
        self._count += 1
        lost, skipped = self._lost(arrival.sequence), self._skipped(arrival.stamp_ns)
        missing = max(lost, skipped)
        self._dropped += missing
        found = self._look(arrival)
        if missing:
            found.insert(0, (FaultKind.DROPPED, _missing_text(lost, skipped)))
        if arrival.stamp_ns is not None:
            self._age_ns = arrival.received_ns - arrival.stamp_ns
            self._stamp_ns = arrival.stamp_ns
        self._sequence = arrival.sequence
        self._size_px = arrival.size_px or self._size_px
        return missing, self._tell(found, arrival.received_ns)

    def report(self, kind: FaultKind, detail: str, now_ns: int) -> list[Fault]:
        """Count a fault that was seen elsewhere; returns it if it is worth telling."""
        return self._tell([(kind, detail)], now_ns)

    def silence(self, now_ns: int) -> list[Fault]:
        """Return what is to be said of the stream's silence during an episode."""
        stream = self.stream
        if not stream.is_required or not stream.stale_after_ns:
            return []
        last_ns = self._arrivals[-1] if self._arrivals else 0
        silent_ns = now_ns - max(last_ns, self._began_ns)
        if silent_ns <= stream.stale_after_ns:
            self._told.pop(FaultKind.STALE, None)
            return []
        text = f"silent for {silent_ns / NS_PER_S:.1f} s: is it plugged in, does its driver run?"
        found = [(FaultKind.STALE, text)]
        if silent_ns > max(DEAD_AFTER_NS, stream.stale_after_ns):
            found.append((FaultKind.DEAD, text))
        return self._tell([item for item in found if item[0] not in self._told], now_ns)

    def state(self, now_ns: int) -> StreamState:
        """Return how the stream stands."""
        return StreamState(
            self.stream,
            self._rate_hz(now_ns),
            now_ns - self._arrivals[-1] if self._arrivals else None,
            self._age_ns,
            self._size_px,
            self._count,
            self._dropped,
            dict(self._faults),
        )

    # -- one message -------------------------------------------------------------------

    def _lost(self, sequence: int | None) -> int:
        if sequence is None or self._sequence is None:
            return 0
        lost = sequence - self._sequence - 1
        return lost if 0 < lost <= MOST_LOST else 0

    def _skipped(self, stamp_ns: int | None) -> int:
        """Return how many periods have passed without a message, by the stamps.

        A message that is only late is made up for by the next, which comes sooner.
        """
        if not self._period_ns or not stamp_ns or not self._stamp_ns:
            return 0
        behind = (stamp_ns - self._stamp_ns) / self._period_ns - 1.0
        self._behind = max(0.0, LEAK * self._behind + behind)
        if self._behind < ONE_MISSING:
            return 0
        skipped = min(round(self._behind), MOST_LOST)
        self._behind = 0.0
        return skipped

    def _look(self, arrival: Arrival) -> list[tuple[FaultKind, str]]:
        found = self._look_at_stamp(arrival.stamp_ns)
        wanted = self.stream.size_px
        if wanted and arrival.size_px and arrival.size_px != wanted:
            came, need = _times(arrival.size_px), _times(wanted)
            text = f"{came} pixels came, {need} are needed: set the camera or the robot's YAML"
            found.append((FaultKind.SIZE, text))
        return found

    def _look_at_stamp(self, stamp_ns: int | None) -> list[tuple[FaultKind, str]]:
        if stamp_ns is None:
            return []
        if stamp_ns <= 0:
            return [(FaultKind.ZERO_STAMP, "a message has no stamp: its driver must set it")]
        if self._stamp_ns and stamp_ns <= self._stamp_ns:
            back_ms = (self._stamp_ns - stamp_ns) / NS_PER_MS
            text = f"a stamp lies {back_ms:.1f} ms before the one before: two publishers, or a clock that was set?"
            return [(FaultKind.DECREASING_STAMP, text)]
        return []

    def _tell(self, found: list[tuple[FaultKind, str]], now_ns: int) -> list[Fault]:
        """Count faults, and return those that were not told of lately."""
        told = []
        for kind, detail in found:
            self._faults[kind] += 1
            last_ns = self._told.get(kind)
            if last_ns is None or now_ns - last_ns >= REPEAT_NS:
                self._told[kind] = now_ns
                told.append(Fault(self.stream.name, kind, detail))
        return told

    def _rate_hz(self, now_ns: int) -> float:
        recent = [time_ns for time_ns in self._arrivals if 0 <= now_ns - time_ns <= WINDOW_NS]
        if len(recent) < 2 or recent[-1] <= recent[0]:
            return 0.0
        return (len(recent) - 1) * NS_PER_S / (recent[-1] - recent[0])


def _missing_text(lost: int, skipped: int) -> str:
    if lost:
        return f"lost on the way: {lost}; is this machine too busy?"
    return f"never sent: {skipped}; is its driver's machine too busy?"


def _times(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]}x{size_px[1]}"
