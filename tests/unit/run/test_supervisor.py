"""Processes that are started, watched and ended, whatever they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lam_ros.core.errors import ExitCode
from lam_ros.supervisor import NodeDied, NodeSpec, Supervisor, gravest_line

SLEEPER = "import time\nprint('[INFO] [1.0] [x]: up', flush=True)\ntime.sleep(60)\n"
STUBBORN = (
    "import signal, time\n"
    "for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, signal.SIG_IGN)\n"
    "print('up', flush=True)\ntime.sleep(60)\n"
)
FAILING = (
    "import sys\nprint('[FATAL] [1.0] [x]: checkpoint is truncated; fetch it again')\n"
    "print('[INFO] [1.0] [x]: bye')\nsys.exit(2)\n"
)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Write a module that a process can run, and return its name."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def write(name: str, code: str) -> str:
        (tmp_path / f"{name}.py").write_text(code)
        return name

    return write


def wait_for(condition: object, timeout_s: float = 20.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def is_up(supervisor: Supervisor, name: str) -> bool:
    """Tell whether a process has said that it is up."""
    return "up" in supervisor.log_path(name).read_text()


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_all_are_started_and_all_are_ended(tmp_path: Path, module: object) -> None:
    specs = [
        NodeSpec("one", module("sleeper", SLEEPER), "", {"seed": 7}),  # type: ignore[operator]
        NodeSpec("two", "sleeper", "", nice=5, cpus=(0,)),
    ]
    with Supervisor(specs, tmp_path, 99) as supervisor:
        wait_for(lambda: is_up(supervisor, "one") and is_up(supervisor, "two"))
        supervisor.check()
        pids = supervisor.pids()
        assert os.getpgid(pids["one"]) == pids["one"]
        assert os.getpriority(os.PRIO_PROCESS, pids["two"]) >= 5
        assert os.sched_getaffinity(pids["two"]) == {0}
        environment = Path(f"/proc/{pids['one']}/environ").read_text()
        assert "ROS_DOMAIN_ID=99" in environment
    assert not any(is_alive(pid) for pid in pids.values())
    assert "seed: 7" in (tmp_path / "logs/one.params.yaml").read_text()


def test_who_does_not_listen_is_killed(
    tmp_path: Path, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = ((signal.SIGINT, 0.2), (signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0))
    monkeypatch.setattr("lam_ros.supervisor.GRACE_S", grace)
    specs = [NodeSpec("deaf", module("stubborn", STUBBORN), "")]  # type: ignore[operator]
    with Supervisor(specs, tmp_path, 99) as supervisor:
        wait_for(lambda: is_up(supervisor, "deaf"))
        pid = supervisor.pids()["deaf"]
    assert not is_alive(pid)


def test_a_death_is_noticed_with_its_reason_and_exit_code(tmp_path: Path, module: object) -> None:
    specs = [NodeSpec("policy", module("failing", FAILING), "")]  # type: ignore[operator]
    with Supervisor(specs, tmp_path, 99) as supervisor:
        wait_for(lambda: supervisor.death() is not None)
        with pytest.raises(
            NodeDied, match=r"^policy: checkpoint is truncated; fetch it again$"
        ) as at:
            supervisor.check()
        assert at.value.exit_code is ExitCode.WRONG_REQUEST


def test_a_node_never_waits_for_the_disk_to_say_something(tmp_path: Path, module: object) -> None:
    code = (
        "import os, stat, sys\n"
        "print([stat.S_ISFIFO(os.fstat(number).st_mode) for number in (1, 2)])\n"
        "print('x' * 60_000, flush=True)\nprint('the last word', flush=True)\nos._exit(3)\n"
    )
    specs = [NodeSpec("arm", module("talker", code), "")]  # type: ignore[operator]
    with Supervisor(specs, tmp_path, 99) as supervisor:
        os.kill(supervisor.writer_pids()["arm"], signal.SIGSTOP)  # as a disk that does not answer
        wait_for(lambda: not supervisor.pids())
        os.kill(supervisor.writer_pids()["arm"], signal.SIGCONT)
        death = supervisor.death()
        assert death is not None
        assert (death.code, death.last_line) == (3, "the last word")
        assert supervisor.log_path("arm").read_text().startswith("[True, True]")


def test_a_kill_is_named_by_its_signal(tmp_path: Path, module: object) -> None:
    specs = [NodeSpec("sim", module("sleeper", SLEEPER), "")]  # type: ignore[operator]
    with Supervisor(specs, tmp_path, 99) as supervisor:
        wait_for(lambda: is_up(supervisor, "sim"))
        os.kill(supervisor.pids()["sim"], signal.SIGKILL)
        wait_for(lambda: supervisor.death() is not None)
        with pytest.raises(NodeDied, match=r"^sim: killed by signal 9; it last said: up$") as at:
            supervisor.check()
        assert at.value.exit_code is ExitCode.TASK_FAILED


def test_processes_die_with_a_killed_supervisor(tmp_path: Path, module: object) -> None:
    module("sleeper", SLEEPER)  # type: ignore[operator]
    code = (
        "import pathlib, sys, time; from lam_ros.supervisor import *;"
        "s = Supervisor([NodeSpec('a', 'sleeper', '')], pathlib.Path(sys.argv[1]), 99); s.start();"
        "print(s.pids()['a'], flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for(lambda: "up" in (tmp_path / "logs/a.log").read_text())
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_alive(child))


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", ""),
        ("[INFO] [1.2] [sim]: a\n[INFO] [1.3] [sim]: b\n", "b"),
        ("[ERROR] [1.2] [sim]: broken\n[INFO] [1.3] [sim]: bye\n", "broken"),
        ("Traceback ...\nValueError: x\n", "ValueError: x"),
    ],
)
def test_the_gravest_line(log: str, said: str) -> None:
    assert gravest_line(log) == said
