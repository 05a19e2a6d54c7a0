"""The way back: goals that bring things to where they were, and doors to how they stood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lam_ros.core.scene import Literal, Scene
from lam_ros.planning.domain import FREE, HELD, Place
from lam_ros.planning.kinds import is_table
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.search import TABLE_ID

_OPPOSITE = {"open": "closed", "closed": "open", "turned_on": "turned_off",
             "turned_off": "turned_on"}  # fmt: skip


def way_back(
    moved: Iterable[str],
    was: Mapping[str, Place],
    states: Iterable[Literal],
    before: Scene | None,
    scene: Scene,
    *,
    reaches_table: bool,
    busy: frozenset[str] = frozenset(),
) -> tuple[Literal, ...] | Refuse:
    """Return what must hold for things to be as they were, the last that was done first.

    Args:
        moved: ids of what was moved, in order.
        was: where each was.
        states: literals of doors and lamps that steps brought about.
        before: the scene before, which says where on the table things lay.
        scene: what is seen now.
        reaches_table: whether things can be put on the bare table.  Where they cannot, what
            lay free goes next to the thing that is nearest to where it lay.
        busy: ids of what is about to be moved, next to which nothing is put back.
    """
    goals: list[Literal] = []
    items = [item for item in reversed(list(dict.fromkeys(moved))) if item in was]
    for item in items:
        if item not in scene:
            return Refuse(RefuseKind.MISSING_OBJECT, f"{item} is not seen; it cannot be put back")
        goal = _place_back(item, was[item], before, scene, busy | frozenset(items), reaches_table)
        if isinstance(goal, Refuse):
            return goal
        goals.append(goal)
    goals += [
        Literal(_OPPOSITE[done.predicate], done.args)
        for done in states
        if done.predicate in _OPPOSITE and done.args[0] in scene
    ]
    if not goals:
        return Refuse(RefuseKind.NOT_A_TASK, "there is nothing to undo: nothing was moved yet")
    return tuple(goals)


def _place_back(
    item: str,
    place: Place,
    before: Scene | None,
    scene: Scene,
    moved: frozenset[str],
    reaches_table: bool,
) -> Literal | Refuse:
    if place not in (FREE, HELD):
        if place.other not in scene:
            return Refuse(
                RefuseKind.MISSING_OBJECT, f"{item} was {place.predicate} {place.other}, now gone"
            )
        return Literal(place.predicate, (item, place.other))
    if reaches_table:
        table = next((i.id for i in scene.objects if is_table(i)), TABLE_ID)
        return Literal("on", (item, table))
    near = _nearest(item, before, scene, moved)
    if not near:
        return Refuse(
            RefuseKind.UNSUPPORTED_SKILL,
            f"{item} lay on the bare table with nothing near; say in, on or next to what",
        )
    return Literal("next_to", (item, near))


def _nearest(item: str, before: Scene | None, scene: Scene, moved: frozenset[str]) -> str:
    """Return what stands nearest to where an object lay before, and has not moved."""
    if before is None or item not in before:
        return ""
    lay = before[item]
    standing = [
        other for other in scene.objects if other.id not in moved and other.id in before
        and other.id != scene.held and not is_table(other)
    ]  # fmt: skip
    standing.sort(key=lay.distance_xy_m)
    return standing[0].id if standing else ""
