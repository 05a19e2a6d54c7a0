"""Writes one episode, so that a killed process loses at most its last second."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from lam_ros.recording.format import EpisodeMeta, EpisodeResult, Outcome


class EpisodeWriter:
    """An episode being written: one owner, one thread.

    A thread of its own closes the chunk and has the disk keep it at least twice a
    second, also while no message comes; the owner never waits for the disk.
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
        raise NotImplementedError

    @property
    def bytes_written(self) -> int:
        """Size of the file so far, with what waits in memory [bytes]."""
        raise NotImplementedError

    @property
    def frames(self) -> dict[str, int]:
        """Messages written so far, by topic; 0 for a topic without any."""
        raise NotImplementedError

    def add_channel(self, topic: str, type_name: str, *, latched: bool = False) -> None:
        """Announce a topic; a second time with the same type does nothing.

        Args:
            topic: absolute and resolved.
            type_name: as `sensor_msgs/msg/Image`.
            latched: whether its publisher is transient local; `ros2 bag play` repeats that.

        Raises:
            DataError: if the type's definition is not found, or the topic has another type.
        """
        raise NotImplementedError

    def write(self, topic: str, cdr: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        """Add a message.

        Args:
            topic: announced by `add_channel`.
            cdr: the serialised message with its four bytes of encapsulation.
            log_time_ns: when it was received.
            publish_time_ns: its header's stamp; `log_time_ns` for a type without header.
                Zero and decreasing ones are written as they are and counted as faults.

        Raises:
            DataError: if the topic is unknown or the episode is closed.
            MachineError: if the disk is full or fails; also when an earlier write failed.
        """
        raise NotImplementedError

    def note_dropped(self, topic: str, count: int = 1) -> None:
        """Count messages of a topic that are known to be missing."""
        raise NotImplementedError

    def flush(self) -> None:
        """Return when everything written so far is on the disk.

        Raises:
            MachineError: if the disk is full or fails.
        """
        raise NotImplementedError

    def close(self, outcome: Outcome, reason: str) -> EpisodeResult:
        """Complete the bag; a second time returns the same.

        Raises:
            MachineError: if the disk is full or fails. What was recorded before stays
                readable, and `recover` completes it when there is room.
        """
        raise NotImplementedError

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
        raise NotImplementedError
