"""`lam up`: starts a row of the table without a ROS installation, and keeps watch over it."""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import rclpy
from std_msgs.msg import Bool

from lam_policies.checkpoint import checkpoint_for
from lam_ros import security
from lam_ros.bridge import qos, topics
from lam_ros.bridge.runtime import ended_by_signal, ros
from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError, ExitCode, MachineError
from lam_ros.paths import find_checkpoint
from lam_ros.segments import remove_dead_segments
from lam_ros.supervisor import NodeDied, NodeSpec, Supervisor
from lam_ros.up.arguments import values_of
from lam_ros.up.table import Setup, is_restarted, setup_of

SPIN_S = 0.1
RESTART_AFTER_S = 1.0
MOST_RESTARTS = 5
"""Of one node, after which it is given up."""


def main(arguments: argparse.Namespace) -> int:
    """Start what was named, and watch it until a signal comes.

    Raises:
        LamError: if it cannot be started, or a part of it dies that is not started again.
    """
    setup = setup_of(arguments.name)
    values = values_of(setup.arguments, assignments(arguments.overrides))
    folder = _folder(arguments.out, setup)
    specs = setup.specs(values, folder)
    if arguments.show:
        print(*(_row(spec) for spec in specs), sep="\n", file=sys.stderr)
        return _end(arguments, {"name": setup.name, "nodes": [spec.name for spec in specs]})
    _require_programs(specs)
    _require_checkpoint(specs)
    _make(folder)
    security.tell_exposure()
    watch = Watch(specs, folder, values.namespace)
    try:
        ready_s = watch.run()
    finally:
        gc.collect()  # a node in a reference cycle keeps the middleware's threads
    names = [spec.name for spec in specs]
    report = {"name": setup.name, "nodes": names, "ready_seconds": ready_s}
    return _end(arguments, {**report, "restarts": watch.restarts})


def assignments(words: Sequence[str]) -> dict[str, str]:
    """Return name -> value of `name=value`, also as `name:=value`.

    Raises:
        ConfigError: if a word is neither.
    """
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.rstrip(":"):
            raise ConfigError(f"argument '{word}' is not of the form name=value")
        given[name.rstrip(":")] = value
    return given


class Watch:
    """Runs the rows of a table; made for one use.

    Attributes:
        restarts: how often a node was started again.
    """

    def __init__(self, specs: Sequence[NodeSpec], folder: Path, namespace: str) -> None:
        """Prepare; logs go to `folder/logs`."""
        self.restarts = 0
        self._specs = {spec.name: spec for spec in specs}
        self._folder = folder
        self._namespace = namespace
        self._count: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._is_ready = False
        self._ready_s: float | None = None

    def run(self) -> float | None:
        """Watch until a signal comes; return how long it took until all was ready [s].

        Raises:
            NodeDied: if a node dies that is not started again, or dies too often.
        """
        remove_dead_segments()
        domain_id = int(os.environ.get("ROS_DOMAIN_ID") or 0)
        specs = tuple(self._specs.values())
        with ended_by_signal() as signals, ros([]) as executor:
            node = rclpy.create_node("up", namespace=self._namespace)
            node.create_subscription(Bool, topics.READY, self._on_ready, qos.LATCHED)
            executor.add_node(node)
            try:
                with Supervisor(specs, self._folder, domain_id) as supervisor:
                    self._began_s = time.monotonic()
                    while not signals:
                        executor.spin_once(timeout_sec=SPIN_S)
                        self._look(supervisor)
            finally:
                executor.shutdown()
                rclpy.try_shutdown()
                node.destroy_node()
        return self._ready_s

    def _on_ready(self, message: Bool) -> None:
        if message.data and self._ready_s is None:
            self._ready_s = round(time.monotonic() - self._began_s, 2)
        if message.data != self._is_ready:
            after = f" after {self._ready_s:g} s" if not self.restarts else " again"
            _say(f"ready{after}; Ctrl-C ends it" if message.data else "not all is up")
        self._is_ready = bool(message.data)

    def _look(self, supervisor: Supervisor) -> None:
        alive = supervisor.pids()
        for name in self._specs:
            if name in alive:
                continue
            if not self._specs[name].restart or self._count.get(name, 0) >= MOST_RESTARTS:
                self._give_up(supervisor, name)
            self._restart(supervisor, name)

    def _restart(self, supervisor: Supervisor, name: str) -> None:
        now_s = time.monotonic()
        if name not in self._due:
            words = supervisor.last_words(name)
            _say(f"{name} has ended ({words or 'it said nothing'}): it is started again")
            self._due[name] = now_s + RESTART_AFTER_S
        elif now_s >= self._due[name]:
            del self._due[name]
            self._count[name] = self._count.get(name, 0) + 1
            self.restarts += 1
            supervisor.revive(name)

    def _give_up(self, supervisor: Supervisor, name: str) -> None:
        words = supervisor.last_words(name)
        for other in self._specs:  # the bring-up node names who failed; that one says why
            if name == "bringup" and words.startswith(f"{other} "):
                error = NodeDied(f"{words}: {supervisor.last_words(other)}")
                code = supervisor.end(other)
                if code in (ExitCode.WRONG_REQUEST, ExitCode.MACHINE_LACKS):
                    error.exit_code = ExitCode(code)
                raise error
        supervisor.check()


def _require_programs(specs: Sequence[NodeSpec]) -> None:
    for spec in specs:
        if spec.program and shutil.which(spec.program[0]) is None:
            raise MachineError(
                f"{spec.program[0]} is not installed: it comes with a ROS desktop installation; "
                "leave use_rviz=false and open config/foxglove/lam.json in Foxglove instead"
            )


def _require_checkpoint(specs: Sequence[NodeSpec]) -> None:
    """Refuse a checkpoint that the policy's node would refuse, before the arm is started for it."""
    for spec in specs:
        if spec.class_name == "PolicyNode" and not spec.parameter_files:
            path = find_checkpoint(spec.parameters["checkpoint"])
            checkpoint_for(path, load_robot(spec.parameters["robot"]))


def _folder(out: str, setup: Setup) -> Path:
    name = f"up-{setup.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    return Path(out) if out else Path("runs") / name


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot write the folder {folder} ({error.strerror}): give another with --out"
        ) from None


def _row(spec: NodeSpec) -> str:
    name = f"/{spec.namespace}/{spec.name}" if spec.namespace else f"/{spec.name}"
    after = "started again" if is_restarted(spec.name) else "all ends"
    values = " ".join(f"{key}={value}" for key, value in spec.parameters.items())
    return f"{name:<22} when it dies: {after:<14} {values or ' '.join(spec.program)}"


def _say(text: str) -> None:
    print(f"lam up: {text}", file=sys.stderr, flush=True)


def _end(arguments: argparse.Namespace, report: dict[str, object]) -> int:
    if arguments.json:
        print(json.dumps(report))
    return int(ExitCode.DONE)
