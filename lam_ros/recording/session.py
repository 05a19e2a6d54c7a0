"""Folders of recordings: `<root>/<session>/episode_000000/`."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lam_ros.core.errors import DataError
from lam_ros.recording.contents import bag_files
from lam_ros.recording.disk import is_being_written
from lam_ros.recording.format import (
    META_RECORD,
    METADATA_FILE,
    OUTCOME_RECORD,
    EpisodeMeta,
    EpisodeResult,
    read_meta,
    read_result,
    unknown_meta,
)
from lam_ros.recording.metadata import custom_records
from lam_ros.recording.scan import has_end, read_head

_EPISODE = re.compile(r"episode_(\d{6,})$")


@dataclass(frozen=True)
class EpisodeEntry:
    """One episode of a list.

    Attributes:
        meta: None if it cannot be read.
        result: None if the episode is open, was cut off, or was made elsewhere.
        size_bytes: of all its files.
        is_open: whether it is being recorded at this moment.
        trouble: what is wrong with it and the remedy, or empty.
    """

    folder: Path
    meta: EpisodeMeta | None
    result: EpisodeResult | None
    size_bytes: int
    is_open: bool = False
    trouble: str = ""


@dataclass(frozen=True)
class DiskState:
    """How much room there is.

    Attributes:
        seconds_left: at the rate of writing so far, down to the reserve; None while it
            is not known.
        is_low: whether a recording should end now.
    """

    free_bytes: int
    seconds_left: float | None
    is_low: bool


class DiskGuard:
    """Says when a recording must end because the disk is nearly full."""

    def __init__(self, folder: Path, *, reserve_bytes: int = 500_000_000) -> None:
        """Watch the file system of `folder`, which need not exist yet."""
        there = folder.absolute()
        while not there.exists():
            there = there.parent
        self._folder = there
        self._reserve_bytes = reserve_bytes

    def check(self, bytes_written: int, elapsed_s: float) -> DiskState:
        """Return the state, from what this recording has written in which time."""
        free_bytes = shutil.disk_usage(self._folder).free
        usable_bytes = free_bytes - self._reserve_bytes
        seconds_left = None
        if bytes_written > 0 and elapsed_s > 0:
            seconds_left = max(0.0, usable_bytes * elapsed_s / bytes_written)
        return DiskState(free_bytes, seconds_left, is_low=usable_bytes <= 0)


def next_episode_folder(session: Path) -> Path:
    """Return the folder of the next episode: one above the highest number; it is not made."""
    names = [path.name for path in session.iterdir()] if session.is_dir() else []
    numbers = [int(match[1]) for match in map(_EPISODE.match, names) if match]
    return session / f"episode_{max(numbers, default=-1) + 1:06d}"


def list_episodes(root: Path) -> list[EpisodeEntry]:
    """Return every bag below a root, a session, or the episode itself, in order of folders.

    Only the ends of files are read: what is damaged within is found by `recover`.

    Raises:
        DataError: if there is no such folder.
    """
    if not root.is_dir():
        raise DataError(f"folder '{root}' of recordings does not exist; give another")
    return [_entry(folder) for folder in _bags(root)]


def _bags(root: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(root):
        if METADATA_FILE in files or any(file.endswith(".mcap") for file in files):
            folders.clear()
            yield Path(name)
        folders.sort()


def _entry(folder: Path) -> EpisodeEntry:
    size_bytes = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    meta, result, trouble = None, None, ""
    is_open = any(is_being_written(path) for path in bag_files(folder))
    try:
        records = known_records(folder)
        meta = read_meta(records[META_RECORD]) if META_RECORD in records else unknown_meta(0)
        closed = (folder / METADATA_FILE).exists()
        if closed and OUTCOME_RECORD in records:
            result = read_result(records[OUTCOME_RECORD])
        if not is_open and not (closed and all(map(has_end, bag_files(folder)))):
            trouble = f"cut off; repair it: lam episodes recover {folder}"
    except DataError as error:
        trouble = str(error)
    return EpisodeEntry(folder, meta, result, size_bytes, is_open, trouble)


def known_records(folder: Path) -> dict[str, Mapping[str, str]]:
    """Return `lam` and `lam.outcome`, as far as they are there without reading all of a bag.

    Raises:
        DataError: if metadata.yaml is malformed.
    """
    found = custom_records(folder)
    files = bag_files(folder)
    if META_RECORD not in found and files:
        head = read_head(files[0])
        if META_RECORD in head.records:
            found[META_RECORD] = head.records[META_RECORD]
    return found
