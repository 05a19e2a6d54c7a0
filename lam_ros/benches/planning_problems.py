"""Random planning problems: cubes in stacks, bowls and drawers, and goals that can be reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import Skill
from lam_ros.planning.search import Abilities

_COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "cyan")
_CABINET = "wooden_cabinet_1"


@dataclass(frozen=True)
class Problem:
    """A scene and what shall hold in it."""

    scene: Scene
    goals: tuple[Literal, ...]


def abilities() -> Abilities:
    """Return what an arm can do that has every skill and moves cubes only."""
    return Abilities(frozenset(Skill), lambda item: item.kind == "cube")


def random_problem(rng: np.random.Generator, objects: int, goals: int) -> Problem:
    """Return a problem with so many cubes, two drawers, two bowls, and at most so many goals.

    Args:
        rng: where chance comes from.
        objects: number of cubes.
        goals: number of goal literals wanted.
    """
    cubes = [f"{_COLORS[k % len(_COLORS)]}_cube_{k // len(_COLORS) + 1}" for k in range(objects)]
    places = _arranged(rng, cubes)
    scene = Scene((*(_cube(name, *places[name]) for name in cubes), *_furniture(rng)))
    return Problem(scene, _goals(rng, cubes, goals))


def _cube(name: str, predicate: str, other: str) -> SceneObject:
    return SceneObject(
        name, "cube", name.split("_")[0], (0.3, 0.0, 0.02),
        on=other if predicate == "on" else "", inside=other if predicate == "in" else "",
    )  # fmt: skip


def _furniture(rng: np.random.Generator) -> list[SceneObject]:
    drawers = [
        SceneObject(f"{_CABINET}_{which}_drawer", "drawer", is_open=bool(rng.random() < 0.4))
        for which in ("top", "bottom")
    ]
    bowls = [SceneObject(f"{color}_bowl_1", "bowl", color) for color in ("white", "black")]
    return [SceneObject(_CABINET, "wooden_cabinet"), *drawers, *bowls]


def _containers() -> list[str]:
    drawers = [f"{_CABINET}_{which}_drawer" for which in ("top", "bottom")]
    return [*drawers, "white_bowl_1", "black_bowl_1"]


def _arranged(rng: np.random.Generator, cubes: list[str]) -> dict[str, tuple[str, str]]:
    """Put each cube on the table, on a clear one that is placed already, or in a container."""
    clear: list[str] = []
    places: dict[str, tuple[str, str]] = {}
    for name in (str(name) for name in rng.permutation(cubes)):
        chance = rng.random()
        if clear and chance < 0.5:
            below = clear.pop(int(rng.integers(len(clear))))
            places[name] = ("on", below)
            clear.append(name)
        elif chance < 0.7:
            places[name] = ("in", str(rng.choice(_containers())))
        else:
            places[name] = ("on", "")
            clear.append(name)
    return places


def _goals(rng: np.random.Generator, cubes: list[str], wanted: int) -> tuple[Literal, ...]:
    """Return goals that another random arrangement, and states of the drawers, fulfil."""
    end = _arranged(rng, cubes)
    found = [Literal(predicate, (name, other)) for name, (predicate, other) in end.items() if other]
    for drawer in _containers()[:2]:
        if rng.random() < 0.5:
            found.append(Literal(str(rng.choice(["open", "closed"])), (drawer,)))
    chosen = rng.permutation(len(found))[:wanted]
    return tuple(found[int(k)] for k in chosen)
