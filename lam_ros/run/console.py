"""The e-stop key of a run: pressed in the terminal, latched, said until the run has ended."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import std_msgs.msg
from rclpy.node import Node

from lam_ros.bridge import qos, topics
from lam_ros.core.errors import MachineError
from lam_ros.teleop.keyboard import STOP
from lam_ros.teleop.keys import KeyKind
from lam_ros.teleop.terminal import Terminal

HINT = f"{STOP}: e-stop, Ctrl-C: end"


class Console:
    """Listens to the terminal of standard input, where there is one."""

    def __init__(self, node: Node, terminal: Terminal | None = None) -> None:
        """Open the topic; another terminal than standard input's can be given."""
        self.is_stopped = False
        self._out = node.create_publisher(std_msgs.msg.Bool, topics.ESTOP, qos.ESTOP)
        if terminal is None and sys.stdin is not None and sys.stdin.isatty():
            terminal = Terminal()
        self._terminal = terminal

    @property
    def hint(self) -> str:
        """What can be pressed; empty where nobody can press anything."""
        return HINT if self._terminal is not None else ""

    def look(self) -> None:
        """See what was pressed; to be called often."""
        if self._terminal is not None:
            try:
                keys = self._terminal.poll(time.monotonic_ns())
            except MachineError:  # the terminal was closed; the run goes on
                self._terminal, keys = None, []
            self.is_stopped |= any(k.name == STOP and k.kind is KeyKind.PRESS for k in keys)
        if self.is_stopped:
            self._out.publish(std_msgs.msg.Bool(data=True))

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._terminal is not None:
            self._terminal.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        if self._terminal is not None:
            self._terminal.close()
