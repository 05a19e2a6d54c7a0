"""A process whose rhythm matters: first in line for the processor, and no pauses of its own."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os

FIFO_PRIORITY = 10
NICE = -10

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MOST_OF_HEAP = 32 << 20
_KEPT_BYTES = 256 << 20
_ARENAS = 2


def be_prompt() -> str:
    """Ask the system to run this process first; return what was granted.

    Real-time scheduling where it is permitted (CAP_SYS_NICE, or an rtprio limit), a
    lower niceness where that is, and nothing otherwise.  All threads that there are get it: one
    of the middleware's that waits for the processor, with a lock or the interpreter in its
    hands, makes the others wait as well.
    """
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            for thread in _threads():
                with contextlib.suppress(ProcessLookupError):  # one that has just ended
                    os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
            _keep_in_memory()
            return f"SCHED_FIFO {FIFO_PRIORITY}"
    with contextlib.suppress(OSError):
        return f"nice {os.nice(NICE - os.nice(0))}"
    return f"nice {os.nice(0)}"


def _threads() -> list[int]:
    """Return the ids of this process's threads; where the system does not list them, our own (0)."""
    try:
        return [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        return [0]


def _keep_in_memory() -> None:
    """Have no page that is in use given up for somebody's file, where that is permitted."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)


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
