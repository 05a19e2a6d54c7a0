"""What rests on what.

A cube on another looks like one that stands behind it, and just there it would stand
within the other: two things cannot be in one place, so it must be on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lam_ros.perception.fitting import Fit

STACK_OFFSET_M = 0.013
"""Farthest that a cube's centre may be from that of the cube it stands on."""

_OVERLAP_SHARE = 0.93
"""Two cubes on the table are at least this share of their edge apart."""

_HIDING_SHARE = 1.25
"""The same if the nearer one is partly hidden, as by what is on it: far away, by shallow sight."""

_OPEN_SEEN = 0.85

Refit = Callable[[int, float], Fit]
"""(index, height of the lower side [m]) -> the same object there."""


def settle(fits: Sequence[Fit], refit: Refit) -> list[tuple[Fit, int]]:
    """Return each object at the height where it rests, and the index of its support.

    Args:
        fits: objects as if all stood on the table.
        refit: fits one of them again at another height.
    """
    settled = [(item, -1) for item in fits]
    # What is nearer to the camera, on its side of the table, may carry what is behind.
    order = sorted(range(len(fits)), key=lambda index: -fits[index].center_m[0])
    for index in order:
        if fits[index].kind.lies_on_table:
            continue
        settled[index] = _settle_one(index, fits, settled, refit)
    return settled


def _settle_one(
    index: int, fits: Sequence[Fit], settled: Sequence[tuple[Fit, int]], refit: Refit
) -> tuple[Fit, int]:
    item = fits[index]
    taken = {support for _, support in settled}
    for other in _nearest_first(index, fits):
        carrier, flat = settled[other][0], fits[other]
        if other == index or carrier.kind.floor_m <= 0:
            continue
        rests_at = carrier.center_m[2] - carrier.kind.size_m[2] / 2 + carrier.kind.floor_m
        if carrier.kind.lies_on_table:
            if _distance(item, carrier) > 1.6 * _radius(carrier):
                continue
            raised = refit(index, rests_at)
            if is_within(raised, carrier):
                return raised, other
        elif other not in taken and might_collide(item, flat):
            raised = refit(index, rests_at)
            if _distance(raised, carrier) < STACK_OFFSET_M:
                return raised, other
    return settled[index]


def _nearest_first(index: int, fits: Sequence[Fit]) -> list[int]:
    """Return the others, cubes before what lies beneath them all."""
    return sorted(
        (other for other in range(len(fits)) if other != index),
        key=lambda other: (fits[other].kind.lies_on_table, _distance(fits[index], fits[other])),
    )


def might_collide(item: Fit, other: Fit) -> bool:
    """Tell whether an object could not stand on the table so near to another."""
    edge = min(other.kind.size_m[:2])
    share = _OVERLAP_SHARE if other.seen > _OPEN_SEEN else _HIDING_SHARE
    return _distance(item, other) < share * edge


def is_within(item: Fit, carrier: Fit) -> bool:
    """Tell whether an object's centre is over its carrier."""
    dx, dy = item.center_m[0] - carrier.center_m[0], item.center_m[1] - carrier.center_m[1]
    if carrier.kind.shape != "box":
        return math.hypot(dx, dy) < _radius(carrier)
    cosine, sine = math.cos(carrier.yaw_rad), math.sin(carrier.yaw_rad)
    along, across = cosine * dx + sine * dy, cosine * dy - sine * dx
    return abs(along) < carrier.kind.size_m[0] / 2 and abs(across) < carrier.kind.size_m[1] / 2


def _radius(item: Fit) -> float:
    return max(item.kind.size_m[:2]) / 2


def _distance(item: Fit, other: Fit) -> float:
    return math.dist(item.center_m[:2], other.center_m[:2])
