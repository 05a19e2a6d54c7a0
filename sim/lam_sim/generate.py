"""Making a data set of demonstrations: `python -m lam_sim.generate`, or `lam data`.

The seeds are split into parts; each worker process makes one part after the other, each
a finished data set of its own, and at the end the parts are joined.  An interrupted run
takes up where it was: finished parts are kept.  The result depends on the seeds alone,
not on the number of workers.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lam_ros.config import load_robot
from lam_ros.core.errors import DataError
from lam_ros.core.robot import RobotDescription
from lam_sim.dataset import DatasetWriter, merge, read_episodes
from lam_sim.noise import NoiseConfig
from lam_sim.rollout import Demonstration, Demonstrator
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import sample_episode
from lam_sim.world import LockstepSim, SimConfig

EPISODES_PER_PART = 25
ATTEMPTS = 5
"""How often a scene is tried until the demonstration is good."""

_DONE = "done"
_PARTS = ".parts"


@dataclass(frozen=True)
class GenerateConfig:
    """What to make.

    Attributes:
        out: folder of the data set; must not hold one yet.
        episodes: how many seeds, one episode each.
        first_seed: the first of them.
        workers: processes; 0 for as many as there are cores.
        robot: name of the robot description.
        scene: the family of scenes.
        noise: what disturbs the expert.
    """

    out: Path
    episodes: int = 2500
    first_seed: int = 0
    workers: int = 0
    robot: str = "so101"
    scene: SceneConfig = field(default_factory=SceneConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)


@dataclass(frozen=True)
class Summary:
    """What came of it."""

    episodes: int
    frames: int
    skipped_seeds: int
    seconds: float


@dataclass(frozen=True)
class _Part:
    folder: Path
    seeds: range


def generate(config: GenerateConfig, console: Console) -> Summary:
    """Make the data set, showing progress.

    Raises:
        DataError: if the folder holds something already, or no demonstration was good.
    """
    start_s = time.monotonic()
    parts = _plan(config)
    _make_parts(config, parts, console)
    rows = [row for part in parts for row in read_episodes(part.folder)]
    if (config.out / "meta").exists():
        shutil.rmtree(config.out / "meta")  # a join that was interrupted
    _join(config, parts)
    return Summary(
        episodes=len(rows),
        frames=sum(row.length for row in rows),
        skipped_seeds=config.episodes - len(rows),
        seconds=time.monotonic() - start_s,
    )


def _plan(config: GenerateConfig) -> list[_Part]:
    if (config.out / "meta" / "lam" / "robot.json").exists():
        raise DataError(f"data set {config.out}: exists already; give another folder or remove it")
    if config.episodes < 1:
        raise DataError(
            f"data set {config.out}: {config.episodes} episodes came, 1 or more is allowed"
        )
    last = config.first_seed + config.episodes
    starts = range(config.first_seed, last, EPISODES_PER_PART)
    return [
        _Part(
            config.out / _PARTS / f"seeds_{start:08d}_{min(start + EPISODES_PER_PART, last):08d}",
            range(start, min(start + EPISODES_PER_PART, last)),
        )
        for start in starts
    ]


def _make_parts(config: GenerateConfig, parts: Sequence[_Part], console: Console) -> None:
    todo = [part for part in parts if not (part.folder / _DONE).exists()]
    columns = (
        TextColumn("[bold]demonstrations"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    start_s, made = time.monotonic(), 0
    with Progress(*columns, console=console) as progress:
        kept = sum(len(part.seeds) for part in parts if part not in todo)
        task = progress.add_task("", total=config.episodes, completed=kept, rate="")
        for part, frames in _run(config, todo):
            made += frames
            rate = f"{made / (time.monotonic() - start_s):.0f} frames/s"
            progress.update(task, advance=len(part.seeds), rate=rate)
            if not console.is_terminal:
                console.print(f"{progress.tasks[0].completed:.0f}/{config.episodes} {rate}")


def _run(config: GenerateConfig, parts: Sequence[_Part]) -> Iterator[tuple[_Part, int]]:
    """Yield each part with its number of frames as it is finished."""
    workers = min(config.workers or os.cpu_count() or 1, max(1, len(parts)))
    if workers == 1:
        _start_worker(config)
        yield from map(_make_part, parts)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start_worker, (config,)) as pool:
        yield from pool.imap_unordered(_make_part, parts)
        pool.close()
        pool.join()


def _join(config: GenerateConfig, parts: Sequence[_Part]) -> None:
    filled = [part.folder for part in parts if read_episodes(part.folder)]
    if not filled:
        raise DataError(f"data set {config.out}: no demonstration was good; check scene and robot")
    joined = config.out / ".joined"
    shutil.rmtree(joined, ignore_errors=True)
    merge(filled, joined, load_robot(config.robot))
    for item in joined.iterdir():
        target = config.out / item.name
        shutil.rmtree(target, ignore_errors=True)
        item.rename(target)
    joined.rmdir()
    shutil.rmtree(config.out / _PARTS)


# -- in a worker process -------------------------------------------------------------


class _Worker:
    """One process's simulator, made once."""

    def __init__(self, config: GenerateConfig) -> None:
        self.config = config
        self.robot: RobotDescription = load_robot(config.robot)
        self.demonstrator = Demonstrator(
            LockstepSim(self.robot, SimConfig(scene=config.scene)), config.noise
        )

    def make(self, part: _Part) -> int:
        """Make a part and return its number of frames."""
        shutil.rmtree(part.folder, ignore_errors=True)
        part.folder.parent.mkdir(parents=True, exist_ok=True)
        writer = DatasetWriter(part.folder, self.robot)
        frames = 0
        for seed in part.seeds:
            demonstration, attempt = self._demonstrate(seed)
            if demonstration is not None:
                writer.add(demonstration, attempt)
                frames += len(demonstration)
        writer.finish()
        (part.folder / _DONE).touch()
        return frames

    def _demonstrate(self, seed: int) -> tuple[Demonstration | None, int]:
        episode = sample_episode(self.config.scene, seed)
        for attempt in range(ATTEMPTS):
            demonstration = self.demonstrator.run(episode, attempt=attempt)
            if demonstration.outcome.success and demonstration.came_to_rest:
                return demonstration, attempt
        return None, ATTEMPTS


