"""Scenes that instructions are tried on, and outcomes as short text to compare with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.planning.outcome import Clarify, Outcome, Plan
from lam_ros.planning.planner import Planner

SIZES_M = {
    "cube": (0.028, 0.028, 0.028),
    "bowl": (0.092, 0.092, 0.034),
    "spot": (0.070, 0.070, 0.0008),
    "tray": (0.120, 0.100, 0.014),
}

type Said = Callable[..., str]


def thing(name: str, x_m: float, y_m: float, level: int = 0) -> SceneObject:
    """Return an object at (x, y), `level` cubes above the table."""
    color, kind, _ = name.split("_")
    size_m = SIZES_M[kind]
    z_m = size_m[2] / 2 + level * SIZES_M["cube"][2]
    return SceneObject(name, kind, color, (x_m, y_m, z_m), size_m)


# From left to right: red, green, blue; blue is the nearest to the arm.
PLAIN = (
    thing("red_cube_1", 0.20, 0.10),
    thing("green_cube_1", 0.22, 0.02),
    thing("blue_cube_1", 0.18, -0.08),
    thing("blue_bowl_1", 0.25, -0.15),
    thing("yellow_spot_1", 0.15, -0.15),
    thing("grey_tray_1", 0.26, 0.16),
)

# Two red cubes (left, right), the right one with green on it; blue lies in the blue bowl.
TWINS = (
    thing("red_cube_1", 0.20, 0.10),
    thing("red_cube_2", 0.20, -0.05),
    thing("green_cube_1", 0.20, -0.05, level=1),
    thing("blue_cube_1", 0.25, -0.15),
    thing("blue_bowl_1", 0.25, -0.15),
    thing("red_bowl_1", 0.15, 0.17),
    thing("grey_tray_1", 0.26, 0.16),
    thing("red_spot_1", 0.30, 0.00),
    thing("green_spot_1", 0.30, 0.08),
)

# Red on blue on green, and yellow free.
TOWER = (
    thing("green_cube_1", 0.20, 0.00),
    thing("blue_cube_1", 0.20, 0.00, level=1),
    thing("red_cube_1", 0.20, 0.00, level=2),
    thing("yellow_cube_1", 0.18, -0.10),
    thing("blue_bowl_1", 0.25, -0.15),
    thing("grey_tray_1", 0.26, 0.16),
)

# As many bowls as cubes, in the same colours.
PAIRS = (
    thing("red_cube_1", 0.16, 0.02),
    thing("green_cube_1", 0.18, -0.04),
    thing("red_bowl_1", 0.25, 0.12),
    thing("green_bowl_1", 0.27, 0.00),
)

SCENES = {
    "plain": Scene(PLAIN),
    "twins": Scene(TWINS),
    "tower": Scene(TOWER),
    "pairs": Scene(PAIRS),
    "empty": Scene(()),
    "holding red": Scene(PLAIN, held="red_cube_1"),
}


def short(name: str) -> str:
    """Return `red` for red_cube_1, `red2` for red_cube_2, `blue_bowl` for blue_bowl_1."""
    color, kind, number = name.split("_")
    if kind == "tray":
        return kind
    stem = color if kind == "cube" else f"{color}_{kind}"
    return stem if number == "1" else f"{stem}{number}"


def in_short(outcome: Outcome) -> str:
    """Return `red in blue_bowl; green on tray`, `done`, `ask red, red2`, `refuse unsafe`."""
    if isinstance(outcome, Plan):
        steps = [planned.step.goal for planned in outcome.steps]
        said = [f"{short(g.args[0])} {g.predicate} {short(g.args[1])}" for g in steps]
        return "; ".join(said) or "done"
    if isinstance(outcome, Clarify):
        return "ask " + ", ".join(short(name) for name in outcome.candidates)
    return f"refuse {outcome.kind}"


@pytest.fixture
def scenes() -> dict[str, Scene]:
    """Scenes by name."""
    return SCENES


@pytest.fixture
def said() -> Said:
    """Return what a planner answers, in short."""

    def answer(instruction: str, scene: str = "plain", answer: str = "") -> str:
        return in_short(Planner().plan(instruction, SCENES[scene], answer))

    return answer
