"""`kill -9` at any moment loses at most the last second, and nothing of closed episodes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover
from lam_ros.recording.session import list_episodes

SECOND_NS = 1_000_000_000
MOMENTS = 20
SEED = 3


@dataclass
class Told:
    """What a writer said before it was killed.

    Attributes:
        written: time by episode, topic and number.
        closed: digest by episode.
    """

    written: dict[tuple[str, str, int], int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    killed_ns: int = 0


def read_log(path: Path) -> Told:
    told = Told()
    for line in path.read_text().splitlines():
        at_ns, *values = json.loads(line)
        match values:
            case ["killed"]:
                told.killed_ns = at_ns
            case [episode, "closed", digest]:
                told.closed[episode] = digest
            case [episode, topic, number]:
                told.written[episode, topic, number] = at_ns
    return told


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def kept(folder: Path) -> set[tuple[str, str, int]]:
    return {
        (folder.name, one.topic, int.from_bytes(one.message[:4]))
        for one in EpisodeReader(folder).messages(decode=False)
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: processes die here, not the machine."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path_factory.mktemp("killed")
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def killed(root: Path) -> dict[Path, Told]:
    """Twenty writers, each killed at a moment of its own: session and what it had said."""
    rng = random.Random(SEED)
    moments = [f"{rng.uniform(1.05, 3.0):.3f}" for _ in range(MOMENTS)]
    script = Path(__file__).with_name("kill_writers.py")
    subprocess.run([sys.executable, script, root, *moments], check=True, timeout=120)
    return {root / str(number): read_log(root / f"{number}.jsonl") for number in range(MOMENTS)}


def test_all_but_the_last_second_is_there_after_recovery(killed: dict[Path, Told]) -> None:
    for session, told in killed.items():
        due = {key for key, at_ns in told.written.items() if at_ns < told.killed_ns - SECOND_NS}
        assert due, "the writer was killed before it had written for a second"
        cut_off = [entry.folder for entry in list_episodes(session) if entry.trouble]
        for folder in cut_off:
            recover(folder)

        found: set[Any] = set()
        for entry in list_episodes(session):
            assert not entry.trouble
            found |= kept(entry.folder)
        assert due <= found
        assert len(cut_off) <= 1


def test_closed_episodes_are_as_they_were(killed: dict[Path, Told]) -> None:
    assert sum(len(told.closed) for told in killed.values()) >= MOMENTS
    for session, told in killed.items():
        for episode, before in told.closed.items():
            recover(session / episode)
            assert digest(session / episode) == before
