"""`lam data --env metaworld`: scripted demonstrations of Meta-World, as decoded training data.

A folder a task, each with `made.json`, which comes last and tells how it was made; an
interrupted run goes on with the tasks that are missing, and the same command with more tasks
adds them.  What a task's folder holds depends on the settings alone, not on the workers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from lam_policies.metaworld.demonstrate import Demonstration, demonstrate
from lam_policies.metaworld.statistics import write_statistics
from lam_policies.progress import counting_bar
from lam_policies.training import store
from lam_ros.config import load_body
from lam_ros.core.errors import ConfigError, DataError, ExitCode
from lam_ros.recording.convert import layout
from lam_ros.workers import each
from lam_sim.metaworld.tasks import MetaTask, choose, require_metaworld

ATTEMPTS = 4
"""How many seeds are tried for each demonstration that is wanted, before a task is given up."""

BODY = "metaworld"


@dataclass(frozen=True)
class DemonstrationConfig:
    """What to collect.

    Attributes:
        out: folder of the tasks' folders.
        tasks: as `lam_sim.metaworld.tasks.choose` reads them.
        episodes: demonstrations of each task.
        first_seed: of each task; evaluation draws from other seeds.
        noise: what disturbs the expert, in action units; see `demonstrate`.
        picture_stride: every how many steps a picture is kept.
        workers: processes; 0 for as many as there are cores.
    """

    out: str
    tasks: tuple[str, ...] = ("ten",)
    episodes: int = 50
    first_seed: int = 0
    noise: float = 0.1
    picture_stride: int = 4
    workers: int = 0

    def __post_init__(self) -> None:
        """Check the request.

        Raises:
            ConfigError: if a number is out of range.
        """
        for name in ("episodes", "picture_stride"):
            if getattr(self, name) < 1:
                raise ConfigError(f"data: {name} is {getattr(self, name)}, it must be 1 or more")
        if not 0.0 <= self.noise <= 1.0:
            raise ConfigError(f"data: noise is {self.noise}, allowed is 0 to 1")
        if self.first_seed < 0:
            raise ConfigError(f"data: first_seed is {self.first_seed}, it must be 0 or more")

    def made(self) -> dict[str, Any]:
        """Return what a task's data depend on."""
        return {
            "episodes": self.episodes,
            "first_seed": self.first_seed,
            "noise": self.noise,
            "picture_stride": self.picture_stride,
        }


def collect(config: DemonstrationConfig, console: Console) -> list[MetaTask]:
    """Make the tasks that are missing, showing progress; return those that were made.

    Raises:
        ConfigError: if a task is unknown.
        DataError: if a task's folder was made with other settings, or an expert fails.
        MachineError: if Meta-World is not installed.
    """
    tasks = choose(config.tasks)
    require_metaworld()
    todo = [task for task in tasks if not _is_made(config, task)]
    total, kept = len(tasks) * config.episodes, (len(tasks) - len(todo)) * config.episodes
    with counting_bar(console, "demonstrations", total, kept) as advance:
        for task, frames in each(
            partial(_maker, config), todo, config.workers or os.cpu_count() or 1
        ):
            advance(config.episodes, f"{task.name}: {frames} steps;")
    write_statistics(Path(config.out), load_body(BODY))
    _tell_what_it_is_of(Path(config.out))
    return todo


def _tell_what_it_is_of(out: Path) -> None:
    path = out / layout.ROBOT
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"env": BODY, "robot": load_body(BODY).to_dict()}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _is_made(config: DemonstrationConfig, task: MetaTask) -> bool:
    """Tell whether a task's data are there.

    Raises:
        DataError: if they were made with other settings.
    """
    path = Path(config.out) / task.name / store.MADE
    if not path.is_file():
        return False
    made = json.loads(path.read_text(encoding="utf-8"))
    for name, value in config.made().items():
        if made.get(name) != value:
            raise DataError(
                f"data {path.parent}: {name} was {made.get(name)}, {value} is asked for; "
                "give another --out, or remove that folder"
            )
    return True


@contextmanager
def _maker(
    config: DemonstrationConfig,
) -> Iterator[Callable[[MetaTask], tuple[MetaTask, int]]]:
    yield partial(_make, config)


def _make(config: DemonstrationConfig, task: MetaTask) -> tuple[MetaTask, int]:
    """Make a task's data; return it with its number of steps."""
    from lam_sim.metaworld.env import YardstickEnv

    camera = load_body(BODY).cameras[0]
    env = YardstickEnv(task.name, camera.width_px)
    folder = Path(config.out) / task.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept: list[Demonstration] = []
    seeds = range(config.first_seed, config.first_seed + ATTEMPTS * config.episodes)
    last = config.first_seed
    with store.picture_file(folder, camera.name).open("wb") as file:
        for last in seeds:
            shown = demonstrate(env, last, noise=config.noise, stride=config.picture_stride)
            if shown is not None:
                file.write(shown.pictures.tobytes())
                kept.append(shown)
            if len(kept) == config.episodes:
                break
    env.close()
    if len(kept) < config.episodes:
        raise DataError(
            f"data {task.name}: the expert succeeded in {len(kept)} of {len(seeds)} episodes, "
            f"{config.episodes} are needed; give a lower --noise"
        )
    store.save(folder, _arrays(kept, config.picture_stride), [task.sentence])
    made = {"task": task.name, **config.made(), "failed": last + 1 - seeds.start - len(kept)}
    (folder / store.MADE).write_text(json.dumps(made) + "\n", encoding="utf-8")
    return task, sum(len(shown.state) for shown in kept)


def _arrays(kept: Sequence[Demonstration], stride: int) -> dict[str, np.ndarray]:
    lengths = np.array([len(shown.state) for shown in kept])
    ends = np.cumsum(lengths)
    rows = int(ends[-1])
    pictured = [
        np.arange(end - n, end, stride, dtype=np.int64)
        for n, end in zip(lengths, ends, strict=True)
    ]
    return {
        "picture_row": np.concatenate(pictured),
        "state_rad": np.concatenate([shown.state for shown in kept]).astype(np.float32),
        "action_rad": np.concatenate([shown.action for shown in kept]).astype(np.float32),
        "episode_end": np.repeat(ends, lengths),
        "progress": np.concatenate([np.arange(n) / n for n in lengths]).astype(np.float32),
        "said_index": np.zeros(rows, np.int64),
        "places_m": np.concatenate([shown.places_m for shown in kept]).astype(np.float32),
        "yaw_rad": np.full(rows, np.nan, np.float32),
        "pixels": np.concatenate([shown.pixels for shown in kept]).astype(np.float32),
    }


def main(arguments: argparse.Namespace) -> int:
    """Make what `lam data --env metaworld` asks for; return the exit code."""
    default = DemonstrationConfig.episodes
    config = DemonstrationConfig(
        out=arguments.out,
        tasks=tuple(name.strip() for name in arguments.tasks.split(",") if name.strip()),
        episodes=default if arguments.episodes is None else arguments.episodes,
        first_seed=arguments.first_seed,
        noise=arguments.noise,
        workers=arguments.workers,
    )
    console = Console(stderr=True)
    began_s = time.monotonic()
    made = collect(config, console)
    row = {"out": config.out, "tasks": len(choose(config.tasks)), "made": len(made)}
    row["seconds"] = round(time.monotonic() - began_s, 1)
    console.print(f"{config.out}: {row['made']} tasks made of {row['tasks']}")
    if arguments.json:
        print(json.dumps(row))
    return int(ExitCode.DONE)