_worker: _Worker | None = None


def _start_worker(config: GenerateConfig) -> None:
    global _worker
    os.environ.setdefault("LP_NUM_THREADS", "1")
    _worker = _Worker(config)


def _make_part(part: _Part) -> tuple[_Part, int]:
    assert _worker is not None, "the pool starts each worker with _start_worker"
    return part, _worker.make(part)


# -- command -------------------------------------------------------------------------


def main(arguments: argparse.Namespace) -> int:
    """Make the data set that a command line asks for; return the exit code."""
    config = GenerateConfig(
        out=Path(arguments.out),
        episodes=GenerateConfig.episodes if arguments.episodes is None else arguments.episodes,
        first_seed=arguments.first_seed,
        workers=arguments.workers,
        robot=arguments.robot,
    )
    console = Console(stderr=True)
    summary = generate(config, console)
    console.print(
        f"{config.out}: {summary.episodes} episodes, {summary.frames} frames in "
        f"{summary.seconds:.0f} s; {summary.skipped_seeds} seeds without a good demonstration"
    )
    if getattr(arguments, "json", False):
        print(json.dumps({"out": str(config.out), **vars(summary)}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lam_sim.generate", description=__doc__)
    parser.add_argument("--out", required=True, help="folder of the data set")
    parser.add_argument("--episodes", type=int, default=2500, help="episodes, one a seed")
    parser.add_argument("--first-seed", type=int, default=0, help="first scene seed")
    parser.add_argument("--workers", type=int, default=0, help="processes (default: cores)")
    parser.add_argument("--robot", default="so101", help="name in config/robot, or a YAML file")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main(_parser().parse_args()))
