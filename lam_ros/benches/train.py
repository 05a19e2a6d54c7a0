"""`lam bench train`: samples a second of `lam train policy=act` against LeRobot's own `lerobot-train`.

The same ACT of LeRobot's usual size learns from the same data set, with the same batch, the same
number of threads and after a warm-up, each in a process of its own and one after the other.
LeRobot's rate is that of its own log: what it waits for data and what a step takes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from lam_ros.benches.report import BenchReport, machine
from lam_ros.core.errors import MachineError

BATCH = 8
SECONDS_A_STEP = 4.0
"""A guess at both together, from which the number of steps is taken."""
EPISODES = 8
LOG_EVERY = 10
_WAITS = re.compile(r"updt_s:([\d.]+).*?data_s:([\d.]+)")


def run(seconds: float) -> BenchReport:
    """Train both for about `seconds` [s] in all, after making a small data set.

    Raises:
        MachineError: if one of them fails, with its last line.
    """
    steps = max(3 * LOG_EVERY, int(seconds / SECONDS_A_STEP) // LOG_EVERY * LOG_EVERY)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        data = root / "data"
        lam = [sys.executable, "-m", "lam_ros.cli"]
        _run([*lam, "data", "--out", str(data), "--episodes", str(EPISODES), "--workers", "1"])
        ours = _ours(lam, data, root / "ours", steps)
        theirs = _lerobots(data, root / "lerobot", steps)
    return BenchReport(
        "train",
        {
            "ours_samples_per_s": round(ours, 2),
            "lerobot_samples_per_s": round(theirs, 2),
            "policy": "act, LeRobot's defaults",
            "batch_size": BATCH,
            "steps": steps,
            "threads": _threads(),
        },
        {"samples_per_s_vs_lerobot": round(ours / theirs, 2)},
        machine(),
    )


def _ours(lam: list[str], data: Path, out: Path, steps: int) -> float:
    _run(
        [
            *lam, "train", "policy=act", f"data=[{data}]", f"out={out}", f"steps={steps}",
            f"batch_size={BATCH}", f"threads={_threads()}",
        ]
    )  # fmt: skip
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return median(json.loads(line)["samples_per_s"] for line in lines[1:])


def _lerobots(data: Path, out: Path, steps: int) -> float:
    said = _run(
        [
            str(Path(sys.executable).with_name("lerobot-train")),
            "--policy.type=act", "--policy.device=cpu", "--policy.push_to_hub=false",
            "--policy.pretrained_backbone_weights=null", "--dataset.repo_id=lam/set",
            f"--dataset.root={data}", f"--steps={steps}", f"--batch_size={BATCH}",
            f"--log_freq={LOG_EVERY}", "--save_checkpoint=false", f"--output_dir={out}",
            "--wandb.enable=false",
        ]
    )  # fmt: skip
    waits = [float(update) + float(data_s) for update, data_s in _WAITS.findall(said)]
    if len(waits) < 2:
        raise MachineError(f"bench train: lerobot-train logged {len(waits)} rates, 2 are needed")
    return BATCH / median(waits[1:])


def _threads() -> int:
    """Return the number of cores that this process may use; `taskset` says fewer."""
    return len(os.sched_getaffinity(0))


def _run(command: list[str]) -> str:
    """Run a command and return all that it printed."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(_threads())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise MachineError(f"bench train: {Path(command[0]).name} failed: {last}")
    return done.stdout + done.stderr
