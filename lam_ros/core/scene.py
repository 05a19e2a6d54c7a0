"""What is on the table, and what can be said of it.

One vocabulary serves simulation (ground truth), perception (what is seen), planner
(preconditions, effects) and judge: a `Scene` of objects, and `Literal`s such as
`in(red_cube_1, blue_bowl_1)` that hold in a scene or do not.

Positions are in the robot's base frame: x forward, y left, z up, table top at
z = 0, in metres; an object's position is its centre.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from lam_ros.core.errors import LamError, unknown_name

# Which predicates `holds` can judge, with their number of arguments.
PREDICATES: dict[str, int] = {
    "on": 2, "in": 2, "next_to": 2, "left_of": 2, "right_of": 2, "in_front_of": 2, "behind": 2,
    "open": 1, "closed": 1, "turned_on": 1, "turned_off": 1, "pressed": 1, "holding": 1,
}  # fmt: skip

CONTAINER_KINDS = frozenset({"bowl", "box", "basket", "tray", "drawer", "mug", "cup"})
"""Kinds that something can be *in*, by geometry; of others the scene itself must say so."""

FLAT_KINDS = frozenset({"spot", "plate", "mat", "table", "region"})
"""Kinds that are no obstacle: something *on* them lies on the table's level or near it."""

NEXT_TO_GAP_M = 0.05
"""Largest gap between the outlines of two objects that are next to each other."""

ON_HEIGHT_TOLERANCE_M = 0.010
"""How far the height of an object may be from lying on its support."""


_IN_NO_REGION = CONTAINER_KINDS | FLAT_KINDS | {"button"}
_IN_REGION_M = 0.004
"""How high the lower side of what lies in a region may be."""


class SceneError(LamError):
    """A scene or a literal names something that does not exist."""


@dataclass(frozen=True)
class SceneObject:
    """One thing that the robot knows of.

    Attributes:
        id: unique, `<color>_<kind>_<n>` where the scene generator names it.
        kind: what it is (`cube`, `bowl`, `spot`, `tray`, ...); kinds are open.
        color: colour name, or an empty string if unknown.
        position_m: centre (x, y, z) in the base frame.
        size_m: extent (x, y, z) along the base frame's axes.
        yaw_rad: rotation about z.
        confidence: 1 for ground truth, lower if seen.
        on, inside: id of the support or container if the source of the scene says
            so; where empty, geometry decides.
        opening: share of its travel that a drawer is out; None if that is not known.
        is_open, is_on: state of a drawer, door, switch; None where it has none.
        capacity: how many things fit in it; None if that is not known.
    """

    id: str
    kind: str
    color: str = ""
    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    confidence: float = 1.0
    on: str = ""
    inside: str = ""
    is_open: bool | None = None
    is_on: bool | None = None
    opening: float | None = None
    capacity: int | None = None

    @property
    def top_m(self) -> float:
        """Height of the upper side."""
        return self.position_m[2] + self.size_m[2] / 2

    @property
    def bottom_m(self) -> float:
        """Height of the lower side."""
        return self.position_m[2] - self.size_m[2] / 2

    @property
    def radius_m(self) -> float:
        """Half of the larger horizontal extent."""
        return max(self.size_m[0], self.size_m[1]) / 2

    def distance_xy_m(self, other: SceneObject) -> float:
        """Horizontal distance between the centres."""
        return math.dist(self.position_m[:2], other.position_m[:2])


