"""The ways to read a clause with several places: which of them is the target.

`put the cube on the tray in the bowl` moves the cube that is on the tray, or goes to
the tray that is in the bowl.
"""

from __future__ import annotations

from dataclasses import replace

from lam_ros.planning.commands import Command, Place
from lam_ros.planning.phrases import Phrase, Quantifier, Relation

type Reading = tuple[tuple[Phrase, ...], Place]


_CENTERS = ("center", "centre", "middle")


def readings_of(command: Command) -> list[Reading]:
    """Return the ways to read several places: the last as the target first."""
    objects = command.objects
    for source in command.sources:
        objects = tuple(with_relation(phrase, "from", source) for phrase in objects)
    found = []
    for at in reversed(range(len(command.places))):
        said = objects
        for place in command.places[:at]:
            said = tuple(told_by(phrase, place) for phrase in said)
        target = command.places[at]
        for place in command.places[at + 1 :]:
            told = tuple(told_by(phrase, place) for phrase in target.targets)
            target = Place(target.preposition, told)
        if said or at == 0:
            found.append((said, target))
    return found


def told_by(phrase: Phrase, place: Place) -> Phrase:
    """Return a phrase that is told by where it is."""
    if place.preposition == "between" and len(place.targets) == 2:
        first, second = place.targets
        text = f"{phrase.text} between the {first.text} and the {second.text}"
        relation = Relation("between", first, second)
        return replace(phrase, text=text, relations=(*phrase.relations, relation))
    for other in place.targets:
        phrase = with_relation(phrase, place.preposition, other)
    return phrase


def with_relation(phrase: Phrase, predicate: str, other: Phrase) -> Phrase:
    """Return a phrase that is told by one more relation."""
    if "table" in other.nouns and (predicate == "at" or other.part in _CENTERS):
        phrase = replace(phrase, selector=phrase.selector or "central")
    where = "in or on" if predicate == "from" else predicate.replace("_", " ")
    text = f"{phrase.text} {where} the {other.text}"
    relation = Relation(predicate, replace(other, quantifier=Quantifier.THE))
    return replace(phrase, text=text, relations=(*phrase.relations, relation))
