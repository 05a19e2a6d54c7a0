"""`lam run`: from the command line to a run, and from its report to words and an exit code."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lam_ros.core.errors import ConfigError
from lam_ros.planning.planner import ANSWER_SEPARATOR
from lam_ros.run.report import RunReport, RunRequest, Termination
from lam_ros.run.run import run, verdict_line

MOST_SEED = 2**31 - 1


def main(arguments: argparse.Namespace) -> int:
    """Run one instruction and return the exit code."""
    report = run(_request(arguments))
    _tell(report, arguments.answer, Console(stderr=True, highlight=False, soft_wrap=True))
    if arguments.json:
        print(json.dumps(report.to_dict()))
    return int(report.exit_code)


def _request(arguments: argparse.Namespace) -> RunRequest:
    if not 0 <= arguments.seed <= MOST_SEED:
        raise ConfigError(f"--seed: {arguments.seed} came, allowed is 0 to {MOST_SEED}")
    return RunRequest(
        instruction=arguments.instruction,
        seed=arguments.seed,
        answer=arguments.answer,
        out=Path(arguments.out) if arguments.out else None,
        goal_image=Path(arguments.goal_image) if arguments.goal_image else None,
        video=not arguments.no_video,
        single_process=arguments.single_process,
        overrides=tuple(arguments.overrides),
    )


def _tell(report: RunReport, answer: str, console: Console) -> None:
    """Say how it went: one line, then where to look."""
    if report.success:
        console.print(Text(f"✓ {verdict_line(report)} ({report.seconds:.1f} s)", "bold green"))
    elif report.termination is Termination.QUESTION:
        _ask(report, answer, console)
    else:
        console.print(Text(f"lam run: {verdict_line(report)}", "bold red"))
    for name, path in report.files:
        console.print(Text(f"  {name.replace('_', ' ')}: {path}", "dim"))
    if report.run_dir:
        console.print(Text(f"  folder: {report.run_dir}", "dim"))


def _ask(report: RunReport, answer: str, console: Console) -> None:
    """Say the question, and how to answer it beside what was answered before."""
    console.print(Text(f"? {report.question}", "bold yellow"))
    if report.candidates:
        console.print(Text(f"  candidates: {', '.join(report.candidates)}"))
        answers = f"{ANSWER_SEPARATOR} ".join(filter(None, (answer, report.candidates[0])))
        console.print(Text(f'  answer with: lam run … --seed {report.seed} --answer "{answers}"'))
