"""Reads the middle of a noun phrase: colours, sides, sizes, and the head."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import Tag
from lam_ros.planning.phrases import Phrase, Quantifier
from lam_ros.planning.thing_words import MASSES

NOUN_LIKE = (Tag.COLOR, Tag.NOUN, Tag.GENERIC, Tag.WORD, Tag.ID, Tag.ORDINAL, Tag.NUMBER)
"""Classes of tokens that name or tell a thing."""

_PART_SIDES = ("top", "bottom", "middle", "left", "right", "front", "back")
_WHOLE_SIDES = ("top", "middle")
STATES = {"open": "open", "opened": "open", "closed": "closed", "shut": "closed"}
"""Words for how a drawer or door stands."""

_HELD = frozenset({"grasped", "held", "gripped", "carried", "lifted", "picked"})
_STACKED = frozenset({"stacked", "piled"})


def read_modifiers(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read what stands before the head, and the head."""
    while True:
        token = cursor.peek()
        headed = bool(phrase.nouns)
        if token.text == "light" and cursor.at(Tag.COLOR, ahead=1):
            phrase = replace(phrase, unknown=(*phrase.unknown, token.text))
        elif token.tag is Tag.NOUN:
            phrase = replace(phrase, nouns=(*phrase.nouns, token.value))
            is_mass = token.value in MASSES and (phrase.selector or phrase.ordinal)
            several = (token.plural and not is_mass) or phrase.count > 1
            phrase = replace(phrase, plural=several)
            if token.plural and phrase.quantifier is Quantifier.REST:
                phrase = replace(phrase, plural=True)
        elif headed and cursor.at_value(Tag.SELECTOR, *_PART_SIDES):
            is_last = not cursor.at(Tag.NOUN, ahead=1)
            if is_last and token.value in _WHOLE_SIDES:  # "the cabinet top" is the cabinet's
                return replace(phrase, part=cursor.take().text)
            if is_last or phrase.selector:
                return _number_suffix(cursor, phrase)
            phrase = replace(phrase, selector=token.value)  # "the cabinet top drawer"
        elif headed:
            return _number_suffix(cursor, phrase)
        elif token.tag is Tag.COLOR:
            phrase = _colors(cursor, phrase)
            continue
        elif token.tag is Tag.SELECTOR and not phrase.selector:
            phrase = replace(phrase, selector=token.value)
        elif token.tag is Tag.ORDINAL and not phrase.ordinal and not _is_marker(cursor):
            phrase = replace(phrase, ordinal=int(token.value))
        elif cursor.at_value(Tag.MATCHING, "matching"):
            phrase = replace(phrase, matching=True)
        elif token.tag is Tag.VERB and cursor.at(*NOUN_LIKE, ahead=1):
            if token.text == "empty":
                phrase = replace(phrase, empty=True)
            elif token.text in STATES:
                phrase = replace(phrase, state=STATES[token.text])
            else:
                return phrase
        elif token.text in _HELD:
            phrase = replace(phrase, is_held=True)
        elif token.text in _STACKED and cursor.at(*NOUN_LIKE, ahead=1):
            phrase = replace(phrase, is_stacked=True)
        elif token.tag is Tag.GENERIC:
            cursor.take()
            says_one = token.value in ("one", "ones")
            phrase = replace(phrase, says_one=says_one, generic=not says_one)
            return replace(phrase, plural=token.plural or phrase.count > 1)
        elif token.tag is Tag.ID and not phrase.unknown:
            cursor.take()
            return replace(phrase, object_id=token.value, plural=False)
        elif token.tag is Tag.WORD and token.text.replace("_", "").isalnum():
            phrase = replace(phrase, unknown=(*phrase.unknown, token.value))
        else:
            return phrase
        cursor.take()


def _is_marker(cursor: Cursor) -> bool:
    """Tell whether an ordinal begins a clause: `last the yellow cube`."""
    return cursor.at(Tag.DETERMINER, Tag.QUANTIFIER, Tag.VERB, Tag.COMMA, ahead=1)


def _number_suffix(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read the number of `cube 2`."""
    if cursor.at(Tag.NUMBER) and not phrase.plural and not cursor.at(*NOUN_LIKE, ahead=1):
        return replace(phrase, number=int(cursor.take().value))
    return phrase


def _colors(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `red`, `red and blue`, `red, green or blue`."""
    if phrase.colors:
        return replace(phrase, unknown=(*phrase.unknown, cursor.take().value))
    plural = cursor.peek().plural
    colors = [cursor.take().value]
    any_of = False
    while True:
        start = cursor.index
        joined = cursor.at(Tag.OR) or cursor.at_value(Tag.AND, "and") or cursor.at(Tag.COMMA)
        any_of = any_of or cursor.at(Tag.OR)
        cursor.skip(Tag.COMMA)
        cursor.skip(Tag.AND, Tag.OR)
        is_next_clause = cursor.in_place and cursor.at(Tag.PREPOSITION, Tag.SHALL, ahead=1)
        if not joined or not cursor.at(Tag.COLOR) or is_next_clause:
            cursor.index = start
            break
        plural = plural or cursor.peek().plural
        colors.append(cursor.take().value)
    quantifier = Quantifier.A if any_of else phrase.quantifier
    plural = plural or phrase.plural
    return replace(phrase, colors=tuple(colors), quantifier=quantifier, plural=plural)
