"""Writes one episode, so that a killed process loses at most its last second.

The `mcap` library writes the file: it keeps a publish time beside the time of receipt,
metadata records, chunks that can be closed at any moment and a checksum for each.
Chunks are not compressed: pictures are JPEG already, and raw ones would cost a core.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lam_ros.core.errors import DataError, MachineError, unknown_name
from lam_ros.recording.bagfile import BagFile, Waiting
from lam_ros.recording.counting import Span, StreamCount
from lam_ros.recording.definitions import define
from lam_ros.recording.disk import disk_error
from lam_ros.recording.format import (
    META_RECORD,
    OUTCOME_RECORD,
    EpisodeMeta,
    EpisodeResult,
    Outcome,
    meta_record,
    outcome_record,
)
from lam_ros.recording.metadata import Contents, Topic, qos_profiles, write_metadata

_RECORD_OVERHEAD_BYTES = 31


@dataclass(frozen=True)
class _Channel:
    """A topic, and what came on it so far."""

    channel_id: int
    topic: Topic
    stream: StreamCount


class EpisodeWriter:
    """An episode being written: one owner, one thread.

    What is written is in the file within a quarter of a second, also while nothing more
    comes, and the disk keeps it within another half; `write` waits for neither.
    """

    def __init__(self, folder: Path, meta: EpisodeMeta) -> None:
        """Make the episode's folder and write what is known of it.

        Args:
            folder: must not exist; its parents are made.
            meta: written first of all.

        Raises:
            DataError: if the folder exists.
            MachineError: if it cannot be written (permission, full disk).
        """
        self.folder = folder
        self.meta = meta
        self._name = f"{folder.name}_0.mcap"
        self._channels: dict[str, _Channel] = {}
        self._span = Span()
        self._bytes = 0
        self._result: EpisodeResult | None = None
        _make_folder(folder)
        self._file = self._begin()

    def _begin(self) -> BagFile:
        """Make the file; without it no folder stays."""
        file: BagFile | None = None
        try:
            file = BagFile(self.folder / self._name)
            file.begin(META_RECORD, meta_record(self.meta))
            return file
        except MachineError:
            if file is not None:
                file.close()
                (self.folder / self._name).unlink()
            self.folder.rmdir()
            raise

    @property
    def bytes_written(self) -> int:
        """Bytes of the messages so far, also of those that wait in memory."""
        return self._bytes

    @property
    def frames(self) -> dict[str, int]:
        """Messages written so far, by topic; 0 for a topic without any."""
        return {topic: channel.stream.count for topic, channel in self._channels.items()}

    def add_channel(self, topic: str, type_name: str, *, latched: bool = False) -> None:
        """Announce a topic; a second time with the same type does nothing.

        Args:
            topic: absolute and resolved.
            type_name: as `sensor_msgs/msg/Image`.
            latched: whether its publisher is transient local; `ros2 bag play` repeats that.

        Raises:
            DataError: if the type's definition is not found, or the topic has another type.
        """
        known = self._channels.get(topic)
        if known is not None:
            if known.topic.type_name != type_name:
                raise DataError(
                    f"topic '{topic}' is recorded as {known.topic.type_name} and cannot become "
                    f"{type_name}: end the episode, or give one of the two another name"
                )
            return
        definition = define(type_name)
        entry = Topic(topic, type_name, definition.type_hash, qos_profiles(latched=latched))
        self._require_open()
        channel_id = self._file.add_channel(entry, definition)
        self._channels[topic] = _Channel(channel_id, entry, StreamCount())

    def write(self, topic: str, cdr: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        """Add a message.

        Args:
            topic: announced by `add_channel`.
            cdr: the serialised message with its four bytes of encapsulation.
            log_time_ns: when it was received.
            publish_time_ns: its header's stamp; `log_time_ns` for a type without header.
                Zero and decreasing ones are written as they are and counted as faults;
                MCAP has no times below zero, so these become zero.

        Raises:
            DataError: if the topic is unknown or the episode is closed.
            MachineError: if the disk is full or fails; also when an earlier write failed.
        """
        log_time_ns = max(0, log_time_ns)
        self._require_open()
        channel = self._channel(topic)
        sequence = channel.stream.count
        self._file.put(
            Waiting(channel.channel_id, log_time_ns, cdr, max(0, publish_time_ns), sequence)
        )
        channel.stream.note(publish_time_ns)
        self._span.note(log_time_ns)
        self._bytes += len(cdr) + _RECORD_OVERHEAD_BYTES

    def note_dropped(self, topic: str, count: int = 1) -> None:
        """Count messages of a topic that are known to be missing.

        Raises:
            DataError: if the topic is unknown.
        """
        self._channel(topic).stream.dropped += count

    def flush(self) -> None:
        """Return when everything written so far is on the disk.

        Raises:
            MachineError: if the disk is full or fails.
        """
        self._require_open()
        self._file.flush()

    def close(self, outcome: Outcome, reason: str) -> EpisodeResult:
        """Complete the bag; a second time returns the same.

        Raises:
            MachineError: if the disk is full or fails. What was recorded before stays
                readable, and `recover` completes it when there is room.
        """
        if self._result is not None:
            return self._result
        self._file.stop()
        result = self._make_result(outcome, reason)
        try:
            self._complete(result)
        except OSError as error:
            raise disk_error(self.folder, error) from None
        finally:
            self._file.close()
        self._result = result
        return result

    def _complete(self, result: EpisodeResult) -> None:
        """Write the outcome and the index, then metadata.yaml: with it the episode is closed."""
        self._file.finish(OUTCOME_RECORD, outcome_record(result))
        topics = [channel.topic for channel in self._channels.values()]
        contents = Contents(self._name, topics, self.frames, self._span)
        custom = {
            META_RECORD: json.dumps(meta_record(self.meta)),
            OUTCOME_RECORD: json.dumps(outcome_record(result)),
        }
        write_metadata(self.folder, [contents], custom)

    def _make_result(self, outcome: Outcome, reason: str) -> EpisodeResult:
        faults = {topic: channel.stream.faults for topic, channel in self._channels.items()}
        return EpisodeResult(
            outcome=outcome,
            reason=reason,
            duration_ns=self._span.duration_ns,
            frames=self.frames,
            faults={topic: found for topic, found in faults.items() if found},
        )

    def _channel(self, topic: str) -> _Channel:
        try:
            return self._channels[topic]
        except KeyError:
            raise DataError(unknown_name("recorded topic", topic, self._channels)) from None

    def _require_open(self) -> None:
        self._file.check()
        if self._result is not None:
            raise DataError(f"episode '{self.folder}' is closed: nothing can be added")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close as aborted what was not closed, saying what happened."""
        reason = f"{kind.__name__}: {error}" if kind else "the recorder left without an outcome"
        try:
            self.close(Outcome.ABORTED, reason)
        except MachineError:
            if error is None:
                raise


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise DataError(
            f"folder '{folder}' exists: an episode is never written over; take the next number"
        ) from None
    except OSError as error:
        raise disk_error(folder, error) from None