@dataclass(frozen=True)
class Literal:
    """One statement about a scene, for example `Literal("in", ("red_cube_1", "blue_bowl_1"))`."""

    predicate: str
    args: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the predicate and its number of arguments."""
        if self.predicate not in PREDICATES:
            raise SceneError(unknown_name("predicate", self.predicate, PREDICATES))
        if len(self.args) != PREDICATES[self.predicate]:
            raise SceneError(
                f"predicate '{self.predicate}': {len(self.args)} arguments came, "
                f"{PREDICATES[self.predicate]} are needed"
            )

    def __str__(self) -> str:
        """Return `predicate(a, b)`."""
        return f"{self.predicate}({', '.join(self.args)})"

    def to_list(self) -> list[str]:
        """Return `[predicate, a, b]`, as the JSON output has it."""
        return [self.predicate, *self.args]


@dataclass(frozen=True)
class Scene:
    """All objects at one instant.

    Attributes:
        objects: what there is.
        stamp_ns: when.
        held: id of what the gripper holds; empty if nothing.
        at_home: whether the arm is at its home pose; None if the source does not say.
    """

    objects: tuple[SceneObject, ...]
    stamp_ns: int = 0
    held: str = ""
    at_home: bool | None = None
    _by_id: dict[str, SceneObject] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the objects.

        Raises:
            SceneError: if two objects share an id.
        """
        by_id = {item.id: item for item in self.objects}
        if len(by_id) != len(self.objects):
            raise SceneError("scene: two objects share an id; give each its own")
        object.__setattr__(self, "_by_id", by_id)

    def __contains__(self, object_id: str) -> bool:
        """Tell whether there is an object of that id."""
        return object_id in self._by_id

    def __getitem__(self, object_id: str) -> SceneObject:
        """Return the object of that id.

        Raises:
            SceneError: if there is none.
        """
        try:
            return self._by_id[object_id]
        except KeyError:
            raise SceneError(unknown_name("object", object_id, self._by_id)) from None

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in order."""
        return tuple(self._by_id)

    def of_kind(self, kind: str) -> tuple[SceneObject, ...]:
        """Return the objects of a kind."""
        return tuple(item for item in self.objects if item.kind == kind)

    def holds(self, literal: Literal) -> bool:
        """Tell whether a literal holds in this scene.

        Raises:
            SceneError: if it names an object that is not in the scene.
        """
        items = [self[name] for name in literal.args]
        return _JUDGES[literal.predicate](self, *items)

    def all_hold(self, literals: Iterable[Literal]) -> bool:
        """Tell whether every literal holds."""
        return all(self.holds(literal) for literal in literals)

    def failing(self, literals: Iterable[Literal]) -> tuple[Literal, ...]:
        """Return the literals that do not hold."""
        return tuple(literal for literal in literals if not self.holds(literal))


def within_regions(objects: Iterable[SceneObject], held: str) -> list[SceneObject]:
    """Return objects, those that lie on the table within a region saying that they are in it.

    Args:
        objects: all of a scene.
        held: id of what the gripper holds, which lies nowhere.
    """
    items = list(objects)
    regions = [item for item in items if item.kind == "region"]
    return [_marked(item, regions) if item.id != held else item for item in items]


def _marked(item: SceneObject, regions: Iterable[SceneObject]) -> SceneObject:
    if item.kind in _IN_NO_REGION or item.bottom_m >= _IN_REGION_M:
        return item
    around = next((region for region in regions if _is_over(item, region)), None)
    return item if around is None else replace(item, inside=around.id, on="")


def _is_over(item: SceneObject, region: SceneObject) -> bool:
    """Tell whether an object's centre is over a square region, which may be turned."""
    cosine, sine = math.cos(region.yaw_rad), math.sin(region.yaw_rad)
    dx, dy = (item.position_m[k] - region.position_m[k] for k in (0, 1))
    half = region.size_m[0] / (abs(cosine) + abs(sine)) / 2
    return abs(cosine * dx + sine * dy) < half and abs(cosine * dy - sine * dx) < half


def _holding(scene: Scene, item: SceneObject) -> bool:
    return scene.held == item.id


def _in(scene: Scene, item: SceneObject, container: SceneObject) -> bool:
    if item.inside:
        return item.inside == container.id
    if scene.held == item.id or item.id == container.id:
        return False
    if container.kind not in CONTAINER_KINDS or not container.radius_m:
        return False
    # The centre is inside the outline, and no higher than half the item above the rim.
    dx = abs(item.position_m[0] - container.position_m[0])
    dy = abs(item.position_m[1] - container.position_m[1])
    within = item.distance_xy_m(container) < container.radius_m
    if container.kind in ("tray", "drawer", "box"):
        within = dx < container.size_m[0] / 2 and dy < container.size_m[1] / 2
    return within and item.position_m[2] < container.top_m + item.size_m[2] / 2


def _on(scene: Scene, item: SceneObject, support: SceneObject) -> bool:
    if item.on:
        return item.on == support.id
    if scene.held == item.id or item.id == support.id or not support.radius_m:
        return False
    if support.kind in CONTAINER_KINDS:
        return _in(scene, item, support)
    over = item.distance_xy_m(support) < support.radius_m
    return over and abs(item.bottom_m - support.top_m) < ON_HEIGHT_TOLERANCE_M


def _next_to(scene: Scene, item: SceneObject, other: SceneObject) -> bool:
    if item.id in (other.id, scene.held) or _in(scene, item, other) or _on(scene, item, other):
        return False
    gap = item.distance_xy_m(other) - item.radius_m - other.radius_m
    level = abs(item.bottom_m - other.bottom_m) < 2 * ON_HEIGHT_TOLERANCE_M
    return gap < NEXT_TO_GAP_M and level


def _left_of(scene: Scene, item: SceneObject, other: SceneObject) -> bool:
    return item.position_m[1] > other.position_m[1] + item.radius_m


def _right_of(scene: Scene, item: SceneObject, other: SceneObject) -> bool:
    return _left_of(scene, other, item)


def _behind(scene: Scene, item: SceneObject, other: SceneObject) -> bool:
    return item.position_m[0] > other.position_m[0] + item.radius_m


def _in_front_of(scene: Scene, item: SceneObject, other: SceneObject) -> bool:
    return _behind(scene, other, item)


_JUDGES: dict[str, Callable[..., bool]] = {
    "on": _on,
    "in": _in,
    "next_to": _next_to,
    "left_of": _left_of,
    "right_of": _right_of,
    "behind": _behind,
    "in_front_of": _in_front_of,
    "holding": _holding,
    "open": lambda scene, item: item.is_open is True,
    "closed": lambda scene, item: item.is_open is False,
    "turned_on": lambda scene, item: item.is_on is True,
    "turned_off": lambda scene, item: item.is_on is False,
    "pressed": lambda scene, item: item.is_on is True,
}
