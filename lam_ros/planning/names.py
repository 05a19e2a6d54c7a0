"""Names of things: words for kinds and colours, and how they fit a scene.

A word may stand for several kinds or colours, the likeliest first ("box" is a box
if there is one, else a cube).  Kinds are open: whatever kinds, colours and ids a
scene holds can be said too.
"""

from __future__ import annotations

import re
from functools import cache

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.planning.lexicon import FUNCTION_WORDS, Entry, Tag, words_in

KIND_WORDS: dict[str, tuple[str, ...]] = {
    "cube": ("cube", "block"),
    "block": ("block", "cube"),
    "box": ("box", "cube"),
    "brick": ("brick", "block", "cube"),
    "die": ("die", "dice", "cube"),
    "bowl": ("bowl",),
    "dish": ("dish", "bowl", "plate", "tray"),
    "basin": ("basin", "bowl"),
    "container": ("container", "bowl", "box", "basket", "bin", "tray", "cup", "mug"),
    "receptacle": ("receptacle", "bowl", "box", "basket", "bin", "tray"),
    "spot": ("spot", "region", "mat"),
    "circle": ("circle", "spot"),
    "disc": ("disc", "disk", "spot"),
    "disk": ("disk", "disc", "spot"),
    "marker": ("marker", "spot"),
    "mark": ("mark", "marker", "spot"),
    "dot": ("dot", "spot"),
    "mat": ("mat", "spot"),
    "patch": ("patch", "spot"),
    "pad": ("pad", "mat", "spot"),
    "target": ("target", "spot"),
    "zone": ("zone", "region", "spot"),
    "area": ("area", "region", "spot"),
    "region": ("region", "spot"),
    "square": ("square", "region", "spot", "mat"),
    "tray": ("tray",),
    "platter": ("platter", "tray", "plate"),
    "plate": ("plate", "tray"),
    "basket": ("basket", "bin"),
    "bin": ("bin", "basket", "box"),
    "ball": ("ball", "sphere"),
    "sphere": ("sphere", "ball"),
    "cylinder": ("cylinder", "can"),
    "prism": ("prism",),
    "drawer": ("drawer",),
    "cup": ("cup", "mug"),
    "mug": ("mug", "cup"),
    "table": ("table",),
    "tabletop": ("table",),
}
"""Word in the singular -> kinds that it may stand for, the likeliest first."""

COLOR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red",),
    "green": ("green",),
    "blue": ("blue",),
    "yellow": ("yellow",),
    "orange": ("orange",),
    "purple": ("purple",),
    "pink": ("pink",),
    "cyan": ("cyan",),
    "brown": ("brown",),
    "white": ("white",),
    "black": ("black",),
    "gold": ("gold",),
    "silver": ("silver",),
    "grey": ("grey", "gray"),
    "gray": ("gray", "grey"),
    "violet": ("violet", "purple"),
    "lilac": ("lilac", "purple"),
    "magenta": ("magenta", "pink", "purple"),
    "crimson": ("crimson", "red"),
    "scarlet": ("scarlet", "red"),
    "reddish": ("red",),
    "bluish": ("blue",),
    "greenish": ("green",),
    "navy": ("navy", "blue"),
    "turquoise": ("turquoise", "cyan"),
    "teal": ("teal", "cyan"),
    "aqua": ("aqua", "cyan"),
    "lime": ("lime", "green"),
    "golden": ("gold", "yellow"),
    "tan": ("tan", "brown"),
    "beige": ("beige", "tan"),
}  # fmt: skip
"""Word -> colours that it may stand for, the likeliest first."""

SOLID_KINDS = frozenset({"cube", "block", "brick", "ball", "sphere", "cylinder", "prism", "die"})
"""Kinds that nothing can be put in."""

PERSON_WORDS = words_in(
    """
    me him her them myself himself herself yourself person people human humans man men woman women
    child children kid kids boy girl baby guy someone somebody anyone anybody everyone user
    operator neighbour neighbor face head hand hands finger fingers eye eyes mouth nose ear ears
    foot feet toe toes leg legs arm lap knee neck throat stomach chest skin body cat dog pet
    animal
    """
)
"""Words for living beings and parts of them."""

_AND = Entry(Tag.AND)
_IRREGULAR = {"dice": "die", "boxes": "box", "dishes": "dish", "patches": "patch"}


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
        found[(word,)] = Entry(Tag.COLOR, word)
    for word in KIND_WORDS:
        found[(word,)] = Entry(Tag.NOUN, word)
        found[(plural_of(word),)] = Entry(Tag.NOUN, word, plural=True)
    for word, singular in _IRREGULAR.items():
        found[(word,)] = Entry(Tag.NOUN, singular, plural=True)
    return found


def words_of(item: SceneObject) -> frozenset[str]:
    """Return every word that an object's id, kind and colour are made of."""
    text = f"{item.id} {item.kind} {item.color}".lower()
    return frozenset(re.findall(r"[^\W\d_]+", text))


def scene_names(scene: Scene) -> dict[tuple[str, ...], Entry]:
    """Return the entries that a scene adds: words of its kinds and colours."""
    known = general_names()
    found: dict[tuple[str, ...], Entry] = {}
    for item in scene.objects:
        if item.color:
            color = tuple(re.findall(r"[^\W_]+", item.color.lower()))
            if len(color) == 1 or (color and _is_shade(color)):
                found.setdefault(color, known.get(color, Entry(Tag.COLOR, item.color)))
        for word in re.findall(r"[^\W\d_]+", item.kind.lower()):
            if (word,) not in known:
                found.setdefault((word,), Entry(Tag.NOUN, word))
                found.setdefault((plural_of(word),), Entry(Tag.NOUN, word, plural=True))
    found.pop((), None)
    return found


def _is_shade(words: tuple[str, ...]) -> bool:
    """Tell whether several words name a colour: no label may pass for "the red cube"."""
    return words[-1] in COLOR_WORDS and not any(
        word in KIND_WORDS or FUNCTION_WORDS.get((word,), _AND).tag is not Tag.AND for word in words
    )


def fits_color(item: SceneObject, word: str, scene: Scene) -> bool:
    """Tell whether a colour word fits an object, given which colours the scene has."""
    for color in COLOR_WORDS.get(word, (word,)):
        if any(other.color == color for other in scene.objects):
            return item.color == color
    return not item.color and word in words_of(item)


def fits_noun(item: SceneObject, word: str, scene: Scene) -> bool:
    """Tell whether a noun fits an object, given which kinds the scene has.

    The word itself counts first, as a whole kind or as a part of one (`drawer` of
    `top_drawer`), and only then the kinds that it may stand for.
    """
    if any(other.kind == word for other in scene.objects):
        return item.kind == word
    if any(word in words_of(other) for other in scene.objects):
        return word in words_of(item)
    for kind in KIND_WORDS.get(word, ()):
        if any(other.kind == kind for other in scene.objects):
            return item.kind == kind
    return False
