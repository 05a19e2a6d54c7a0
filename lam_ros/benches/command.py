"""`lam bench NAME`: run one bench, print a table for people and JSON for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from lam_ros.benches.report import BenchReport
from lam_ros.core.errors import ConfigError, ExitCode, unknown_name

DEFAULT_SECONDS = {
    "sim": 20.0,
    "loop": 30.0,
    "convert": 60.0,
    "capture": 30.0,
    "plan": 30.0,
    "execute": 60.0,
    "see": 60.0,
    "preview": 90.0,
    "infer": 30.0,
    "seams": 60.0,
    "train": 120.0,
    "soak": 3600.0,
    "faults": 900.0,
}
"""Bench -> how long it measures unless told otherwise."""

WITH_PARTS = ("capture", "faults")
"""Benches of which `--only` chooses parts."""


def main(
    name: str, *, seconds: float, as_json: bool, only: Sequence[str] = (), into: str = ""
) -> int:
    """Run a bench for `seconds` [s] (0: its default) and print what it found.

    Raises:
        ConfigError: if there is no such bench, or the time is negative.
    """
    if name not in DEFAULT_SECONDS:
        raise ConfigError(unknown_name("bench", name, DEFAULT_SECONDS))
    if seconds < 0:
        raise ConfigError(f"--seconds: {seconds} came, 0 or more is allowed")
    if only and name not in WITH_PARTS:
        raise ConfigError(f"--only: bench '{name}' has no parts, {' and '.join(WITH_PARTS)} have")
    if into and name != "faults":
        raise ConfigError(f"--into: bench '{name}' keeps no trials, 'faults' does")
    report = _bench(name, only, into)(seconds or DEFAULT_SECONDS[name])
    report.print(Console(stderr=True))
    if as_json:
        print(report.to_json())
    return int(ExitCode.DONE)


def _bench(name: str, only: Sequence[str], into: str) -> Callable[[float], BenchReport]:
    if name == "sim":
        from lam_ros.benches import sim

        return sim.run
    if name == "seams":
        from lam_ros.benches import seams

        return seams.run
    if name == "faults":
        from lam_ros.benches import faults

        return lambda seconds: faults.run(seconds, only, Path(into) if into else None)
    if name == "soak":
        from lam_ros.benches import soak

        return soak.run
    if name == "preview":
        from lam_ros.benches import preview

        return preview.run
    if name == "see":
        from lam_ros.benches import see

        return see.run
    if name == "execute":
        from lam_ros.benches import execute

        return execute.run
    if name == "plan":
        from lam_ros.benches import plan

        return plan.run
    if name == "convert":
        from lam_ros.benches import convert

        return convert.run
    if name == "capture":
        from lam_ros.benches import capture

        return lambda seconds: capture.run(seconds, only)
    if name == "train":
        from lam_ros.benches import train

        return train.run
    if name == "infer":
        from lam_ros.benches import infer

        return infer.run
    from lam_ros.benches import loop

    return loop.run
