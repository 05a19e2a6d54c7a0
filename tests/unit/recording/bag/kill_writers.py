"""Writes episodes at the rates of a real arm in processes that are killed at given moments.

    python kill_writers.py ROOT SECONDS [SECONDS ...]

Process N writes short episodes into ROOT/N, one after the other, and notes in
ROOT/N.jsonl what `write` and `close` have returned for, with the monotonic clock.
The last line of the file is of whoever killed it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lam_ros.config import load_robot
from lam_ros.recording.definitions import define
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.session import next_episode_folder
from lam_ros.recording.writer import EpisodeWriter

EPISODES_NS = (300_000_000, 2_500_000_000)  # in turn: one is closed, one is open for long
TICK_NS = 10_000_000
PICTURE_BYTES = 40_000
AT_ONCE = 7
ROBOT = load_robot("so101")


def write_episodes(session: Path, note: Any) -> None:
    """Write until killed."""
    picture = np.random.default_rng(os.getpid()).bytes(PICTURE_BYTES)
    for length_ns in itertools.cycle(EPISODES_NS):
        folder = next_episode_folder(session)
        meta = EpisodeMeta.begin("", ROBOT, started_ns=time.time_ns())
        with EpisodeWriter(folder, meta) as writer:
            for camera in ("/front", "/wrist"):
                writer.add_channel(camera, "sensor_msgs/msg/CompressedImage")
            writer.add_channel("/joint_states", "sensor_msgs/msg/JointState")
            write_one(writer, length_ns, picture, partial(note, folder.name))
            writer.close(Outcome.SUCCESS, "")
        note(folder.name, "closed", digest(folder))


def write_one(writer: EpisodeWriter, length_ns: int, picture: bytes, note: Any) -> None:
    """Joints at 100 Hz, two cameras at 33 Hz; messages carry their number."""
    begin_ns = time.monotonic_ns()
    for number in range(length_ns // TICK_NS):
        names = ["/joint_states", *(("/front", "/wrist") if number % 3 == 0 else ())]
        for name in names:
            data = number.to_bytes(4) + (bytes(200) if name == "/joint_states" else picture)
            writer.write(name, data, begin_ns + number, begin_ns + number)
            note(name, number)
        time.sleep(max(0, begin_ns + (number + 1) * TICK_NS - time.monotonic_ns()) / 1e9)


def digest(folder: Path) -> str:
    """Return a hash of every file of a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


class Log:
    """Lines that outlive the process that wrote them."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, *values: object) -> None:
        os.write(self._handle, (json.dumps([time.monotonic_ns(), *values]) + "\n").encode())


def start(root: Path, number: int) -> int:
    """Fork a writer and return its process id when it writes."""
    log = root / f"{number}.jsonl"
    child = os.fork()
    if child == 0:
        try:
            write_episodes(root / str(number), Log(log))
        finally:
            os._exit(1)  # never comes back from a writer that was killed
    while not log.exists() or not log.stat().st_size:
        time.sleep(0.002)
    return child


def main() -> None:
    """Start writers, a few at a time, and kill each at its moment."""
    define("sensor_msgs/msg/CompressedImage")  # read once for all
    root, moments_s = Path(sys.argv[1]), [float(text) for text in sys.argv[2:]]
    for first in range(0, len(moments_s), AT_ONCE):
        batch = range(first, min(first + AT_ONCE, len(moments_s)))
        children = {number: start(root, number) for number in batch}
        begin_s = time.monotonic()
        for number in sorted(batch, key=lambda one: moments_s[one]):
            time.sleep(max(0.0, begin_s + moments_s[number] - time.monotonic()))
            Log(root / f"{number}.jsonl")("killed")
            os.kill(children[number], signal.SIGKILL)
            _, status = os.waitpid(children[number], 0)
            assert os.WTERMSIG(status) == signal.SIGKILL, f"writer {number} ended by itself"


if __name__ == "__main__":
    main()
