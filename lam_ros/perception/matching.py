"""Which seen object is which true one: by kind and place, never by name."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from lam_ros.core.scene import Scene, SceneObject

MATCH_M = 0.03
"""Farthest that a seen object may be from the true one of its kind and still be it."""

_FORBIDDEN = 10.0


def match(seen: Scene, truth: Scene) -> list[tuple[str, str]]:
    """Return (true id, seen id) of objects of one kind that are near each other."""
    if not seen.objects or not truth.objects:
        return []
    costs = np.array([[_cost(item, real) for item in seen.objects] for real in truth.objects])
    rows, columns = linear_sum_assignment(costs)
    return [
        (truth.objects[row].id, seen.objects[column].id)
        for row, column in zip(rows, columns, strict=True)
        if costs[row, column] < _FORBIDDEN
    ]


def _cost(item: SceneObject, real: SceneObject) -> float:
    if item.kind != real.kind or item.distance_xy_m(real) > MATCH_M:
        return _FORBIDDEN
    return float(np.linalg.norm(np.subtract(item.position_m, real.position_m)))
