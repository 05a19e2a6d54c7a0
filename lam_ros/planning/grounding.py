"""Which objects of a scene a noun phrase fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.kinds import can_contain, is_part, is_solid, is_table
from lam_ros.planning.names import colors_of, fits_color, fits_noun, modifies, words_of
from lam_ros.planning.phrases import SAME_COLOR, Phrase, Relation
from lam_ros.planning.thing_words import WRAPPINGS

SIDES = ("left", "right", "front", "back", "middle")
HEAPS = frozenset({"stack", "pile", "tower"})
"""Words for things that lie on each other."""

_TIE_M = 0.005
_LEVEL_M = 0.01
"""By how much the middle drawer counts as higher than the bottom one at the same place."""

_STACKED_M = 0.015
"""How far the middles of things can be apart that stand over each other."""

_BESIDE_M = 0.20
"""How far something can be that is still called next to."""

_SHADES = {"lightest": ("light", "lighter", "pale"), "darkest": ("dark", "darker")}
TABLE_WORDS = frozenset({"table", "tabletop", "desk", "counter", "worktop", "countertop"})

type Items = list[SceneObject]


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
        if HEAPS.issuperset(said) and said and not self._named(said):
            said, phrase = (), replace(phrase, in_heap=True)
        others = phrase.alternatives
        found = [
            item
            for item in self._scene.objects
            if self._fits(item, phrase, said)
            or any(self._fits(item, other, other.nouns) for other in others)
        ]
        if not found and len(said) > 1 and said[-1] in WRAPPINGS:
            return self.fitting(phrase, said[:-1])  # "the cream cheese box"
        if not found and phrase.content is not None:
            return self.fitting(phrase.content)
        found = self._wholes(found or self._beside(phrase, said), phrase)
        return self._best_colored(found, phrase)

    def _named(self, nouns: Sequence[str]) -> bool:
        return any(fits_noun(item, nouns[-1], self._scene) for item in self._scene.objects)

    def _beside(self, phrase: Phrase, said: Sequence[str]) -> Items:
        """Return the nearest to `next to the box` where nothing stands right beside it."""
        beside = [r for r in phrase.relations if r.predicate == "next_to"]
        if len(beside) != 1:
            return []
        others = self.fitting(beside[0].other)
        rest = tuple(r for r in phrase.relations if r is not beside[0])
        left = [item for item in self.fitting(replace(phrase, relations=rest), said)
                if item not in others]  # fmt: skip
        if len(others) != 1 or not left:
            return []
        gap_m = min(item.distance_xy_m(others[0]) for item in left)
        near = [item for item in left if item.distance_xy_m(others[0]) - gap_m < _TIE_M]
        return near if gap_m < _BESIDE_M else []

    def _wholes(self, found: Items, phrase: Phrase) -> Items:
        """Leave out the parts of what fits too: `the cabinet` means none of its drawers."""
        if phrase.object_id:
            return found
        return [item for item in found
                if phrase.selector in words_of(item)
                or not any(is_part(item, whole) for whole in found)]  # fmt: skip

    def _best_colored(self, found: Items, phrase: Phrase) -> Items:
        """Prefer what has the colour and no other: `the white mug`, not the white and yellow."""
        if len(phrase.colors) != 1 or len(found) < 2 or phrase.is_several:
            return found
        plain = [item for item in found if len(colors_of(item)) == 1]
        return plain or found

    def _fits(self, item: SceneObject, phrase: Phrase, nouns: Sequence[str]) -> bool:
        scene = self._scene
        if phrase.object_id and item.id != phrase.object_id:
            return False
        if phrase.colors and not any(fits_color(item, word, scene) for word in phrase.colors):
            return False
        if phrase.number and not item.id.endswith(f"_{phrase.number}"):
            return False
        return (
            all(fits_noun(item, word, scene) for word in nouns[-1:])
            and all(modifies(item, word, scene) for word in nouns[:-1])
            and all(word in words_of(item) for word in phrase.unknown)
            and all(self._related(item, relation) for relation in phrase.relations)
            and not (phrase.empty and self.contents(item))
            and not (phrase.is_held and self._scene.held not in ("", item.id))
            and self._in_state(item, phrase.state)
            and not (phrase.is_stacked and not (phrase.plural or self._is_stacked(item)))
            and not (phrase.in_heap and not self.in_heap(item))
            and not any(self._fits(item, other, other.nouns) for other in phrase.excluded)
        )

    def _is_stacked(self, item: SceneObject) -> bool:
        return any(is_solid(support) for support in self.supports(item))

    def in_heap(self, item: SceneObject) -> bool:
        """Tell whether an object is one of a stack: it lies on one, or one lies on it."""
        over = is_solid(item) and any(is_solid(other) for other in self.contents(item))
        return over or self._is_stacked(item)

    def heap_tops(self) -> Items:
        """Return the uppermost of each stack."""
        return [i for i in self._scene.objects if self._is_stacked(i) and not self.contents(i)]

    def _at_end_of_stack(self, items: Items, selector: str) -> Items:
        """Return the top or the bottom ones of what is stacked, whatever the heights say."""
        if selector == "top":
            return [i for i in items if self._is_stacked(i) and not self.contents(i)]
        if selector == "bottom":
            return [i for i in items if not self._is_stacked(i) and self.contents(i)]
        return []

    def _in_state(self, item: SceneObject, state: str) -> bool:
        return not state or self._scene.holds(Literal(state, (item.id,)))

    def _related(self, item: SceneObject, relation: Relation) -> bool:
        others = self.fitting(relation.other)
        if relation.predicate == SAME_COLOR:
            return any(item.color and item.color == other.color for other in others
                       if other.id != item.id)  # fmt: skip
        if TABLE_WORDS.intersection(relation.other.nouns):
            return not any(
                self.is_at(item, other) for other in self._scene.objects if not is_table(other)
            )
        if HEAPS.intersection(relation.other.nouns) and not self._named(relation.other.nouns):
            tops = relation.predicate == "on" and item not in self.heap_tops()
            return self.in_heap(item) and not tops
        if relation.predicate in ("on", "in", "at", "to", "from"):
            return any(self.is_at(item, other) for other in others)
        if relation.predicate in ("under", "above"):
            below = relation.predicate == "under"
            return any(self.is_at(*((o, item) if below else (item, o))) for o in others)
        if relation.predicate == "between" and relation.second:
            ends = [*others[:1], *self.fitting(relation.second)[:1]]
            return len(ends) == 2 and item not in ends and _is_between(item, *ends)
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
        said = {phrase.selector, *_SHADES.get(phrase.selector, ())}
        named = [item for item in items if said.intersection(words_of(item))]
        if named and not phrase.ordinal:  # a "top drawer" is named so wherever it is
            return named
        ends = [] if phrase.ordinal else self._at_end_of_stack(items, phrase.selector)
        if ends:
            return ends
        if phrase.selector == "middle":
            return _middle(items)
        if phrase.is_bare_side and phrase.selector in ("up", "down"):
            return []
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
            "top": _height_m,
            "bottom": lambda item: -_height_m(item),
            "central": self._centrality,
            "lightest": lambda item: 0.0,
            "darkest": lambda item: 0.0,
            "forward": lambda item: item.position_m[0],
            "backward": lambda item: -item.position_m[0],
            "up": lambda item: item.position_m[2],
            "down": lambda item: -item.position_m[2],
        }
        return scores[phrase.selector]

    def _centrality(self, item: SceneObject) -> float:
        """Return how near an object is to the middle of all, on the table before on others [m]."""
        spots = [other.position_m for other in self._scene.objects]
        x_m, y_m = (sum(spot[k] for spot in spots) / len(spots) for k in (0, 1))
        lifted = 10.0 * bool(self.supports(item))
        return -lifted - math.dist(item.position_m[:2], (x_m, y_m))

    def by_distance(self, items: Items) -> Items:
        """Return what can be reached first, then what nothing lies on, then the nearest."""
        reach = self._config.reach

        def rank(item: SceneObject) -> tuple[bool, bool, float]:
            covered = is_solid(item) and bool(self.contents(item))
            return not reach.holds(item), covered, reach.distance_m(item)

        return sorted(items, key=rank)


def _height_m(item: SceneObject) -> float:
    """Return how high an object is; of parts that are seen at one place, as they are named."""
    named = [k for k, word in enumerate(("bottom", "middle", "top")) if word in words_of(item)]
    return item.position_m[2] + (_LEVEL_M * named[0] if named else 0.0)


def _is_between(item: SceneObject, first: SceneObject, second: SceneObject) -> bool:
    """Tell whether an object lies between two others, seen from above; or in a stack."""
    if first.distance_xy_m(second) < _STACKED_M:
        low, high = sorted((first.position_m[2], second.position_m[2]))
        return item.distance_xy_m(first) < _STACKED_M and low < item.position_m[2] < high
    (ax, ay), (bx, by) = first.position_m[:2], second.position_m[:2]
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    px, py = item.position_m[0] - ax, item.position_m[1] - ay
    along = (px * dx + py * dy) / squared if squared else -1.0
    aside_squared = px * px + py * py - along * along * squared
    return 0 < along < 1 and 4 * aside_squared < squared


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
