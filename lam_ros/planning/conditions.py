"""Whether what an instruction makes its clauses depend on is so: `if the bowl is empty`."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.core.scene import Literal, SceneObject
from lam_ros.planning.choosing import Limits
from lam_ros.planning.commands import Command, Condition, Place
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.grounding import Items
from lam_ros.planning.names import fits_color
from lam_ros.planning.outcome import Clarify, Refuse
from lam_ros.planning.phrases import Phrase, Quantifier
from lam_ros.planning.placing import predicate_for

_STATES = {"open": "open", "closed": "closed", "on": "turned_on", "off": "turned_off"}


class Judge:
    """Judges conditions by the scene as it is when the instruction is given."""

    def __init__(self, resolver: Resolver) -> None:
        """Ground through `resolver`."""
        self._resolver = resolver
        self._scene = resolver.scene

    def holds(self, command: Command) -> bool | Clarify | Refuse:
        """Tell whether all conditions of a clause hold; ask where one is not clear."""
        for condition in command.conditions:
            said = self._one(condition, command)
            if not isinstance(said, bool):
                return said
            if said == condition.is_negated:
                return False
        return True

    def _one(self, condition: Condition, command: Command) -> bool | Clarify | Refuse:
        subject = _meant(condition, command)
        matcher = self._resolver.matcher
        if condition.state == "there":
            found = matcher.fitting(subject)
            if len(found) == 1 and not self._resolver.spoken.moved:
                self._resolver.spoken = replace(self._resolver.spoken, moved=(found[0].id,))
            if condition.place is not None:
                place = _referred(condition.place, command)
                places = self._targets(place)
                if not isinstance(places, list):
                    return places
                found = [
                    item for item in found if any(self._is_at(item, place, at) for at in places)
                ]
            most = len(found) if condition.most is None else condition.most
            return condition.least <= len(found) <= most
        if subject.quantifier in (Quantifier.A, Quantifier.ALL):
            items = matcher.fitting(subject)
        else:
            chosen = self._resolver.moved(subject, Limits())
            if not isinstance(chosen, tuple):
                return chosen
            items = [self._scene[item] for item in chosen]
            if not self._resolver.spoken.moved:
                self._resolver.spoken = replace(self._resolver.spoken, moved=chosen)
        places = self._targets(condition.place) if condition.place else []
        if not isinstance(places, list):
            return places
        judged = [self._is(item, condition, places) for item in items]
        return any(judged) if subject.quantifier is Quantifier.A else bool(judged) and all(judged)

    def _targets(self, place: Place) -> Items | Clarify | Refuse:
        found: Items = []
        for phrase in place.targets:
            ids = self._resolver.target(phrase, place.preposition, (), Limits())
            if not isinstance(ids, tuple):
                return ids
            found += [self._scene[item] for item in ids]
        return found

    def _is(self, item: SceneObject, condition: Condition, places: Items) -> bool:
        if condition.place:
            return any(self._is_at(item, condition.place, at) for at in places)
        contents = self._resolver.matcher.contents(item)
        if condition.state in ("empty", "full"):
            room = item.capacity
            is_full = len(contents) >= room if room is not None else bool(contents)
            return is_full if condition.state == "full" else not contents
        if condition.state in _STATES:
            return self._scene.holds(Literal(_STATES[condition.state], (item.id,)))
        return fits_color(item, condition.state, self._scene)

    def _is_at(self, item: SceneObject, place: Place, target: SceneObject) -> bool:
        predicate = predicate_for(place.preposition, target)
        if predicate in ("in", "on"):
            return self._resolver.matcher.is_at(item, target)
        if item.id == target.id or predicate in ("to", "from", "at", "under", "between", "above"):
            return False
        return self._scene.holds(Literal(predicate, (item.id, target.id)))


def _referred(place: Place, command: Command) -> Place:
    """Return where `it` is in `put the lemon in the mug if there is nothing in it`: in the mug."""
    targets = [target for at in command.places for target in at.targets]
    if place.targets and place.targets[0].pronoun and targets:
        return replace(place, targets=(targets[-1],))
    return place


def _meant(condition: Condition, command: Command) -> Phrase:
    """Return what `it` is in `put the cube in the bowl if it is empty`: the bowl."""
    targets = [target for place in command.places for target in place.targets]
    if not condition.subject.pronoun:
        named = [t for t in targets if t.nouns and t.nouns == condition.subject.nouns]
        return named[0] if named and condition.subject.is_plain else condition.subject
    is_of_target = condition.state in ("empty", "full", "open", "closed")
    if is_of_target and targets:
        return targets[-1]
    return command.objects[0] if command.objects else condition.subject
