"""The skills as typed actions: what each needs, and how a scene stands after it.

A `World` is a scene as it is, or as it will be after some steps.  What has not been
touched is judged by the scene itself; what has been moved is where the last step put it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import EFFECT, Skill, Step, swept
from lam_ros.planning.kinds import CARRIERS, can_contain, head, is_solid, is_table

PLACING: Mapping[str, Skill] = MappingProxyType(
    {predicate: skill for skill, predicate in EFFECT.items() if skill.startswith("place_")}
)
"""Predicate of two objects -> the skill that brings it about."""

STATES: Mapping[str, Skill] = MappingProxyType(
    {predicate: skill for skill, predicate in EFFECT.items() if not skill.startswith("place_")}
)
"""Predicate of one object -> the skill that brings it about."""

INVERSE = {
    "left_of": "right_of", "right_of": "left_of", "in_front_of": "behind", "behind": "in_front_of",
    "next_to": "next_to",
}  # fmt: skip
"""Predicate of where things stand -> what holds of the two the other way round."""

_OPPOSITE = {"open": "closed", "closed": "open", "turned_on": "turned_off",
             "turned_off": "turned_on"}  # fmt: skip


class Need(StrEnum):
    """What a step can lack."""

    CLEAR = "clear"
    OPEN = "open"
    ROOM = "room"
    HAND = "hand"
    RELEASE = "release"


@dataclass(frozen=True)
class Lack:
    """What a step lacks now: `object_id` must be cleared of, opened, emptied or released."""

    need: Need
    object_id: str
    by: str = ""

    @property
    def reason(self) -> str:
        """One line for people."""
        texts = {
            Need.CLEAR: f"{self.by} lies on {self.object_id}",
            Need.OPEN: f"{self.object_id} is closed",
            Need.ROOM: f"{self.object_id} is full",
            Need.HAND: f"the gripper holds {self.object_id}",
            Need.RELEASE: f"the gripper holds {self.object_id}",
        }
        return texts[self.need]


@dataclass(frozen=True)
class Place:
    """Where an object is: `predicate` of it and `other`; both empty for free on the table."""

    predicate: str = ""
    other: str = ""


FREE = Place()
HELD = Place("holding", "")


@dataclass(frozen=True)
class World:
    """A scene after some steps.

    Attributes:
        scene: as it was seen.
        moved: where each object is that a step moved.
        flags: each state that a step changed, for example `("drawer_1", "open")`.
    """

    scene: Scene
    moved: frozenset[tuple[str, Place]] = frozenset()
    flags: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Return where each object is in, on or free."""
        return first_places(self.scene) | dict(self.moved)

    @cached_property
    def held(self) -> str:
        """Return the id of what the gripper holds, or an empty string."""
        return next((i for i, place in self.places.items() if place == HELD), "")

    @cached_property
    def resting(self) -> Mapping[str, tuple[str, ...]]:
        """Return for each object the ids of what is in or on it."""
        found: dict[str, list[str]] = {}
        for item, place in self.places.items():
            if place.predicate in ("on", "in"):
                found.setdefault(place.other, []).append(item)
        return {support: tuple(items) for support, items in found.items()}

    @cached_property
    def _moved_ids(self) -> frozenset[str]:
        return frozenset(item for item, _ in self.moved)

    # What holds

    def holds(self, goal: Literal) -> bool:
        """Tell whether a literal holds."""
        if goal.predicate in STATES:
            return self._state_holds(goal.predicate, goal.args[0])
        item, other = goal.args
        if other not in self.scene or is_table(self.scene[other]):
            return self.places[item] in (FREE, Place("on", other))
        if item in self._moved_ids or self.places[item] == HELD:
            place = self.places[item]
            if place == Place(goal.predicate, other):
                return True
        elif other not in self._moved_ids or goal.predicate in ("on", "in"):
            return self.scene.holds(goal)
        inverse = INVERSE.get(goal.predicate, "")
        return bool(inverse) and self.places[other] == Place(inverse, item)

    def _state_holds(self, predicate: str, object_id: str) -> bool:
        if predicate == "holding":
            return self.held == object_id
        if (object_id, predicate) in self.flags:
            return True
        if (object_id, _OPPOSITE.get(predicate, "")) in self.flags:
            return False
        item = self.scene[object_id]
        is_door = predicate in ("open", "closed")
        state = item.is_open if is_door else item.is_on
        return state is (predicate in ("open", "turned_on", "pressed"))

    def is_closed(self, object_id: str) -> bool:
        """Tell whether a drawer or door is known to be closed."""
        return object_id in self.scene and self._state_holds("closed", object_id)

    def above(self, object_id: str) -> tuple[str, ...]:
        """Return what lies on an object and keeps it from being grasped; trays carry theirs."""
        if object_id not in self.scene or head(self.scene[object_id].kind) in CARRIERS:
            return ()
        resting = self.resting.get(object_id, ())
        return tuple(item for item in resting if self.places[item].predicate == "on")

    def enclosing(self, object_id: str) -> Iterator[str]:
        """Yield what an object is in or on, from the inside out."""
        seen = {object_id}
        at = self.places.get(object_id, FREE)
        while at.predicate in ("on", "in") and at.other not in seen:
            yield at.other
            seen.add(at.other)
            at = self.places.get(at.other, FREE)

    # What a step needs and does

    def lacks(self, step: Step) -> Lack | None:
        """Return the first thing that a step lacks; None if it can be done now."""
        item = step.object_id
        if step.skill is Skill.HOME:
            return None
        if step.skill in (Skill.OPEN, Skill.CLOSE, Skill.TURN_ON, Skill.TURN_OFF, Skill.PRESS):
            return self._closed_around(item) or self._hand_full("")
        found = self._closed_around(item) or self._covered(item, "")
        if step.target_id in self.scene:
            found = found or self._target_lacks(step)
        return found or self._hand_full(item)

    def _target_lacks(self, step: Step) -> Lack | None:
        target = step.target_id
        if self.held == target:
            return Lack(Need.RELEASE, target)
        if found := self._closed_around(target):
            return found
        if step.skill is Skill.PLACE_ON:
            return self._built_on(target, step.object_id)
        if step.skill in (Skill.PLACE_IN, Skill.PUSH):
            if self.is_closed(target):
                return Lack(Need.OPEN, target)
            if self._is_full(target, step.object_id):
                return Lack(Need.ROOM, target)
        return None

    def _built_on(self, object_id: str, but: str) -> Lack | None:
        solid = is_solid(self.scene[object_id])
        return self._covered(object_id, but) if solid else None

    def _covered(self, object_id: str, but: str) -> Lack | None:
        others = [item for item in self.above(object_id) if item != but]
        return Lack(Need.CLEAR, object_id, others[0]) if others else None

    def _closed_around(self, object_id: str) -> Lack | None:
        around = [item for item in self.enclosing(object_id) if self.is_closed(item)]
        inside = [item for item in around if self._is_inside(object_id, item)]
        return Lack(Need.OPEN, inside[-1]) if inside else None

    def _is_inside(self, object_id: str, around: str) -> bool:
        chain = [object_id, *self.enclosing(object_id)]
        inner = chain[chain.index(around) - 1]
        return self.places[inner].predicate == "in"

    def _is_full(self, target_id: str, object_id: str) -> bool:
        room = self.scene[target_id].capacity
        inside = [item for item in self.resting.get(target_id, ()) if item != object_id]
        return room is not None and len(inside) >= room

    def _hand_full(self, wanted: str) -> Lack | None:
        return Lack(Need.HAND, self.held) if self.held not in ("", wanted) else None

    def after(self, step: Step) -> World:
        """Return the world once a step has been done."""
        item = step.object_id
        goal = effect_of(step, self.scene)
        if goal is None:
            return self
        if goal.predicate == "holding":
            return self._with_place(item, HELD)
        if goal.predicate in STATES:
            gone = {(item, _OPPOSITE.get(goal.predicate, ""))}
            return World(self.scene, self.moved, (self.flags - gone) | {(item, goal.predicate)})
        free = step.target_id not in self.scene or is_table(self.scene[step.target_id])
        place = FREE if free else Place(goal.predicate, step.target_id)
        world = self
        for moved in (each.args[0] for each in effects_of(step, self.scene)):
            world = world._with_place(moved, place)
        return world

    def _with_place(self, item: str, place: Place) -> World:
        """Move an object; what stood relative to it no longer does."""
        kept = {
            (other, FREE if at.other == item and at.predicate in INVERSE else at)
            for other, at in self.moved
            if other != item
        }
        return World(self.scene, frozenset(kept | {(item, place)}), self.flags)


