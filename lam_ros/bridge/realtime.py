"""A process whose rhythm matters: first in line for the processor, and no pauses of its own."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os

FIFO_PRIORITY = 10
NICE = -10

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MOST_OF_HEAP = 32 << 20
_KEPT_BYTES = 256 << 20
_ARENAS = 2


def be_prompt() -> str:
    """Ask the system to run this process first; return what was granted.

    Real-time scheduling where it is permitted (CAP_SYS_NICE, or an rtprio limit), a
    lower niceness where that is, and nothing otherwise.
    """
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
            return f"SCHED_FIFO {FIFO_PRIORITY}"
    with contextlib.suppress(OSError):
        return f"nice {os.nice(NICE - os.nice(0))}"
    return f"nice {os.nice(0)}"


def calm_memory() -> None:
    """Stop the garbage collector from pausing the loop.

    What exists now is never looked at again, and collections are left to `collect`,
    called where a pause does no harm; reference counts free what the loop makes.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def collect() -> None:
    """Look for garbage in the youngest generation only, which takes microseconds."""
    gc.collect(0)


def hold_memory() -> None:
    """Have freed memory kept for the next picture instead of going back to the system.

    A picture of 640x480 is more than glibc keeps: each would be fetched from the system and
    cleared page by page, 37,000 pages a second for two cameras.  To be called before the
    process has other threads; without glibc nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _MOST_OF_HEAP)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)
