"""Where things may lie: within reach, apart from each other, in view of the cameras.

The workspace is a sector around the axis of the arm's first joint.  Its bounds come from
the arm: between these radii the tool can point down at table height without the wrist
running into its limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lam_sim import catalog

PAN_AXIS_X_M = 0.03884
"""Where the first joint's axis meets the table, x in the base frame; y is 0."""

CLEARANCE_M = 0.017
"""Least gap between two outlines, so that a finger fits between."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Sector:
    """Part of a ring around the pan axis: radii [m] and the largest angle to either side."""

    inner_m: float
    outer_m: float
    angle_rad: float

    def draw(self, rng: np.random.Generator) -> Point:
        """Return a point (x, y) in the base frame, uniform over the area."""
        radius = math.sqrt(rng.uniform(self.inner_m**2, self.outer_m**2))
        angle = rng.uniform(-self.angle_rad, self.angle_rad)
        return PAN_AXIS_X_M + radius * math.cos(angle), radius * math.sin(angle)

    def contains(self, point: Point) -> bool:
        """Tell whether a point (x, y) lies in it."""
        radius, angle = polar(point)
        return self.inner_m <= radius <= self.outer_m and abs(angle) <= self.angle_rad


PICK = Sector(0.145, 0.225, math.radians(68))
"""Where something can be grasped from the table."""

SECTORS: dict[str, Sector] = {
    "bowl": Sector(0.165, 0.240, math.radians(82)),
    "spot": Sector(0.160, 0.225, math.radians(78)),
    "tray": Sector(0.180, 0.215, math.radians(75)),
}
"""Where targets may lie; other kinds lie in `PICK`."""


@dataclass(frozen=True)
class Placed:
    """Something that takes up room: centre (x, y) and radius of its outline."""

    point_m: Point
    footprint_m: float


def polar(point: Point) -> tuple[float, float]:
    """Return radius [m] and angle [rad, left is positive] of a point about the pan axis."""
    dx, dy = point[0] - PAN_AXIS_X_M, point[1]
    return math.hypot(dx, dy), math.atan2(dy, dx)


def is_free(point: Point, footprint_m: float, taken: list[Placed]) -> bool:
    """Tell whether something of that footprint at a point keeps clear of all others."""
    return all(
        math.dist(point, other.point_m) >= footprint_m + other.footprint_m + CLEARANCE_M
        for other in taken
    )


def draw_free(
    rng: np.random.Generator, kind: catalog.Kind, taken: list[Placed], tries: int = 60
) -> Point | None:
    """Return a free point for a thing of that kind, or None if none was found."""
    sector = SECTORS.get(kind.name, PICK)
    for _ in range(tries):
        point = sector.draw(rng)
        if is_free(point, kind.footprint_m, taken):
            return point
    return None
