"""The end of a process whose middleware does not let it end.

Fast DDS 2.14 takes the listener away from a participant that is destroyed, and waits for a
callback of discovery that runs just then.  Its deadline, "never", overflows on the way from one
clock to another: the wait returns at once, without having let go of the lock that the callback
needs, and is begun again for ever (DomainParticipant::set_listener with its default time).  It
does so with the interpreter's lock in its hands, so neither a thread nor a signal handler of
Python could help: a timer of the C library can.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_CLOCK_MONOTONIC, _SIGEV_THREAD = 1, 2


class _Event(ctypes.Structure):
    """`struct sigevent` of sigevent(3type), on Linux with 64 bits."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("number", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("unused", ctypes.c_byte * 32),
    )


class _Times(ctypes.Structure):
    """`struct itimerspec` of timer_settime(2)."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "in_s", "in_ns"))


def end_within(seconds: int, code: int) -> None:
    """Have this process end with `code` after so long, whatever its threads wait for by then.

    Call it when all that must be in order is in order: nothing is written or closed any more.
    Does nothing where there is no such timer (timer_create(2)).
    """
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return
    with contextlib.suppress(AttributeError):  # a C library that keeps them elsewhere
        libc = ctypes.CDLL(None)
        leave = ctypes.cast(libc._exit, ctypes.c_void_p).value
        event = _Event(value=code, notify=_SIGEV_THREAD, function=leave)
        timer = ctypes.c_void_p()
        if libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) == 0:
            libc.timer_settime(timer, 0, ctypes.byref(_Times(in_s=seconds)), None)
