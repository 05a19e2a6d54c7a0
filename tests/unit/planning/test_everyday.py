"""Everyday ways of saying things, over scenes of many kinds: what is meant is what is planned."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lam_ros.core.scene import PREDICATES
from lam_ros.planning.cli_plan import configured_planner, plan_rows
from lam_ros.planning.planner import Planner

HERE = Path(__file__).parent / "everyday"
KINDS = {"ask": "clarify", "refuse": "refuse"}


def lines(name: str) -> list[list[str]]:
    """Return the cells of a file's lines."""
    text = (HERE / name).read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in line.split("|", 5 if name == "scenes.txt" else 2)]
        for line in text.splitlines()
        if line and not line.startswith("#")
    ]


@cache
def scenes() -> dict[str, list[dict[str, Any]]]:
    """Return each scene's objects as `lam plan --batch` reads them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, object_id, kind, color, position, more in lines("scenes.txt"):
        row: dict[str, Any] = {"id": object_id, "kind": kind, "color": color or None,
                               "position": [float(p) for p in position.split()]}  # fmt: skip
        for item in more.split():
            key, value = item.split("=")
            known = {"true": True, "false": False}
            row[key] = (
                [float(v) for v in value.split(",")] if key == "size" else known.get(value, value)
            )
        found.setdefault(name, []).append(row)
    return found


@pytest.fixture(scope="module")
def planner() -> Planner:
    """The planner of `lam plan`."""
    return configured_planner()


def full(name: str, ids: list[str]) -> str:
    """Return the id that a short name stands for."""
    ends = (i for i in ids if i in (name, f"{name}_1") or i.endswith(f"_{name}_1"))
    return next(iter(sorted(ends, key=len)), name)


def fits(meaning: str, row: dict[str, Any], ids: list[str]) -> bool:
    """Tell whether an outcome is what a meaning says."""
    first, *rest = meaning.split()
    if first in KINDS:
        return row["kind"] == KINDS[first] and rest in ([], [row["refuse_kind"]])
    if row["kind"] != "plan":
        return False
    goal = {tuple(literal) for literal in row["goal"]}
    if first == "done":
        return not row["steps"]
    if first == "allin":
        place = full(rest[0], ids)
        out = {place, *(full(name[1:], ids) for name in rest[1:])}
        return goal == {("in", item, place) for item in ids if item not in out}
    if first == "count":
        return len(goal) == int(rest[0]) and {g[2] for g in goal} == {full(rest[1], ids)}
    if first == "one_each":
        return len(goal) == len({g[1] for g in goal}) == len({g[2] for g in goal}) == 2
    said = [item.split() for item in meaning.split(";")]
    if all(item[0] in PREDICATES for item in said):
        return goal == {(item[0], *(full(name, ids) for name in item[1:])) for item in said}
    steps = [[s["skill"], s["object"], s["target"] or "-"] for s in row["steps"]]
    return steps == [[item[0], *(full(name, ids) for name in item[1:])] for item in said]


@pytest.mark.parametrize("case", lines("instructions.txt"), ids=lambda case: case[1][:80])
def test_everyday_words_mean_what_people_mean(planner: Planner, case: list[str]) -> None:
    scene, said, meanings = case
    before, _, said = said.rpartition("]")
    history = [text.strip() for text in before.lstrip("[").split("//") if text.strip()]
    data = {"instruction": said.strip(), "history": history, "scene": {"objects": scenes()[scene]}}
    (row,) = plan_rows([json.dumps(data)], planner)
    ids = [item["id"] for item in scenes()[scene]]
    assert any(fits(meaning.strip(), row, ids) for meaning in meanings.split("||")), row
