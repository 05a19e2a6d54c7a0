"""Names of things: how words for kinds and colours fit a scene.

Kinds are open: whatever kinds, colours and ids a scene holds can be said too, beside the
words in `thing_words`.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.planning.kinds import head
from lam_ros.planning.lexicon import FUNCTION_WORDS, Entry, Tag
from lam_ros.planning.thing_words import (
    CATEGORIES,
    COLOR_WORDS,
    COMPOUNDS,
    DOORED,
    HYPERNYMS,
    KIND_WORDS,
    LEVELS,
    MASSES,
    MATERIAL_COLORS,
)

_AND = Entry(Tag.AND)
_IRREGULAR = {"dice": "die", "boxes": "box", "dishes": "dish", "patches": "patch",
              "shelves": "shelf", "knives": "knife"}  # fmt: skip


def plural_of(noun: str) -> str:
    """Return the plural of an English noun by rule."""
    if noun.endswith(("x", "s", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


@cache
def general_names() -> dict[tuple[str, ...], Entry]:
    """Return the entries for kinds and colours that are always understood."""
    found: dict[tuple[str, ...], Entry] = {}
    for word in COLOR_WORDS:
        found[(f"{word}s",)] = Entry(Tag.COLOR, word, plural=True)
    for word in COLOR_WORDS:
        found[(word,)] = Entry(Tag.COLOR, word)
    for word in (*CATEGORIES, *KIND_WORDS):
        found[(word,)] = Entry(Tag.NOUN, word)
        found[(plural_of(word),)] = Entry(Tag.NOUN, word, plural=True)
    for said, word in COMPOUNDS.items():
        first, second = said.split()
        found[(first, second)] = Entry(Tag.NOUN, word)
        found[(first, plural_of(second))] = Entry(Tag.NOUN, word, plural=True)
    for word in MASSES:
        found[(word,)] = Entry(Tag.NOUN, word, plural=True)
    for word, singular in _IRREGULAR.items():
        found[(word,)] = Entry(Tag.NOUN, singular, plural=True)
    return found


def is_label(item: SceneObject) -> bool:
    """Tell whether an object is called as objects are; a sentence on a label names nothing."""
    words = re.split(r"[\W_]+", f"{item.kind} {item.color}".strip().lower())
    tags = {FUNCTION_WORDS[(word,)].tag for word in words if (word,) in FUNCTION_WORDS}
    is_clause = Tag.VERB in tags and not tags.isdisjoint((Tag.DETERMINER, Tag.AND, *_CLAUSE_TAGS))
    return len(words) <= _LONGEST_NAME and not is_clause


def words_of(item: SceneObject) -> frozenset[str]:
    """Return every word that an object's id, kind and colour are made of; none of a sentence."""
    if not is_label(item):
        return frozenset()
    text = f"{item.id} {item.kind} {item.color}".lower()
    return frozenset(re.findall(r"[^\W\d_]+", text))


def scene_names(scene: Scene) -> dict[tuple[str, ...], Entry]:
    """Return the entries that a scene adds: words of its kinds and colours."""
    known = general_names()
    found: dict[tuple[str, ...], Entry] = {}
    for item in scene.objects:
        if not is_label(item):
            continue
        if item.color:
            color = tuple(re.findall(r"[^\W_]+", item.color.lower()))
            if len(color) == 1 or (color and _is_shade(color)):
                found.setdefault(color, known.get(color, Entry(Tag.COLOR, item.color)))
        parts = re.findall(r"[^\W\d_]+", item.kind.lower())
        if len(parts) == 2:  # "keychain" for a key_chain
            found.setdefault(("".join(parts),), Entry(Tag.NOUN, item.kind))
        for name in _long_names(item):
            found.setdefault(name, Entry(Tag.NOUN, item.kind))
        tones = colors_of(item)
        if len(tones) == 2:
            for first, second in (tones, tones[::-1]):
                found.setdefault((first, "and", second), Entry(Tag.COLOR, "_".join(sorted(tones))))
                found.setdefault((first, second), Entry(Tag.COLOR, "_".join(sorted(tones))))
        for word in re.findall(r"[^\W\d_]+", item.kind.lower()):
            if (word,) not in known:
                found.setdefault((word,), Entry(Tag.NOUN, word))
                found.setdefault((plural_of(word),), Entry(Tag.NOUN, word, plural=True))
                if word.endswith("s") and not word.endswith("ss"):
                    found.setdefault((word[:-1],), Entry(Tag.NOUN, word))
    found.pop((), None)
    return found


