"""What is known to stand on the table, and is covered by what now stands on it.

Of a cube under another too little may be in view to be told: its dark sides alone look like
something else, or like nothing.  The upper one, fitted on the table, then seems to stand a
little behind it, in a place that the lower one takes up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lam_ros.perception.fitting import Fit
from lam_ros.perception.resting import STACK_OFFSET_M, Refit, might_collide

_RAISED_SHARE = 0.75
"""Of its height: what is higher above the table than this does not stand on it."""

_WITHIN_SHARE = 0.8
"""Of a carrier's edge: what seems to stand nearer to its middle is a part of it."""

_WORSE = 0.03
"""How much worse an outline may fit on top, as overlap, than on the table."""

_SEEN = 0.5
"""Share of a covered thing that is taken for seen: as much as leaves it as sure as it was."""


@dataclass(frozen=True, eq=False)
class Known:
    """A thing that was seen before.

    Attributes:
        fit: what it is and where.
        color: its colour name.
    """

    fit: Fit
    color: str


@dataclass(frozen=True, eq=False)
class Rested:
    """A thing in a picture, at the height where it rests.

    Attributes:
        fit: what it is and where.
        color: its colour name.
        support: index of what it rests on or in; -1 for the table.
    """

    fit: Fit
    color: str
    support: int


def with_covered(found: Sequence[Rested], known: Sequence[Known], refit: Refit) -> list[Rested]:
    """Return what was found, with what is known and covered by one of its things.

    Args:
        found: what a picture shows.
        known: what pictures before it showed, but what the fingers hold.
        refit: fits one of those found again at another height.
    """
    things = list(found)
    for lower in _unseen_carriers(found, known):
        upper = _upper_on(lower.fit, found, refit)
        if upper is None:
            continue
        index, raised = upper
        things[index] = replace(things[index], fit=raised, support=len(things))
        things.append(Rested(replace(lower.fit, seen=_SEEN), lower.color, -1))
    return _without_parts(things, len(found))


def _unseen_carriers(found: Sequence[Rested], known: Sequence[Known]) -> list[Known]:
    """Return what stood on the table, can carry, and is nowhere in the picture."""
    seen = Counter((item.fit.kind.name, item.color) for item in found)
    unseen = []
    for item in known:
        kind = item.fit.kind
        is_high = item.fit.center_m[2] > _RAISED_SHARE * kind.size_m[2]
        if kind.floor_m <= 0 or kind.lies_on_table or is_high:
            continue
        looks = (kind.name, item.color)
        if seen[looks]:
            seen[looks] -= 1
        else:
            unseen.append(item)
    return unseen


def _upper_on(lower: Fit, found: Sequence[Rested], refit: Refit) -> tuple[int, Fit] | None:
    """Return the index of what stands on a thing, and how it does; None if nothing does."""
    for index, item in enumerate(found):
        kind = item.fit.kind
        if item.support >= 0 or kind.floor_m <= 0 or kind.lies_on_table:
            continue
        if not might_collide(item.fit, lower):
            continue
        raised = refit(index, lower.kind.floor_m)
        is_over = math.dist(raised.center_m[:2], lower.center_m[:2]) < STACK_OFFSET_M
        if is_over and raised.overlap > item.fit.overlap - _WORSE:
            return index, raised
    return None


def _without_parts(things: Sequence[Rested], count: int) -> list[Rested]:
    """Return the things without those of the first `count` that are parts of the covered rest."""
    covered = [item.fit for item in things[count:]]

    def is_part(item: Rested) -> bool:
        return item.support < 0 and any(
            math.dist(item.fit.center_m[:2], whole.center_m[:2])
            < _WITHIN_SHARE * min(whole.kind.size_m[:2])
            for whole in covered
        )

    kept = [index for index, item in enumerate(things) if index >= count or not is_part(item)]
    now_at = {before: now for now, before in enumerate(kept)}
    return [replace(things[index], support=now_at.get(things[index].support, -1)) for index in kept]
