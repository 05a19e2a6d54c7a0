"""A position in a list of tokens, for reading left to right with look-ahead."""

from __future__ import annotations

from collections.abc import Sequence

from lam_ros.planning.lexicon import Tag
from lam_ros.planning.text import Token

END_OF_TEXT = Token("", Tag.END, "end")


class Cursor:
    """Reads tokens one after the other.

    `index` is the next token; `depth` counts the phrases that are being read inside
    each other, so that no input can nest without end; `in_place` is True while what
    follows a preposition is read.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        """Start before the first token."""
        self._tokens = tuple(tokens)
        self.index = 0
        self.depth = 0
        self.in_place = False

    @property
    def at_end(self) -> bool:
        """True if nothing is left."""
        return self.index >= len(self._tokens)

    @property
    def is_last(self) -> bool:
        """True at the last token."""
        return self.index == len(self._tokens) - 1

    def peek(self, ahead: int = 0) -> Token:
        """Return a token without taking it; `END_OF_TEXT` beyond the last."""
        at = self.index + ahead
        return self._tokens[at] if at < len(self._tokens) else END_OF_TEXT

    def at(self, *tags: Tag, ahead: int = 0) -> bool:
        """Tell whether the token `ahead` is of one of the classes."""
        return self.peek(ahead).tag in tags

    def at_value(self, tag: Tag, *values: str, ahead: int = 0) -> bool:
        """Tell whether the token `ahead` is of a class and has one of the meanings."""
        token = self.peek(ahead)
        return token.tag is tag and token.value in values

    def take(self) -> Token:
        """Return the next token and step over it."""
        token = self.peek()
        self.index += 1
        return token

    def skip(self, *tags: Tag) -> bool:
        """Step over tokens of these classes; True if there was one."""
        start = self.index
        while not self.at_end and self.at(*tags):
            self.index += 1
        return self.index > start

    def between(self, start: int, end: int) -> str:
        """Return the words of a range of tokens."""
        return " ".join(token.text for token in self._tokens[start:end])

    def rest(self, start: int) -> str:
        """Return the words from `start` up to the next break."""
        end = start
        while end < len(self._tokens) and self._tokens[end].tag not in (Tag.END, Tag.THEN):
            end += 1
        return self.between(start, end)
