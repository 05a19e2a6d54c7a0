"""Two evaluations of the same episodes, pair by pair: which is better, and is it chance?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_ros.core.errors import DataError
from lam_ros.evaluation.stats import mcnemar_exact

Key = tuple[int, str]
"""Seed and task."""


@dataclass(frozen=True)
class Comparison:
    """Paired successes of two evaluations.

    Attributes:
        first, second: what the evaluations call their policies.
        pairs: episodes that both have.
        first_successes, second_successes: among the pairs.
        only_first, only_second: pairs in which one alone succeeded.
        p_value: of the exact test by McNemar: how likely so uneven a split is by chance.
    """

    first: str
    second: str
    pairs: int
    first_successes: int
    second_successes: int
    only_first: int
    only_second: int
    p_value: float

    @property
    def difference(self) -> float:
        """Second's share of successes minus the first's."""
        return (self.second_successes - self.first_successes) / self.pairs

    def to_dict(self) -> dict[str, Any]:
        """Return what `lam eval --compare --json` prints."""
        return {
            "first": self.first,
            "second": self.second,
            "pairs": self.pairs,
            "first_rate": round(self.first_successes / self.pairs, 4),
            "second_rate": round(self.second_successes / self.pairs, 4),
            "difference": round(self.difference, 4),
            "only_first": self.only_first,
            "only_second": self.only_second,
            "mcnemar_p": round(self.p_value, 6),
            "significant_05": self.p_value < 0.05,
        }

    def to_markdown(self) -> str:
        """Return it as a table and a sentence."""
        verdict = (
            "not to be told from chance"
            if self.p_value >= 0.05
            else f"{'the second' if self.difference > 0 else 'the first'} is better"
        )
        rows = (
            (self.first, self.first_successes, self.only_first),
            (self.second, self.second_successes, self.only_second),
        )
        lines = ["| policy | success | alone |", "|---|---|---|"]
        lines += [f"| {name} | {won / self.pairs:.1%} | {alone} |" for name, won, alone in rows]
        lines += [
            "",
            f"{self.pairs} pairs, difference {self.difference:+.1%}, McNemar's exact "
            f"p = {self.p_value:.3g}: {verdict}",
        ]
        return "\n".join(lines) + "\n"


def compare(first: Path, second: Path) -> Comparison:
    """Compare two folders that `lam eval` wrote.

    Raises:
        DataError: if one is no report, or they share no episode.
    """
    (name_a, found_a), (name_b, found_b) = _read(first), _read(second)
    shared = sorted(set(found_a) & set(found_b))
    if not shared:
        raise DataError(
            f"compare: {first} and {second} share no episode; "
            "evaluate both with the same suite, seeds and number of episodes"
        )
    pairs = [(found_a[key], found_b[key]) for key in shared]
    only_a = sum(a and not b for a, b in pairs)
    only_b = sum(b and not a for a, b in pairs)
    return Comparison(
        first=name_a,
        second=name_b,
        pairs=len(pairs),
        first_successes=sum(a for a, _ in pairs),
        second_successes=sum(b for _, b in pairs),
        only_first=only_a,
        only_second=only_b,
        p_value=mcnemar_exact(only_a, only_b),
    )


def _read(folder: Path) -> tuple[str, Mapping[Key, bool]]:
    try:
        summary = json.loads((folder / "eval.json").read_text(encoding="utf-8"))
        rows = (folder / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
        episodes = [json.loads(row) for row in rows]
        found: dict[Key, bool] = {}
        for row in episodes:
            key = (int(row["seed"]), str(row["task"]))
            repeated = sum(k[0] == key[0] and k[1].split("#")[0] == key[1] for k in found)
            found[key[0], f"{key[1]}#{repeated}"] = bool(row["success"])
        name = f"{summary['policy']} ({summary['suite']}, axis {summary.get('axis', 'none')})"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"compare: {folder} is no report of `lam eval` ({error}); name the folders of two"
        ) from None
    return name, found
