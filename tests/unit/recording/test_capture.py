"""The queue before the disk: order, bounds, and a disk that fails."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from lam_ros.config import load_robot
from lam_ros.core.errors import MachineError
from lam_ros.recording.capture import Capture
from lam_ros.recording.cdr import compressed_image
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.writer import EpisodeWriter

TOPIC = "/camera/front/image_raw/compressed"


def writer(folder: Path, kind: type[EpisodeWriter] = EpisodeWriter) -> EpisodeWriter:
    """Return a writer with one topic."""
    made = kind(folder, EpisodeMeta.begin("do it", load_robot("so101"), started_ns=1))
    made.add_channel(TOPIC, "sensor_msgs/msg/CompressedImage")
    return made


def message(index: int) -> bytes:
    """Return a serialised message."""
    return compressed_image(index, "front", bytes([index % 256]) * 100)


class FullDisk(EpisodeWriter):
    """A disk that is full after three messages."""

    written = 0

    def write(self, topic: str, cdr: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        """Write as long as there is room."""
        if self.written >= 3:
            raise MachineError("the disk is full: make room")
        self.written += 1
        super().write(topic, cdr, log_time_ns, publish_time_ns)


class SlowDisk(EpisodeWriter):
    """A disk that waits until it is let go."""

    gate: threading.Event

    def write(self, topic: str, cdr: bytes, log_time_ns: int, publish_time_ns: int) -> None:
        """Wait, then write."""
        assert self.gate.wait(20)
        super().write(topic, cdr, log_time_ns, publish_time_ns)


def test_messages_are_written_in_order_also_those_that_are_still_being_encoded(
    tmp_path: Path,
) -> None:
    capture = Capture(writer(tmp_path / "e"), now_ns=lambda: 50, aged=(TOPIC,))
    futures: list[Future[bytes | str]] = [Future() for _ in range(4)]
    for index, future in enumerate(futures):
        capture.put(TOPIC, 10 + index, 1 + index, future, size=10)
    for index in (3, 1, 2, 0):
        futures[index].set_result(message(1 + index))
    result = capture.close(Outcome.KEPT, "")
    assert result.frames[TOPIC] == 4
    stamps = [recorded.publish_time_ns for recorded in EpisodeReader(tmp_path / "e").messages()]
    assert stamps == [1, 2, 3, 4]
    assert list(capture.ages_ns[TOPIC]) == [49, 48, 47, 46]


def test_what_cannot_be_encoded_is_left_out_and_told(tmp_path: Path) -> None:
    capture = Capture(writer(tmp_path / "e"), now_ns=lambda: 0)
    future: Future[bytes | str] = Future()
    future.set_result("no picture")
    capture.put(TOPIC, 10, 1, future, size=10)
    capture.put(TOPIC, 11, 2, message(2), size=10)
    assert capture.close(Outcome.KEPT, "").frames[TOPIC] == 1
    assert capture.troubles() == [(TOPIC, "no picture")]


def test_what_does_not_fit_is_dropped_and_counted_and_memory_stays_bounded(
    tmp_path: Path,
) -> None:
    slow = writer(tmp_path / "e", SlowDisk)
    assert isinstance(slow, SlowDisk)
    slow.gate = threading.Event()
    capture = Capture(slow, now_ns=lambda: 0, most_bytes=1000)
    fits = [capture.put(TOPIC, 10 + i, 1 + i, message(i), size=300) for i in range(10)]
    assert fits == [True] * 3 + [False] * 7
    assert capture.bytes_waiting <= 1000
    slow.gate.set()
    result = capture.close(Outcome.KEPT, "")
    assert result.frames[TOPIC] == 3
    assert result.faults[TOPIC].dropped == 7


def test_a_full_disk_ends_the_episode_as_aborted_with_all_that_came_before(
    tmp_path: Path,
) -> None:
    capture = Capture(writer(tmp_path / "e", FullDisk), now_ns=lambda: 0)
    for index in range(6):
        capture.put(TOPIC, 10 + index, 1 + index, message(index), size=100)
    end = time.monotonic() + 20
    while not capture.failure and time.monotonic() < end:
        time.sleep(0.01)
    assert capture.failure == "the disk is full: make room"
    result = capture.close(Outcome.SUCCESS, "done")
    assert (result.outcome, result.reason) == (Outcome.ABORTED, "the disk is full: make room")
    episode = EpisodeReader(tmp_path / "e")
    assert episode.topics[TOPIC].count == 3


def test_messages_known_to_be_missing_are_written_down(tmp_path: Path) -> None:
    capture = Capture(writer(tmp_path / "e"), now_ns=lambda: 0)
    capture.put(TOPIC, 10, 1, message(1), size=100, dropped=4)
    assert capture.close(Outcome.KEPT, "").faults[TOPIC].dropped == 4


def test_a_folder_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError):
        writer(tmp_path / "file" / "e")
