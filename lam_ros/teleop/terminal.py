"""The terminal as a keyboard: unbuffered keys without a window, given back as it was."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import sys
import termios
from typing import Any, Protocol

from lam_ros.core.errors import MachineError
from lam_ros.teleop.keys import (
    ASK_KITTY,
    DISABLE_FOCUS,
    DISABLE_KITTY,
    ENABLE_FOCUS,
    ENABLE_KITTY,
    KITTY_SPOKEN,
    Key,
    KeyKind,
    KeyParser,
)

_PLAIN = ("", "dumb", "linux", "unknown")
"""Terminals that are not asked what they can do; they would print the question."""


class KeySource(Protocol):
    """Where key events come from."""

    def open(self) -> None:
        """Begin to listen.

        Raises:
            MachineError: if there is nothing to listen to.
        """
        ...

    def poll(self, now_ns: int) -> list[Key]:
        """Return what came since the last call; never waits.

        Raises:
            MachineError: if the source has gone.
        """
        ...

    def close(self) -> None:
        """Stop listening; may be called twice."""
        ...


class Terminal:
    """The keys of a terminal; Ctrl-C stays an interrupt."""

    def __init__(self, descriptor: int | None = None) -> None:
        """Use a terminal's file descriptor, or that of standard input."""
        self._descriptor = descriptor
        self._before: Any = None
        self._parser = KeyParser()
        self._speaks_kitty = False

    def open(self) -> None:
        """Switch off line editing and echo, and ask the terminal for releases of keys.

        Raises:
            MachineError: if there is no terminal.
        """
        if self._descriptor is None:
            self._descriptor = sys.stdin.fileno() if sys.stdin else -1
        try:
            before = termios.tcgetattr(self._descriptor)
        except (termios.error, OSError):
            raise MachineError(
                "keyboard: standard input is no terminal; start it in one, "
                "or choose another device, for example teleop=gamepad"
            ) from None
        self._before = before
        now: Any = list(before)
        now[3] = before[3] & ~(termios.ICANON | termios.ECHO)
        now[6] = list(before[6])
        now[6][termios.VMIN], now[6][termios.VTIME] = 0, 0
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, now)
        atexit.register(self.close)
        if os.environ.get("TERM", "") not in _PLAIN:
            self._write(ENABLE_FOCUS + ASK_KITTY)

    def poll(self, now_ns: int) -> list[Key]:
        """Return what was pressed since the last call.

        Raises:
            MachineError: if the terminal was closed.
        """
        keys = self._parser.feed(self._read(), now_ns)
        if KITTY_SPOKEN in keys and not self._speaks_kitty:
            self._speaks_kitty = True
            self._write(ENABLE_KITTY)
        if any(key.name == "ctrl+c" and key.kind is KeyKind.PRESS for key in keys):
            os.kill(os.getpid(), signal.SIGINT)  # the kitty protocol sends it as a key
        return keys

    def close(self) -> None:
        """Give the terminal back as it was."""
        if self._before is None or self._descriptor is None:
            return
        before, self._before = self._before, None
        atexit.unregister(self.close)
        with contextlib.suppress(termios.error, OSError):
            if self._speaks_kitty:
                self._write(DISABLE_KITTY)
            if os.environ.get("TERM", "") not in _PLAIN:
                self._write(DISABLE_FOCUS)
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, before)

    def _read(self) -> bytes:
        if self._before is None or self._descriptor is None:
            return b""
        try:
            if not select.select([self._descriptor], [], [], 0)[0]:
                return b""
            data = os.read(self._descriptor, 4096)
        except OSError:
            data = b""
        if not data:  # readable, but nothing to read: hung up
            raise MachineError("keyboard: the terminal was closed")
        return data

    def _write(self, data: bytes) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, data)