def effect_of(step: Step, scene: Scene) -> Literal | None:
    """Return what a step brings about; None for a push or a turn in some direction."""
    if step.skill in (Skill.PUSH, Skill.SWEEP) and step.target_id in scene:
        return Literal("in", (step.object_id, step.target_id))
    return step.goal if step.skill in EFFECT else None


def effects_of(step: Step, scene: Scene) -> tuple[Literal, ...]:
    """Return everything that a step brings about: a sweep is of many."""
    if step.skill is Skill.SWEEP and step.target_id in scene:
        return tuple(Literal("in", (item.id, step.target_id)) for item in swept(step, scene))
    effect = effect_of(step, scene)
    return (effect,) if effect else ()


def step_for(goal: Literal) -> Step:
    """Return the step that brings a literal about."""
    if goal.predicate in STATES:
        return Step(STATES[goal.predicate], goal.args[0], "")
    return Step(PLACING[goal.predicate], *goal.args)


_places_of: dict[int, tuple[Scene, dict[str, Place]]] = {}


def first_places(scene: Scene) -> dict[str, Place]:
    """Return where each object of a scene is, as the scene says or else by geometry."""
    kept = _places_of.get(id(scene))
    if kept is None or kept[0] is not scene:
        _places_of.clear()
        kept = _places_of[id(scene)] = (scene, {i.id: _place(i, scene) for i in scene.objects})
    return kept[1]


def _place(item: SceneObject, scene: Scene) -> Place:
    if scene.held == item.id:
        return HELD
    if item.inside or item.on:
        named = Place("in", item.inside) if item.inside else Place("on", item.on)
        is_known = named.other in scene and not is_table(scene[named.other])
        return named if is_known and named.other != item.id else FREE
    supports = [
        (other, predicate)
        for other in scene.objects
        if other.id != item.id and not is_table(other)
        for predicate in (("in", "on") if can_contain(other) else ("on",))
        if scene.holds(Literal(predicate, (item.id, other.id)))
    ]
    if not supports:
        return FREE
    below, predicate = max(supports, key=lambda pair: pair[0].position_m[2])
    return Place(predicate, below.id)
