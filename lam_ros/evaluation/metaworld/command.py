"""`lam eval env=metaworld`: episodes over worker processes, a progress bar, a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image
from rich.console import Console
from rich.markdown import Markdown

from lam_ros.core.errors import ConfigError, ExitCode
from lam_ros.evaluation.film import COLUMNS
from lam_ros.evaluation.metaworld.report import MetaworldSummary
from lam_ros.evaluation.metaworld.settings import (
    Driver,
    MetaworldSettings,
    find_driver,
    load_settings,
)
from lam_ros.evaluation.progress import report_folder, success_bar
from lam_ros.workers import each
from lam_sim.metaworld.tasks import MetaTask, require_metaworld

if TYPE_CHECKING:
    from lam_ros.evaluation.metaworld.rollout import Attempt

SHEETS = 30
"""Most failures that are shown in pictures, at most `SHEETS_OF_TASK` of a task."""

SHEETS_OF_TASK = 3
_TILE_PX = 224


def main(overrides: Sequence[str], *, as_json: bool, out: str, sign: bool = False) -> int:
    """Evaluate, print tables for people and JSON for machines, and write the report.

    Raises:
        ConfigError: if the request is wrong.
        MachineError: if Meta-World is not installed.
    """
    if sign:
        raise ConfigError("--sign: a report that a robot is deployed by comes from our own suites")
    settings = load_settings(overrides)
    require_metaworld()
    driver = find_driver(settings)
    console = Console(stderr=True)
    attempts = evaluate(settings, driver, console)
    summary = MetaworldSummary(
        driver.policy_id,
        "without shadows" if driver.plain else "as LeRobot draws them",
        tuple(attempt.result for attempt in attempts),
    )
    folder = report_folder(out)
    summary.write(folder, sheets_of(attempts))
    console.print(Markdown(summary.to_markdown()))
    console.print(f"report: {folder}")
    if as_json:
        print(json.dumps(summary.to_dict()))
    return int(ExitCode.DONE)


def evaluate(settings: MetaworldSettings, driver: Driver, console: Console) -> list[Attempt]:
    """Run all episodes and return them by task and seed."""
    jobs = [(task, seed) for task in settings.chosen for seed in settings.seeds]
    order = {(task.name, seed): k for k, (task, seed) in enumerate(jobs)}
    found: list[Attempt] = []
    with success_bar(console, "metaworld", len(jobs)) as tell:
        for attempt in each(partial(_evaluator, settings, driver), jobs, settings.workers):
            found.append(attempt)
            tell(f"{attempt.result.task:28}", [a.result.success for a in found])
    return sorted(found, key=lambda attempt: order[attempt.result.task, attempt.result.seed])


def sheets_of(attempts: Sequence[Attempt]) -> dict[int, Image.Image]:
    """Return the first failures of each task in pictures, as the policy saw them."""
    sheets: dict[int, Image.Image] = {}
    of_task: dict[str, int] = {}
    for k, attempt in enumerate(attempts):
        shown = of_task.get(attempt.result.task, 0)
        if attempt.pictures and shown < SHEETS_OF_TASK and len(sheets) < SHEETS:
            of_task[attempt.result.task] = shown + 1
            sheets[k] = _sheet(attempt)
    return sheets


def _sheet(attempt: Attempt) -> Image.Image:
    count = len(attempt.pictures)
    page = Image.new("RGB", (COLUMNS * _TILE_PX, -(-count // COLUMNS) * _TILE_PX), "white")
    for k, picture in enumerate(attempt.pictures):
        tile = Image.fromarray(picture).resize((_TILE_PX, _TILE_PX))
        page.paste(tile, (k % COLUMNS * _TILE_PX, k // COLUMNS * _TILE_PX))
    return page


@contextmanager
def _evaluator(
    settings: MetaworldSettings, driver: Driver
) -> Iterator[Callable[[tuple[MetaTask, int]], Attempt]]:
    from lam_ros.evaluation.metaworld.rollout import Evaluator

    evaluator = Evaluator(settings, driver)
    try:
        yield lambda job: evaluator.run(*job)
    finally:
        evaluator.close()
