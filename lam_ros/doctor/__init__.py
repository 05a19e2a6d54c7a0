"""`lam doctor`: what this machine has, what it lacks, and what to do about it.

Each check is a small function of what it looks at, so that tests can plant a fault;
`examine` looks at the real machine.
"""

from __future__ import annotations

import importlib.util
import json as json_module
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lam_ros import environment, paths
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.errors import ExitCode
from lam_ros.doctor import hardware, middleware, software
from lam_ros.doctor.check import Check
from lam_ros.witness import witness

RHYTHM_S = 2.0
"""For so long the machine's rhythm is listened to."""

__all__ = ["Check", "examine", "report", "run"]


def run(json: bool = False) -> int:
    """Check this machine, show the result, and return the exit code: 0, or 4 if it lacks something.

    Args:
        json: whether to print one JSON object as the last line of standard output.
    """
    environment.ensure()
    return tell(examine(), json)


def tell(looks: Iterable[Check], json: bool) -> int:
    """Make the checks and show them, to people and on request to machines; return the exit code."""
    console = Console(stderr=True)
    with console.status("checking this machine"):
        checks = list(looks)
    console.print(report(checks))
    ok = all(check.ok for check in checks)
    console.print("Everything is here." if ok else "Something is missing: see the remedies.")
    if json:
        rows = [vars(check) for check in checks]
        print(json_module.dumps({"ok": ok, "checks": rows}))
    return int(ExitCode.DONE if ok else ExitCode.MACHINE_LACKS)


def examine() -> Iterator[Check]:
    """Check this machine, one thing after another."""
    env = os.environ
    here = environment.Installation.here()
    yield software.python_version(sys.version_info[:3])
    ros = software.ros_source(env, here, _file_of("rclpy"))
    yield ros
    yield from _safely("interfaces", lambda: [software.interfaces()])
    yield software.yardstick()
    yield software.opencv(dist.name for dist in distributions())
    yield middleware.network(env, here)
    yield middleware.dds_profile(env)
    yield middleware.shared_memory(_free_bytes(Path("/dev/shm")))
    if ros.ok:
        yield from _safely("messages", middleware.round_trip)
    yield from _safely("rendering", lambda: [hardware.rendering(env)])
    yield hardware.gpu()
    yield hardware.threads(len(os.sched_getaffinity(0)), env)
    yield from _safely("rhythm", lambda: [_rhythm()])
    yield from _safely("checkpoint", lambda: [_checkpoint()])
    yield hardware.disk(_free_bytes(Path.cwd()) or 0, Path.cwd())
    yield hardware.cameras(Path("/dev").glob("video*"))
    yield hardware.serial_ports([*Path("/dev").glob("ttyACM*"), *Path("/dev").glob("ttyUSB*")])


def report(checks: Sequence[Check]) -> Table:
    """Return the table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "check", "found", "remedy"):
        table.add_column(title, overflow="fold")
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[bold red]--[/]"
        table.add_row(mark, check.name, check.found, check.remedy)
    return table


def _safely(name: str, look: Callable[[], Iterable[Check]]) -> Iterable[Check]:
    """Return the checks, or a failed one where looking itself breaks: the others still count."""
    try:
        return tuple(look())
    except Exception as error:  # noqa: BLE001  any fault of the machine can come up here
        found = f"{type(error).__name__}: {error}".splitlines()[0]
        return (Check(name, False, found, software.SET_UP_AGAIN),)


def _rhythm() -> Check:
    """Have a bare loop run like the control node's for a moment, and say how that went."""
    period_ns = load_robot("so101").control_period_ns
    with witness(period_ns) as found:
        time.sleep(RHYTHM_S)
    return hardware.rhythm(period_ns / NS_PER_MS, found.seen)


def _checkpoint() -> Check:
    """Check the default checkpoint by loading it for its robot."""

    def load(folder: Path) -> object:
        from lam_policies.loader import load_policy  # torch: seconds, and only if there is one

        return load_policy(folder, load_robot("so101"), "cpu")

    policy = paths.config_dir() / "policy" / "lam.yaml"
    return software.checkpoint(policy, paths.checkpoints_dir(), load)


def _file_of(module: str) -> str | None:
    spec = importlib.util.find_spec(module)
    return spec.origin if spec else None


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
