"""What an evaluation found: one record an episode, and their summary as JSON and Markdown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lam_ros.evaluation.stats import wilson_95


@dataclass(frozen=True)
class EpisodeResult:
    """How one seeded episode went.

    Attributes:
        seed: seed of the scene.
        prompt: what the policy was told.
        task: `skill kind-of-target`, by which results are grouped.
        success: judged by the simulator's ground truth.
        failure: kind of failure, empty on success.
        named_first: the named object was the first that left the table; None if none did.
        seconds: simulated time until success, or until the end.
        chunks: how often the policy was asked.
        unsafe_events: times that the safety room held or stopped the arm.
        limits, collisions, drops: times that a joint came to its limit, that the arm struck
            the table or itself, that an object fell from the hand.
        retries: how often a step was begun again from home.
        done: steps done of those `asked`, one after the other.
    """

    seed: int
    prompt: str
    task: str
    success: bool
    failure: str
    named_first: bool | None
    seconds: float
    chunks: int
    unsafe_events: int
    limits: int = 0
    collisions: int = 0
    drops: int = 0
    retries: int = 0
    done: int = 0
    asked: int = 1


@dataclass(frozen=True)
class Summary:
    """An evaluation in figures."""

    suite: str
    policy: str
    wording: str
    results: tuple[EpisodeResult, ...]
    axis: str = "none"

    def to_dict(self) -> dict[str, Any]:
        """Return what `lam eval --json` prints; keys as DESIGN fixes them, and a few more."""
        results = self.results
        lifted = [result for result in results if result.named_first is not None]
        return {
            "suite": self.suite,
            "policy": self.policy,
            "wording": self.wording,
            "axis": self.axis,
            "successes": sum(result.success for result in results),
            **rates(results),
            "named_first_rate": _share(sum(bool(r.named_first) for r in lifted), len(results)),
            "seconds_per_task": _mean([r.seconds for r in results if r.success]),
            "steps_per_task": _mean([float(r.asked) for r in results]),
            "chunks_per_task": _mean([float(r.chunks) for r in results]),
            "retries_per_task": _mean([float(r.retries) for r in results]),
            "failures": dict(Counter(r.failure for r in results if not r.success)),
            "unsafe_events": sum(r.unsafe_events for r in results),
            "safety": {
                name: sum(getattr(r, name) for r in results)
                for name in ("limits", "collisions", "drops")
            },
            **self._chains(),
            "seeds": [results[0].seed, results[-1].seed] if results else [],
            "by_task": {
                task: rates([r for r in results if r.task == task])
                for task in sorted({r.task for r in results})
            },
        }

    def _chains(self) -> dict[str, Any]:
        """Return how long chains were: their mean, and the share that got to each length."""
        chains = [r for r in self.results if r.asked > 1]
        if not chains:
            return {}
        most = max(r.asked for r in chains)
        reached = [
            _share(sum(r.done >= length for r in chains), len(chains))
            for length in range(1, most + 1)
        ]
        return {"mean_chain_length": _mean([float(r.done) for r in chains]), "reached": reached}

    def to_markdown(self) -> str:
        """Return a table that a README can hold."""
        data = self.to_dict()
        lines = [
            f"# {self.suite}: {self.policy}, {self.wording} wordings"
            + (f", axis {self.axis}" if self.axis != "none" else ""),
            "",
            *table("task", {"all": data, **data["by_task"]}),
        ]
        lines += ["", "| failure | episodes | seeds |", "|---|---|---|"]
        for kind, count in sorted(data["failures"].items(), key=lambda item: -item[1]):
            seeds = [r.seed for r in self.results if r.failure == kind][:8]
            lines.append(f"| {kind} | {count} | {', '.join(map(str, seeds))} |")
        lines += [
            "",
            f"named object first: {data['named_first_rate']:.1%}; "
            f"{data['seconds_per_task']:.1f} s a success; "
            f"{data['retries_per_task']:.2f} new beginnings an episode; "
            f"{data['unsafe_events']} interventions of the safety room; "
            + ", ".join(f"{count} {name}" for name, count in data["safety"].items()),
        ]
        if "mean_chain_length" in data:
            reached = ", ".join(f"{share:.0%}" for share in data["reached"])
            lines.append(f"mean chain length {data['mean_chain_length']:.2f}; reached: {reached}")
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        """Write `eval.json`, `eval.md` and `episodes.jsonl`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "eval.json").write_text(json.dumps(self.to_dict(), indent=2) + "\n")
        (folder / "eval.md").write_text(self.to_markdown())
        rows = (json.dumps(asdict(result)) for result in self.results)
        (folder / "episodes.jsonl").write_text("\n".join(rows) + "\n")


def rates(results: Sequence[EpisodeResult]) -> dict[str, Any]:
    """Return how many episodes there are, and the share of successes with its 95 % interval."""
    successes = sum(result.success for result in results)
    return {
        "episodes": len(results),
        "success_rate": _share(successes, len(results)),
        "wilson_95": [round(bound, 4) for bound in wilson_95(successes, len(results))],
    }


def table(of: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table of `rates` by name, in Markdown, its first column headed `of`."""
    lines = [f"| {of} | episodes | success | 95 % interval |", "|---|---|---|---|"]
    for name, row in rows.items():
        low, high = row["wilson_95"]
        lines.append(
            f"| {name} | {row['episodes']} | {row['success_rate']:.1%} | {low:.1%} - {high:.1%} |"
        )
    return lines


def _share(count: int, total: int) -> float:
    return round(count / total, 4) if total else 0.0


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3) if values else 0.0
