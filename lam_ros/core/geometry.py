"""Where the arm must not be: values, configuration and the port of the geometric rules.

The safety room asks a `Guard` what a pose breaks.  Who answers knows the arm's shape
(`lam_sim.guard` does, by MuJoCo); this side knows numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lam_ros.core.errors import ConfigError
from lam_ros.core.types import FloatArray

Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A box along the axes of the base frame, [m]."""

    lower_m: Corner
    upper_m: Corner
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a box without inside."""
        corners = np.array([self.lower_m, self.upper_m])
        if not np.isfinite(corners).all() or not (corners[0] < corners[1]).all():
            raise ConfigError(
                f"box '{self.name}': lower_m {list(self.lower_m)}, upper_m {list(self.upper_m)} "
                "came, finite corners with each lower below its upper are needed"
            )


@dataclass(frozen=True)
class GeometryConfig:
    """Where the arm may be, in its base frame.

    Attributes:
        enabled: whether the geometric rules are applied at all.
        workspace: the point between the finger tips stays inside; None for no such rule.
        keep_out: no part of the arm enters one of these.
        table_height_m: no part of the arm goes below, but for `table_tolerance_m`; None
            where there is no table.
        table_tolerance_m: how deep the shape of the arm may reach into the table, since
            fingers press on what they pick up.
        self_collision: whether parts of the arm keep clear of each other.
        self_tolerance_m: how far the shapes of two parts may overlap; they are rounder
            than the arm.
    """

    enabled: bool = True
    workspace: Box | None = None
    keep_out: tuple[Box, ...] = ()
    table_height_m: float | None = 0.0
    table_tolerance_m: float = 0.004
    self_collision: bool = True
    self_tolerance_m: float = 0.006

    def __post_init__(self) -> None:
        """Refuse tolerances that are none, and boxes that cannot be told apart."""
        for name in ("table_tolerance_m", "self_tolerance_m"):
            value = getattr(self, name)
            if not 0.0 <= value < 0.05:
                raise ConfigError(f"safety: {name} {value} came, 0 to 0.05 m is allowed")
        if self.table_height_m is not None and not np.isfinite(self.table_height_m):
            raise ConfigError(f"safety: table_height_m {self.table_height_m} came, give a height")
        names = [box.name for box in self.keep_out]
        if "" in names or len(set(names)) != len(names):
            raise ConfigError(
                f"safety: keep_out boxes are named {names}, each needs a name of its own"
            )


@dataclass(frozen=True)
class Intrusion:
    """One rule that a pose breaks.

    Attributes:
        rule: `workspace`, `keep_out`, `self_collision` or `table`.
        depth_m: by how much.
        detail: one line for people: what is where.
    """

    rule: str
    depth_m: float
    detail: str


class Guard(Protocol):
    """Knows the arm's shape."""

    def intrusions(self, position_rad: FloatArray) -> Sequence[Intrusion]:
        """Return what a pose, shape (J,), breaks: the deepest intrusion of each rule, in order."""
        ...


SWEEP_RAD = 0.03
"""Largest change of a joint between two poses that are looked at on the way to a command."""


class Fence:
    """Says whether a command goes deeper into what is forbidden than the one in force.

    An arm that is inside already, as it was switched on or after a fence was set up,
    may leave, and may not go deeper.
    """

    def __init__(self, guard: Guard | None) -> None:
        """Use a guard; without one nothing is ever blocked."""
        self._guard = guard
        self._from_rad: FloatArray | None = None
        self._depth_m: dict[str, float] = {}

    def blocks(self, last_rad: FloatArray, next_rad: FloatArray) -> Intrusion | None:
        """Return what is broken on the way from one command to the next, each of shape (J,)."""
        if self._guard is None:
            return None
        if self._from_rad is not last_rad:
            self._depth_m = _depths(self._guard.intrusions(last_rad))
            self._from_rad = last_rad
        change = next_rad - last_rad
        parts = int(np.ceil(np.abs(change).max() / SWEEP_RAD))
        found: Sequence[Intrusion] = ()
        for part in range(1, parts + 1):
            found = self._guard.intrusions(last_rad + change * (part / parts))
            for intrusion in found:
                if intrusion.depth_m > self._depth_m.get(intrusion.rule, 0.0) + 1e-9:
                    return intrusion
        if parts:
            self._depth_m = _depths(found)
        self._from_rad = next_rad
        return None


def _depths(found: Sequence[Intrusion]) -> dict[str, float]:
    return {intrusion.rule: intrusion.depth_m for intrusion in found}
