"""An MCAP file that is written behind the back of who fills it.

`put` only queues.  One thread moves what waits into the file's present chunk and closes
the chunk several times a second, also while nothing comes; another has the disk keep it.
So a camera's callback never waits for the disk, and a killed process loses at most what
came since the last chunk was closed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mcap.writer import CompressionType, Writer

from lam_ros.core.errors import MachineError
from lam_ros.recording.definitions import Definition
from lam_ros.recording.disk import RecordFile, Ticker
from lam_ros.recording.format import PROFILE
from lam_ros.recording.metadata import CHECK_KEY, Topic

CHUNK_BYTES = 4 << 20
WAITING_BYTES = 64 << 20
"""Above this `put` waits for the disk, which is slower than the cameras."""

TAKE_PERIOD_S = 0.05
FLUSH_PERIOD_S = 0.25
SYNC_PERIOD_S = 0.5


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message on its way into the file."""

    channel_id: int
    log_time_ns: int
    cdr: bytes
    publish_time_ns: int
    sequence: int


class BagFile:
    """One MCAP file in profile `ros2`, without compression; one thread fills it."""

    def __init__(self, path: Path) -> None:
        """Make the file.

        Raises:
            MachineError: if it exists or cannot be made.
        """
        self._file = RecordFile(path)
        self._mcap = Writer(self._file, CHUNK_BYTES, CompressionType.NONE)  # type: ignore[arg-type]
        self._lock = threading.Lock()
        self._queue: deque[Waiting] = deque()
        self._put_bytes = self._taken_bytes = 0
        self._schemas: dict[str, int] = {}
        self._failed: MachineError | None = None
        self._flushed_s = time.monotonic()
        self._is_named = False
        self._tickers: tuple[Ticker, ...] = ()

    def begin(self, name: str, record: Mapping[str, str]) -> None:
        """Write a first record and start the threads.

        Raises:
            MachineError: if the disk is full or fails.
        """
        self._mcap.start(profile=PROFILE)
        self._mcap.add_metadata(name, dict(record))
        self._tickers = (
            Ticker(TAKE_PERIOD_S, self._work, "episode-write"),
            Ticker(SYNC_PERIOD_S, self._sync, "episode-sync"),
        )

    def add_channel(self, topic: Topic, definition: Definition) -> int:
        """Announce a topic and return its number."""
        with self._lock:
            self.check()
            schema_id = self._schemas.get(topic.type_name)
            if schema_id is None:
                schema_id = self._mcap.register_schema(
                    topic.type_name, "ros2msg", definition.text.encode()
                )
                self._schemas[topic.type_name] = schema_id
            metadata = {
                "offered_qos_profiles": topic.offered_qos,
                "topic_type_hash": topic.type_hash,
                CHECK_KEY: topic.check,
            }
            return self._mcap.register_channel(topic.name, "cdr", schema_id, metadata)

    def put(self, message: Waiting) -> None:
        """Queue a message.

        Raises:
            MachineError: if an earlier one could not be written.
        """
        self.check()
        self._queue.append(message)
        self._put_bytes += len(message.cdr)
        while self._put_bytes - self._taken_bytes > WAITING_BYTES:
            self._take(flush=False)

    def check(self) -> None:
        """Raise what went wrong in a thread.

        Raises:
            MachineError: if something could not be written: nothing can be any more.
        """
        if self._failed is not None:
            raise self._failed

    def flush(self) -> None:
        """Return when the disk has everything.

        Raises:
            MachineError: if it is full or fails.
        """
        self._take(flush=True)
        self._keep()

    def stop(self) -> None:
        """End the threads; what waits is in the file after `finish`."""
        for ticker in self._tickers:
            ticker.stop()

    def finish(self, name: str, record: Mapping[str, str]) -> None:
        """Write what waits, a last record and the index.

        Raises:
            MachineError: if the disk is full or fails.
        """
        self._take(flush=True)
        self._mcap.add_metadata(name, dict(record))
        self._mcap.finish()
        self._keep()

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _work(self) -> None:
        is_due = time.monotonic() - self._flushed_s >= FLUSH_PERIOD_S
        with suppress(MachineError):
            self._take(flush=is_due)

    def _take(self, *, flush: bool) -> None:
        with self._lock, self._remembering_failure():
            self.check()
            while self._queue:
                one = self._queue.popleft()
                self._mcap.add_message(
                    one.channel_id, one.log_time_ns, one.cdr, one.publish_time_ns, one.sequence
                )
                self._taken_bytes += len(one.cdr)
            if flush:
                self._mcap.flush()
                self._flushed_s = time.monotonic()

    def _sync(self) -> None:
        with suppress(MachineError), self._remembering_failure():
            self._keep()

    def _keep(self) -> None:
        """Have the disk keep what is in the file, and once its name and that of its folder."""
        self._file.sync()
        if not self._is_named:
            self._file.sync_names()
            self._is_named = True

    @contextmanager
    def _remembering_failure(self) -> Iterator[None]:
        """Note an error of the disk: the library's state is no longer that of the file."""
        try:
            yield
        except MachineError as error:
            self._failed = error
            raise