def _is_shade(words: tuple[str, ...]) -> bool:
    """Tell whether several words name a colour: no label may pass for "the red cube"."""
    return words[-1] in COLOR_WORDS and not any(
        word in KIND_WORDS or FUNCTION_WORDS.get((word,), _AND).tag is not Tag.AND for word in words
    )


def _long_names(item: SceneObject) -> list[tuple[str, ...]]:
    """Return a kind of several words as it can be said as a whole.

    A label is data: one that could pass for what a person says of something else (`red
    cube in the bowl`) names nothing.
    """
    words = tuple(re.findall(r"[^\W_]+", item.kind.lower()))
    if not 1 < len(words) <= _LONGEST_NAME:
        return []
    tags = [FUNCTION_WORDS[(word,)].tag for word in words if (word,) in FUNCTION_WORDS]
    risky = any(tag in _CLAUSE_TAGS for tag in tags)
    strange = [word for word in words if not _is_common(word)]
    return [words] if strange and not risky else []


_LONGEST_NAME = 8
_CLAUSE_TAGS = (Tag.PRONOUN, Tag.BE, Tag.SHALL, Tag.NOT, Tag.WHEN, Tag.EXCEPT)


def _is_common(word: str) -> bool:
    return word in COLOR_WORDS or word in KIND_WORDS or (word,) in FUNCTION_WORDS


def colors_of(item: SceneObject) -> tuple[str, ...]:
    """Return the colours that an object's colour, kind and material name, in order."""
    return _colors_in(f"{item.color} {item.kind}".lower())


@lru_cache(
    1024
)  # of the words, not of the item: one that is seen moves, and would be kept for ever
def _colors_in(text: str) -> tuple[str, ...]:
    words = [MATERIAL_COLORS.get(word, word) for word in re.findall(r"[^\W\d_]+", text)]
    return tuple(dict.fromkeys(word for word in words if word in COLOR_WORDS))


def fits_color(item: SceneObject, word: str, scene: Scene) -> bool:
    """Tell whether a colour word fits an object, given which colours the scene has."""
    if "_" in word:
        return set(word.split("_")) <= set(colors_of(item))
    for color in COLOR_WORDS.get(word, (word,)):
        if any(other.color == color for other in scene.objects):
            return item.color == color
    return word in colors_of(item) or (not item.color and word in words_of(item))


def _is_kind(item: SceneObject, kind: str) -> bool:
    """Tell whether an object is of a kind: a `brown_block` is a block."""
    return item.kind == kind or item.kind.endswith(f"_{kind}")


def fits_noun(item: SceneObject, word: str, scene: Scene) -> bool:
    """Tell whether a noun fits an object, given which kinds the scene has.

    Whole kinds count first, the word's own before those that it may stand for, and only then
    parts of names: "the tv" is the television rather than the tv stand.
    """
    if word in HYPERNYMS:
        return any(kind in words_of(item) for kind in KIND_WORDS[word])
    if word in CATEGORIES and not any(_is_kind(other, word) for other in scene.objects):
        return head(item.kind) in CATEGORIES[word] or item.kind in CATEGORIES[word]
    kinds = (word, *KIND_WORDS.get(word, ()))
    for kind in kinds:
        if any(_is_kind(other, kind) for other in scene.objects):
            return _is_kind(item, kind)
    for kind in kinds:
        if any(kind in words_of(other) for other in scene.objects):
            return kind in words_of(item)
    if word in LEVELS:
        return re.search(r"_(?:top|middle|bottom|upper|lower)_region", item.id) is not None
    return head(item.kind) in DOORED.get(word, ())


def modifies(item: SceneObject, word: str, scene: Scene) -> bool:
    """Tell whether a noun before the head tells an object: `the cabinet drawer`."""
    return set(word.split("_")) <= words_of(item) or fits_noun(item, word, scene)
