"""From the names of what is seen to the names in the ground truth, so that a run can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lam_ros.core.literals import parse_literal
from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.perception.matching import match


@dataclass(frozen=True)
class Unknown:
    """Why a literal cannot be judged: what it names is not what it was taken for."""

    reason: str


@dataclass
class Naming:
    """Learns, for each seen object, which true one stood where it was first seen.

    A thing keeps its seen name for good, so the first sight of it decides, when nothing has
    moved it yet.  Its colour must be the true one, too: the right goal with the wrong cube
    is no success.
    """

    _truth: Scene | None = None
    _waiting: dict[str, SceneObject] = field(default_factory=dict)
    _true: dict[str, SceneObject] = field(default_factory=dict)
    _first: dict[str, SceneObject] = field(default_factory=dict)

    def add_truth(self, truth: Scene) -> None:
        """Take in what is really there."""
        self._truth = truth
        if self._waiting:
            self._pair(Scene(tuple(self._waiting.values())))

    def add_seen(self, seen: Scene) -> None:
        """Take in what is seen; only names that are new count."""
        new = [item for item in seen.objects if item.id not in self._first]
        if not new:
            return
        self._first |= {item.id: item for item in new}
        self._pair(seen)

    def _pair(self, seen: Scene) -> None:
        if self._truth is None:
            self._waiting |= {item.id: item for item in seen.objects}
            return
        self._waiting.clear()
        for true_id, seen_id in match(seen, self._truth):
            self._true.setdefault(seen_id, self._truth[true_id])

    def true_literal(self, text: str) -> str | Unknown:
        """Return a literal over seen things as one over true things, or why there is none.

        Raises:
            SceneError: if the text is no literal.
        """
        literal = parse_literal(text)
        names = []
        for name in literal.args:
            found, item = self._true.get(name), self._first.get(name)
            if item is None:
                return Unknown(f"{name} was never seen")
            if found is None:
                return Unknown(f"where {name} was seen is no {item.kind}")
            if item.color and found.color and item.color != found.color:
                return Unknown(f"what was seen as {name} is {found.id}")
            names.append(found.id)
        return str(Literal(literal.predicate, tuple(names)))

    def true_literals(self, texts: Sequence[str]) -> list[str | Unknown]:
        """Return each literal over true things, or why there is none."""
        return [self.true_literal(text) for text in texts]
