"""Locks: one holder at a time, and none is ever stale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lam_ros.core.errors import BusyError
from lam_ros.locks import commander_lock, hold_domain, hold_run


def test_a_second_run_is_refused_with_the_process_that_holds_it(tmp_path: Path) -> None:
    with hold_run(tmp_path), pytest.raises(BusyError, match=rf"process {os.getpid()}\)"):
        hold_run(tmp_path)
    hold_run(tmp_path).release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys; from lam_ros.locks import hold_run;"
        "lock = hold_run(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "run.lock").read_text() not in ("", str(os.getpid()))
    hold_run(tmp_path).release()


def test_domains_are_given_out_once_and_run_out(tmp_path: Path) -> None:
    first, one = hold_domain(tmp_path, (3, 4))
    second, two = hold_domain(tmp_path, (3, 4))
    assert (first, second) == (3, 4)
    with pytest.raises(BusyError, match="all private ROS domains"):
        hold_domain(tmp_path, (3, 4))
    one.release()
    assert hold_domain(tmp_path, (3, 4))[0] == 3
    two.release()


def test_a_domain_in_which_a_node_still_commands_is_not_given_out(tmp_path: Path) -> None:
    left_over = commander_lock(3, "/left/lam/joint_command", tmp_path)
    assert left_over.try_acquire()
    domain, lock = hold_domain(tmp_path, (3, 4))
    assert domain == 4
    lock.release()
    left_over.release()
    assert hold_domain(tmp_path, (3, 4))[0] == 3
