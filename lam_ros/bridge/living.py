"""Telling the publishers of killed processes from living ones, at once.

The middleware counts a publisher whose process was killed for about 20 s more.  Fast DDS
writes machine and process into a publisher's identity, so a process of this machine that
was seen alive and is gone is known to be dead.  Of all others (another machine, another
middleware, a process that cannot be seen from here) a publisher counts as alive.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rclpy.node import Node

_HOST, _PID = slice(0, 4), slice(4, 6)
"""Of an identity's bytes: vendor and machine, and the lower half of the process's number."""

_LOWER = 0xFFFF
_OWN_TOPIC = "/parameter_events"
"""Every node publishes it."""

_FEEDBACK = "_action/feedback"
"""What every client of an action listens to, below the action's name."""

Process = tuple[int, str]
"""Its number, and when it started: numbers are given anew."""


class Living:
    """Remembers which processes publish a topic."""

    def __init__(self, node: Node, proc: Path = Path("/proc")) -> None:
        """Watch for a node; `proc` is where the kernel tells of processes."""
        self._node, self._proc = node, proc
        self._processes: dict[bytes, frozenset[Process]] = {}
        self._own: bytes | None = None

    def among(self, infos: Sequence[Any]) -> list[Any]:
        """Return those endpoints whose process lives, as far as can be known."""
        known = self._processes
        listed = {bytes(info.endpoint_gid): info for info in infos}
        self._processes = {g: known[g] if g in known else self._of(g) for g in listed}
        return [info for gid, info in listed.items() if self._lives(gid)]

    def _lives(self, gid: bytes) -> bool:
        processes = self._processes[gid]
        return not processes or any(self._started(pid) == start for pid, start in processes)

    def _of(self, gid: bytes) -> frozenset[Process]:
        """Return the processes that may be behind an identity; none if that cannot be told."""
        if self._own is None:
            self._own = self._own_gid()
        if not self._own or gid[_HOST] != self._own[_HOST]:
            return frozenset()
        lower = int.from_bytes(gid[_PID], "little")
        pids = [int(entry.name) for entry in self._proc.iterdir() if entry.name.isdecimal()]
        return frozenset(
            (pid, start) for pid in pids if pid & _LOWER == lower and (start := self._started(pid))
        )

    def _own_gid(self) -> bytes:
        """Return an identity of our own that is written as is expected; empty if it is not."""
        mine = (os.getpid() & _LOWER).to_bytes(2, "little")
        for info in self._node.get_publishers_info_by_topic(_OWN_TOPIC):
            gid = bytes(info.endpoint_gid)
            if info.node_name == self._node.get_name() and gid[_PID] == mine:
                return gid
        return b""

    def _started(self, pid: int) -> str:
        """Return when a process started, empty if it is gone or only waits to be buried."""
        try:
            text = (self._proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        fields = text.rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]


class Askers:
    """Notices that whoever could have asked for an action's goal is gone, killed or ended."""

    def __init__(self, node: Node, action: str) -> None:
        """Watch the clients of an action that the node serves."""
        self._node = node
        self._topic = node.resolve_topic_name(f"{action}/{_FEEDBACK}")
        self._living = Living(node)
        self._met = False

    def begin(self) -> None:
        """Begin with a new goal: its client may not be seen on the graph yet."""
        self._met = False
        self.are_gone()

    @property
    def met(self) -> bool:
        """Whether a client has been seen since the goal began."""
        return self._met

    def are_gone(self) -> bool:
        """Tell whether there was a client since the goal began, and now there is none."""
        infos = self._node.get_subscriptions_info_by_topic(self._topic)
        alive = bool(self._living.among(infos))
        self._met |= alive
        return self._met and not alive
