"""Reads where things go: a preposition and what it governs."""

from __future__ import annotations

from collections.abc import Sequence

from lam_ros.planning.commands import Place
from lam_ros.planning.cursor import Cursor
from lam_ros.planning.kinds import head, is_place
from lam_ros.planning.lexicon import Tag
from lam_ros.planning.phrase_parser import parse_phrase, parse_phrases
from lam_ros.planning.phrases import Phrase
from lam_ros.planning.text import Token
from lam_ros.planning.thing_words import KIND_WORDS

_TOWARDS = ("onto", "into", "in to", "on to", "inside to", "up to", "over in", "over on")


def parse_place(tokens: Sequence[Token]) -> Place | None:
    """Read an answer such as `in the blue bowl` or `the tray`; None if it is neither."""
    cursor = Cursor(tokens)
    preposition = cursor.take().value if cursor.at(Tag.PREPOSITION) else "to"
    targets = parse_phrases(cursor)
    cursor.skip(Tag.END, Tag.COMMA)
    return Place(preposition, targets) if targets and cursor.at_end else None


def read_place(cursor: Cursor) -> Place | None:
    """Read a preposition and what it governs."""
    start = cursor.index
    said = cursor.take()
    preposition = said.value
    is_goal = preposition == "to" or said.text.startswith(_TOWARDS)
    first: list[Phrase] = []

    def joins(phrase: Phrase) -> bool:
        if preposition == "between" and len(first) == 1:
            return True
        return bool(first) and _joins_targets(cursor, first[0], phrase)

    cursor.in_place = True
    probe = cursor.index
    head = parse_phrase(cursor)
    if head is not None:
        first.append(head)
        cursor.index = probe
        place = Place(preposition, parse_phrases(cursor, joins), is_goal)
    cursor.in_place = False
    if head is None:
        cursor.index = start
        return None
    return place


def _joins_targets(cursor: Cursor, first: Phrase, phrase: Phrase) -> bool:
    """Tell whether a phrase after a target and a comma or `and` is one more target.

    It is not if a place of its own follows (`in the bowl and the green one on the
    tray`), or if it is rather one more thing to move (`in the bowl and the green one`).
    """
    start = cursor.index
    while cursor.skip(Tag.AND, Tag.COMMA) and parse_phrase(cursor):
        pass
    goes_on = cursor.at(Tag.PREPOSITION, Tag.SHALL, Tag.BE)
    cursor.index = start
    is_thing = phrase.is_anaphoric or not names_place(phrase)
    is_more = bool(first.nouns) and names_place(first) and is_thing
    return not goes_on and not is_more


def names_place(phrase: Phrase) -> bool:
    """Tell whether its head names what things are put in or on rather than what is carried."""
    if not phrase.nouns:
        return False
    kinds = KIND_WORDS.get(phrase.nouns[-1], (phrase.nouns[-1],))
    return any(is_place(head(kind)) for kind in kinds[:1])
