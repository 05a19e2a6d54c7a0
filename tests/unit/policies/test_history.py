"""A checkpoint's history is told shortly, and wholly."""

from __future__ import annotations

from typing import Any

from lam_policies.training.history import compact, merged


def part(first: int, last: int, **more: Any) -> dict[str, Any]:
    name = f"demonstrate_{first:08d}_{last:08d}"
    counts = {"episodes": 44, "samples": 1000, "without_success": 1}
    return {"name": name, "how": "demonstrate", "seeds": [first, last], **counts, **more}


def test_parts_that_follow_each_other_are_one_with_their_counts_together() -> None:
    (one,) = merged([part(0, 40), part(40, 80), part(80, 120)])
    assert one["name"] == "demonstrate_00000000_00000120"
    assert one["seeds"] == [0, 120]
    assert (one["episodes"], one["samples"], one["without_success"]) == (132, 3000, 3)


def test_parts_that_are_made_differently_or_leave_a_gap_or_come_twice_stay_apart() -> None:
    parts = [part(0, 40), part(40, 80, camera=1.8), part(120, 160), part(120, 160)]
    assert merged(parts) == parts


def test_parts_with_names_of_their_own_stay_apart() -> None:
    parts = [{**part(0, 40), "name": "mine"}, part(40, 80), {"name": "somebody's"}]
    assert merged(parts) == parts


def test_an_ancestor_of_several_is_told_once_and_then_named() -> None:
    root = {"name": "root", "sha256": "r", "steps": 5, "data": [part(0, 40), part(40, 80)]}
    left = {"name": "left", "sha256": "a", "start_from": root}
    right = {"name": "right", "sha256": "b", "start_from": {**root, "name": "same"}}
    card = {"sha256": "m", "horizon": 16, "mean_of": [left, right]}
    short = compact(card)
    assert short["horizon"] == 16
    assert short["mean_of"][0]["start_from"]["steps"] == 5
    assert short["mean_of"][0]["start_from"]["data"] == merged(root["data"])
    assert short["mean_of"][1]["start_from"] == {"name": "same", "sha256": "r"}
    assert card["mean_of"] == [left, right]
    assert compact(short) == short
