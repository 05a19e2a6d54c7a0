"""A picture as the goal: what shall hold so that the table looks as in another scene.

Things are told apart by kind and colour, not by name; of several alike, those that lie
nearest to where the picture has them are meant.  Goals are what lies in or on what, and
what stands next to what; a thing that lies free in the picture only has to be freed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.planning.domain import FREE, HELD, first_places
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.search import TABLE_ID

_OTHER = 1e6
_LIKE = re.compile(
    r"\b(?:looks?|like|as|match(?:es)?|copy|recreate|rebuild)\b[\w\s,]*"
    r"\b(?:picture|image|photo(?:graph)?)\b|\blooks? like (?:this|that)\b"
    r"|\b(?:everything|all|it|them) like (?:this|that)[.!]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Arrangement:
    """What shall hold, over the things that there are.

    Attributes:
        goals: in the order of the picture's things, the lowest first.
        absent: what the picture shows and is not there, in words.
    """

    goals: tuple[Literal, ...]
    absent: tuple[str, ...]


def means_picture(instruction: str) -> bool:
    """Tell whether an instruction asks for what a picture shows."""
    return bool(_LIKE.search(instruction))


def arrangement(
    wanted: Scene, present: Scene, can_move: Callable[[SceneObject], bool], *, frees: bool
) -> Arrangement | Refuse:
    """Return what shall hold so that the present scene becomes like a wanted one.

    Args:
        wanted: what the picture shows.
        present: what is on the table now.
        can_move: tells whether a thing can be picked up; others are places.
        frees: whether things can be put on the bare table.
    """
    movable = [item for item in wanted.objects if can_move(item)]
    if not movable:
        return Refuse(RefuseKind.NO_PICTURE, "the picture shows nothing that can be moved")
    names = _matched(wanted, present)
    absent = tuple(f"{i.color} {i.kind}".strip() for i in movable if i.id not in names)
    if len(absent) == len(movable):
        return Refuse(RefuseKind.NO_PICTURE, f"of what the picture shows, there is no {absent[0]}")
    goals = list(_goals(wanted, present, names, movable))
    if frees:
        goals += _freed(wanted, present, names, movable)
    return Arrangement(tuple(dict.fromkeys(goals)), absent)


def _matched(wanted: Scene, present: Scene) -> dict[str, str]:
    """Return wanted id -> present id."""
    if not wanted.objects or not present.objects:
        return {}
    costs = np.array(
        [
            [
                here.distance_xy_m(item)
                if (here.kind, here.color) == (item.kind, item.color)
                else _OTHER
                for here in present.objects
            ]
            for item in wanted.objects
        ]
    )
    from scipy.optimize import linear_sum_assignment  # as long as all else to import; seldom used

    rows, columns = linear_sum_assignment(costs)
    return {
        wanted.objects[row].id: present.objects[column].id
        for row, column in zip(rows, columns, strict=True)
        if costs[row, column] < _OTHER
    }


def _goals(
    wanted: Scene, present: Scene, names: dict[str, str], movable: list[SceneObject]
) -> Iterator[Literal]:
    """Yield what lies in or on what, from below, then what is to come next to what."""
    places = first_places(wanted)
    free = []
    for item in sorted(movable, key=lambda item: item.bottom_m):
        place = places[item.id]
        if item.id not in names:
            continue
        if place in (FREE, HELD):
            free.append(item)
        elif place.other in names:
            yield Literal(place.predicate, (names[item.id], names[place.other]))
    for number, item in enumerate(free):
        for other in free[:number]:
            goal = Literal("next_to", (names[item.id], names[other.id]))
            stands = wanted.holds(Literal("next_to", (item.id, other.id)))
            if stands and not present.holds(goal):
                yield goal


def _freed(
    wanted: Scene, present: Scene, names: dict[str, str], movable: list[SceneObject]
) -> list[Literal]:
    """Return that what lies free in the picture shall lie free, where it does not."""
    before, now = first_places(wanted), first_places(present)
    return [
        Literal("on", (names[item.id], TABLE_ID))
        for item in movable
        if item.id in names and before[item.id] == FREE and now[names[item.id]] != FREE
    ]
