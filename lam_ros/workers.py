"""Jobs over worker processes that each make what is costly once, and keep it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from lam_ros.process import die_with_parent

_work: Callable[[Any], Any] | None = None
"""What this worker process does with a job; None in the main one."""


def each[Job, Result](
    enter: Callable[[], AbstractContextManager[Callable[[Job], Result]]],
    jobs: Sequence[Job],
    workers: int,
) -> Iterator[Result]:
    """Yield the result of each job: in their order by one worker, as they are done by several.

    Args:
        enter: makes what takes a job and returns its result, as a context manager, once in each
            process; with several workers it and the jobs must be picklable.
        jobs: what is to be done.
        workers: processes; with one, or one job, all is done in this one.
    """
    if jobs:
        with working(enter, min(workers, len(jobs))) as do:
            yield from do(jobs)


@contextmanager
def working[Job, Result](
    enter: Callable[[], AbstractContextManager[Callable[[Job], Result]]], workers: int
) -> Iterator[Callable[[Iterable[Job]], Iterator[Result]]]:
    """Give what does jobs as `each` does, by the same processes every time."""
    if workers <= 1:
        with enter() as work:
            yield partial(map, work)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _begin, (enter, os.getpid())) as pool:
        yield partial(pool.imap_unordered, _do)


def _begin(
    enter: Callable[[], AbstractContextManager[Callable[[Any], Any]]], main_pid: int
) -> None:
    global _work
    die_with_parent(main_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the main process, which ends us
    sys.stdout = sys.stderr  # the main process's JSON stands alone on it
    _work = enter().__enter__()  # kept until the process ends


def _do(job: Any) -> Any:
    assert _work is not None, "the pool starts each worker with _begin"
    return _work(job)
