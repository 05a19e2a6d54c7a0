"""`lam bench train`: samples a second of `lam train` against LeRobot's own `lerobot-train`.

The same policy (ours, and LeRobot's ACT of its usual size) learns from the same data set, with the
same batch, the same number of threads and after a warm-up, each in a process of its own and one
after the other.  LeRobot's rate is that of its own log: what it waits for data and what a step
takes.  Ours decodes the pictures once before it begins, and LeRobot does for every sample.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from lam_ros.benches.report import BenchReport, machine
from lam_ros.core.errors import MachineError

EPISODES = 8
LOG_EVERY = 10
_WAITS = re.compile(r"updt_s:([\d.]+).*?data_s:([\d.]+)")


@dataclass(frozen=True)
class _Case:
    """A policy that both train.

    Attributes:
        batch: samples of a step.
        both_s: a guess at one step of each, from which the number of steps is taken [s].
        least_steps: so many at least: both log a few rates, the first of them of a start.
        lerobots: what `lerobot-train` is told besides.
    """

    policy: str
    batch: int
    both_s: float
    least_steps: int
    lerobots: tuple[str, ...] = ()


CASES = (
    _Case("lam", 32, 2.0, 150),
    _Case("act", 8, 8.0, 30, ("--policy.pretrained_backbone_weights=null",)),
)


def run(seconds: float) -> BenchReport:
    """Train all for about `seconds` [s] together, after making a small data set.

    Raises:
        MachineError: if one of them fails, with its last line.
    """
    metrics: dict[str, object] = {"threads": _threads()}
    ratios: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        root = Path(folder)
        data = root / "data"
        lam = [sys.executable, "-m", "lam_ros.cli"]
        _run([*lam, "data", "--out", str(data), "--episodes", str(EPISODES), "--workers", "1"])
        for case in CASES:
            steps = max(case.least_steps, int(seconds / len(CASES) / case.both_s))
            ours = _ours(case, lam, data, root / f"{case.policy}_ours", steps)
            theirs = _lerobots(case, data, root / f"{case.policy}_lerobot", steps)
            metrics |= {
                f"{case.policy}_ours_samples_per_s": round(ours, 2),
                f"{case.policy}_lerobot_samples_per_s": round(theirs, 2),
                f"{case.policy}_batch_size": case.batch,
                f"{case.policy}_steps": steps,
            }
            ratios[f"{case.policy}_samples_per_s_vs_lerobot"] = round(ours / theirs, 2)
    return BenchReport("train", metrics, ratios, machine())


def _ours(case: _Case, lam: list[str], data: Path, out: Path, steps: int) -> float:
    _run(
        [
            *lam, "train", f"policy={case.policy}", f"data=[{data}]", f"out={out}",
            f"steps={steps}", f"batch_size={case.batch}", f"threads={_threads()}",
        ]
    )  # fmt: skip
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return median(json.loads(line)["samples_per_s"] for line in lines[1:])


def _lerobots(case: _Case, data: Path, out: Path, steps: int) -> float:
    said = _run(
        [
            str(Path(sys.executable).with_name("lerobot-train")),
            f"--policy.type={case.policy}", "--policy.device=cpu", "--policy.push_to_hub=false",
            *case.lerobots, "--dataset.repo_id=lam/set",
            f"--dataset.root={data}", f"--steps={steps}", f"--batch_size={case.batch}",
            f"--log_freq={LOG_EVERY}", "--save_checkpoint=false", f"--output_dir={out}",
            "--wandb.enable=false",
        ]
    )  # fmt: skip
    waits = [float(update) + float(data_s) for update, data_s in _WAITS.findall(said)]
    if len(waits) < 2:
        raise MachineError(f"bench train: lerobot-train logged {len(waits)} rates, 2 are needed")
    return case.batch / median(waits[1:])


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
