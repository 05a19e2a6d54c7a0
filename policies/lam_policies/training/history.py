"""A checkpoint's history made short, with nothing lost: for a card that people open.

Data is collected in parts of some dozen scenes, and averaged checkpoints have ancestors in
common.  Parts that differ by their seeds alone, one after the other, are told as one; an
ancestor is told where it comes first, and by name and hash after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_COUNTS = ("episodes", "samples", "without_success")
_START = "start_from"
_MEAN = "mean_of"
_DATA = "data"


def compact(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a card, or a part of one, whose history is told once and in few parts."""
    return _compact(card, set())


def merged(parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return parts of data with neighbours that go on from each other as one."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if found and _goes_on(found[-1], part):
            found[-1] = _together(found[-1], part)
        else:
            found.append(dict(part))
    return found


def _compact(node: Mapping[str, Any], told: set[str]) -> dict[str, Any]:
    sha = node.get("sha256")
    if sha in told:
        return {"name": node.get("name", ""), "sha256": sha}
    if sha is not None:
        told.add(sha)
    short = dict(node)
    if _DATA in node:
        short[_DATA] = merged(node[_DATA])
    if _MEAN in node:
        short[_MEAN] = [_compact(one, told) for one in node[_MEAN]]
    if isinstance(node.get(_START), Mapping):
        short[_START] = _compact(node[_START], told)
    return short


def _goes_on(before: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    """Tell whether a part is of the scenes that follow, made in the same way."""
    if not (_is_named_by_seeds(before) and _is_named_by_seeds(part)):
        return False
    own = ("name", "seeds", *_COUNTS)
    same = [{k: v for k, v in one.items() if k not in own} for one in (before, part)]
    return bool(same[0] == same[1] and before["seeds"][1] == part["seeds"][0])


def _is_named_by_seeds(part: Mapping[str, Any]) -> bool:
    seeds = part.get("seeds")
    return isinstance(seeds, list) and part.get("name") == _name(part.get("how", ""), seeds)


def _together(before: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    seeds = [before["seeds"][0], part["seeds"][1]]
    counts = {k: before.get(k, 0) + part.get(k, 0) for k in _COUNTS if k in before or k in part}
    return {**before, "name": _name(before["how"], seeds), "seeds": seeds, **counts}


def _name(how: str, seeds: list[int]) -> str:
    return f"{how}_{seeds[0]:08d}_{seeds[1]:08d}"
