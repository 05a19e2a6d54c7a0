"""From the command line to a conversion, and on to the hub."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from lam_ros.core.errors import ConfigError, ExitCode, unknown_name
from lam_ros.recording.convert.command import ConvertConfig, convert
from lam_ros.recording.convert.grid import GridConfig
from lam_ros.recording.convert.parts import PartConfig
from lam_ros.recording.convert.push import push
from lam_ros.recording.convert.report import Fate
from lam_ros.recording.format import Outcome

MAX_FPS = 1000


def main(arguments: argparse.Namespace) -> int:
    """Convert as a command line asks for, and return the exit code.

    Raises:
        ConfigError: if an option is out of range.
        DataError: if there is no recording, or the data set does not fit.
        MachineError: if the disk fails, or there is no way to the hub.
    """
    config = read_config(arguments)
    console = Console(stderr=True)
    report = convert(config, console)
    report.print(console)
    if arguments.json:
        print(report.to_json())
    if arguments.push and report.total_episodes:
        push(config.out, arguments.push, console)
    return int(ExitCode.TASK_FAILED if report.count(Fate.REJECTED) else ExitCode.DONE)


def read_config(arguments: argparse.Namespace) -> ConvertConfig:
    """Return what a command line asks for.

    Raises:
        ConfigError: if an option is out of range.
    """
    if not 1 <= arguments.fps <= MAX_FPS:
        raise ConfigError(f"--fps: {arguments.fps} came, 1 to {MAX_FPS} is allowed")
    if arguments.workers < 0:
        raise ConfigError(f"--workers: {arguments.workers} came, 0 or more is allowed")
    if arguments.min_seconds < 0:
        raise ConfigError(f"--min-seconds: {arguments.min_seconds} came, 0 or more is allowed")
    min_frames = max(2, round(arguments.min_seconds * arguments.fps))
    return ConvertConfig(
        recordings=tuple(Path(item) for item in arguments.recordings),
        out=Path(arguments.out),
        robot=arguments.robot,
        workers=arguments.workers,
        part=PartConfig(
            grid=GridConfig(fps=arguments.fps, min_frames=min_frames),
            gaps=arguments.gaps,
            by_task=arguments.by_task,
            task=arguments.task,
            outcomes=_outcomes(arguments.outcomes),
        ),
    )


def _outcomes(text: str) -> tuple[Outcome, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in tuple(Outcome):
            raise ConfigError(f"--outcomes: {unknown_name('outcome', name, tuple(Outcome))}")
    return tuple(Outcome(name) for name in names)
