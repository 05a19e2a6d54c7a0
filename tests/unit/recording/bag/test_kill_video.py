"""`kill -9` of a recording with video: what is there can be seen, up to its last second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.types import ImageArray
from lam_ros.recording.cdr import compressed_video
from lam_ros.recording.format import VIDEO, VIDEO_FORMAT, EpisodeMeta, Outcome
from lam_ros.recording.h264 import Chain
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover
from lam_ros.recording.video import VideoDecoder, VideoEncoder
from lam_ros.recording.writer import EpisodeWriter

TOPIC = "/camera/front/image_raw/video"
WIDTH_PX, HEIGHT_PX, RATE_HZ = 96, 48, 50.0
BITS = 12


SECOND_NS = 1_000_000_000
PATIENCE_S = 60.0
LENGTHS = (70, 111, 163)
"""Pictures after which a writer is killed: behind a key picture, and far from one."""


def numbered(number: int) -> ImageArray:
    """Return a picture with its number in stripes, shape (H, W, 3)."""
    levels = [225 if number >> bit & 1 else 30 for bit in range(BITS)]
    row = np.repeat(np.array(levels, np.uint8), WIDTH_PX // BITS)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (HEIGHT_PX, WIDTH_PX, 3)))


def number_in(image: ImageArray) -> int:
    """Return the number in a picture."""
    middles = image.mean(axis=(0, 2)).reshape(BITS, -1).mean(axis=1)
    return sum(1 << bit for bit, level in enumerate(middles) if level > 127)


def film(folder: str, log_path: str) -> None:
    """Write numbered pictures, and a line for each that `write` has returned for, until killed."""
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    encoder = VideoEncoder(WIDTH_PX, HEIGHT_PX, RATE_HZ)
    meta = EpisodeMeta.begin("", load_robot("so101"), started_ns=time.time_ns())
    with EpisodeWriter(Path(folder), meta) as writer:
        writer.add_channel(TOPIC, VIDEO)
        begin_ns = time.time_ns()
        for number in range(1 << BITS):
            stamp_ns = begin_ns + round(number * 1e9 / RATE_HZ)
            packet = encoder.encode(numbered(number))
            writer.write(
                TOPIC, compressed_video(stamp_ns, "c", packet, VIDEO_FORMAT), stamp_ns, stamp_ns
            )
            os.write(log, f"{number} {time.monotonic_ns()}\n".encode())
            time.sleep(max(0.0, (stamp_ns - time.time_ns()) / 1e9))


def film_and_kill(folder: Path, log: Path, length: int) -> set[int]:
    """Return which pictures were written more than a second before the kill."""
    script = Path(__file__)
    writer = subprocess.Popen([sys.executable, script, folder, log])
    end = time.monotonic() + PATIENCE_S
    while not log.exists() or log.read_text().count("\n") < length:
        assert writer.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    killed_ns = time.monotonic_ns()
    writer.kill()
    writer.wait()
    told = [line.split() for line in log.read_text().splitlines()]
    return {int(number) for number, at_ns in told if int(at_ns) < killed_ns - SECOND_NS}


def seen(folder: Path) -> list[int]:
    """Return the numbers that the pictures of an episode show; each of them must be usable."""
    chain, decoder, numbers = Chain(), VideoDecoder(), []
    for one in EpisodeReader(folder).messages([TOPIC]):
        data = bytes(one.message.data)
        assert chain.note(data) == (HEIGHT_PX, WIDTH_PX)
        numbers.append(number_in(decoder.decode(data)))
    return numbers


@pytest.mark.parametrize("length", LENGTHS)
def test_every_picture_but_those_of_the_last_second_can_be_seen(length, tmp_path):
    folder = tmp_path / "episode_000000"
    due = film_and_kill(folder, tmp_path / "log", length)
    assert due
    before = seen(folder)
    assert recover(folder) is not None
    numbers = seen(folder)
    assert numbers == list(range(len(numbers)))
    assert due <= set(before)
    assert due <= set(numbers)
    episode = EpisodeReader(folder)
    assert episode.result is not None
    assert episode.result.outcome is Outcome.ABORTED
    assert episode.topics[TOPIC].type_name == VIDEO


if __name__ == "__main__":
    film(*sys.argv[1:])
