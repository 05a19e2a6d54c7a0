"""Starts nodes as processes, notices a death, and ends them all.

One row of a table (`NodeSpec`) says everything about one process; the launch files
read the same rows.  Each process has a session of its own, so Ctrl-C reaches only
the supervisor, which then ends the others in order; and each dies with its parent.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import yaml

from lam_ros import security
from lam_ros.core.errors import ExitCode, LamError
from lam_ros.environment import node_environment
from lam_ros.keystore import enclave
from lam_ros.segments import free_unfinished_ports

GRACE_S = ((signal.SIGINT, 3.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
"""How a process is asked to end, and how long each asking is given."""

END_S = 20.0
"""For a process that is asked for its exit code."""

WRITTEN_S = 1.0
"""For what a node said last to be written after it has ended."""

_FREE_EVERY_S = 1.0
_PREFIX = re.compile(r"^\[(?P<level>[A-Z]+)\](?: \[[^\]]*\])*:? ?")
_GRAVE = ("FATAL", "ERROR")


class NodeDied(LamError):
    """A node's process ended by itself, or could not be brought up."""

    exit_code = ExitCode.TASK_FAILED


@dataclass(frozen=True)
class NodeSpec:
    """One node and how its process runs.

    Attributes:
        name: the node's name.
        module: Python module whose `main()` runs it.
        class_name: the node's class in that module.
        parameters: ROS parameters.
        nice: niceness; 10 gives way to the command stream.
        cpus: cores that it may use; empty for all.
        threads: of numerical libraries.
        restart: whether it is started again when it dies, because that is safe.
        namespace: before its topics; empty for none.
        parameter_files: of the user, which overrule `parameters`.
        program: command line of a program that is no node of ours; replaces `module`.
    """

    name: str
    module: str
    class_name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    nice: int = 0
    cpus: tuple[int, ...] = ()
    threads: int = 1
    restart: bool = False
    namespace: str = ""
    parameter_files: tuple[str, ...] = ()
    program: tuple[str, ...] = ()

    def parameter_file(self, folder: Path) -> Path:
        """Write the parameters as a ROS parameter file and return its path."""
        path = folder / f"{self.name}.params.yaml"
        name = f"/{self.namespace}/{self.name}" if self.namespace else self.name
        content = {name: {"ros__parameters": dict(self.parameters)}}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    def command(self, parameter_file: Path) -> list[str]:
        """Return the command line of a process that dies with this one."""
        return self.command_of(parameter_file, ("--parent", str(os.getpid())))

    def command_of(self, parameter_file: Path, parent: Sequence[str] = ()) -> list[str]:
        """Return the command line of a process that dies with `parent`, or with whoever starts it."""
        if self.program:
            return list(self.program)
        launcher = [sys.executable, "-m", "lam_ros.process", *parent, "--nice", str(self.nice)]
        cpus = ["--cpus", ",".join(str(cpu) for cpu in self.cpus)] if self.cpus else []
        ros = ["--ros-args", "-r", f"__node:={self.name}"]
        if self.namespace:
            ros += ["-r", f"__ns:=/{self.namespace}"]
        if os.environ.get(security.ENABLE) == "true":
            ros += ["--enclave", enclave(self.name, self.namespace)]
        for path in (parameter_file, *self.parameter_files):
            ros += ["--params-file", str(path)]
        return [*launcher, *cpus, self.module, *ros]


@dataclass(frozen=True)
class Death:
    """A process that ended, and the last thing that it said."""

    name: str
    code: int
    last_line: str

    def __str__(self) -> str:
        """Return one line for people."""
        said = self.last_line or "nothing"
        if self.code < 0:  # what it said before is not why
            return f"{self.name}: killed by signal {-self.code}; it last said: {said}"
        return f"{self.name}: {self.last_line or 'said nothing'} (exit code {self.code})"


