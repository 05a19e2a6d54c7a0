"""Small typing errors, mended without ever turning one real word into another."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from lam_ros.planning.real_words import REAL_WORDS

_MIN_LETTERS = 3
_MAX_LETTERS = 20
_TWO_ERRORS_FROM = 7
_ENDINGS = frozenset(("d", "r", "ed", "er", "ers", "ing", "est", "y", "ly", "ish"))


class Speller:
    """Mends words against the words that are understood."""

    def __init__(self, words: Iterable[tuple[str, bool]]) -> None:
        """Keep the words to mend towards.

        Args:
            words: each with True if it matters little (verbs that are refused): only two
                swapped letters are taken for it, and only where no other word is near.
        """
        major, minor = set[str](), set[str]()
        for word, is_minor in words:
            (minor if is_minor else major).add(word)
        self.known = frozenset(major | minor)
        self._targets = _targets(major)
        self._minor = _targets(minor - major)

    def mend(self, word: str) -> str:
        """Return the one understood word that `word` is surely meant to be, else `word`."""
        real = word in REAL_WORDS or word.removesuffix("s") in REAL_WORDS
        if word in self.known or real or not word.isalpha():
            return word
        if not _MIN_LETTERS <= len(word) <= _MAX_LETTERS:
            return word
        near = _nearest(word, self._targets)
        swapped = (name for name in self._minor if sorted(name) == sorted(word))
        return near or next((name for name in swapped if OSA.distance(word, name) == 1), word)


def _targets(words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if len(word) >= _MIN_LETTERS and word.isalpha())


def _nearest(word: str, targets: list[str]) -> str:
    """Return the one target that a slip away from it is `word`, or an empty string."""
    errors = 2 if len(word) >= _TWO_ERRORS_FROM else 1
    near = process.extract(word, targets, scorer=OSA.distance, score_cutoff=errors, limit=None)
    ranked = sorted(
        (_unlikeliness(word, name, int(gap)), name)
        for name, gap, _ in near
        if _starts_alike(word, name) and not _is_inflected(word, name)
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return ""
    return ranked[0][1]


def _starts_alike(word: str, name: str) -> bool:
    """Tell whether the first letter is right, sounds alike, or was swapped with the second."""
    if word[0] == name[0] or {word[0], name[0]} == {"c", "k"}:
        return True
    return word[:2] == name[1::-1] and len(word) == len(name)


def _is_inflected(word: str, name: str) -> bool:
    """Tell whether it is a form of the word rather than a slip: `stacked`, `slider`."""
    return word.startswith(name) and word[len(name) :] in _ENDINGS


def _unlikeliness(word: str, name: str, gap: int) -> tuple[int, int]:
    """Return how unlikely a slip is: by errors, then swapped < left out < doubled < other."""
    if sorted(word) == sorted(name):
        return gap, 0
    if len(word) != len(name):
        return gap, 1 if len(word) < len(name) else 2
    return gap, 3
