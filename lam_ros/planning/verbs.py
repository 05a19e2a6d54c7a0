"""What verbs need and govern beside objects and places: skills, particles, directions, ifs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from lam_ros.core.skills import Skill
from lam_ros.planning.commands import Command, Condition, Place
from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import (
    CLOSE,
    HARM,
    LEAVE,
    OPEN,
    OTHER,
    PASSIVES,
    PLACE,
    PRESS,
    PUSH,
    PUSH_DOWN,
    PUSH_UP,
    ROTATE,
    SWAP,
    TALK,
    TOUCH,
    TURN_OFF,
    TURN_ON,
    UNSTACK,
    Tag,
)
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.phrase_parser import parse_phrase
from lam_ros.planning.phrases import Phrase

OPEN_SKILLS = frozenset(Skill)
"""Every skill, for scenes of any kind; no policy of ours has them all."""

DIRECTED = frozenset({PUSH, ROTATE, PLACE})
"""Verbs that a direction may follow."""

NEEDED: Mapping[str, Skill] = MappingProxyType(
    {
        OPEN: Skill.OPEN, CLOSE: Skill.CLOSE, TURN_ON: Skill.TURN_ON, TURN_OFF: Skill.TURN_OFF,
        PRESS: Skill.PRESS, PUSH: Skill.PUSH, PUSH_UP: Skill.PUSH, PUSH_DOWN: Skill.PUSH,
        ROTATE: Skill.ROTATE, SWAP: Skill.PICK, UNSTACK: Skill.PICK,
    }
)  # fmt: skip
"""Verb -> the skill without which it cannot be done."""

DIRECTIONS = ("left", "right", "front", "back", "up", "down", "forward", "backward")
_SIDE_PREPOSITIONS = ("to", "in", "on", "from")
_STATES = {"open": "open", "opened": "open", "closed": "closed", "shut": "closed", "on": "on",
           "off": "off", "empty": "empty", "full": "full", "lit": "on", "occupied": "full",
           "clear": "empty", "free": "empty", "filled": "full"}  # fmt: skip
_TURNS = {"clockwise": "right", "counterclockwise": "left", "anticlockwise": "left"}
_SWITCHED = (ROTATE, SWAP, PUSH, PLACE, TURN_ON, TURN_OFF)
_SWITCHING = {"on": TURN_ON, "off": TURN_OFF}
_MOVING = {"open": OPEN, "opened": OPEN, "shut": CLOSE, "closed": CLOSE}


def verb_refusal(verb: str, skills: Collection[Skill]) -> Refuse | None:
    """Refuse a verb that no skill does."""
    meaning, _, said = verb.partition(":")
    if meaning == HARM:
        return Refuse(RefuseKind.UNSAFE, f"I do not {said} anything or anyone")
    if meaning == TALK:
        return Refuse(RefuseKind.NOT_A_TASK, f"I move objects; I do not {said}")
    lacking = meaning in NEEDED and NEEDED[meaning] not in skills
    if lacking or meaning in (OTHER, TOUCH):
        said = (said or verb).replace("_", " ")
        return Refuse(
            RefuseKind.UNSUPPORTED_SKILL,
            f"'{said}' is not among my skills; I put objects in, on or next to others",
        )
    return None


def _ends(cursor: Cursor, ahead: int) -> bool:
    token = cursor.peek(ahead)
    return token.tag in (Tag.AND, Tag.COMMA, Tag.THEN, Tag.END, Tag.WHEN, Tag.VERB, Tag.NOT)


def read_particle(cursor: Cursor, verb: str, is_wish: bool) -> str:
    """Read `on` of `turn the light on`, `shut` of `push the drawer shut`; return the verb."""
    said = cursor.peek().text
    if not said or not _ends(cursor, 1):
        return ""
    if said in _SWITCHING and (is_wish or verb in _SWITCHED):
        cursor.take()
        return _SWITCHING[said]
    if said in _MOVING and (is_wish or verb in (PUSH, PLACE)):
        cursor.take()
        return _MOVING[said]
    return ""


def read_passive(cursor: Cursor) -> str:
    """Read `turned on`, `pressed` after `should be`; return the verb."""
    for length in (2, 1):
        said = cursor.between(cursor.index, cursor.index + length)
        if said in PASSIVES:
            cursor.index += length
            return PASSIVES[said]
    return ""


def read_leaving(cursor: Cursor, command: Command) -> Command | None:
    """Read `... stays where it is`, `... must not be moved`: what must not be done."""
    start = cursor.index
    stays = cursor.peek().text.startswith("stay")
    negated = cursor.at(Tag.NOT) or (cursor.at(Tag.SHALL) and cursor.at(Tag.NOT, ahead=1))
    if stays or negated:
        cursor.skip(Tag.NOT, Tag.SHALL, Tag.BE)
        if cursor.peek().text in ("put", "still") and stays:
            cursor.take()
        is_passive = cursor.at(Tag.VERB) or cursor.peek().text in (
            *PASSIVES,
            "touched",
            "disturbed",
        )
        if negated and not stays and is_passive:
            cursor.take()
        if cursor.at_end or _ends(cursor, 0):
            return replace(command, verb=LEAVE, is_negated=False)
    cursor.index = start
    return None


def is_direction_first(cursor: Cursor) -> bool:
    """Tell whether a direction stands before the object: `push left the pink block`."""
    if not cursor.at_value(Tag.SELECTOR, *DIRECTIONS):
        return False
    return cursor.at(Tag.DETERMINER, Tag.PRONOUN, ahead=1)


def read_direction(cursor: Cursor) -> str:
    """Read `to the left`, `90 degrees to the right`, `towards the left side`, `left`."""
    start = cursor.index
    if cursor.peek().text in _TURNS:
        return _TURNS[cursor.take().text]
    if cursor.peek().text == "by" and cursor.peek(1).text.isdigit():
        cursor.take()
    if cursor.peek().text.isdigit() and cursor.peek(1).text.startswith("degree"):
        cursor.index += 2
        start = cursor.index
    if cursor.at_value(Tag.PREPOSITION, *_SIDE_PREPOSITIONS):
        cursor.take()
    cursor.skip(Tag.DETERMINER)
    is_side = cursor.at_value(Tag.SELECTOR, *DIRECTIONS)
    follows = cursor.at_value(Tag.PREPOSITION, "to", ahead=1) or cursor.at(Tag.DETERMINER, ahead=1)
    if is_side and (_ends(cursor, 1) or follows):
        return cursor.take().value
    cursor.index = start
    return ""


def read_condition(cursor: Cursor, read_place: Callable[[], Place | None]) -> Condition | None:
    """Read `the bowl is empty`, `there is a red cube on the tray`; None if it is neither."""
    start = cursor.index
    if cursor.at_value(Tag.PRONOUN, "there") and cursor.at(Tag.BE, ahead=1):
        cursor.take()
    if cursor.peek(-1).value == "there" or cursor.peek(-1).text == "if there are":
        return _existence(cursor, start, read_place)
    subject = parse_phrase(cursor)
    if subject is None or not (cursor.skip(Tag.BE) or cursor.skip(Tag.THAT)):
        return None
    negated = cursor.skip(Tag.NOT)
    state = cursor.peek().text
    text = cursor.between(start, cursor.index + 1)
    if cursor.at(Tag.COLOR):
        return Condition(text, subject, cursor.take().value, None, negated)
    if state in _STATES and (_ends(cursor, 1) or cursor.is_last):
        cursor.take()
        return Condition(text, subject, _STATES[state], None, negated)
    place = read_place() if cursor.at(Tag.PREPOSITION) else None
    if place:
        return Condition(cursor.between(start, cursor.index), subject, "", place, negated)
    if cursor.at_value(Tag.PRONOUN, "there"):
        cursor.take()
        return Condition(text, subject, "there", None, negated)
    return None


def _existence(
    cursor: Cursor, start: int, read_place: Callable[[], Place | None]
) -> Condition | None:
    cursor.skip(Tag.BE)
    negated = cursor.peek().text in ("no", "nothing", "not")
    is_nothing = cursor.peek().text == "nothing"
    if negated:
        cursor.take()
    if cursor.peek().text == "any":
        cursor.take()
    least, most = _how_many(cursor)
    thing = Phrase("object", generic=True) if is_nothing else parse_phrase(cursor)
    if thing is None:
        return None
    place = read_place() if cursor.at(Tag.PREPOSITION) else None
    text = cursor.between(start, cursor.index)
    return Condition(text, thing, "there", place, negated, least, most)


_COMPARED: Mapping[str, tuple[int | None, int | None]] = {"more than": (1, None), "at least": (0, None), "exactly": (0, 0), "only": (0, 0),
             "fewer than": (None, -1), "less than": (None, -1), "at most": (None, 0)}  # fmt: skip


def _how_many(cursor: Cursor) -> tuple[int, int | None]:
    """Read `more than two`, `exactly one`, `two`; return the least and the most."""
    start = cursor.index
    compared: tuple[int | None, int | None] = (0, None)
    for length in (2, 1):
        said = cursor.between(cursor.index, cursor.index + length)
        if said in _COMPARED:
            compared = _COMPARED[said]
            cursor.index += length
            break
    number = cursor.peek()
    is_one = cursor.at_value(Tag.GENERIC, "one") or cursor.at_value(Tag.NUMBER, "1")
    if not (cursor.at(Tag.NUMBER) or is_one):
        cursor.index = start
        return 1, None
    cursor.take()
    count = 1 if is_one else int(number.value)
    least, most = compared
    return (0 if least is None else count + least), (None if most is None else count + most)
