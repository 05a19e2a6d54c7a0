"""What has been spoken of so far, and what a phrase means in that light."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lam_ros.core.scene import FLAT_KINDS, Scene
from lam_ros.planning.choosing import Chooser, Chosen, Limits, listed, missing
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.domain import INVERSE
from lam_ros.planning.grounding import HEAPS, Items, Matcher
from lam_ros.planning.kinds import DEEP_KINDS, can_contain, head
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.phrases import Phrase, Pronoun, Quantifier
from lam_ros.planning.search import TABLE_ID
from lam_ros.planning.thing_words import DOORED


@dataclass(frozen=True)
class Spoken:
    """What pronouns and ellipsis refer to.

    Attributes:
        moved: ids that the last clause moves.
        nouns: kind words of what it moves.
        targets: ids where it puts them.
        target_nouns: kind words of where it puts them.
        preposition: with which it puts them there.
        mentioned: every id that was to be moved so far.
        protected: ids that are not to be touched.
    """

    moved: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    target_nouns: tuple[str, ...] = ()
    preposition: str = ""
    mentioned: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()


class Resolver:
    """Ties phrases to ids of a scene; keeps track of what was spoken of."""

    def __init__(
        self, scene: Scene, config: PlannerConfig, matcher: Matcher, chooser: Chooser
    ) -> None:
        """Start with nothing spoken of."""
        self.scene = scene
        self.config = config
        self.matcher = matcher
        self.chooser = chooser
        self.spoken = Spoken()

    def moved(self, phrase: Phrase, limits: Limits) -> Chosen:
        """Return the ids of what is to be moved."""
        if phrase.pronoun:
            return self._pronoun(phrase, limits)
        both_said = phrase.is_bare_quantity and len(self.spoken.moved) > 1
        if both_said and phrase.quantifier in (Quantifier.BOTH, Quantifier.ALL):
            return self.spoken.moved
        if self.is_heap(phrase):
            phrase = replace(phrase, quantifier=Quantifier.ALL, plural=True)
        if problem := self._strange_exception(phrase):
            return problem
        items = self._spoken_part(phrase, self._movable_fitting(phrase))
        limits = replace(limits, mentioned=limits.mentioned | self.spoken.mentioned)
        if phrase.is_several or phrase.quantifier is not Quantifier.THE:
            limits = replace(limits, avoid=limits.avoid | self.spoken.protected)
        return self.chooser.choose(phrase, items, limits)

    def is_heap(self, phrase: Phrase) -> bool:
        """Tell whether it names a stack as a whole, which is no thing of its own."""
        return (
            bool(phrase.nouns)
            and HEAPS.issuperset(phrase.nouns)
            and not any(head(item.kind) in HEAPS for item in self.scene.objects)
        )

    def _strange_exception(self, phrase: Phrase) -> Refuse | None:
        """Refuse `all but the reeds`: what must be left alone has to be understood."""
        for left in phrase.excluded:
            if left.unknown and not self.matcher.fitting(left):
                return missing(left.text, self.scene)
        return None

    def _spoken_part(self, phrase: Phrase, items: Items) -> Items:
        """Prefer what was spoken of for `the drawer`, said once more, and for `the door` of it."""
        is_part = bool(DOORED.keys() & set(phrase.nouns[-1:]))
        is_same = phrase.is_plain and phrase.quantifier is Quantifier.THE and not phrase.is_several
        if len(items) < 2 or not (is_part or (is_same and not phrase.state)):
            return items
        recent = (*self.spoken.targets, *self.spoken.moved)
        found = [item for item in items if item.id in recent]
        return found if found and (is_part or len(found) == 1) else items

    def _movable_fitting(self, phrase: Phrase) -> Items:
        if phrase.is_anaphoric and self.spoken.nouns:
            found = self.matcher.fitting(phrase, self.spoken.nouns)
            is_rest = phrase.quantifier is Quantifier.REST
            left = [item for item in found if item.id not in self.spoken.mentioned]
            if left if is_rest else found:
                return found
        found = self.matcher.fitting(phrase)
        if phrase.nouns or phrase.object_id or phrase.unknown:
            return found
        loose = [item for item in found if not self.config.is_fixed(item)]
        movable = [item for item in loose if self.config.can_move(item)]
        return (movable if phrase.is_anaphoric else loose) or loose or found

    def target(
        self, phrase: Phrase, predicate: str, objects: Iterable[str], limits: Limits
    ) -> Chosen:
        """Return the ids of where things go.

        Args:
            phrase: what was said.
            predicate: `in`, `on` or `next_to`, or `to` if the target decides.
            objects: kind words of what goes there, for `the yellow one`.
            limits: what narrows the choice.
        """
        if phrase.pronoun:
            return self._target_pronoun(phrase, predicate)
        kinds = (tuple(objects), self.spoken.target_nouns)
        found: Items = []
        if phrase.is_anaphoric:
            order = reversed(kinds) if predicate == "in" else kinds
            found = next((f for k in order if k and (f := self._left(phrase, limits, k))), [])
        found = found or self.matcher.fitting(phrase)
        if predicate == "on" and phrase.nouns and HEAPS.issuperset(phrase.nouns):
            tops = self.matcher.heap_tops()
            found = [item for item in tops if item in found] or found
        if not found and {"table", "desk", "floor", "counter"}.intersection(phrase.nouns):
            return (TABLE_ID,)
        if predicate == "on" and phrase.is_anaphoric:
            found = [item for item in found if head(item.kind) not in DEEP_KINDS] or found
        if predicate == "in" and found:
            fit = [i for i in found if can_contain(i)] or [
                i for i in found if head(i.kind) in FLAT_KINDS
            ]
            if not fit:
                return _solid(found)
            found = fit
        return self.chooser.choose(phrase, found, limits)

    def _left(self, phrase: Phrase, limits: Limits, nouns: tuple[str, ...]) -> Items:
        found = self.matcher.fitting(phrase, nouns)
        return [item for item in found if item.id not in limits.avoid]

    def _pronoun(self, phrase: Phrase, limits: Limits) -> Chosen:
        """Resolve `it` and `them`; without anything said before, what is held or alone."""
        said = self.spoken.moved
        if phrase.pronoun is Pronoun.THEM and len(said) < 2:
            said = tuple(i for i in self.scene.ids if i in self.spoken.mentioned) or said
        if phrase.pronoun is Pronoun.THEM and len(said) == 1:
            movable = [i for i in self.spoken.targets if self._is_movable(i)]
            said = (*said, *movable) if len(said) + len(movable) == 2 else said
        if said:
            if phrase.quantifier is Quantifier.A:
                items = self.matcher.by_distance([self.scene[i] for i in said])
                return tuple(item.id for item in items[: phrase.count or 1])
            return said
        if phrase.pronoun is Pronoun.IT and self.scene.held in self.scene:
            return (self.scene.held,)
        items = [item for item in self.scene.objects if self.config.can_move(item)]
        if not items:
            return missing(f"object that '{phrase.text}' could mean", self.scene)
        meant = replace(phrase, pronoun=None, text="object")
        return self.chooser.choose(meant, items, limits)

    def _is_movable(self, object_id: str) -> bool:
        return object_id in self.scene and self.config.can_move(self.scene[object_id])

    def _target_pronoun(self, phrase: Phrase, predicate: str) -> Chosen:
        is_there = phrase.pronoun is Pronoun.THERE
        found = self.spoken.targets if is_there else ()
        found = found or self._thing_said(predicate)
        if not found:
            return Refuse(
                RefuseKind.NOT_UNDERSTOOD,
                f"'{phrase.text}' has nothing to refer to; name where to, for example 'the tray'",
            )
        return found

    def _thing_said(self, predicate: str) -> tuple[str, ...]:
        """Return what `it` means as a target: a container for `in`, else what was moved."""
        order = (self.spoken.moved, self.spoken.targets)
        if predicate in INVERSE and self.spoken.preposition in INVERSE:
            order = order[::-1]  # "the mug to the left of the plate, the fork to the right of it"
        for ids in order:
            fits = predicate != "in" or all(can_contain(self.scene[i]) for i in ids)
            if ids and fits:
                return ids
        return next((ids for ids in order if ids), ())


def _solid(items: Items) -> Refuse:
    ids = listed([item.id for item in items])
    return Refuse(
        RefuseKind.UNSUPPORTED_SKILL,
        f"nothing can be put in {ids}; say on or next to, or name a bowl or a tray",
    )
