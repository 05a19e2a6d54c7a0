"""`lam eval`: episodes over worker processes, a progress bar, a report."""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lam_ros.core.errors import ExitCode
from lam_ros.evaluation.report import EpisodeResult, Summary
from lam_ros.evaluation.settings import EvalSettings, load_settings
from lam_ros.evaluation.worker import Evaluator

_evaluator: Evaluator | None = None
"""Of this worker process; None in the main one."""


def main(overrides: Sequence[str], *, as_json: bool, out: str) -> int:
    """Evaluate, print a table for people and JSON for machines, and write the report."""
    settings = load_settings(overrides)
    console = Console(stderr=True)
    policy = policy_name(settings)
    results = evaluate(settings, console)
    summary = Summary(settings.suite.name, policy, settings.wording, tuple(results))
    folder = Path(out) if out else Path("runs") / f"eval-{time.strftime('%Y%m%d-%H%M%S')}"
    summary.write(folder)
    console.print(Markdown(summary.to_markdown()))
    console.print(f"report: {folder}")
    if as_json:
        print(json.dumps(summary.to_dict()))
    return int(ExitCode.DONE)


def policy_name(settings: EvalSettings) -> str:
    """Return the policy's id; a checkpoint that cannot be used is refused here, once.

    Raises:
        CheckpointError: if the checkpoint is missing, damaged or of an unknown kind.
        FingerprintMismatch: if it was trained on another robot.
    """
    if settings.policy.type == "expert":
        return "expert"
    from lam_policies.checkpoint import checkpoint_for, find_policy

    chosen = settings.policy
    folder = find_policy(chosen.type, chosen.checkpoint, chosen.path)
    return checkpoint_for(folder, settings.robot, chosen.type).policy_id


def evaluate(settings: EvalSettings, console: Console) -> list[EpisodeResult]:
    """Run all episodes and return their results in the order of their seeds."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("success {task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
    )
    found: list[EpisodeResult] = []
    with progress:
        bar = progress.add_task(settings.suite.name, total=len(settings.seeds), rate="-")
        for results in _each_seed(settings):
            found += results
            rate = sum(result.success for result in found) / max(1, len(found))
            progress.update(bar, advance=1, rate=f"{rate:.1%}")
    return sorted(found, key=lambda result: result.seed)


def _each_seed(settings: EvalSettings) -> Iterator[list[EpisodeResult]]:
    if settings.workers == 1:
        evaluator = Evaluator(settings)
        yield from map(evaluator.run, settings.seeds)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(settings.workers, _start_worker, (settings,)) as pool:
        yield from pool.imap_unordered(_run_seed, settings.seeds)


def _start_worker(settings: EvalSettings) -> None:
    global _evaluator
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr
    _evaluator = Evaluator(settings)


def _run_seed(seed: int) -> list[EpisodeResult]:
    assert _evaluator is not None, "the pool starts each worker with _start_worker"
    return _evaluator.run(seed)
