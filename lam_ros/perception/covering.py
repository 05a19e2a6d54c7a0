"""What stands on the table unseen, since something stands on it.

Of a cube under another too little may be in view to be told: its dark sides alone look like
something else, or like nothing.  The upper one, fitted on the table, then seems to stand a
little behind it, in a place that the lower one takes up, and as large as nothing on the
table is: its outline fits better where it really is, a cube's height up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lam_ros.perception.arm import Mask
from lam_ros.perception.fitting import Fit, Window, fit
from lam_ros.perception.looks import Palette, Surface
from lam_ros.perception.outline import outline_mask
from lam_ros.perception.resting import STACK_OFFSET_M, Refit, is_within, might_collide
from lam_ros.perception.view import View

_RAISED_SHARE = 0.75
"""Of its height: what is higher above the table than this does not stand on it."""

_WITHIN_SHARE = 0.8
"""Of a carrier's edge: what seems to stand nearer to its middle is a part of it."""

_BETTER = 0.02
"""How much better an outline fits on top, as overlap, than on the table, if nothing else says so.

In 60 pictures 640 pixels wide cubes on the table lost 0.03 or more, and those on others won so much.
"""

_WORSE = 0.03
"""How much worse it may fit where the place of another says so: small pictures tell less."""

_CERTAIN = 0.965
"""Overlap of an outline that fits nowhere better."""

_SEEN = 0.5
"""Share of a covered thing that is taken for seen: as much as leaves it as sure as it was."""

_LEAST_BENEATH = 0.7
"""Overlap that what is seen of a lower one must have with its outline."""

_MARGIN_PX = 12
_EDGE = np.ones((3, 3), np.uint8)
"""Edges mix the colours of both sides."""


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


def with_covered(
    found: Sequence[Rested],
    known: Sequence[Known],
    refit: Refit,
    beneath: Callable[[Fit, Sequence[Fit]], Known | None],
) -> list[Rested]:
    """Return what was found, with what is covered by one of its things.

    Args:
        found: what a picture shows.
        known: what pictures before it showed, but what the fingers hold.
        refit: fits one of those found again at another height.
        beneath: what a picture shows below a thing, told what else it shows.
    """
    things = list(found)
    unseen = _unseen_carriers(found, known)
    for index, item in enumerate(found):
        if not _may_be_on_another(index, things):
            continue
        near = [one for one in unseen if might_collide(item.fit, one.fit)]
        if not near and item.fit.overlap > _CERTAIN:
            continue
        raised = refit(index, _bottom_m(item.fit) + item.fit.kind.floor_m)
        gain = raised.overlap - item.fit.overlap
        seen = _carrier_of(raised, index, things) if gain > _BETTER else -1
        if seen >= 0:
            things[index] = replace(item, fit=raised, support=seen)
            continue
        lower = next((one for one in near if _is_over(raised, one.fit) and gain > -_WORSE), None)
        if lower is not None:
            unseen.remove(lower)
        elif gain > _BETTER:
            lower = beneath(raised, [one.fit for k, one in enumerate(found) if k != index])
        if lower is not None:
            things[index] = replace(item, fit=raised, support=len(things))
            things.append(_covered(lower, found))
    return _without_parts(things, len(found))


