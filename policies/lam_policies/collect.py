"""Training data in quantity: `python -m lam_policies.collect demonstrate|dagger|ground`.

demonstrate: the expert does the tasks.  dagger: a policy drives first, and the expert shows
how to get out of where it has got itself into.  ground: pictures in which nobody acts.

The seeds are split into parts, each a folder of decoded data with `made.json`, which tells
how; an interrupted run goes on with the parts that are missing.  What a part holds depends
on its seeds alone (and on the policy's weights), not on the number of workers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from lam_policies.chaining import Chaining
from lam_policies.families import PLACING, SHARES, families, family_of
from lam_policies.grounding import Grounding, Poses
from lam_policies.practice import Practice, PracticeConfig, Rows, Shard, fill
from lam_policies.progress import counting_bar
from lam_policies.training import store
from lam_policies.undone import nearly_done
from lam_ros.config import load_robot
from lam_ros.core.errors import DataError, ExitCode, LamError
from lam_ros.workers import each
from lam_sim.ik import CartesianTeleop
from lam_sim.tasks import Episode, feasible_steps, initial_scene
from lam_sim.world import LockstepSim, SimConfig

HOW = ("demonstrate", "dagger", "ground")
POSES_KEPT = 6000


@dataclass(frozen=True)
class CollectConfig:
    """What to collect.

    Attributes:
        how: one of `HOW`.
        out: folder of the parts.
        scenes: how many seeds, one scene each.
        first_seed: the first of them; training and evaluation must not share any.
        part: seeds in a part.
        workers: processes; 0 for as many as there are cores.
        policy: dagger: the checkpoint that drives first.
        max_policy_s: dagger: it drives for a time up to this.
        picture_stride: every how many rows a picture is kept.
        window_rows: only so many rows of each episode; 0 for whole ones.
        poses: ground: a part of demonstrations whose poses the arm takes; empty for any.
        pictures: ground: pictures of each scene.
        skills: families of `lam_policies.families`, or `all`; a seed belongs to one.
        mishap_share: demonstrate: share of the episodes that begin after a mishap.
        camera: how strongly the cameras' places vary; 1 as in evaluation without an axis.
        alike_distractors: whether distractors may have the colours of what tasks name, too.
        only_failures: dagger: the expert shows the way out of what the policy fails at alone.
        undone_share: demonstrate: share of the episodes that begin nearly, or seemingly, done.
    """

    how: str
    out: str
    scenes: int = 1000
    first_seed: int = 0
    part: int = 100
    workers: int = 0
    policy: str = ""
    max_policy_s: float = 9.0
    picture_stride: int = 2
    window_rows: int = 0
    poses: str = ""
    pictures: int = 6
    skills: tuple[str, ...] = (PLACING,)
    mishap_share: float = 0.0
    camera: float = 1.0
    alike_distractors: bool = False
    only_failures: bool = False
    undone_share: float = 0.0

    def __post_init__(self) -> None:
        """Check the request.

        Raises:
            DataError: if something is missing or out of range.
        """
        for name in ("scenes", "part", "picture_stride", "pictures"):
            if getattr(self, name) < 1:
                raise DataError(f"collect: {name} is {getattr(self, name)}, it must be 1 or more")
        for name in ("mishap_share", "undone_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                asked = f"{name.replace('_', '-')} is {getattr(self, name)}"
                raise DataError(f"collect: {asked}, allowed is 0 to 1")
        families(self.skills, self.camera, self.alike_distractors)
        if self.how == "dagger" and not self.policy:
            raise DataError("collect dagger: no policy; name a checkpoint with --policy")

    def parts(self) -> list[range]:
        """Return the seeds of each part."""
        end = self.first_seed + self.scenes
        starts = range(self.first_seed, end, self.part)
        return [range(start, min(start + self.part, end)) for start in starts]

    def folder(self, seeds: range) -> Path:
        """Return the folder of a part."""
        return Path(self.out) / f"{self.how}_{seeds.start:08d}_{seeds.stop:08d}"


def collect(config: CollectConfig, console: Console) -> int:
    """Make the parts that are missing, showing progress; return how many were made."""
    parts = config.parts()
    todo = [seeds for seeds in parts if not (config.folder(seeds) / store.MADE).is_file()]
    kept = config.scenes - sum(len(seeds) for seeds in todo)
    with counting_bar(console, config.how, config.scenes, kept) as advance:
        for seeds in each(partial(_worker, config), todo, config.workers or os.cpu_count() or 1):
            advance(len(seeds), config.how)
    return len(todo)


class _Worker:
    """One process's simulator, and what works in it."""

    def __init__(self, config: CollectConfig) -> None:
        self.config = config
        self.families = families(config.skills, config.camera, config.alike_distractors)
        robot = load_robot("so101")
        self.policy = None
        if config.how == "dagger":
            import torch

            from lam_policies.loader import load_policy

            torch.set_num_threads(1)
            self.policy = load_policy(config.policy, robot, "cpu")
        settings = PracticeConfig(
            max_policy_s=config.max_policy_s if self.policy else 0.0,
            picture_stride=config.picture_stride,
            window_rows=config.window_rows,
            mishap_share=config.mishap_share,
            only_failures=config.only_failures,
        )
        poses = _read_poses(Path(config.poses), CartesianTeleop(robot)) if config.poses else None
        self.practices: dict[bool, Practice] = {}
        self.groundings: dict[bool, Grounding] = {}
        for family in self.families:  # one simulator without fixtures, one with all of them
            if family.scene.is_furnished not in self.practices:
                sim = LockstepSim(robot, SimConfig(scene=family.scene))
                self.practices[family.scene.is_furnished] = Practice(sim, settings, self.policy)
                self.groundings[family.scene.is_furnished] = Grounding(sim, poses)

    def make(self, seeds: range) -> range:
        """Make the part of these seeds; its `made.json` comes last."""
        folder = self.config.folder(seeds)
        shutil.rmtree(folder, ignore_errors=True)
        made: dict[str, Any] = {"how": self.config.how, "seeds": [seeds.start, seeds.stop]}
        made["skills"] = [family.name for family in self.families]
        made["camera"] = self.config.camera
        made["alike_distractors"] = self.config.alike_distractors
        if self.config.how == "ground":
            shard = Shard(folder, 1)
            for seed in seeds:
                for rows in self._pictures(seed):
                    shard.add(rows)
            shard.save()
        else:
            shard = Shard(folder, self.config.picture_stride)
            episodes = (family_of(seed, self.families).episode(seed) for seed in seeds)
            made["without_success"] = fill(shard, self._practise, episodes)
            made["mishap_share"] = self.config.mishap_share
            made["undone_share"] = self.config.undone_share
            made["only_failures"] = self.config.only_failures
            made["window_rows"] = self.config.window_rows
        if self.policy is not None:
            made["policy"] = self.policy.info.policy_id
        (folder / store.MADE).write_text(json.dumps(made) + "\n", encoding="utf-8")
        return seeds

    def _practise(self, episode: Episode) -> Iterator[Rows | None]:
        family = family_of(episode.scene.seed, self.families)
        practice = self.practices[family.scene.is_furnished]
        rng = np.random.default_rng([episode.scene.seed, 0x0D0])
        undone = nearly_done(episode, rng) if rng.random() < self.config.undone_share else None
        if undone is not None:
            yield from practice.run(undone)
        elif family.chain:
            yield from Chaining(practice, family.mix, family.chain).run(episode)
        else:
            yield from practice.run(episode)

    def _pictures(self, seed: int) -> Iterator[Rows]:
        """Yield the pictures of a seed; of placing in scenes in which any cube may be named."""
        family, count = family_of(seed, self.families), self.config.pictures
        grounding = self.groundings[family.scene.is_furnished]
        if family.name == PLACING:
            yield from grounding.pictures(seed, count)
            return
        episode = family.episode(seed)
        scene = initial_scene(episode.scene)
        steps = [
            step
            for task_type, share in family.mix.items()
            if share > 0
            for step in feasible_steps(scene, task_type)
        ]
        yield from grounding.pictures_of(episode, steps, count)


