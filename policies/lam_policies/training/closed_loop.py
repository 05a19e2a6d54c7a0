"""A checkpoint drives, and the best by success is kept; loss alone says little."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lam_policies.checkpoint import CARD
from lam_policies.training.export import replace_folder
from lam_policies.training.model_card import MODEL_CARD, model_card
from lam_ros.core.errors import LamError

BEST = "best"
SUCCESS = "success"


def judge(folder: Path, policy: str, episodes: int, suite: str = "pick_place") -> float:
    """Let a checkpoint drive in `lam eval`, in a process of its own; returns its share of successes.

    Raises:
        LamError: if the evaluation fails, with its last line.
    """
    command = [
        sys.executable, "-m", "lam_ros.cli", "eval", "--json", f"policy={policy}",
        f"policy.path={folder}", f"suite={suite}", f"episodes={episodes}", "workers=1",
        "first_seed=500000", "--out", str(folder.parent / "eval"),
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
    if (best / CARD).is_file():
        before = json.loads((best / CARD).read_text(encoding="utf-8")).get(SUCCESS, -1.0)
        if before > rate:
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
