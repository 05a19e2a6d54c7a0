"""What kinds of things can do: hold others, be picked up, be opened.

Kinds are open.  A kind is judged by its head, the last of its words that says something:
`akita_black_bowl` is a bowl, `wooden_cabinet_1_top_drawer` is a drawer.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lam_ros.core.scene import CONTAINER_KINDS, FLAT_KINDS, SceneObject

TABLE = "table"

_SHAPES = frozenset(
    ["moon", "crescent", "star", "heart", "pentagon", "hexagon", "triangle", "diamond", "letter"]
)
SOLID_KINDS = _SHAPES | {"cube", "block", "brick", "ball", "sphere", "cylinder", "prism", "die"}
"""Kinds that nothing can be put in, and that only one thing lies on."""

DEEP_KINDS = frozenset({"bowl", "basket", "bin", "mug", "cup", "box"})
"""Containers of which `on` means `in`."""

FURNITURE = frozenset(
    [
        "table",
        "desk",
        "counter",
        "floor",
        "shelf",
        "cabinet",
        "cupboard",
        "drawer",
        "door",
        "slider",
        "stove",
        "oven",
        "microwave",
        "fridge",
        "refrigerator",
        "rack",
        "caddy",
        "compartment",
        "light",
        "lightbulb",
        "bulb",
        "led",
        "lamp",
        "button",
        "switch",
        "knob",
        "handle",
        "hob",
        "burner",
        "stand",
        "peg",
        "sink",
        "region",
        "area",
        "zone",
        "spot",
        "mat",
        "square",
        "side",
        "wall",
        "sofa",
        "couch",
        "settee",
        "bed",
        "chair",
        "armchair",
        "faucet",
        "tap",
        "toilet",
        "bathtub",
        "dishwasher",
        "washer",
        "safe",
        "wardrobe",
        "closet",
        "bench",
        "countertop",
        "worktop",
    ]
)
"""Kinds that stay where they are."""

CONTROLS = frozenset(
    ["light", "lightbulb", "bulb", "led", "lamp", "button", "switch", "lever", "knob", "handle"]
)
"""Kinds that are switched or pressed, and hold nothing."""

ROOMS = frozenset(
    ["drawer", "cabinet", "cupboard", "slider", "microwave", "oven", "fridge", "refrigerator",
     "caddy", "compartment", "section", "sink", "basin", "bathtub", "dishwasher", "safe", "can",
     "bucket", "bag", "suitcase", "crate", "closet", "wardrobe"]
)  # fmt: skip
"""Kinds into which things go that are brought `to` them."""

BITES = frozenset(
    ["apple", "banana", "orange", "pear", "lemon", "lime", "peach", "tomato", "potato", "carrot",
     "egg", "onion", "knife", "fork", "spoon", "spatula", "pen", "pencil", "key", "coin"]
)  # fmt: skip
"""Small kinds that nothing is put in or on: what is brought `to` them goes beside them."""

CARRIERS = frozenset({"tray", "plate"})
"""Kinds that are picked up with what lies on them."""

_HEADS = SOLID_KINDS | DEEP_KINDS | CONTAINER_KINDS | FLAT_KINDS | FURNITURE
_NOT_HEADS = frozenset({"region", "area", "side", "zone"})


@lru_cache(4096)
def head(kind: str) -> str:
    """Return the word of a kind that says what it is."""
    words = re.split(r"_(?:with|of|for|in|on)_", kind.lower())[0]
    parts: list[str] = re.findall(r"[^\W\d_]+", words) or [kind]
    if parts[-1] not in _NOT_HEADS:
        return parts[-1]
    return next((part for part in reversed(parts[:-1]) if part in _HEADS), parts[-1])


def is_solid(item: SceneObject) -> bool:
    """Tell whether an object is one that only one thing lies on."""
    return head(item.kind) in SOLID_KINDS


def can_contain(item: SceneObject) -> bool:
    """Tell whether something can be put in an object of this kind; kinds are open."""
    kind = head(item.kind)
    return kind in CONTAINER_KINDS or kind not in FLAT_KINDS | SOLID_KINDS | CONTROLS | BITES


def is_place(kind: str) -> bool:
    """Tell whether things are put in or on a kind rather than carried: a bowl, a shelf."""
    return kind in DEEP_KINDS | CONTAINER_KINDS | FLAT_KINDS | FURNITURE | CARRIERS | ROOMS


def is_part(item: SceneObject, whole: SceneObject) -> bool:
    """Tell whether an object is a part of another, by its id: `cabinet_1_top_drawer`."""
    return item.id != whole.id and item.id.startswith(f"{whole.id}_")


def is_table(item: SceneObject) -> bool:
    """Tell whether an object is the table that everything stands on."""
    return head(item.kind) in (TABLE, "desk", "counter", "floor")
