"""`lam episodes replay`: recordings sent to the simulator again, and compared."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lam_ros.config import build, load_group
from lam_ros.core.controller import ControlConfig
from lam_ros.core.errors import ConfigError, DataError, ExitCode
from lam_ros.recording.convert.command import find_recordings
from lam_ros.recording.convert.naming import Naming, load_naming
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.replay.lockstep import Replayed, replay, scene_of
from lam_ros.recording.replay.tape import Tape, load_tape
from lam_sim.world import LockstepSim, SimConfig

MAX_SPEED = 1.0
_SPEED = {"sim": 1.0, "arm": 0.5}
"""Where to -> speed unless told otherwise; an arm does not know what is in its way now."""


def main(arguments: argparse.Namespace) -> int:
    """Replay what a command line names; exit code 1 if a recording ended otherwise.

    Raises:
        ConfigError: if an option is out of range.
        DataError: if there is no such recording, or it has no commands.
    """
    speed = _SPEED[arguments.to] if arguments.speed is None else arguments.speed
    if not 0 < speed <= MAX_SPEED:
        raise ConfigError(f"--speed: {speed:g} came, above 0 to {MAX_SPEED:g} is allowed")
    folders = pick(find_recordings([Path(arguments.folder)]), arguments.episode)
    tapes = {folder: _load(folder, arguments.robot) for folder in folders}
    console = Console(stderr=True)
    if arguments.to == "arm":
        from lam_ros.nodes.replay import send

        for folder, tape in tapes.items():
            console.print(f"{folder.name}: sending to the arm", highlight=False)
            send(tape, speed)
        return int(ExitCode.DONE)
    found = _in_simulation(tapes, arguments.seed, speed)
    _print(found, console)
    if arguments.json:
        print(json.dumps({"episodes": [_row(folder, done) for folder, done in found.items()]}))
    same = all(done.same_end for done in found.values())
    return int(ExitCode.DONE if same else ExitCode.TASK_FAILED)


def pick(folders: Sequence[Path], episode: int | None) -> list[Path]:
    """Return the recording whose folder has this number, or all if None is asked for.

    Raises:
        DataError: if there is none.
    """
    if episode is None:
        return list(folders)
    for folder in folders:
        if folder.name.removeprefix("episode_").lstrip("0") == str(episode).lstrip("0"):
            return [folder]
    names = ", ".join(folder.name for folder in folders[:10])
    raise DataError(f"--episode {episode}: there is none of that number; there are: {names}")


def load_control() -> ControlConfig:
    """Return the controller's configuration, as the control node has it."""
    control = load_group("control", "default")
    return build(ControlConfig, {**control, "safety": load_group("safety", "default")}, "control")


def _load(folder: Path, robot_name: str) -> Tape:
    reader = EpisodeReader(folder)
    robot, naming = load_naming(robot_name) if robot_name else (reader.meta.robot, Naming())
    if robot is None:
        raise DataError(
            f"recording {folder}: it does not say which robot it is of; name a YAML with --robot"
        )
    return load_tape(reader, robot, naming)


def _in_simulation(tapes: dict[Path, Tape], seed: int | None, speed: float) -> dict[Path, Replayed]:
    control, found = load_control(), {}
    for folder, tape in tapes.items():
        sim = LockstepSim(tape.robot, SimConfig(render=False))
        found[folder] = replay(sim, tape, scene_of(tape, seed), control, speed)
        sim.close()
    return found


def _print(found: dict[Path, Replayed], console: Console) -> None:
    table = Table(title="replayed in simulation, against the recording", title_justify="left")
    table.add_column("episode")
    for heading in ("length [s]", "joints rms [rad]", "most [rad]", "at the end [rad]"):
        table.add_column(heading, justify="right")
    for heading in ("objects off [mm]", "ended the same"):
        table.add_column(heading, justify="right")
    for folder, done in found.items():
        objects = " ".join(f"{1e3 * item.off_m:.0f}" for item in done.objects.values()) or "-"
        cells = (
            folder.name, f"{done.seconds:.1f}", f"{done.joint_rms_rad:.4f}",
            f"{done.joint_max_rad:.3f}", f"{done.final_joint_rad:.4f}", objects,
            "yes" if done.same_end else "no",
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    console.print(table)


def _row(folder: Path, done: Replayed) -> dict[str, Any]:
    return {"folder": str(folder), "same_end": done.same_end, **asdict(done)}
