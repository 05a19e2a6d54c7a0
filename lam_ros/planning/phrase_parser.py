"""Reads noun phrases: quantity, modifiers, head, and what follows the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import Tag
from lam_ros.planning.phrases import Phrase, Pronoun, Quantifier, Relation
from lam_ros.planning.quantity_parser import read_quantity

_NOUN_LIKE = (Tag.COLOR, Tag.NOUN, Tag.GENERIC, Tag.WORD, Tag.ID, Tag.ORDINAL, Tag.NUMBER)
_SIDE_PREPOSITIONS = ("on", "in", "at", "to", "from")
_DISTANCES = ("nearest", "farthest")
_EMPTY = "other:empty"
_DEEPEST = 6

type Join = Callable[[Phrase], bool]
"""Told a phrase after a comma or `and`, says whether it belongs to the same list."""


def parse_phrases(cursor: Cursor, join: Join = lambda phrase: True) -> tuple[Phrase, ...]:
    """Read a list of noun phrases; empty, and nothing taken, if there is none."""
    first = parse_phrase(cursor)
    if first is None:
        return ()
    found = _each_color(first)
    while True:
        start = cursor.index
        if cursor.at(Tag.OR):
            found = (*found[:-1], _or(cursor, found[-1]))
            if cursor.index > start:
                continue
        separated = cursor.skip(Tag.AND, Tag.COMMA)
        phrase = parse_phrase(cursor) if separated else None
        if phrase is None or not join(phrase):
            cursor.index = start
            return _share_heads(found)
        found += _each_color(phrase)


def _or(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `or the green one`: any of the two will do."""
    start = cursor.index
    cursor.skip(Tag.OR)
    other = parse_phrase(cursor)
    if other is None:
        cursor.index = start
        return phrase
    nouns = other.nouns or phrase.nouns
    phrase = replace(phrase, nouns=phrase.nouns or nouns, quantifier=Quantifier.A, count=1)
    other = replace(other, nouns=nouns)
    return replace(phrase, alternatives=(*phrase.alternatives, other))


def parse_phrase(cursor: Cursor) -> Phrase | None:
    """Read one noun phrase; None, and nothing taken, if there is none or it nests too deep."""
    if cursor.depth >= _DEEPEST:
        return None
    cursor.depth += 1
    phrase = _phrase(cursor)
    cursor.depth -= 1
    return phrase


def _phrase(cursor: Cursor) -> Phrase | None:
    start = cursor.index
    phrase, definite = read_quantity(cursor)
    if cursor.at(Tag.PRONOUN):
        return _pronoun(cursor, phrase)
    inside = cursor.index
    phrase = _modifiers(cursor, phrase)
    text = cursor.between(inside, cursor.index)
    if not text:
        return _headless(cursor, start, phrase, definite)
    both_named = phrase.quantifier is Quantifier.BOTH and not phrase.plural
    quantifier = Quantifier.THE if both_named else phrase.quantifier
    return _postfixes(cursor, replace(phrase, text=text, quantifier=quantifier))


def _headless(cursor: Cursor, start: int, phrase: Phrase, definite: str) -> Phrase | None:
    """Read `all`, `both`, `two`, `the others`, `these`: a quantity with no name."""
    text = cursor.between(start, cursor.index)
    if not text:
        return None
    if phrase.quantifier is not Quantifier.THE or phrase.count:
        plural = phrase.plural or phrase.quantifier in (Quantifier.ALL, Quantifier.BOTH)
        return _postfixes(cursor, replace(phrase, text=text, plural=plural))
    if definite in ("this", "that", "these", "those"):
        several = definite in ("these", "those")
        return Phrase(text=text, pronoun=Pronoun.THEM if several else Pronoun.IT, plural=several)
    cursor.index = start
    return None


def _pronoun(cursor: Cursor, phrase: Phrase) -> Phrase:
    token = cursor.take()
    pronoun = Pronoun(token.value)
    return replace(phrase, text=token.text, pronoun=pronoun, plural=pronoun is Pronoun.THEM)


