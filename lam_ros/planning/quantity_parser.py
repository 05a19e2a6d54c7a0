"""Reads what stands first in a noun phrase: articles, quantifiers and numbers."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import Tag
from lam_ros.planning.phrases import Phrase, Quantifier

_VAGUE = ("some", "several", "a few", "a number")


def read_quantity(cursor: Cursor) -> tuple[Phrase, str]:
    """Read articles, quantifiers and numbers; return them and the article that was said."""
    phrase, definite, quantified = Phrase(text=""), "", False
    while True:
        token = cursor.peek()
        if token.tag is Tag.QUANTIFIER:
            phrase, quantified = _quantified(phrase, token.value, token.text), True
        elif token.tag is Tag.NUMBER:
            quantifier = phrase.quantifier
            if not definite and not quantified:
                quantifier = Quantifier.A
            count = int(token.value)
            phrase = replace(phrase, count=count, plural=count > 1, quantifier=quantifier)
        elif cursor.at_value(Tag.GENERIC, "one") and not definite and not quantified:
            if not cursor.at(Tag.COLOR, Tag.NOUN, Tag.SELECTOR, Tag.GENERIC, ahead=1):
                cursor.take()
                return replace(phrase, quantifier=Quantifier.ANOTHER, count=1), definite
            phrase, quantified = replace(phrase, quantifier=Quantifier.A), True
        elif token.tag is Tag.DETERMINER:
            definite = token.text
            phrase = replace(phrase, plural=phrase.plural or token.value == "those")
        elif not (token.tag is Tag.OF and (quantified or phrase.count)):
            return phrase, definite
        cursor.take()


def _quantified(phrase: Phrase, value: str, text: str) -> Phrase:
    if value == "everything":
        return replace(phrase, quantifier=Quantifier.ALL, generic=True, plural=True)
    if value == "rest":
        several = not text.endswith(("other", "remaining")) or phrase.plural
        return replace(phrase, quantifier=Quantifier.REST, plural=several)
    one = value in ("a", "another") and not text.startswith(_VAGUE)
    is_each = text.startswith(("each", "every"))
    return replace(
        phrase,
        quantifier=Quantifier(value),
        count=1 if one else phrase.count,
        is_each=is_each or phrase.is_each,
    )
