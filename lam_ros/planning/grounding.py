"""Which objects of a scene a noun phrase fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lam_ros.core.scene import CONTAINER_KINDS, FLAT_KINDS, Literal, Scene, SceneObject
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.names import SOLID_KINDS, fits_color, fits_noun, words_of
from lam_ros.planning.phrases import Phrase, Relation

SIDES = ("left", "right", "front", "back", "middle")
DEEP_KINDS = frozenset({"bowl", "basket", "bin", "mug", "cup", "box"})
"""Containers of which `on` means `in`."""

_TIE_M = 0.005
_TABLE_WORDS = frozenset({"table", "tabletop"})

type Items = list[SceneObject]


def can_contain(item: SceneObject) -> bool:
    """Tell whether something can be put in an object of this kind; kinds are open."""
    return item.kind in CONTAINER_KINDS or item.kind not in FLAT_KINDS | SOLID_KINDS


class Matcher:
    """Judges which objects fit a phrase, and picks by side, distance or size."""

    def __init__(self, scene: Scene, config: PlannerConfig) -> None:
        """Keep the scene that phrases are about."""
        self._scene = scene
        self._config = config

    def fitting(self, phrase: Phrase, nouns: Sequence[str] | None = None) -> Items:
        """Return the objects that fit a phrase, whatever its quantity.

        Args:
            phrase: what was said.
            nouns: words for the kind if the phrase leaves it open (`the green one`).
        """
        said = phrase.nouns if nouns is None else tuple(nouns)
        others = phrase.alternatives
        return [
            item
            for item in self._scene.objects
            if self._fits(item, phrase, said)
            or any(self._fits(item, other, other.nouns) for other in others)
        ]

    def _fits(self, item: SceneObject, phrase: Phrase, nouns: Sequence[str]) -> bool:
        scene = self._scene
        if phrase.object_id and item.id != phrase.object_id:
            return False
        if phrase.colors and not any(fits_color(item, word, scene) for word in phrase.colors):
            return False
        if phrase.number and not item.id.endswith(f"_{phrase.number}"):
            return False
        return (
            all(fits_noun(item, word, scene) for word in nouns)
            and all(word in words_of(item) for word in phrase.unknown)
            and all(self._related(item, relation) for relation in phrase.relations)
            and not (phrase.empty and self.contents(item))
            and not any(self._fits(item, other, other.nouns) for other in phrase.excluded)
        )

    def _related(self, item: SceneObject, relation: Relation) -> bool:
        others = self.fitting(relation.other)
        if not others and _TABLE_WORDS.intersection(relation.other.nouns):
            return not any(self.is_at(item, other) for other in self._scene.objects)
        if relation.predicate in ("on", "in", "at", "to", "from"):
            return any(self.is_at(item, other) for other in others)
        if relation.predicate in ("under", "above"):
            below = relation.predicate == "under"
            return any(self.is_at(*((o, item) if below else (item, o))) for o in others)
        if relation.predicate in ("between", "with"):
            return False
        return any(
            self._scene.holds(Literal(relation.predicate, (item.id, other.id)))
            for other in others
            if other.id != item.id
        )

    def is_at(self, item: SceneObject, other: SceneObject) -> bool:
        """Tell whether one object is in or on another."""
        if item.id == other.id:
            return False
        pair = (item.id, other.id)
        if self._scene.holds(Literal("on", pair)):
            return True
        return can_contain(other) and self._scene.holds(Literal("in", pair))

    def contents(self, item: SceneObject) -> Items:
        """Return what is in or on an object."""
        return [other for other in self._scene.objects if self.is_at(other, item)]

    def supports(self, item: SceneObject) -> Items:
        """Return what an object is in or on."""
        return [other for other in self._scene.objects if self.is_at(item, other)]

    def narrowed(self, items: Items, phrase: Phrase) -> Items:
        """Return those that the phrase's side, distance, size or ordinal leaves."""
        if not phrase.selector or (len(items) < 2 and not phrase.ordinal):
            return items
        named = [item for item in items if phrase.selector in words_of(item)]
        if named:  # a "top drawer" is named so wherever it is
            return named
        if phrase.selector == "middle":
            return _middle(items)
        score = self._score(phrase)
        ranked = sorted(items, key=score, reverse=True)
        if phrase.ordinal:
            index = phrase.ordinal - 1 if phrase.ordinal > 0 else phrase.ordinal
            return [ranked[index]] if -len(ranked) <= index < len(ranked) else []
        if phrase.count > 1:
            return ranked[: phrase.count] if len(ranked) >= phrase.count else []
        if phrase.is_several and phrase.selector in SIDES:
            return [item for item in items if score(item) > _side_edge(items, phrase.selector)]
        best = score(ranked[0])
        return [item for item in items if best - score(item) < _TIE_M]

    def _score(self, phrase: Phrase) -> Callable[[SceneObject], float]:
        """Return by what to choose: the larger, the better [m]."""
        references = self.fitting(phrase.near) if phrase.near else []

        def distance_m(item: SceneObject) -> float:
            others = [other for other in references if other.id != item.id]
            if not others:
                return self._config.distance_m(item)
            return min(item.distance_xy_m(other) for other in others)

        scores: dict[str, Callable[[SceneObject], float]] = {
            "left": lambda item: item.position_m[1],
            "right": lambda item: -item.position_m[1],
            "front": lambda item: -item.position_m[0],
            "back": lambda item: item.position_m[0],
            "nearest": lambda item: -distance_m(item),
            "farthest": distance_m,
            "largest": lambda item: sum(item.size_m),
            "smallest": lambda item: -sum(item.size_m),
            "top": lambda item: item.position_m[2],
            "bottom": lambda item: -item.position_m[2],
        }
        return scores[phrase.selector]

    def by_distance(self, items: Items) -> Items:
        """Return what can be reached first, then what nothing lies on, then the nearest."""
        reach = self._config.reach

        def rank(item: SceneObject) -> tuple[bool, bool, float]:
            covered = item.kind in SOLID_KINDS and bool(self.contents(item))
            return not reach.holds(item), covered, reach.distance_m(item)

        return sorted(items, key=rank)


def _middle(items: Items) -> Items:
    """Return the middle one from left to right; the middle two if their number is even."""
    ranked = sorted(items, key=lambda item: item.position_m[1])
    half = len(ranked) // 2
    return ranked[half : half + 1] if len(ranked) % 2 else ranked[half - 1 : half + 1]


def _side_edge(items: Items, side: str) -> float:
    """Return the score that `the cubes on the left` must exceed [m].

    Left and right are split by the robot's own middle, front and back by the middle
    of those that are meant.
    """
    if side in ("left", "right"):
        return 0.0
    mean = sum(item.position_m[0] for item in items) / len(items)
    return mean if side == "back" else -mean
