"""Records until nothing more fits, and says how that went: one JSON object.

    python fill_disk.py FOLDER [LARGEST_FILE_BYTES]

With a size, no file of this process can grow beyond it; without, FOLDER is on a small disk.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from lam_ros.config import load_robot
from lam_ros.core.errors import LamError
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.recover import recover
from lam_ros.recording.writer import EpisodeWriter

TOPIC, TYPE = "/text", "std_msgs/msg/String"
MESSAGE_BYTES = 100_000


def begin(folder: Path) -> EpisodeWriter:
    """Open an episode."""
    writer = EpisodeWriter(
        folder, EpisodeMeta.begin("", load_robot("so101"), started_ns=time.time_ns())
    )
    writer.add_channel(TOPIC, TYPE)
    return writer


def put(writer: EpisodeWriter, number: int) -> None:
    """Write a message that carries its number, to the disk."""
    writer.write(TOPIC, number.to_bytes(4) + bytes(MESSAGE_BYTES), 1 + number, 1 + number)
    writer.flush()


def fill(writer: EpisodeWriter) -> tuple[int, list[str]]:
    """Write until an error; return how many messages are safe, and what each attempt said."""
    number, errors = 0, []
    try:
        while True:
            put(writer, number)
            number += 1
    except LamError as error:
        errors.append(str(error))
    for again in (lambda: put(writer, number), lambda: writer.close(Outcome.SUCCESS, "")):
        try:
            again()
        except LamError as error:
            errors.append(str(error))
    return number, errors


def start_without_room(root: Path) -> str:
    """Take what room is left, and return what beginning an episode then says."""
    with (root / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(512)):
            pass
    try:
        begin(root / "episode_000002")
    except LamError as error:
        return str(error)
    return "nothing"


def main() -> None:
    """Record a whole episode, one that does not fit, and repair that where there is no room."""
    root = Path(sys.argv[1])
    with begin(root / "episode_000000") as writer:
        put(writer, 0)
        writer.close(Outcome.SUCCESS, "")
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    cut = root / "episode_000001"
    safe, errors = fill(begin(cut))
    before = (cut / "episode_000001_0.mcap").read_bytes()
    try:
        recovery = recover(cut).what
    except LamError as error:
        recovery = f"error: {error}"
        after = {path.name: path.read_bytes() for path in cut.iterdir()}
        assert after == {"episode_000001_0.mcap": before}, "the damaged file was changed"
    start = "" if len(sys.argv) > 2 else start_without_room(root)
    print(json.dumps({"start": start, "safe": safe, "errors": errors, "recovery": recovery}))


if __name__ == "__main__":
    main()
