"""Reads one clause: its verb, what is moved, where to, and what is left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lam_ros.core.skills import Skill
from lam_ros.planning.clauses import filled, leave_out, sources_apart
from lam_ros.planning.commands import Command, Place
from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import (
    CLOSE,
    ENSURE,
    OPEN,
    PLACE,
    PUSH,
    REMOVE,
    RETURN,
    SORT,
    STACK,
    TIDY,
    TURN_OFF,
    TURN_ON,
    UNSTACK,
    Tag,
)
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.phrase_parser import parse_phrase, parse_phrases
from lam_ros.planning.phrases import Phrase, Pronoun
from lam_ros.planning.place_parser import names_place, read_place
from lam_ros.planning.readings import told_by
from lam_ros.planning.verbs import (
    DIRECTED,
    is_direction_first,
    read_direction,
    read_leaving,
    read_particle,
    read_passive,
    verb_refusal,
)

BREAKS = (Tag.AND, Tag.COMMA, Tag.THEN, Tag.END, Tag.WHEN)
"""What stands between clauses."""

_DOORS = frozenset({"drawer", "door", "slider"})
_RESTING = ("sit", "rest", "lie", "stand", "be")
_PARTICLES = {"away": TIDY, "out": REMOVE, "apart": UNSTACK}


class ClauseReader:
    """Reads clauses from a cursor, one after the other."""

    def __init__(self, cursor: Cursor, skills: Collection[Skill]) -> None:
        """Read what the cursor gives; a verb that needs another skill is refused."""
        self._cursor = cursor
        self._skills = skills
        self._is_wish = False

    def read(self, before: str) -> Command | Refuse | None:
        """Read one clause; None where it cannot be read.

        Args:
            before: verb of the clause before, which counts where this one has none.
        """
        cursor = self._cursor
        start = cursor.index
        negated = cursor.skip(Tag.NOT)
        if cursor.at(Tag.BE):
            return _statement(cursor.rest(start))
        fronted = read_place(cursor) if cursor.at(Tag.PREPOSITION) else None
        if fronted:
            cursor.skip(Tag.COMMA, Tag.SHALL)
        verb, has_verb = self._verb(before)
        if not negated and (refusal := verb_refusal(verb, self._skills)):
            return refusal
        command = Command("", verb, is_negated=negated, has_verb=has_verb)
        command = replace(command, places=(fronted,) if fronted else ())
        read = self._arguments(command)
        if isinstance(read, Refuse):
            return read
        if not negated and (refusal := verb_refusal(read.verb, self._skills)):
            return refusal
        ends = cursor.at_end or cursor.at(*BREAKS) or cursor.at(Tag.NOT, Tag.VERB)
        says_something = read.objects or read.places or has_verb
        if not (ends and says_something) or cursor.index == start:
            return None
        said = replace(sources_apart(filled(read)), text=cursor.between(start, cursor.index))
        return _named_place(said)

    def _verb(self, before: str) -> tuple[str, bool]:
        """Take the verb; without one, that of the clause before counts."""
        cursor = self._cursor
        if cursor.at_value(Tag.VERB, "other:go") and cursor.at(Tag.VERB, ahead=1):
            cursor.take()
        if cursor.peek().text == "light" and cursor.at(Tag.DETERMINER, ahead=1):
            cursor.take()
            return TURN_ON, True
        if cursor.at_value(Tag.VERB, "other:make") and self._makes_be():
            cursor.take()
            self._is_wish = True
            return ENSURE, True
        if self._cursor.at(Tag.VERB):
            verb = self._cursor.take().value
            self._is_wish = verb == ENSURE
            if verb == ENSURE and self._cursor.at(Tag.VERB):
                verb = self._cursor.take().value
            return verb, True
        if self._is_wish:
            return ENSURE, False
        return before, False

    def _makes_be(self) -> bool:
        """Tell whether it says `make the cube sit on ...`."""
        cursor = self._cursor
        start = cursor.index
        cursor.take()
        found = parse_phrase(cursor)
        says = found is not None and (
            cursor.peek().text in _RESTING or cursor.at(Tag.SHALL, Tag.BE)
        )
        cursor.index = start
        return says

    def _arguments(self, command: Command) -> Command | Refuse:
        """Read objects, places and what is excluded, in the order in which they come."""
        cursor = self._cursor
        start = cursor.index
        cursor.skip(Tag.OF)
        joined = cursor.peek().text == "together" and bool(cursor.take())
        if command.verb in DIRECTED and is_direction_first(cursor):
            command = replace(command, direction=cursor.take().value)
        if cursor.at_value(Tag.PREPOSITION, "with", "from") and command.verb == STACK:
            cursor.take()
        if command.verb in DIRECTED and cursor.at(Tag.PREPOSITION):
            command = replace(command, direction=read_direction(cursor))
        command = replace(command, objects=parse_phrases(cursor, self._joins_objects))
        if joined and command.objects and not cursor.at(Tag.PREPOSITION):
            each_other = Phrase("each other", pronoun=Pronoun.EACH_OTHER)
            command = replace(command, places=(Place("next_to", (each_other,)),))
        if command.objects:
            self._skip_each()
        is_wish = command.verb == ENSURE or cursor.at(Tag.SHALL)
        if command.objects and not command.has_verb and (left := read_leaving(cursor, command)):
            return left
        if cursor.at(Tag.BE) and command.verb != ENSURE:
            return _statement(cursor.rest(start))
        command = self._shall(command, is_wish)
        if purpose := self._purpose(command):
            return purpose
        while True:
            at = cursor.index
            if command.verb in DIRECTED and (direction := read_direction(cursor)):
                command = replace(command, direction=direction)
            if cursor.index > at:  # "30 degrees" alone says no direction
                continue
            if purpose := self._purpose(command):
                return purpose
            if cursor.peek().text == "together":
                command = self._together(command)
            elif cursor.peek().text == "away" and cursor.at(Tag.PREPOSITION, ahead=1):
                cursor.take()  # "put it away in the box"
            elif cursor.peek().text == "back" and command.objects:
                cursor.take()  # "put the pan back on the stove"
                if not cursor.at(Tag.PREPOSITION):
                    command = replace(command, verb=RETURN)
            elif cursor.peek().text in _PARTICLES and (
                cursor.at(*BREAKS, ahead=1) or cursor.is_last
            ):
                command = replace(command, verb=_PARTICLES[cursor.take().text])
            elif cursor.peek().text == "over" and (cursor.at(*BREAKS, ahead=1) or cursor.is_last):
                cursor.take()  # "carry it over"
            elif self._goes_on(command):
                command = self._shall(_told_by_place(command), is_wish=True)
            elif command.objects and self._is_inside_alone():
                cursor.take()
                if command.verb == PUSH and _DOORS.intersection(command.objects[0].nouns[-1:]):
                    command = replace(command, verb=CLOSE)  # "push the drawer in"
                    continue
                it = Phrase("it", pronoun=Pronoun.IT)
                command = replace(command, places=(*command.places, Place("in", (it,))))
            elif cursor.at(Tag.PREPOSITION):
                place = read_place(cursor)
                if place is None:
                    return command
                command = replace(command, places=(*command.places, place))
                if not command.objects and not cursor.at(Tag.PREPOSITION):
                    late = parse_phrases(cursor) if command.has_verb else ()
                    command = replace(command, objects=late)
            elif command.objects and cursor.at_value(Tag.PRONOUN, "there"):
                there = parse_phrases(cursor)
                command = replace(command, places=(*command.places, Place("there", there)))
            elif command.objects and not command.places and self._is_place_after_comma():
                cursor.take()
            elif not (tail := self._tail(command)):
                return command
            else:
                command = tail

    def _shall(self, command: Command, is_wish: bool) -> Command:
        """Read `should be`, and the verb that may follow: `should be pressed`, `is to be open`."""
        cursor = self._cursor
        self._skip_each()
        cursor.skip(Tag.BE, Tag.SHALL)
        self._skip_each()
        if cursor.skip(Tag.BE, Tag.SHALL) or (is_wish and cursor.peek().text in _RESTING):
            cursor.take() if cursor.peek().text in _RESTING else None
        if not command.has_verb and cursor.at_value(Tag.VERB, "other:go"):
            cursor.take()
        if particle := read_particle(cursor, command.verb, is_wish):
            return replace(command, verb=particle)
        if is_wish and (passive := read_passive(cursor)):
            return replace(command, verb=passive)
        return command

    def _skip_each(self) -> None:
        """Step over `both` of `the cubes both belong in the bowl`."""
        cursor = self._cursor
        is_verb = cursor.at(Tag.SHALL, Tag.BE, Tag.PREPOSITION, ahead=1)
        is_go = cursor.at_value(Tag.VERB, "other:go", ahead=1)
        if cursor.at_value(Tag.QUANTIFIER, "both", "all") and (is_verb or is_go):
            cursor.take()

    def _goes_on(self, command: Command) -> bool:
        """Tell whether a verb like `goes` follows: what was said of places told which thing."""
        says = self._cursor.at(Tag.SHALL) or self._cursor.at_value(Tag.VERB, "other:go")
        return says and bool(command.objects and command.places) and not command.has_verb

    def _together(self, command: Command) -> Command:
        """Read `bring the two moons together`: side by side, unless a place is said."""
        self._cursor.take()
        if not command.objects or command.places or self._cursor.at(Tag.PREPOSITION):
            return command
        each_other = Phrase("each other", pronoun=Pronoun.EACH_OTHER)
        verb = PLACE if command.verb in (SORT, PUSH) else command.verb
        return replace(command, verb=verb, places=(Place("next_to", (each_other,)),))

    def _purpose(self, command: Command) -> Command | Refuse | None:
        """Read `to turn on the light`: what is done for it is only the means."""
        cursor = self._cursor
        verb, start = cursor.peek(1).value, cursor.index
        if not (cursor.at_value(Tag.PREPOSITION, "to") and cursor.at(Tag.VERB, ahead=1)):
            return None
        cursor.index += 2
        objects = parse_phrases(cursor, self._joins_objects)
        verb = read_particle(cursor, verb, is_wish=False) or verb
        if verb not in (OPEN, CLOSE, TURN_ON, TURN_OFF):
            cursor.index = start
            return None
        if objects and objects[0].pronoun is Pronoun.IT:
            objects = command.objects or objects
        means = command.objects or tuple(t for place in command.places for t in place.targets)
        return replace(
            Command(command.text, verb, objects, is_negated=command.is_negated), means=means
        )

    def _is_inside_alone(self) -> bool:
        """Tell whether it says `inside` and not of what: what was spoken of is meant."""
        is_inside = self._cursor.peek().text in ("inside", "in")
        return is_inside and (self._cursor.at(*BREAKS, ahead=1) or self._cursor.is_last)

    def _is_place_after_comma(self) -> bool:
        return self._cursor.at(Tag.COMMA) and self._cursor.at(Tag.PREPOSITION, ahead=1)

    def _joins_objects(self, phrase: Phrase) -> bool:
        """Tell whether a phrase after a comma or `and` is moved by the same verb."""
        return not self._cursor.at(Tag.SHALL, Tag.BE)

    def _tail(self, command: Command) -> Command | None:
        """Read `, not in the bowl`, `but not the red one`, `except the red one`."""
        cursor = self._cursor
        start = cursor.index
        cursor.skip(Tag.COMMA, Tag.AND)
        says_not = cursor.at(Tag.NOT, Tag.EXCEPT)
        is_but = cursor.peek(-1).value == "but" and cursor.index > start
        if says_not:
            cursor.take()
            if cursor.at(Tag.PREPOSITION) and (place := read_place(cursor)):
                return replace(command, forbidden=(*command.forbidden, place))
        if (says_not or is_but) and command.objects and not cursor.at(Tag.VERB):
            left_out = parse_phrases(cursor)
            if left_out and (cursor.at_end or cursor.at(*BREAKS, Tag.NOT)):
                return leave_out(command, left_out)
        cursor.index = start
        return None


def _named_place(command: Command) -> Command:
    """Read `yellow cube, white bowl` as what and where to."""
    bare = not (command.has_verb or command.places or command.is_negated)
    if not bare or len(command.objects) != 2 or command.verb != PLACE:
        return command
    item, target = command.objects
    if not item.nouns or names_place(item) or not names_place(target):
        return command
    return replace(command, objects=(item,), places=(Place("to", (target,)),))


def _told_by_place(command: Command) -> Command:
    """Read the places of `the bowl in the drawer goes ...` as what tells the bowl."""
    objects = command.objects
    for place in command.places:
        objects = tuple(told_by(item, place) for item in objects)
    return replace(command, objects=objects, places=())


def _statement(said: str) -> Refuse:
    return Refuse(
        RefuseKind.NOT_A_TASK,
        f"'{said}' says how things are; say what to do, for example 'put the red cube in the bowl'",
    )
