"""Folders of recordings: `<root>/<session>/episode_000000/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lam_ros.recording.format import EpisodeMeta, EpisodeResult


@dataclass(frozen=True)
class EpisodeEntry:
    """One episode of a list.

    Attributes:
        meta: None if it cannot be read.
        result: None if the episode is open, was cut off, or was made elsewhere.
        size_bytes: of all its files.
        trouble: what is wrong with it and the remedy, or empty.
    """

    folder: Path
    meta: EpisodeMeta | None
    result: EpisodeResult | None
    size_bytes: int
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
        raise NotImplementedError

    def check(self, bytes_written: int, elapsed_s: float) -> DiskState:
        """Return the state, from what this recording has written in which time."""
        raise NotImplementedError


def next_episode_folder(session: Path) -> Path:
    """Return the folder of the next episode: one above the highest number; it is not made."""
    raise NotImplementedError


def list_episodes(root: Path) -> list[EpisodeEntry]:
    """Return every episode below a root, a session, or the episode itself, in order."""
    raise NotImplementedError
