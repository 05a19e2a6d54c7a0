"""Jobs over worker processes: made once in each, all done, none lost."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from squaring import closed, nothing, squaring

from lam_ros.workers import each


def test_one_worker_works_here_in_order_and_closes_what_it_made() -> None:
    closed.clear()
    found = list(each(squaring, [4, 1, 2], 1))
    assert found == [(16, os.getpid()), (1, os.getpid()), (4, os.getpid())]
    assert closed == [True]


def test_two_workers_do_every_job_elsewhere() -> None:
    found = list(each(squaring, range(4, 10), 2))
    assert sorted(square for square, _ in found) == [16, 25, 36, 49, 64, 81]
    assert os.getpid() not in {pid for _, pid in found}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_that_fails_says_so(workers: int) -> None:
    with pytest.raises(ValueError, match="no three"):
        list(each(squaring, [1, 3], workers))


def test_nothing_is_made_where_there_is_nothing_to_do() -> None:
    assert list(each(nothing, [], 2)) == []


def test_no_worker_outlives_a_main_process_that_is_killed() -> None:
    words = [sys.executable, "-c", "import squaring; squaring.wait_in_two()"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as main:
        assert main.stderr is not None
        workers = [psutil.Process(int(main.stderr.readline())) for _ in range(2)]
        main.kill()
        _, alive = psutil.wait_procs(workers, timeout=20.0)
    assert not alive