def _modifiers(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read what stands before the head, and the head."""
    while True:
        token = cursor.peek()
        headed = bool(phrase.nouns)
        if token.tag is Tag.NOUN:
            phrase = replace(phrase, nouns=(*phrase.nouns, token.value))
            phrase = replace(phrase, plural=token.plural or phrase.count > 1)
            if token.plural and phrase.quantifier is Quantifier.REST:
                phrase = replace(phrase, plural=True)
        elif headed:
            return _number_suffix(cursor, phrase)
        elif token.tag is Tag.COLOR:
            phrase = _colors(cursor, phrase)
            continue
        elif token.tag is Tag.SELECTOR and not phrase.selector:
            phrase = replace(phrase, selector=token.value)
        elif token.tag is Tag.ORDINAL and not phrase.ordinal:
            phrase = replace(phrase, ordinal=int(token.value))
        elif cursor.at_value(Tag.MATCHING, "matching"):
            phrase = replace(phrase, matching=True)
        elif cursor.at_value(Tag.VERB, _EMPTY) and cursor.at(*_NOUN_LIKE, ahead=1):
            phrase = replace(phrase, empty=True)
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


def _number_suffix(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read the number of `cube 2`."""
    if cursor.at(Tag.NUMBER) and not phrase.plural and not cursor.at(*_NOUN_LIKE, ahead=1):
        return replace(phrase, number=int(cursor.take().value))
    return phrase


def _colors(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `red`, `red and blue`, `red, green or blue`."""
    if phrase.colors:
        return replace(phrase, unknown=(*phrase.unknown, cursor.take().value))
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
        colors.append(cursor.take().value)
    quantifier = Quantifier.A if any_of else phrase.quantifier
    return replace(phrase, colors=tuple(colors), quantifier=quantifier)


def _each_color(phrase: Phrase) -> tuple[Phrase, ...]:
    """Return `the red cubes` and `the blue cubes` for `the red and blue cubes`."""
    if len(phrase.colors) < 2 or phrase.quantifier is Quantifier.A:
        return (phrase,)
    name = " ".join(phrase.nouns) or "one"
    quantifier = phrase.quantifier
    if quantifier is Quantifier.BOTH:
        quantifier = Quantifier.THE
    count = phrase.count if phrase.count != len(phrase.colors) else 0
    return tuple(
        replace(phrase, colors=(color,), quantifier=quantifier, count=count, text=f"{color} {name}")
        for color in phrase.colors
    )


def _share_heads(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """Give `the red` of `the red and the blue cube` the noun that follows."""
    shared: list[Phrase] = []
    nouns: tuple[str, ...] = ()
    for phrase in reversed(phrases):
        bare = phrase.is_anaphoric and phrase.colors
        if bare and nouns:
            phrase = replace(phrase, nouns=nouns)
        nouns = phrase.nouns or nouns
        shared.append(phrase)
    return tuple(reversed(shared))


def _postfixes(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read what follows the head, as long as something does."""
    while True:
        start = cursor.index
        for read in (_whole, _side, _distance, _relative, _matching, _except):
            phrase = read(cursor, phrase)
        if cursor.index == start:
            return phrase


def _whole(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `of the cabinet`: the part bears the name of the whole."""
    if not (cursor.at(Tag.OF) and phrase.nouns):
        return phrase
    start = cursor.index
    cursor.take()
    whole = parse_phrase(cursor)
    if whole is None or not whole.nouns:
        cursor.index = start
        return phrase
    text = f"{phrase.text} of the {whole.text}"
    unknown = (*phrase.unknown, *whole.colors, *whole.unknown, *whole.nouns)
    return replace(phrase, text=text, unknown=unknown)


def _side(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `on the left`, `at the back`, `from the right`."""
    if phrase.selector or not cursor.at_value(Tag.PREPOSITION, *_SIDE_PREPOSITIONS):
        return phrase
    ahead = 2 if cursor.at(Tag.DETERMINER, ahead=1) else 1
    if not cursor.at(Tag.SELECTOR, ahead=ahead):
        return phrase
    if cursor.at(*_NOUN_LIKE, Tag.SELECTOR, Tag.OF, ahead=ahead + 1):
        return phrase
    selector = cursor.peek(ahead).value
    cursor.index += ahead + 1
    return replace(phrase, selector=selector, selector_is_postfix=True)


def _distance(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `closest to the bowl`, `furthest to the left`, `nearest`."""
    if not cursor.at_value(Tag.SELECTOR, *_DISTANCES):
        return phrase
    start = cursor.index
    selector = cursor.take().value
    bare = replace(phrase, selector=selector)
    if not cursor.at_value(Tag.PREPOSITION, "to", "from"):
        near = parse_phrase(cursor)
        return replace(bare, near=near) if near else bare
    side = _side(cursor, replace(phrase, selector=""))
    if side.selector:
        return side
    cursor.take()
    near = parse_phrase(cursor)
    if near is None:
        cursor.index = start
        return phrase
    return replace(bare, near=near)


def _relative(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `that is on the tray`, `that is red`, `which is nearest`."""
    if not cursor.at(Tag.THAT):
        return phrase
    start = cursor.index
    cursor.skip(Tag.THAT)
    if cursor.at(Tag.COLOR) and not phrase.colors:
        return replace(phrase, colors=(cursor.take().value,))
    if cursor.at(Tag.SELECTOR) and not phrase.selector:
        if cursor.at_value(Tag.SELECTOR, *_DISTANCES):
            return _distance(cursor, phrase)
        return replace(phrase, selector=cursor.take().value)
    sided = _side(cursor, phrase)
    if sided is not phrase:
        return sided
    if cursor.at(Tag.PREPOSITION):
        predicate = cursor.take().value
        other = parse_phrase(cursor)
        if other is not None:
            return replace(phrase, relations=(*phrase.relations, Relation(predicate, other)))
    cursor.index = start
    return phrase


def _matching(cursor: Cursor, phrase: Phrase) -> Phrase:
    if cursor.at(Tag.MATCHING) and cursor.peek().value == "of":
        cursor.take()
        return replace(phrase, matching=True)
    return phrase


def _except(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `except the red one`, `but the red one`."""
    is_except = cursor.at(Tag.EXCEPT) or cursor.at_value(Tag.AND, "but")
    if not phrase.is_several or not is_except:
        return phrase
    start = cursor.index
    cursor.take()
    excluded = parse_phrases(cursor)
    if not excluded:
        cursor.index = start
        return phrase
    return replace(phrase, excluded=(*phrase.excluded, *excluded))
