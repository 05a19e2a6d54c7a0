"""What clauses lend each other once they are read: places, names, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lam_ros.planning.commands import Command, Place
from lam_ros.planning.lexicon import CLOSE, COVER, FILL, GRASP, PLACE, STACK
from lam_ros.planning.phrases import Phrase, Quantifier


def chained(commands: Sequence[Command]) -> list[Command]:
    """Read `stack green on yellow on blue` as yellow on blue, then green on yellow."""
    found: list[Command] = []
    for command in commands:
        places = command.places
        if command.verb != STACK or len(places) < 2 or {p.preposition for p in places} != {"on"}:
            found.append(command)
            continue
        layers = [command.objects, *(place.targets for place in places)]
        pairs = list(pairwise(layers))
        found += [
            replace(command, objects=upper, places=(Place("on", lower),))
            for upper, lower in reversed(pairs)
        ]
    return found


def named_first(commands: Sequence[Command]) -> list[Command]:
    """Find the clauses that only name what the next one is about.

    `the red cube: put it in the bowl`, `carry the red cube over and drop it in the bowl`,
    `make a tower, red on blue`.
    """
    found: list[Command] = []
    for at, command in enumerate(commands):
        later = commands[at + 1] if at + 1 < len(commands) else None
        if later and command.verb == STACK and not (command.objects or later.has_verb):
            continue
        if later and later.has_verb and command.verb == GRASP and command.text.isalpha():
            continue  # "grasp and lift the block"
        names = command.objects and not command.places and (command.has_verb or at == 0)
        if later and names and command.verb == PLACE and _has_pronoun(later):
            command = replace(command, verb=GRASP)
        found.append(command)
    return found


def _has_pronoun(command: Command) -> bool:
    targets = [target for place in command.places for target in place.targets]
    return any(phrase.pronoun for phrase in (*command.objects, *targets))


def lend_places(commands: list[Command]) -> tuple[Command, ...]:
    """Give `the red cube` its place in `put the red cube, then the blue one in the bowl`."""
    lent: list[Command] = []
    for command in reversed(commands):
        follower = lent[-1] if lent else None
        bare = command.verb == PLACE and command.objects and not command.places
        if bare and follower and not follower.has_verb and follower.objects:
            command = replace(command, places=follower.places)
        lent.append(command)
    return tuple(reversed(lent))


def leave_out(command: Command, left_out: tuple[Phrase, ...]) -> Command:
    """Exclude phrases from what is moved, or from where it goes."""
    objects = tuple(
        replace(phrase, excluded=(*phrase.excluded, *left_out)) for phrase in command.objects
    )
    places = tuple(
        Place(
            place.preposition,
            tuple(replace(item, excluded=(*item.excluded, *left_out)) for item in place.targets),
        )
        for place in command.places
    )
    return replace(command, objects=objects, places=places)


def filled(command: Command) -> Command:
    """Read `fill the bowl with the cubes` as `put the cubes in the bowl`."""
    covers = tuple(t for p in command.places if p.preposition == "with" for t in p.targets)
    if command.verb in (COVER, CLOSE) and command.objects and covers:
        return replace(command, verb=PLACE, objects=covers, places=(Place("on", command.objects),))
    if command.verb == PLACE and command.objects and covers and len(command.places) == 1:
        return replace(command, objects=covers, places=(Place("to", command.objects),))
    if command.verb != FILL or not command.objects:
        return command
    contents = tuple(t for p in command.places if p.preposition == "with" for t in p.targets)
    if not contents:
        contents = (Phrase("object", quantifier=Quantifier.ALL, generic=True, plural=True),)
    contents = tuple(
        replace(phrase, quantifier=Quantifier.ALL) if phrase.plural and not phrase.count else phrase
        for phrase in contents
    )
    return replace(command, verb=PLACE, objects=contents, places=(Place("in", command.objects),))


def sources_apart(command: Command) -> Command:
    """Tell `from the bowl` from where things go to."""
    sources = [phrase for item in command.places if item.preposition == "from"
               for phrase in item.targets]  # fmt: skip
    places = tuple(place for place in command.places if place.preposition != "from")
    return replace(command, sources=tuple(sources), places=places)
