"""Objects that a scene must hold, by name: `red cube`, `blue_bowl`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lam_ros.core.errors import ConfigError
from lam_sim import catalog

Named = tuple[str, str]
"""Kind and colour."""


def parse_names(names: Iterable[str]) -> list[Named]:
    """Read names of objects, colour first.

    Raises:
        ConfigError: if one has no colour and kind of the catalogue, comes twice, or there
            are more of a kind than a scene can hold.
    """
    named = [_parse(name) for name in names]
    for (kind, color), count in Counter(named).items():
        if count > 1:
            raise ConfigError(f"object '{color} {kind}' is named {count} times; name each once")
    for kind, count in Counter(kind for kind, _ in named).items():
        most = catalog.kind_named(kind).slots
        if count > most:
            raise ConfigError(f"{count} objects of kind '{kind}' are named, {most} are allowed")
    return named


def _parse(name: str) -> Named:
    words = [word for word in re.split(r"[\s_]+", name.strip().lower()) if word]
    if len(words) != 2:
        raise ConfigError(
            f"object '{name}': a colour and a kind are needed, for example 'red cube'"
        )
    color, kind = words
    catalog.rgb_of(color)
    return catalog.kind_named(kind).name, color


def include(drawn: Sequence[Named], named: Sequence[Named]) -> list[Named]:
    """Return what was drawn, changed so that everything named is there.

    Each that is missing takes the place of another of its kind that is not named; where
    there is none, it is added.
    """
    result = list(drawn)
    for kind, color in named:
        if (kind, color) in result:
            continue
        spare = [i for i, item in enumerate(result) if item[0] == kind and item not in named]
        if spare:
            result[spare[-1]] = (kind, color)
        else:
            result.append((kind, color))
    return largest_first(result)


def largest_first(objects: Sequence[Named]) -> list[Named]:
    """Return objects in the order in which they are placed; the largest are the hardest."""
    return sorted(objects, key=lambda item: -_size(item[0]))


def _size(kind: str) -> float:
    found = catalog.kind_named(kind)
    return found.footprint_m - (1.0 if found.is_distractor else 0.0)
