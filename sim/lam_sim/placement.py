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
    "region": Sector(0.165, 0.215, math.radians(65)),
    "button": Sector(0.150, 0.225, math.radians(70)),
    "piece": Sector(0.160, 0.215, math.radians(62)),
    "drawer": Sector(0.262, 0.276, math.radians(60)),
}
"""Where targets may lie; other kinds lie in `PICK`."""


@dataclass(frozen=True)
class Placed:
    """Something that takes up room: centre (x, y) and radius of its outline."""

    point_m: Point
    footprint_m: float


DRAWER_TURN_RAD = math.radians(12)
"""How far at most a drawer looks past the pan axis, to either side."""

_PIECES_SPREAD_M = 0.030
_PIECES_APART_M = 0.022


def front_of_drawer(point: Point) -> Placed:
    """Return what must stay free before a drawer at a point, so that it can be pulled out."""
    radius, angle = polar(point)
    radius -= catalog.KNOB_OUT_M + catalog.DRAWER_TRAVEL_M / 2
    return Placed(
        (PAN_AXIS_X_M + radius * math.cos(angle), radius * math.sin(angle)),
        catalog.DRAWER_TRAVEL_M / 2 + catalog.KNOB_SIZE_M[0],
    )


def draw_piece(rng: np.random.Generator, pieces: list[Point], taken: list[Placed]) -> Point | None:
    """Return a free point near the first of some pieces; None if there is none or no room."""
    others = [place for place in taken if place.point_m not in pieces]
    for _ in range(40 if pieces else 0):
        dx, dy = rng.uniform(-_PIECES_SPREAD_M, _PIECES_SPREAD_M, 2)
        point = (pieces[0][0] + float(dx), pieces[0][1] + float(dy))
        apart = all(math.dist(point, other) > _PIECES_APART_M for other in pieces)
        kind = catalog.kind_named("piece")
        if apart and SECTORS["piece"].contains(point) and is_free(point, kind.footprint_m, others):
            return point
    return None


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
