"""Which objects an instruction names, so that a random scene holds them.

Who types "put the red cube in the blue bowl" expects both to be on the table.  Only a
colour with a kind counts as naming; what the words mean is the planner's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lam_ros.planning.names import plural_of
from lam_ros.planning.thing_words import COLOR_WORDS, KIND_WORDS

_LINKS = frozenset({"and", "or", ","})
_STAND_INS = frozenset({"one", "ones"})


def mentions(instruction: str, kinds: Mapping[str, int], colors: Iterable[str]) -> tuple[str, ...]:
    """Return the objects that are named, as `color kind`, in the order of the words.

    Args:
        instruction: the words.
        kinds: kinds that a scene can hold, with how many of each.
        colors: colours that objects can have.
    """
    words = re.findall(r"[a-z]+|,", instruction.lower())
    known_colors = frozenset(colors)
    found: dict[str, str] = {}
    pending: list[str] = []
    for word in words:
        color = _first(COLOR_WORDS.get(word, ()), known_colors)
        kind = _first(_kinds_of(word, kinds), kinds)
        if word in _STAND_INS:
            kind = next(iter(found.values()), "")  # what is moved is named first
        if color:
            pending.append(color)
        elif kind:
            found |= {f"{color} {kind}": kind for color in pending}
            pending = []
        elif word not in _LINKS:
            pending = []
    return _at_most(found, kinds)


def _kinds_of(word: str, kinds: Iterable[str]) -> Sequence[str]:
    own = tuple(kind for kind in kinds if word in (kind, plural_of(kind)))
    if own:
        return own
    if word in KIND_WORDS:
        return KIND_WORDS[word]
    singular = next((noun for noun in KIND_WORDS if plural_of(noun) == word), "")
    return KIND_WORDS.get(singular, ())


def _first(candidates: Sequence[str], allowed: Iterable[str]) -> str:
    known = frozenset(allowed)
    return next((name for name in candidates if name in known), "")


def _at_most(found: Mapping[str, str], kinds: Mapping[str, int]) -> tuple[str, ...]:
    """Return what fits; the planner refuses what does not."""
    counts: dict[str, int] = {}
    kept = []
    for name, kind in found.items():
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= kinds[kind]:
            kept.append(name)
    return tuple(kept)
