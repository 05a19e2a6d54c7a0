"""Reads noun phrases: quantity, modifiers, head, and what follows the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import Tag
from lam_ros.planning.modifier_parser import NOUN_LIKE, STATES, read_modifiers
from lam_ros.planning.phrases import SAME_COLOR, Phrase, Pronoun, Quantifier, Relation
from lam_ros.planning.quantity_parser import read_quantity
from lam_ros.planning.thing_words import MEASURES, PARTS, WRAPPINGS

_SIDE_PREPOSITIONS = ("on", "in", "at", "to", "from")
_SIDES = ("left", "right", "front", "back", "middle", "top", "bottom", "up", "down", "forward",
          "backward")  # fmt: skip
_ENDS = (Tag.AND, Tag.COMMA, Tag.THEN, Tag.END, Tag.WHEN)
_DISTANCES = ("nearest", "farthest")
_DEEPEST = 6
_HEAPS = frozenset({"stack", "pile", "tower"})

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
        is_comma = cursor.at(Tag.COMMA)
        separated = cursor.skip(Tag.AND, Tag.COMMA)
        phrase = parse_phrase(cursor) if separated else None
        if phrase and is_comma and _is_apposition(cursor, found[-1], phrase):
            found = (*found[:-1], _merged(found[-1], phrase))
            continue
        if phrase is None or not join(phrase):
            cursor.index = start
            return _share_heads(found)
        found += _each_color(phrase)


def _is_apposition(cursor: Cursor, named: Phrase, phrase: Phrase) -> bool:
    """Tell whether `the yellow one` says which cube, in `the cube, the yellow one, ...`."""
    tells = phrase.says_one and (phrase.colors or phrase.selector) and not phrase.relations
    open_ = named.nouns and not (named.colors or named.selector or named.is_several)
    return bool(tells and open_) and (cursor.at_end or cursor.at(Tag.COMMA, Tag.END, Tag.THEN))


def _merged(named: Phrase, phrase: Phrase) -> Phrase:
    text = f"{phrase.text.removesuffix('one').strip()} {named.text}"
    return replace(named, text=text, colors=phrase.colors, selector=phrase.selector,
                   ordinal=phrase.ordinal)  # fmt: skip


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
    phrase = read_modifiers(cursor, phrase)
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
        bare = phrase.is_anaphoric and phrase.colors and not phrase.says_one
        if bare and nouns:
            phrase = replace(phrase, nouns=nouns)
        nouns = phrase.nouns or nouns
        shared.append(phrase)
    return tuple(reversed(shared))


def _postfixes(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read what follows the head, as long as something does."""
    while True:
        start = cursor.index
        for read in (_whole, _side, _distance, _nearest_to, _relative, _matching, _except):
            phrase = read(cursor, phrase)
        if cursor.index == start:
            return phrase


