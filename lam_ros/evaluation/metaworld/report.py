"""What an evaluation in Meta-World found: by task, by difficulty, and the papers' average."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from lam_ros.evaluation import page as pages
from lam_ros.evaluation.report import EpisodeResult, rates, table
from lam_sim.metaworld.tasks import DIFFICULTIES, all_tasks

PUBLISHED: Mapping[str, tuple[float, ...]] = {
    "diffusion policy": (23.1, 10.7, 1.9, 6.1, 10.5),
    "pi0": (71.8, 48.2, 41.7, 30.0, 47.9),
    "SmolVLA 0.45B": (82.5, 41.8, 45.0, 60.0, 57.3),
}
"""Success in % on all fifty tasks: easy, medium, hard, very hard, and their average, as the
SmolVLA paper gives them (arXiv 2506.01844, table 2)."""


@dataclass(frozen=True)
class MetaworldSummary:
    """An evaluation in figures."""

    policy: str
    pictures: str
    results: tuple[EpisodeResult, ...]

    @property
    def title(self) -> str:
        """What the report is of."""
        return f"metaworld: {self.policy}"

    def to_dict(self) -> dict[str, Any]:
        """Return what `lam eval env=metaworld --json` prints; the keys of a suite, and more.

        `average` is the mean of the degrees of difficulty that were run, as papers give it;
        `success_rate` the share of all episodes.
        """
        results = self.results
        tasks = list(dict.fromkeys(result.task for result in results))
        degrees = {
            degree: _row(result for result in results if _difficulty(result) == degree)
            for degree in DIFFICULTIES
            if any(_difficulty(result) == degree for result in results)
        }
        rates = [row["success_rate"] for row in degrees.values()]
        seconds = [result.seconds for result in results if result.success]
        return {
            "suite": "metaworld",
            "policy": self.policy,
            **_row(results),
            "average": round(sum(rates) / len(rates), 4) if rates else 0.0,
            "tasks": len(tasks),
            "by_difficulty": degrees,
            "by_task": {task: _row(r for r in results if r.task == task) for task in tasks},
            "seconds_per_task": round(sum(seconds) / len(seconds), 3) if seconds else 0.0,
            "failures": dict(Counter(r.failure for r in results if r.failure)),
            "seeds": [min(r.seed for r in results), max(r.seed for r in results)],
            "goals": "randomised by the seed",
            "pictures": self.pictures,
        }

    def to_markdown(self) -> str:
        """Return tables that a README can hold."""
        data = self.to_dict()
        lines = [
            f"# {self.title}",
            "",
            *table("", data["by_task"] | data["by_difficulty"] | {"all": data}),
            "",
            f"| {data['tasks']} of 50 tasks | easy | medium | hard | very hard | average |",
        ]
        lines += ["|---|---|---|---|---|---|", _line(self.policy, self._percentages(data))]
        lines += [_line(f"{name}, all 50", values) for name, values in PUBLISHED.items()]
        lines += ["", "average: the mean of the degrees of difficulty; see docs/metaworld.md"]
        return "\n".join(lines) + "\n"

    @staticmethod
    def _percentages(data: Mapping[str, Any]) -> list[float | None]:
        degrees = data["by_difficulty"]
        found: list[float | None] = [
            100 * degrees[degree]["success_rate"] if degree in degrees else None
            for degree in DIFFICULTIES
        ]
        return [*found, 100 * data["average"]]

    def write(self, folder: Path, sheets: Mapping[int, Image.Image]) -> None:
        """Write `eval.json`, `eval.md`, `episodes.jsonl` and `eval.html`."""
        folder.mkdir(parents=True, exist_ok=True)
        data = self.to_dict()
        (folder / "eval.json").write_text(json.dumps(data, indent=2) + "\n")
        (folder / "eval.md").write_text(self.to_markdown())
        rows = (json.dumps(asdict(result)) for result in self.results)
        (folder / "episodes.jsonl").write_text("\n".join(rows) + "\n")
        body = [
            pages.tasks({"all": data, **data["by_difficulty"], **data["by_task"]}),
            pages.plots(self.results),
            "<h2>Failures</h2>",
            *(pages.failure(self.results[k], image) for k, image in sheets.items()),
        ]
        (folder / "eval.html").write_text(pages.document(self.title, body))


def _difficulty(result: EpisodeResult) -> str:
    return all_tasks()[result.task].difficulty


def _row(results: Iterable[EpisodeResult]) -> dict[str, Any]:
    chosen = list(results)
    return {"successes": sum(result.success for result in chosen), **rates(chosen)}


def _line(name: str, values: Sequence[float | None]) -> str:
    cells = ("-" if value is None else f"{value:.1f}" for value in values)
    return f"| {name} | {' | '.join(cells)} |"