class Supervisor:
    """Runs the processes of a table; use it in a `with` block, so that none is left."""

    def __init__(self, specs: Sequence[NodeSpec], run_dir: Path, domain_id: int) -> None:
        """Prepare to run `specs`; logs go to `run_dir/logs/<node>.log`."""
        self.specs = tuple(specs)
        self._logs = run_dir / "logs"
        self._domain_id = domain_id
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._writers: dict[str, subprocess.Popen[bytes]] = {}
        self._freed_s = time.monotonic()

    def start(self) -> None:
        """Start all processes at once."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for spec in self.specs:
            self._start_one(spec)

    def _start_one(self, spec: NodeSpec) -> None:
        environment = node_environment(threads=spec.threads, domain_id=self._domain_id)
        environment["PYTHONUNBUFFERED"] = "1"
        # Before another's log line: the name, so that the last line can be found again.
        environment["RCUTILS_CONSOLE_OUTPUT_FORMAT"] = "[{severity}] [{time}] [{name}]: {message}"
        self._let_writer_end(spec.name)
        with self.log_path(spec.name).open("ab" if spec.name in self._processes else "wb") as log:
            writer = self._writers[spec.name] = _writer_to(log)
        assert writer.stdin is not None
        with writer.stdin as pipe:  # the node's alone from here on: its end is the writer's
            self._processes[spec.name] = subprocess.Popen(
                spec.command(spec.parameter_file(self._logs)),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def revive(self, name: str) -> None:
        """Start a process again that has ended; its log goes on."""
        self._start_one(next(spec for spec in self.specs if spec.name == name))

    def log_path(self, name: str) -> Path:
        """Return the log file of a node."""
        return self._logs / f"{name}.log"

    def pids(self) -> dict[str, int]:
        """Return node name -> process id of those that live."""
        self._free()
        return {name: p.pid for name, p in self._processes.items() if p.poll() is None}

    def writer_pids(self) -> dict[str, int]:
        """Return node name -> id of the process that writes its log."""
        return {name: writer.pid for name, writer in self._writers.items()}

    def death(self) -> Death | None:
        """Return the first process that has ended by itself, or None."""
        self._free()
        for name, process in self._processes.items():
            code = process.poll()
            if code is not None:
                return Death(name, code, self.last_words(name))
        return None

    def _free(self) -> None:
        """Let processes go, now and then, that wait for one that was killed."""
        now_s = time.monotonic()
        if now_s - self._freed_s > _FREE_EVERY_S:
            self._freed_s = now_s
            free_unfinished_ports()

    def last_words(self, name: str) -> str:
        """Return a node's gravest last log line without its prefix."""
        process = self._processes.get(name)
        if process is not None and process.poll() is not None:
            self._let_writer_end(name)
        try:
            text = self.log_path(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return gravest_line(text)

    def _let_writer_end(self, name: str) -> None:
        """Wait until all that a node has said is in its log; not for what its children still say."""
        writer = self._writers.get(name)
        if writer is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                writer.wait(WRITTEN_S)

    def check(self) -> None:
        """Check that all processes live.

        Raises:
            NodeDied: if one has ended; its exit code is kept where it is one of ours.
        """
        death = self.death()
        if death is not None:
            error = NodeDied(str(death))
            if death.code in (ExitCode.WRONG_REQUEST, ExitCode.MACHINE_LACKS):
                error = NodeDied(f"{death.name}: {death.last_line}")
                error.exit_code = ExitCode(death.code)
            raise error

    def end(self, name: str) -> int | None:
        """Ask one process to end, and return its exit code; None if it does not end.

        It may take its time: who asks wants the code, and a policy has libraries to unload.
        """
        process = self._processes[name]
        _signal_group(process, signal.SIGINT)
        _wait(lambda: process.poll() is not None, END_S)
        return process.poll()

    def stop(self) -> None:
        """End all processes: asked, then told, then killed."""
        for number, patience_s in GRACE_S:
            living = [process for process in self._processes.values() if process.poll() is None]
            for process in living:
                _signal_group(process, number)
            if _all_ended(living, patience_s):
                break
        for name in self._writers:
            self._let_writer_end(name)
        self._processes.clear()

    def __enter__(self) -> Self:
        """Start all processes."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End all processes."""
        self.stop()


def gravest_line(text: str) -> str:
    """Return the last error line of a log, or else its last line, without the prefix."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if line.startswith(tuple(f"[{level}]" for level in _GRAVE))]
    chosen = (grave or lines or [""])[-1]
    return _PREFIX.sub("", chosen)[:500]


def _writer_to(log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Return a process that writes what it is given to a log until nobody can give it more.

    A node that wrote itself would wait wherever the disk makes it wait, half a second under
    load, and its loop with it: the pipe in between takes some hundred lines at once.  It is in
    a session of its own, so that it outlives whoever it writes for.
    """
    return subprocess.Popen(
        ("cat",), stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
    )


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _all_ended(processes: Sequence[subprocess.Popen[bytes]], patience_s: float) -> bool:
    return _wait(lambda: all(process.poll() is not None for process in processes), patience_s)


def _wait(condition: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
