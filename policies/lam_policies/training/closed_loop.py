"""A checkpoint drives, and the best by success is kept; loss alone says little."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lam_policies.checkpoint import CARD
from lam_policies.training.export import replace_folder
from lam_policies.training.model_card import MODEL_CARD, model_card
from lam_policies.training.report import Report
from lam_ros.core.errors import LamError

BEST = "best"
SUCCESS = "success"
FIRST_SEED = 950_000
"""Of no data set, and not among those by which `lam eval` judges."""


@dataclass(frozen=True)
class Judging:
    """How checkpoints are judged: by `lam eval` of `episodes` episodes of a suite; 0 for not at all."""

    policy: str
    episodes: int
    suite: str

    def judge(self, folder: Path, step: int, report: Report) -> None:
        """Let a checkpoint drive, keep it if it is the best, and tell.

        An evaluation that fails is told; the run goes on, and so does its newest checkpoint.
        """
        if self.episodes:
            try:
                rate = judge(folder, self.policy, self.episodes, self.suite)
            except LamError as error:
                report.say(str(error))
            else:
                keep_best(folder, rate)
                report.judged(step, rate, best_rate(folder))


def judge(folder: Path, policy: str, episodes: int, suite: str) -> float:
    """Let a checkpoint drive in `lam eval`, in a process of its own; returns its share of successes.

    Raises:
        LamError: if the evaluation fails, with its last line.
    """
    command = [
        sys.executable, "-m", "lam_ros.cli", "eval", "--json", f"policy={policy}",
        f"policy.path={folder}", f"suite={suite}", f"episodes={episodes}", "workers=1",
        f"first_seed={FIRST_SEED}", "--out", str(folder.parent / "eval"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise LamError(f"train: the checkpoint could not be evaluated: {last}")
    return float(json.loads(lines[-1])["success_rate"])


def keep_best(folder: Path, rate: float) -> bool:
    """Copy a checkpoint to `best` beside it if none there did better; returns whether it was."""
    best = folder.with_name(BEST)
    if best_rate(folder) > rate:
        return False
    part = best.with_name(f"{BEST}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(folder, part)
    card = json.loads((part / CARD).read_text(encoding="utf-8"))
    card = {**card, SUCCESS: rate}
    (part / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (part / MODEL_CARD).write_text(model_card(card), encoding="utf-8")
    replace_folder(part, best)
    return True


def best_rate(folder: Path) -> float:
    """Return the share of successes of the best checkpoint beside this one; -1 if there is none."""
    card = folder.with_name(BEST) / CARD
    if not card.is_file():
        return -1.0
    return float(json.loads(card.read_text(encoding="utf-8")).get(SUCCESS, -1.0))