def find_beneath(
    picture: View, palette: Palette, upper: Fit, others: Sequence[Fit]
) -> Known | None:
    """Return the thing of the same kind that one stands on; None if there is none to be seen.

    Args:
        picture: as taken apart.
        palette: the colours' names.
        upper: what stands on it, where it stands.
        others: what else is seen; what is in the lower one's place counts as a part of it.
    """
    kind, camera = upper.kind, picture.camera
    bottom_m = _bottom_m(upper) - kind.size_m[2]
    x, y, _ = upper.center_m
    guess = replace(upper, center_m=(x, y, bottom_m + kind.size_m[2] / 2))

    def mask(*fits: Fit) -> Mask:
        return np.bitwise_or.reduce(
            [outline_mask(camera, one.kind, one.center_m, one.yaw_rad) for one in fits]
        )

    around = mask(*(replace(guess, yaw_rad=k * math.pi / 8) for k in range(4)))
    apart = [one for one in others if not one.kind.is_carrier and not _is_part(one, guess)]
    bowls = [one for one in others if one.kind.is_carrier and not is_within(guess, one)]
    before = cv2.dilate(mask(upper, *apart, *bowls), _EDGE).astype(np.uint8) | picture.hidden
    blob = around & picture.foreground & ~before
    if not cv2.countNonZero(blob):
        return None
    window = Window(camera, blob, before, _MARGIN_PX)
    lower = fit(camera, kind, window, bottom_m, camera.project([guess.center_m]))
    if lower.overlap < _LEAST_BENEATH or not _is_over(upper, lower):
        return None
    shown = (blob & mask(lower)) > 0
    if not shown.any():
        return None
    names = kind.colors or palette.names
    pixels = picture.image[shown].astype(np.float64)
    return Known(lower, palette.name_of(pixels, picture.light, names, Surface.SHADED))


def _unseen_carriers(found: Sequence[Rested], known: Sequence[Known]) -> list[Known]:
    """Return what stood on the table, can carry, and is nowhere in the picture."""
    seen = Counter((item.fit.kind.name, item.color) for item in found)
    unseen = []
    for item in known:
        kind = item.fit.kind
        is_high = item.fit.center_m[2] > _RAISED_SHARE * kind.size_m[2]
        if not kind.is_stackable or is_high:
            continue
        looks = (kind.name, item.color)
        if seen[looks]:
            seen[looks] -= 1
        else:
            unseen.append(item)
    return unseen


def _may_be_on_another(index: int, things: Sequence[Rested]) -> bool:
    """Tell whether a thing that seems to stand on the table may stand on one of its kind."""
    item = things[index]
    carries = any(other.support == index for other in things)
    return item.fit.kind.is_stackable and not carries and _is_low(item, things)


def _is_low(item: Rested, things: Sequence[Rested]) -> bool:
    """Tell whether a thing seems to stand on the table, or on what lies flat on it."""
    if item.support < 0:
        return True
    below = things[item.support].fit.kind
    return below.is_carrier and below.floor_m >= below.size_m[2] / 2


def _covered(lower: Known, found: Sequence[Rested]) -> Rested:
    """Return a covered thing, in or on what lies beneath it."""
    below = (
        index
        for index, item in enumerate(found)
        if item.fit.kind.is_carrier and is_within(lower.fit, item.fit)
    )
    return Rested(replace(lower.fit, seen=_SEEN), lower.color, next(below, -1))


def _is_part(item: Fit, whole: Fit) -> bool:
    """Tell whether something seems to stand so near to the middle of a thing as to be of it."""
    apart_m = math.dist(item.center_m[:2], whole.center_m[:2])
    return apart_m < _WITHIN_SHARE * min(whole.kind.size_m[:2])


def _bottom_m(item: Fit) -> float:
    return item.center_m[2] - item.kind.size_m[2] / 2


def _carrier_of(raised: Fit, index: int, things: Sequence[Rested]) -> int:
    """Return the index of the thing of its kind that one stands on; -1 if none is seen there."""
    taken = {item.support for item in things}
    for other, item in enumerate(things):
        is_free = other != index and other not in taken and _is_low(item, things)
        if is_free and item.fit.kind.name == raised.kind.name and _is_over(raised, item.fit):
            return other
    return -1


def _is_over(upper: Fit, lower: Fit) -> bool:
    return math.dist(upper.center_m[:2], lower.center_m[:2]) < STACK_OFFSET_M


def _without_parts(things: Sequence[Rested], count: int) -> list[Rested]:
    """Return the things without those of the first `count` that are parts of the covered rest."""
    covered = [item.fit for item in things[count:]]

    def is_part(item: Rested) -> bool:
        is_free = _is_low(item, things) and not item.fit.kind.is_carrier
        return is_free and any(_is_part(item.fit, whole) for whole in covered)

    kept = [index for index, item in enumerate(things) if index >= count or not is_part(item)]
    now_at = {before: now for now, before in enumerate(kept)}
    return [replace(things[index], support=now_at.get(things[index].support, -1)) for index in kept]
