"""`lam eval`: episodes over worker processes, a progress bar, a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import track

from lam_ros.core.errors import ConfigError, ExitCode
from lam_ros.evaluation import signing
from lam_ros.evaluation.compare import compare
from lam_ros.evaluation.film import sheet
from lam_ros.evaluation.page import page
from lam_ros.evaluation.progress import report_folder, success_bar
from lam_ros.evaluation.report import EpisodeResult, Summary
from lam_ros.evaluation.settings import EvalSettings, load_settings
from lam_ros.evaluation.worker import Evaluator
from lam_ros.workers import working

if TYPE_CHECKING:
    from lam_policies.checkpoint import Checkpoint


def main(overrides: Sequence[str], *, as_json: bool, out: str, sign: bool = False) -> int:
    """Evaluate, print a table for people and JSON for machines, and write the report."""
    settings = load_settings(overrides)
    if sign and settings.policy.type == "expert":
        raise ConfigError("--sign: the teleoperator has no checkpoint to sign a report for")
    if sign:
        _signable(settings)
    console = Console(stderr=True)
    policy = policy_name(settings)
    workers = min(settings.workers, len(settings.seeds))
    with working(partial(_evaluator, settings), workers) as do:
        results = evaluate(settings, do, console)
        sheets = sheets_of(settings, results, do, console)
    summary = Summary(
        settings.suite.name, policy, settings.wording, tuple(results), settings.axis.name
    )
    folder = report_folder(out)
    summary.write(folder)
    (folder / "eval.html").write_text(page(summary, sheets))
    if sign:
        console.print(f"signed: {sign_report(settings, summary)}")
    console.print(Markdown(summary.to_markdown()))
    console.print(f"report: {folder}")
    if as_json:
        print(json.dumps(summary.to_dict()))
    return int(ExitCode.DONE)


def compare_main(folders: Sequence[str], *, as_json: bool) -> int:
    """Compare two reports, print a table for people and JSON for machines."""
    found = compare(Path(folders[0]), Path(folders[1]))
    Console(stderr=True).print(Markdown(found.to_markdown()))
    if as_json:
        print(json.dumps(found.to_dict()))
    return int(ExitCode.DONE)


def sheets_of(
    settings: EvalSettings, results: Sequence[EpisodeResult], do: _Do, console: Console
) -> dict[int, Image.Image]:
    """Have the first failures run again, filmed, and return a sheet of each; not the expert's."""
    failed = [k for k, result in enumerate(results) if not result.success]
    if not failed or not settings.films or settings.policy.type == "expert":
        return {}
    jobs = []
    for k in failed[: settings.films]:
        seed = results[k].seed
        same = [other.seed for other in results[:k]].count(seed)
        jobs.append(partial(_filmed, result=k, seed=seed, same=same))
    filmed = track(do(jobs), "failures in pictures", len(jobs), console=console)
    sheets = sorted(filmed, key=lambda pair: pair[0])
    return {k: found for k, found in sheets if found is not None}


def sign_report(settings: EvalSettings, summary: Summary) -> Path:
    """Write the report beside the weights, signed with this user's secret."""
    checkpoint = _signable(settings)
    report = signing.SignedReport(
        weights_sha256=str(checkpoint.card["sha256"]),
        robot=settings.robot.fingerprint(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        figures=summary.to_dict(),
    )
    key = signing.load_key(make=True)
    signed = replace(report, signature=signing.signature_of(report, key))
    return signing.write(checkpoint.folder, signed)


def _signable(settings: EvalSettings) -> Checkpoint:
    """Return the checkpoint that a report can be signed for.

    Raises:
        CheckpointError: if it is none of ours.
    """
    from lam_policies.checkpoint import find_policy, open_checkpoint

    chosen = settings.policy
    return open_checkpoint(find_policy(chosen.type, chosen.checkpoint, chosen.path))


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


type _Do = Callable[[Sequence[Callable[[Evaluator], Any]]], Iterator[Any]]
"""Has workers do things with their evaluators, and gives what came of each."""


def evaluate(settings: EvalSettings, do: _Do, console: Console) -> list[EpisodeResult]:
    """Run all episodes and return their results in the order of their seeds."""
    name, found = settings.suite.name, []
    with success_bar(console, name, len(settings.seeds)) as tell:
        for results in do([partial(Evaluator.run, seed=seed) for seed in settings.seeds]):
            found += results
            tell(name, [result.success for result in found])
    return sorted(found, key=lambda result: result.seed)


@contextmanager
def _evaluator(settings: EvalSettings) -> Iterator[Callable[[Callable[[Evaluator], Any]], Any]]:
    evaluator = Evaluator(settings)
    yield lambda ask: ask(evaluator)


def _filmed(
    evaluator: Evaluator, result: int, seed: int, same: int
) -> tuple[int, Image.Image | None]:
    """Return which result this is, and a sheet of the seed's episode of that number."""
    pictures = evaluator.film(seed)[same]
    return result, sheet(pictures) if pictures else None
