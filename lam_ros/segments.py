"""Shared memory that killed processes have left behind.

Fast DDS keeps a segment of tens of megabytes for each process, and one that is killed
cannot remove its own: a machine on which runs are killed fills up.  A segment is dead
when nobody holds the lock of the file beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from pathlib import Path

FOLDER = Path("/dev/shm")
LEAST_AGE_S = 30.0
"""Younger ones are left alone: their process may be about to take the lock."""

_LOCK_SUFFIX = "_el"


def remove_dead_segments(folder: Path = FOLDER, least_age_s: float = LEAST_AGE_S) -> int:
    """Remove the segments of processes that are gone, as far as we may; returns how many."""
    return sum(
        _remove_if_dead(lock, least_age_s)
        for lock in folder.glob(f"fastrtps_*{_LOCK_SUFFIX}")
        if not lock.name.startswith("fastrtps_port")
    )


def _remove_if_dead(lock: Path, least_age_s: float) -> bool:
    with contextlib.suppress(OSError), lock.open("rb") as file:
        if time.time() - lock.stat().st_mtime < least_age_s:
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.with_name(lock.name.removesuffix(_LOCK_SUFFIX)).unlink(missing_ok=True)
        lock.unlink()
        return True
    return False
