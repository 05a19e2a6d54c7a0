"""A process whose rhythm matters: first in line for the processor, and no pauses of its own."""

from __future__ import annotations

import contextlib
import gc
import os

FIFO_PRIORITY = 10
NICE = -10


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
