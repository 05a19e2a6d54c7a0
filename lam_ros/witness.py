"""A bare loop beside others' work, at the control node's rate, priority and core: the machine's share.

What wakes late while it does nothing but sleep was made late by the machine: by its memory, its
disk, other machines beside it.  What is late while this loop is in time was made late by us.

    python -m lam_ros.witness PERIOD_NS
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lam_ros.bridge.realtime import be_prompt
from lam_ros.core.clock import NS_PER_MS, NS_PER_S
from lam_ros.process import die_with_parent

END_S = 5.0


@dataclass
class Witness:
    """What the loop has seen; empty until it has ended."""

    seen: dict[str, Any] = field(default_factory=dict)


@contextmanager
def witness(period_ns: int) -> Iterator[Witness]:
    """Have the loop run inside the block; after it the answer says how late it was."""
    found = Witness()
    loop = subprocess.Popen(
        [sys.executable, "-m", "lam_ros.witness", str(period_ns), str(os.getpid())],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield found
    finally:
        loop.terminate()
        try:
            said, _ = loop.communicate(timeout=END_S)
            found.seen = json.loads(said or b"{}")
        except subprocess.TimeoutExpired:
            loop.kill()


def watch(period_ns: int, ended: list[int]) -> dict[str, Any]:
    """Wake once a period until `ended` holds something; return how late that was.

    `missed` counts times between two wakings longer than two periods, as the soak counts
    commands; `longest_ms` is the longest.
    """
    beats = missed = longest_ns = 0
    due_ns = last_ns = time.monotonic_ns()
    while not ended:
        due_ns += period_ns
        time.sleep(max(0, due_ns - time.monotonic_ns()) / NS_PER_S)
        now_ns = time.monotonic_ns()
        gap_ns, last_ns = now_ns - last_ns, now_ns
        beats, longest_ns = beats + 1, max(longest_ns, gap_ns)
        missed += gap_ns > 2 * period_ns
        due_ns = max(due_ns, now_ns - period_ns)  # what is lost is not made up for
    return {"beats": beats, "missed": missed, "longest_ms": round(longest_ns / NS_PER_MS, 2)}


def main(argv: list[str]) -> None:
    """Watch until told to end, and print what was seen."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(argv[1]))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    granted = be_prompt()
    print(json.dumps({"granted": granted, **watch(int(argv[0]), ended)}))


if __name__ == "__main__":
    main(sys.argv[1:])