def _whole(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `of the cabinet`: the part bears the name of the whole."""
    measured = phrase.generic or (phrase.unknown and MEASURES.issuperset(phrase.unknown))
    if not (cursor.at(Tag.OF) and (phrase.nouns or measured)):
        return phrase
    start = cursor.index
    cursor.take()
    whole = parse_phrase(cursor)
    if whole is None or not (whole.nouns or whole.unknown):
        cursor.index = start
        return phrase
    if measured:
        count = phrase.count or whole.count
        return replace(whole, quantifier=phrase.quantifier, count=count, plural=phrase.plural)
    if PARTS.issuperset(phrase.nouns):
        return whole
    if _HEAPS.issuperset(phrase.nouns):
        return replace(whole, quantifier=Quantifier.ALL, plural=True)
    if _HEAPS.issuperset(whole.nouns) and whole.is_plain:
        return replace(phrase, in_heap=True)
    text = f"{phrase.text} of the {whole.text}"
    if WRAPPINGS.issuperset(phrase.nouns) and not phrase.colors:  # "a bottle of ketchup"
        phrase = replace(phrase, content=whole)
    said = (*whole.colors, *whole.unknown, *whole.nouns)
    unknown = (*phrase.unknown, *(word for name in said for word in name.split("_")))
    return replace(phrase, text=text, unknown=unknown)


def _side(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `on the left`, `at the back`, `from the right`."""
    if phrase.selector or not cursor.at_value(Tag.PREPOSITION, *_SIDE_PREPOSITIONS):
        return phrase
    if cursor.peek().text == "on top" and cursor.at(*_ENDS, ahead=1):
        cursor.take()
        return replace(phrase, selector="top")
    ahead = 2 if cursor.at(Tag.DETERMINER, ahead=1) else 1
    if not cursor.at_value(Tag.SELECTOR, *_SIDES, ahead=ahead):
        return phrase
    if cursor.at(*NOUN_LIKE, Tag.SELECTOR, Tag.OF, ahead=ahead + 1):
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


def _nearest_to(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `to the toaster` of `the closest mug to the toaster on the plate`."""
    can_follow = phrase.selector in _DISTANCES and phrase.near is None
    if not (can_follow and cursor.at_value(Tag.PREPOSITION, "to", "from")):
        return phrase
    start = cursor.index
    cursor.take()
    near = parse_phrase(cursor)
    if near is None or not cursor.at(Tag.PREPOSITION):
        cursor.index = start
        return phrase
    return replace(phrase, near=near)


def _relative(cursor: Cursor, phrase: Phrase) -> Phrase:
    """Read `that is on the tray`, `that is red`, `which is nearest`."""
    if not cursor.at(Tag.THAT):
        return phrase
    start = cursor.index
    cursor.skip(Tag.THAT)
    if cursor.at(Tag.COLOR) and not phrase.colors:
        return replace(phrase, colors=(cursor.take().value,))
    if cursor.peek().text in STATES and not phrase.state:
        return replace(phrase, state=STATES[cursor.take().text])
    if cursor.peek().text == "empty":
        cursor.take()
        return replace(phrase, empty=True)
    if cursor.at(Tag.SELECTOR) and not phrase.selector:
        if cursor.at_value(Tag.SELECTOR, *_DISTANCES):
            return _distance(cursor, phrase)
        return replace(phrase, selector=cursor.take().value)
    sided = _side(cursor, phrase)
    if sided is not phrase:
        return sided
    negated = cursor.skip(Tag.NOT)
    if negated and cursor.at(Tag.COLOR):
        color = cursor.take().value
        return replace(phrase, excluded=(*phrase.excluded, Phrase(color, colors=(color,))))
    told = _relation(cursor)
    if told is None and negated and (other := parse_phrase(cursor)):
        return replace(phrase, excluded=(*phrase.excluded, other))
    if told is None:
        cursor.index = start
        return phrase
    if negated:
        return replace(phrase, excluded=(*phrase.excluded, Phrase("", relations=(told,))))
    text = f"{phrase.text} {told.predicate.replace('_', ' ')} the {told.other.text}"
    return replace(phrase, text=text, relations=(*phrase.relations, told))


def _relation(cursor: Cursor) -> Relation | None:
    """Read `on the tray`."""
    if not cursor.at(Tag.PREPOSITION):
        return None
    predicate = cursor.take().value
    other = parse_phrase(cursor)
    return Relation(predicate, other) if other else None


def _matching(cursor: Cursor, phrase: Phrase) -> Phrase:
    if not cursor.at_value(Tag.MATCHING, "of"):
        return phrase
    cursor.take()
    if cursor.peek().text not in ("like", "as"):
        return replace(phrase, matching=True)
    start = cursor.index
    cursor.take()
    other = parse_phrase(cursor)
    if other is None:
        cursor.index = start
        return replace(phrase, matching=True)
    text = f"{phrase.text} of the same colour as the {other.text}"
    return replace(phrase, text=text, relations=(*phrase.relations, Relation(SAME_COLOR, other)))


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
