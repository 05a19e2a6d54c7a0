"""Generated instructions of which it is known by construction whether they leave a choice.

Each names something in a random scene; whether two things fit equally is counted here by
plain rules, apart from the planner's own grounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lam_ros.core.scene import Scene, SceneObject

_COLORS = ("red", "green", "blue", "yellow")
_KINDS = ("cube", "ball", "mug", "bottle")


@dataclass(frozen=True)
class Question:
    """An instruction, and whether a person would have to be asked what it means."""

    instruction: str
    scene: Scene
    must_ask: bool


def questions(seed: int, count: int) -> list[Question]:
    """Return so many different cases, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [_FORMS[k % len(_FORMS)](rng, _scene(rng)) for k in range(count)]


def _scene(rng: np.random.Generator) -> Scene:
    """Return three to seven things of few colours and kinds, one or two bowls, and a tray."""
    things: list[SceneObject] = []
    slots = rng.permutation(9)
    for k in range(int(rng.integers(3, 8))):
        color, kind = str(rng.choice(_COLORS)), str(rng.choice(_KINDS[: int(rng.integers(1, 5))]))
        number = 1 + sum(t.color == color and t.kind == kind for t in things)
        at = (0.2 + 0.06 * (slots[k] % 3), 0.3 - 0.07 * float(slots[k]), 0.02)
        size_m = float(rng.choice((0.02, 0.03, 0.04)))
        things.append(
            SceneObject(f"{color}_{kind}_{number}", kind, color, at, (size_m, size_m, size_m))
        )
    bowls = [
        SceneObject(f"{color}_bowl_1", "bowl", color, (0.42, y_m, 0.02), (0.09, 0.09, 0.03))
        for color, y_m in (("white", 0.2), ("black", -0.2))[: int(rng.integers(1, 3))]
    ]
    tray = SceneObject("grey_tray_1", "tray", "grey", (0.45, 0.0, 0.01), (0.12, 0.1, 0.01))
    return Scene((*things, *bowls, tray))


def _things(scene: Scene) -> list[SceneObject]:
    return [item for item in scene.objects if item.kind in _KINDS]


def _bowls(scene: Scene) -> list[SceneObject]:
    return [item for item in scene.objects if item.kind == "bowl"]


def _one(rng: np.random.Generator, items: Sequence[SceneObject]) -> SceneObject:
    return items[int(rng.integers(len(items)))]


def _alike(scene: Scene, item: SceneObject, *, color: bool = True) -> list[SceneObject]:
    return [other for other in _things(scene)
            if other.kind == item.kind and (not color or other.color == item.color)]  # fmt: skip


def _colored(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    text = f"put the {item.color} {item.kind} on the tray"
    return Question(text, scene, len(_alike(scene, item)) > 1)


def _kind_only(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    text = f"move the {item.kind} to the tray"
    return Question(text, scene, len(_alike(scene, item, color=False)) > 1)


def _color_only(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    same = [other for other in _things(scene) if other.color == item.color]
    return Question(f"place the {item.color} one on the tray", scene, len(same) > 1)


def _any(rng: np.random.Generator, scene: Scene) -> Question:
    return Question(f"put a {_one(rng, _things(scene)).kind} on the tray", scene, False)


def _every(rng: np.random.Generator, scene: Scene) -> Question:
    kind = _one(rng, _things(scene)).kind
    return Question(f"put all the {kind}s on the tray", scene, False)


def _outermost(rng: np.random.Generator, scene: Scene) -> Question:
    side = str(rng.choice(("leftmost", "rightmost")))
    kind = _one(rng, _things(scene)).kind
    return Question(f"take the {side} {kind} and put it on the tray", scene, False)


def _which_bowl(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    unclear = len(_bowls(scene)) > 1 or len(_alike(scene, item)) > 1
    return Question(f"drop the {item.color} {item.kind} into the bowl", scene, unclear)


def _sized(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    alike = _alike(scene, item, color=False)
    largest = max(other.size_m[0] for other in alike)
    fits = [other for other in alike if other.size_m[0] == largest]
    return Question(f"put the biggest {item.kind} on the tray", scene, len(fits) > 1)


def _told_by_pronoun(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    bowl = _one(rng, _bowls(scene))
    text = f"grab the {item.color} {item.kind}, then put it in the {bowl.color} bowl"
    return Question(text, scene, len(_alike(scene, item)) > 1)


def _nearest(rng: np.random.Generator, scene: Scene) -> Question:
    item, bowl = _one(rng, _things(scene)), _one(rng, _bowls(scene))
    alike = _alike(scene, item, color=False)
    near = sorted(other.distance_xy_m(bowl) for other in alike)
    text = f"put the {item.kind} closest to the {bowl.color} bowl on the tray"
    return Question(text, scene, len(near) > 1 and near[1] - near[0] < 0.005)


def _by_id(rng: np.random.Generator, scene: Scene) -> Question:
    return Question(f"put {_one(rng, _things(scene)).id} on the tray", scene, False)


def _two_of(rng: np.random.Generator, scene: Scene) -> Question:
    item = _one(rng, _things(scene))
    alike = _alike(scene, item, color=False)
    if len(alike) < 2:
        return _by_id(rng, scene)
    return Question(f"put two {item.kind}s on the tray", scene, False)


_FORMS: tuple[Callable[[np.random.Generator, Scene], Question], ...] = (
    _colored, _kind_only, _color_only, _any, _every, _outermost, _which_bowl, _sized,
    _told_by_pronoun, _nearest, _by_id, _two_of,
)  # fmt: skip
