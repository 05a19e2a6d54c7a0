"""From one clause with a place to steps: who goes where, and whether that can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lam_ros.core.scene import FLAT_KINDS, Literal, Scene, SceneObject
from lam_ros.core.skills import EFFECT, TRAINED, Step
from lam_ros.planning.choosing import Chosen, Limits, missing
from lam_ros.planning.commands import Command, Place
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.domain import PLACING
from lam_ros.planning.kinds import DEEP_KINDS, ROOMS, can_contain, head, is_part
from lam_ros.planning.lexicon import PUSH, STACK
from lam_ros.planning.names import words_of
from lam_ros.planning.outcome import Clarify, Refuse, RefuseKind
from lam_ros.planning.phrases import Phrase, Pronoun, Quantifier
from lam_ros.planning.readings import readings_of
from lam_ros.planning.search import TABLE_ID
from lam_ros.planning.thing_words import PERSON_WORDS
from lam_ros.planning.towers import tower_order

SKILL_OF = dict(PLACING)
_NOWHERE = Place("", ())
_LOW = frozenset({"bottom", "lower", "under", "below"})
_HIGH = frozenset({"top", "upper"})
_OTHER_READING = (RefuseKind.MISSING_OBJECT, RefuseKind.UNSUPPORTED_SKILL)

type Ids = tuple[str, ...]
type Steps = tuple[Step, ...]


def refuse_skill(reason: str) -> Refuse:
    """Refuse because no skill does it."""
    return Refuse(RefuseKind.UNSUPPORTED_SKILL, reason)


def predicate_for(preposition: str, target: SceneObject) -> str:
    """Return what a preposition means for a target: nothing is `in` a spot."""
    if preposition == "under":
        return "in"
    if preposition not in ("in", "on", "to", "at"):
        return preposition
    if head(target.kind) in FLAT_KINDS:
        return "on"
    if head(target.kind) in DEEP_KINDS:
        return "in"
    if re.search(r"_\d+_", target.id) and head(target.kind) == "shelf":
        return "in"  # one level of a shelf is a room, whether said in or on
    if preposition in ("in", "on"):
        return preposition
    if head(target.kind) in ROOMS:
        return "in"
    return "on" if preposition == "at" or can_contain(target) else "next_to"


@dataclass(frozen=True)
class Asked:
    """The steps that a clause asks for, and what it spoke of."""

    steps: Steps
    objects: Ids
    targets: Ids
    preposition: str


class Placer:
    """Grounds the objects and the place of a clause and pairs them."""

    def __init__(self, resolver: Resolver, is_open: bool = False) -> None:
        """Ground through `resolver`; `is_open` if there is more than the trained skills."""
        self._resolver = resolver
        self._is_open = is_open
        self._unlikely: frozenset[str] = frozenset()
        self._scene: Scene = resolver.scene

    def place(
        self, command: Command, unlikely: frozenset[str] = frozenset()
    ) -> Asked | Clarify | Refuse:
        """Return what a clause with at least one place asks for.

        `the cube on the tray in the bowl` has two readings: the scene decides, and the
        one where the last place is the target goes first.

        Args:
            command: the clause.
            unlikely: ids that are meant only if nothing else fits.
        """
        self._unlikely = unlikely
        first: Refuse | None = None
        for objects, place in readings_of(command):
            answers = self._resolver.chooser.answers
            asked = self._place(command.verb, objects, place)
            if not (isinstance(asked, Refuse) and asked.kind in _OTHER_READING):
                return asked
            first = first or asked
            self._resolver.chooser.answers = answers
        return first or refuse_skill(f"'{command.text}' names no place")

    def only_objects(self, command: Command) -> Asked | Clarify | Refuse:
        """Return the objects of a clause that says no place."""
        objects, _ = readings_of(replace(command, places=(_NOWHERE,)))[0]
        moved = self._all_moved(objects, _NOWHERE, ())
        return Asked((), moved, (), "") if isinstance(moved, tuple) else moved

    def _place(
        self, verb: str, objects: Sequence[Phrase], place: Place
    ) -> Asked | Clarify | Refuse:
        if place.preposition == "there":
            place = replace(place, preposition=self._resolver.spoken.preposition or "to")
        place = self._own_reference(place, objects)
        problem = self._bad_place(place)
        if problem:
            return problem
        hint = self._hint(place, objects)
        if isinstance(hint, Refuse):
            return hint
        moved = self._all_moved(objects, place, hint)
        if not isinstance(moved, tuple):
            return moved
        if problem := self.immovable(moved, pushed=verb == PUSH):
            return problem
        if any(target.pronoun is Pronoun.EACH_OTHER for target in place.targets):
            return self._each_other(moved, objects, place)
        targets = self._all_targets(place, objects, moved)
        if not isinstance(targets, tuple):
            return targets
        steps = self._steps(verb, moved, objects, targets, place)
        if not isinstance(steps, tuple):
            return steps
        return Asked(steps, moved, targets, place.preposition)

    def _own_reference(self, place: Place, objects: Sequence[Phrase]) -> Place:
        """Let `it` of `put the cube nearest the white bowl in it` mean the bowl."""
        spoken = self._resolver.spoken
        others = [r.other for phrase in objects for r in phrase.relations]
        others += [phrase.near for phrase in objects if phrase.near]
        is_it = [target.pronoun is Pronoun.IT for target in place.targets]
        if is_it != [True] or len(others) != 1 or spoken.moved or spoken.targets:
            return place
        return replace(place, targets=tuple(others))

    def _bad_place(self, place: Place) -> Refuse | None:
        """Refuse a place that no skill reaches, whatever is there."""
        said = place.preposition.replace("_", " ")
        if any(PERSON_WORDS.intersection(phrase.unknown) for phrase in place.targets):
            return refuse_skill("handing things to people is not among my skills")
        trained = (*(EFFECT[skill] for skill in TRAINED), "to", "at")
        known = (*SKILL_OF, "to", "at", "under") if self._is_open else trained
        if place.preposition not in known:
            return refuse_skill(
                f"placing '{said}' something is not among my skills; say in, on or next to what"
            )
        for phrase in place.targets:
            if phrase.pronoun is Pronoun.ITSELF:
                return Refuse(RefuseKind.CONTRADICTORY, f"nothing can be put {said} itself")
            if phrase.is_bare_side:
                return refuse_skill(
                    f"I cannot place '{said} the {phrase.text}'; say in, on or next to what"
                )
            if "table" in phrase.nouns and not self._is_open and not self._scene.of_kind("table"):
                return refuse_skill(
                    "I cannot place on the bare table; say in, on or next to which object"
                )
        return None

    def _hint(self, place: Place, objects: Sequence[Phrase]) -> Ids | Refuse:
        """Return the target if it is clear without knowing the objects; asks nothing."""
        chooser = self._resolver.chooser
        kept, chooser.answers = chooser.answers, ()
        found: list[str] = []
        for phrase in place.targets:
            if phrase.pronoun is Pronoun.EACH_OTHER or phrase.matching:
                continue
            ids = self._resolver.target(phrase, place.preposition, _nouns(objects), Limits())
            if isinstance(ids, Refuse):
                return ids
            found += ids if isinstance(ids, tuple) else ()
        chooser.answers = kept
        return tuple(found)

    def _all_moved(self, objects: Sequence[Phrase], place: Place, hint: Ids) -> Chosen:
        if not objects:
            objects = (Phrase("it", pronoun=Pronoun.IT),)
        satisfied = self._satisfied(place, hint) | self._unlikely
        found: list[str] = []
        if len(hint) > 1 and any(target.is_each for target in place.targets):
            objects = tuple(_for_each(phrase, len(hint)) for phrase in objects)
        for phrase in objects:
            mentioned = frozenset(found)
            limits = Limits(frozenset(hint), satisfied, mentioned)
            ids = self._resolver.moved(phrase, limits)
            if not isinstance(ids, tuple):
                return ids
            found += [item for item in ids if item not in found]
        return tuple(found)

    def immovable(self, moved: Ids, *, pushed: bool = False) -> Refuse | None:
        """Refuse what cannot be picked up; pieces, which are too small for that, can be pushed."""
        for item in (self._scene[object_id] for object_id in moved):
            if pushed and item.kind == "piece":
                continue
            if not self._resolver.config.can_move(item):
                return refuse_skill(f"{item.id}: picking up a {item.kind} is not among my skills")
        return None

    def _item(self, object_id: str) -> SceneObject:
        """Return an object; the bare table for its id."""
        if object_id in self._scene:
            return self._scene[object_id]
        return SceneObject(TABLE_ID, TABLE_ID)

    def _level(self, ids: Chosen, preposition: str, phrase: Phrase) -> Chosen:
        """Return which level of a shelf is meant: `under the shelf`, `on the cabinet shelf`."""
        is_board = len(phrase.nouns) > 1 and phrase.nouns[-1] == "shelf"
        if not isinstance(ids, tuple) or not (preposition == "under" or is_board):
            return ids
        names = _LOW if preposition == "under" else _HIGH
        found: list[str] = []
        for object_id in ids:
            whole = self._item(object_id)
            parts = [i for i in self._scene.objects if is_part(i, whole) or i.id == object_id]
            fit = [item.id for item in parts if names.intersection(words_of(item))]
            if not fit and preposition == "under":
                return refuse_skill(
                    f"placing 'under' {object_id} is not among my skills; say in, on or next to"
                )
            found.append(fit[0] if fit else object_id)
        return tuple(found)

    def _satisfied(self, place: Place, hint: Ids) -> frozenset[str]:
        """Return the ids of what is at the target already."""
        return frozenset(
            item.id
            for item in self._scene.objects
            for target in hint
            if item.id != target and self._is_there(item.id, place, target)
        )

    def _is_there(self, object_id: str, place: Place, target_id: str) -> bool:
        predicate = predicate_for(place.preposition, self._item(target_id))
        return (
            predicate in SKILL_OF
            and target_id in self._scene
            and self._scene.holds(Literal(predicate, (object_id, target_id)))
        )

    def _all_targets(self, place: Place, objects: Sequence[Phrase], moved: Ids) -> Chosen:
        avoid = frozenset(moved)
        found: list[str] = []
        for phrase in place.targets:
            if phrase.matching:
                matched = self._matching(phrase, moved)
                if not isinstance(matched, tuple):
                    return matched
                found += matched
                continue
            done = [i for i in self._scene.ids if i not in avoid
                    and all(self._is_there(m, place, i) for m in moved)]  # fmt: skip
            limits = Limits(avoid, mentioned=avoid, prefer=frozenset(done))
            ids = self._resolver.target(phrase, place.preposition, _nouns(objects), limits)
            if not isinstance(ids, tuple):
                return ids
            ids = self._level(ids, place.preposition, phrase)
            if not isinstance(ids, tuple):
                return ids
            found += self._wholes(ids, place, phrase)
        return tuple(found)

    def _wholes(self, ids: Ids, place: Place, phrase: Phrase) -> Ids:
        """Return for `on top of it`, said of a drawer, the cabinet that it is a part of."""
        if place.preposition != "on" or not phrase.pronoun:
            return ids
        found: list[str] = []
        for item in (self._item(i) for i in ids):
            wholes = [i.id for i in self._scene.objects if is_part(item, i)]
            found.append(wholes[0] if wholes and head(item.kind) in ("drawer", "door") else item.id)
        return tuple(found)

    def _matching(self, phrase: Phrase, moved: Ids) -> Chosen:
        """Return for each moved thing the target of its colour, in the same order."""
        matcher = self._resolver.matcher
        fitting = [item for item in matcher.fitting(phrase) if item.id not in moved]
        found: list[str] = []
        for object_id in moved:
            color = self._scene[object_id].color
            same = [item for item in fitting if item.color == color]
            if not same:
                return missing(
                    f"{color} {phrase.text.replace('matching', '').strip()}", self._scene
                )
            found.append(matcher.by_distance(same)[0].id)
        return tuple(found)

    def _steps(
        self, verb: str, moved: Ids, objects: Sequence[Phrase], targets: Ids, place: Place
    ) -> Steps | Refuse:
        if any(phrase.matching for phrase in place.targets):
            pairs = list(zip(moved, targets, strict=False))
        elif len(targets) == 1 or any(phrase.is_several for phrase in place.targets):
            if verb == STACK and len(targets) == 1 and len(moved) > 1:
                return self._stacked(moved, objects, targets[0], place)
            if len(moved) < len(targets):
                return _two_places(moved, targets)
            pairs = [(item, targets[k % len(targets)]) for k, item in enumerate(moved)]
        else:
            return _two_places(moved, targets)
        return self._paired(pairs, place.preposition)

    def _paired(self, pairs: Sequence[tuple[str, str]], preposition: str) -> Steps | Refuse:
        steps: list[Step] = []
        for object_id, target_id in pairs:
            target = self._item(target_id)
            predicate = self._stacks(
                object_id, target, predicate_for(preposition, target), preposition
            )
            if predicate == "in" and not can_contain(target):
                return refuse_skill(
                    f"nothing can be put in {target_id}, a {target.kind}; say on or next to"
                )
            if object_id == target_id:
                return Refuse(
                    RefuseKind.CONTRADICTORY,
                    f"{object_id} cannot be put {preposition.replace('_', ' ')} itself",
                )
            steps.append(Step(SKILL_OF[predicate], object_id, target_id))
        return tuple(steps)

    def _stacks(self, object_id: str, target: SceneObject, predicate: str, said: str) -> str:
        """Return `on` for a bowl that is put on a bowl, a box on a box."""
        same = head(self._scene[object_id].kind) == head(target.kind)
        return "on" if said == "on" and same and self._is_open else predicate

    def _stacked(
        self, moved: Ids, objects: Sequence[Phrase], base: str, place: Place
    ) -> Steps | Refuse:
        if predicate_for(place.preposition, self._item(base)) != "on":
            return self._paired([(item, base) for item in moved], place.preposition)
        order = self._order(moved, objects, self._item(base))
        return self._paired(list(zip(order, (base, *order[:-1]), strict=True)), "on")

    def _order(self, moved: Ids, objects: Sequence[Phrase], base: SceneObject | None = None) -> Ids:
        """Return from the bottom up: as listed, or where a group was named, least work."""
        if len(objects) == len(moved):
            return moved
        items = [self._scene[item] for item in moved]
        return tower_order(items, self._resolver.matcher, base)

    def _each_other(self, moved: Ids, objects: Sequence[Phrase], place: Place) -> Asked | Refuse:
        if len(moved) < 2:
            return Refuse(RefuseKind.NOT_UNDERSTOOD, "'each other' needs at least two objects")
        if place.preposition not in ("on", "next_to"):
            return Refuse(RefuseKind.CONTRADICTORY, "things cannot be put in each other")
        order = self._order(moved, objects) if place.preposition == "on" else moved
        pairs = list(zip(order[1:], order[:-1], strict=True))
        steps = self._paired(pairs, place.preposition)
        return steps if isinstance(steps, Refuse) else Asked(steps, moved, (), place.preposition)


def _for_each(phrase: Phrase, places: int) -> Phrase:
    """Return `two cubes in each bowl` as so many cubes as all the bowls take."""
    if phrase.quantifier is not Quantifier.A:
        return phrase
    count = max(1, phrase.count) * places
    return replace(phrase, count=count, plural=count > 1)


def _nouns(objects: Sequence[Phrase]) -> tuple[str, ...]:
    return next((phrase.nouns for phrase in objects if phrase.nouns), ())


def _two_places(moved: Ids, targets: Ids) -> Refuse:
    return Refuse(
        RefuseKind.CONTRADICTORY,
        f"{moved[0]} cannot be at {' and '.join(targets[:4])} at once; say one place",
    )
