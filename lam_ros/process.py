"""Become a node process that cannot outlive the one that started it.

    python -m lam_ros.process [--parent PID] [--nice N] [--cpus 1,2] MODULE [ARGUMENT ...]

Priority, cores and the parent's death signal are set from inside the new process,
before the node is imported: the parent has threads of the middleware by then, and
code between fork and exec could meet their locks.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel for SIGTERM when the parent dies; ends at once if it has died already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        sys.exit("the process that started this node is gone")


def place(nice: int, cpus: Sequence[int]) -> None:
    """Set this process's niceness and, where the machine has them, its cores."""
    if nice:
        os.nice(nice)
    if sys.platform == "linux":
        allowed = os.sched_getaffinity(0) & set(cpus)
        if allowed:
            os.sched_setaffinity(0, allowed)


def main(argv: Sequence[str]) -> None:
    """Set up this process and run the node's module in it."""
    parser = argparse.ArgumentParser(prog="lam_ros.process")
    parser.add_argument("--parent", type=int, default=os.getppid())
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--cpus", default="")
    parser.add_argument("module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    die_with_parent(options.parent)
    place(options.nice, [int(cpu) for cpu in options.cpus.split(",") if cpu])
    sys.argv = [options.module, *options.arguments]
    runpy.run_module(options.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
