"""From messages as they come to an episode on disk: a queue, and one thread that owns the writer.

Whoever listens never waits for the disk.  The queue is bounded in bytes: what does not
fit is dropped, counted and said.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from lam_ros.core.errors import LamError
from lam_ros.recording.format import EpisodeResult, Outcome
from lam_ros.recording.writer import EpisodeWriter

MOST_BYTES = 256_000_000
"""Of messages that wait; about five seconds of three raw VGA cameras."""

_KEPT_AGES = 20_000

type Payload = bytes | Future[bytes | str]


@dataclass(frozen=True)
class _Item:
    topic: str
    received_ns: int
    stamp_ns: int
    payload: Payload
    size: int
    dropped: int


class Capture:
    """One episode being recorded.

    `put` is for one thread; `close` ends it.  Times are those of `now_ns`.

    Attributes:
        ages_ns: topic -> age of its newest messages when they were handed to the writer,
            only of the topics in `aged`.
    """

    def __init__(
        self,
        writer: EpisodeWriter,
        now_ns: Callable[[], int],
        aged: tuple[str, ...] = (),
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Begin to write; all channels of the writer are there already."""
        self.ages_ns: dict[str, deque[int]] = {topic: deque(maxlen=_KEPT_AGES) for topic in aged}
        self._writer = writer
        self._now_ns = now_ns
        self._most_bytes = most_bytes
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        # Each is written by one thread only, so that neither needs a lock.
        self._bytes_in = self._bytes_out = 0
        self._troubles: deque[tuple[str, str]] = deque(maxlen=100)
        self._failure = ""
        self._thread = threading.Thread(target=self._write_all, name="episode writer")
        self._thread.start()

    @property
    def failure(self) -> str:
        """Why nothing can be written any more, or an empty string."""
        return self._failure

    @property
    def bytes_written(self) -> int:
        """Size of the episode so far."""
        return self._writer.bytes_written

    @property
    def bytes_waiting(self) -> int:
        """Bytes of messages that wait to be written."""
        return self._bytes_in - self._bytes_out

    def put(
        self,
        topic: str,
        received_ns: int,
        stamp_ns: int,
        payload: Payload,
        *,
        size: int,
        dropped: int = 0,
    ) -> bool:
        """Have a message written; False if there is no room for it and it was dropped.

        Args:
            payload: its bytes, or what will become them; a text says why they cannot be had.
            size: bytes that it holds while it waits.
            dropped: messages known to be missing before it.
        """
        fits = self.bytes_waiting + size <= self._most_bytes
        if not fits:
            payload, size, dropped = b"", 0, dropped + 1
        self._bytes_in += size
        self._queue.put(_Item(topic, received_ns, stamp_ns, payload, size, dropped))
        return fits

    def troubles(self) -> list[tuple[str, str]]:
        """Return what could not be written since the last call: topic and why."""
        found = []
        while self._troubles:
            found.append(self._troubles.popleft())
        return found

    def close(self, outcome: Outcome, reason: str) -> EpisodeResult:
        """Write what waits and complete the episode; an episode that failed ends as aborted."""
        self._queue.put(None)
        self._thread.join()
        if self._failure:
            outcome, reason = Outcome.ABORTED, self._failure
        try:
            return self._writer.close(outcome, reason)
        except LamError as error:
            reason = self._failure or str(error)
            return EpisodeResult(Outcome.ABORTED, reason, 0, self._writer.frames)

    # -- in the writer's thread --------------------------------------------------------

    def _write_all(self) -> None:
        while (item := self._queue.get()) is not None:
            if not self._failure:
                self._write(item)
            self._bytes_out += item.size

    def _write(self, item: _Item) -> None:
        payload = item.payload if isinstance(item.payload, bytes) else item.payload.result()
        try:
            if item.dropped:
                self._writer.note_dropped(item.topic, item.dropped)
            if isinstance(payload, str):
                self._troubles.append((item.topic, payload))
            elif payload:
                self._writer.write(item.topic, payload, item.received_ns, item.stamp_ns)
                self._note_age(item)
        except LamError as error:
            self._failure = str(error)

    def _note_age(self, item: _Item) -> None:
        ages = self.ages_ns.get(item.topic)
        if ages is not None and item.stamp_ns > 0:
            ages.append(self._now_ns() - item.stamp_ns)