def _read_poses(folder: Path, teleop: CartesianTeleop) -> Poses:
    if not (folder / store.ROWS).is_file():
        raise DataError(f"collect ground: {folder} holds no {store.ROWS}; name a part of data")
    states: np.ndarray = np.load(folder / store.ROWS)["state_rad"].astype(float)
    order = np.random.default_rng(0).permutation(len(states))[:POSES_KEPT]
    return Poses.of(states[order], teleop)


@contextmanager
def _worker(config: CollectConfig) -> Iterator[Callable[[range], range]]:
    yield _Worker(config).make


def main(argv: Sequence[str]) -> int:
    """Collect what a command line asks for; return the exit code."""
    config = CollectConfig(**vars(_parser().parse_args(argv)))
    console = Console(stderr=True)
    made = collect(config, console)
    console.print(f"{config.out}: {made} parts made, {len(config.parts()) - made} kept")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lam_policies.collect", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("how", choices=HOW)
    parser.add_argument("--out", required=True, help="folder of the parts")
    for name, default, text in (
        ("scenes", 1000, "scenes, one a seed"),
        ("first-seed", 0, "seed of the first scene"),
        ("part", 100, "seeds in a part"),
        ("workers", 0, "processes (default: cores)"),
        ("picture-stride", 2, "every how many rows a picture is kept"),
        ("window-rows", 0, "only so many rows of each episode (default: all)"),
        ("pictures", 6, "ground: pictures of each scene"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    parser.add_argument("--policy", default="", help="dagger: checkpoint that drives first")
    parser.add_argument(
        "--skills", type=lambda text: tuple(text.split(",")), default=(PLACING,), metavar="NAMES",
        help=f"comma-separated, of {', '.join(SHARES)}, or all (default: {PLACING})",
    )  # fmt: skip
    parser.add_argument(
        "--mishap-share", type=float, default=0.0,
        help="demonstrate: share of episodes that begin after a mishap",
    )  # fmt: skip
    parser.add_argument(
        "--undone-share", type=float, default=0.0,
        help="demonstrate: share of episodes that begin nearly, or seemingly, done",
    )  # fmt: skip
    parser.add_argument(
        "--camera", type=float, default=1.0,
        help="how strongly the cameras' places vary (default: 1, as evaluation has them)",
    )  # fmt: skip
    parser.add_argument(
        "--alike-distractors", action="store_true",
        help="distractors may have the colours of what tasks name, too",
    )  # fmt: skip
    parser.add_argument(
        "--only-failures", action="store_true",
        help="dagger: the policy has the whole time, and only what it fails at is shown",
    )  # fmt: skip
    parser.add_argument("--max-policy-s", type=float, default=9.0, help="dagger: for how long")
    parser.add_argument("--poses", default="", help="ground: demonstrations with poses to take")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LamError as error:
        print(f"collect: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
