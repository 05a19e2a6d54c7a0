"""Shared memory that killed processes have left behind.

Fast DDS keeps a segment of tens of megabytes for each process, and one that is killed
cannot remove its own: a machine on which runs are killed fills up.  A segment is dead
when nobody holds the lock of the file beside it.

One that is killed while it makes a port leaves a file that was never finished, and every
process that opens this port afterwards waits for that, for ever and in silence.  Marked as
corrupted and taken away it lets them go: Fast DDS then makes the port anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from pathlib import Path

FOLDER = Path("/dev/shm")
LEAST_AGE_S = 30.0
"""Younger ones are left alone: their process may be about to take the lock."""

UNFINISHED_S = 3.0
"""A port is made within microseconds: one that is not finished after so long never will be."""

_LOCK_SUFFIX = "_el"
_PORT = "fastrtps_port"
_UNINITIALIZED, _INITIALIZING, _CORRUPTED = 0, 1, 3
"""States in the first word of the file (boost/interprocess/detail/managed_open_or_create_impl.hpp)."""
_STATE = struct.Struct("<I")
_LEAST_BYTES = 4096


def remove_dead_segments(folder: Path = FOLDER, least_age_s: float = LEAST_AGE_S) -> int:
    """Remove the segments of processes that are gone, as far as we may; returns how many."""
    free_unfinished_ports(folder)
    return sum(
        _remove_if_dead(lock, least_age_s)
        for lock in folder.glob(f"fastrtps_*{_LOCK_SUFFIX}")
        if not lock.name.startswith(_PORT)
    )


def free_unfinished_ports(folder: Path = FOLDER, least_age_s: float = UNFINISHED_S) -> int:
    """Let processes go that wait for a port whose maker was killed; returns how many ports."""
    return sum(
        _free_if_unfinished(port, least_age_s)
        for port in folder.glob(f"{_PORT}*")
        if not port.name.endswith(_LOCK_SUFFIX)
    )


def _free_if_unfinished(port: Path, least_age_s: float) -> bool:
    with contextlib.suppress(OSError), port.open("r+b", buffering=0) as file:
        word = os.pread(file.fileno(), _STATE.size, 0)
        state = _STATE.unpack(word)[0] if len(word) == _STATE.size else _UNINITIALIZED
        age_s = time.time() - os.fstat(file.fileno()).st_mtime
        if state not in (_UNINITIALIZED, _INITIALIZING) or age_s < least_age_s:
            return False
        os.pwrite(file.fileno(), _STATE.pack(_CORRUPTED).ljust(_LEAST_BYTES, b"\0"), 0)
        port.unlink()
        return True
    return False


def _remove_if_dead(lock: Path, least_age_s: float) -> bool:
    with contextlib.suppress(OSError), lock.open("rb") as file:
        if time.time() - lock.stat().st_mtime < least_age_s:
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.with_name(lock.name.removesuffix(_LOCK_SUFFIX)).unlink(missing_ok=True)
        lock.unlink()
        return True
    return False
