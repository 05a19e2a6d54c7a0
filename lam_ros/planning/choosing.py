"""How many of those that fit are meant, and what to ask if that stays open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.planning.cursor import Cursor
from lam_ros.planning.grounding import Items, Matcher
from lam_ros.planning.lexicon import Tag, words_in
from lam_ros.planning.outcome import Clarify, Refuse, RefuseKind
from lam_ros.planning.phrase_parser import parse_phrases
from lam_ros.planning.phrases import Phrase, Quantifier, Relation
from lam_ros.planning.text import Lexer, Token

_MOST_NAMES = 8
_LONGEST_ANSWER = 60
_ANY = words_in(
    """
    any anyone either whichever whatever any_one either_one any_of_them you_choose you_decide
    your_choice do_not_care does_not_matter do_not_mind no_matter up_to_you one_of_them some
    i_do_not_care it_does_not_matter i_do_not_mind it_is_up_to_you don_t_care doesn_t_matter
    """
)
_EVERY = frozenset({"both", "all", "all_of_them", "both_of_them", "every_one", "everyone", "each"})
_LEAD_INS = frozenset(
    {"no", "yes", "i", "mean", "meant", "want", "it", "is", "please", "take", "use"}
)

type Chosen = tuple[str, ...] | Clarify | Refuse


def missing(what: str, scene: Scene) -> Refuse:
    """Refuse because nothing fits, naming what is there."""
    return Refuse(RefuseKind.MISSING_OBJECT, f"there is no {what}; I see {listed(scene.ids)}")


def listed(names: Sequence[str]) -> str:
    """Return names as text, the first few of many."""
    if not names:
        return "nothing"
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Limits:
    """What narrows a choice beside the phrase.

    Attributes:
        avoid: ids that cannot be meant (a thing cannot be put on itself).
        satisfied: ids that are where they should be already; others are meant first.
        mentioned: ids that were spoken of before, for `the others`.
        prefer: ids that are taken first where any will do.
    """

    avoid: frozenset[str] = frozenset()
    satisfied: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    prefer: frozenset[str] = frozenset()


class Chooser:
    """Chooses among objects that fit; asks, or takes an answer, where the choice matters."""

    def __init__(
        self, scene: Scene, matcher: Matcher, lexer: Lexer, answers: Sequence[str]
    ) -> None:
        """Keep the answers to come, in the order of the questions."""
        self._scene = scene
        self._matcher = matcher
        self._lexer = lexer
        self.answers = tuple(answers)

    def choose(self, phrase: Phrase, items: Items, limits: Limits) -> Chosen:
        """Return the ids that a phrase means among `items`, which fit it."""
        if not items:
            return missing(phrase.text, self._scene)
        barred = limits.avoid
        if phrase.quantifier in (Quantifier.REST, Quantifier.ANOTHER):
            barred |= limits.mentioned
        allowed = [item for item in items if item.id not in barred]
        if phrase.quantifier is Quantifier.A:  # "a cube here and a cube there" are two
            fresh = [item for item in allowed if item.id not in limits.mentioned]
            allowed = fresh or allowed
        if not allowed and phrase.quantifier is Quantifier.THE and not phrase.is_several:
            allowed = items
        if not allowed:
            return missing(f"other {_bare(phrase.text)}", self._scene)
        if phrase.ordinal > len(items):
            return missing(phrase.text, self._scene)
        narrowed = self._matcher.narrowed(items, phrase)  # "the left one" is that of all
        left = [item for item in narrowed if item in allowed]
        left = left or self._matcher.narrowed(allowed, phrase)
        if not left:
            return missing(phrase.text, self._scene)
        if phrase.quantifier in (Quantifier.A, Quantifier.ANOTHER):
            return self._some(phrase, left, limits)
        if phrase.is_several:
            return self._several(phrase, left)
        return self._the_one(phrase, left, limits)

    def _some(self, phrase: Phrase, items: Items, limits: Limits) -> Chosen:
        """Any will do: the nearest that are not where they should be yet."""
        count = phrase.count or (2 if phrase.plural else 1)
        if len(items) < count:
            return _too_few(phrase, items)
        open_first = self._matcher.by_distance(items)
        open_first.sort(key=lambda item: item.id not in limits.prefer)
        open_first.sort(key=lambda item: item.id in limits.satisfied)
        return tuple(item.id for item in open_first[:count])

    def _several(self, phrase: Phrase, items: Items) -> Chosen:
        count = 2 if phrase.quantifier is Quantifier.BOTH else phrase.count
        if count and len(items) < count:
            return _too_few(phrase, items)
        if count and len(items) > count:
            return self._ask(f"Which {count} of the {_bare(phrase.text)}", items, count)
        return tuple(item.id for item in items)

    def _the_one(self, phrase: Phrase, items: Items, limits: Limits) -> Chosen:
        if len(items) > 1:
            items = [item for item in items if item.id not in limits.satisfied] or items
        if len(items) == 1:
            return (items[0].id,)
        if self._scene.held in {item.id for item in items}:
            return (self._scene.held,)  # "the block" is the one in the gripper
        return self._ask(f"Which {_bare(phrase.text)}", items, 1)

    def _ask(self, which: str, items: Items, count: int) -> Chosen:
        ids = tuple(item.id for item in items)
        options = " or ".join(f"{item.id} ({_where(item)})" for item in items[:_MOST_NAMES])
        question = f"{which} do you mean: {options}?"
        answer = self.next_answer()
        if not answer:
            return Clarify(question, ids)
        chosen = self.answered(answer, items)
        if not chosen or (count > 1 and len(chosen) != count):
            return Clarify(f"'{answer[:60]}' does not settle it. {question}", ids)
        return chosen

    def next_answer(self) -> str:
        """Take the next answer; empty if there is none."""
        answer, self.answers = (self.answers[0], self.answers[1:]) if self.answers else ("", ())
        return answer

    def tokens(self, text: str) -> list[Token]:
        """Return the tokens of an answer."""
        return self._lexer.tokens(self._lexer.words(text))

    def answered(self, answer: str, items: Items) -> tuple[str, ...]:
        """Return the ids among `items` that an answer means; empty if it settles nothing."""
        words = [word for word in self._lexer.words(answer) if word.isalnum() or "_" in word]
        words = words[:_LONGEST_ANSWER]
        if words[:1] == ["not"]:
            out = self.answered(" ".join(words[1:]), items)
            left = tuple(item.id for item in items if item.id not in out)
            return left if out and len(left) == 1 else ()
        ids = {item.id.lower(): item.id for item in items}
        named = tuple(ids[word] for word in dict.fromkeys(words) if word in ids)
        if named:
            return named
        key = "_".join(words)
        if key in _ANY:
            return (self._matcher.by_distance(items)[0].id,)
        if key in _EVERY:
            return tuple(ids.values())
        while words and words[0] in _LEAD_INS:
            words = words[1:]
        cursor = Cursor(self._lexer.tokens(words))
        if cursor.at(Tag.PREPOSITION):
            cursor.take()
        phrases = parse_phrases(cursor)
        if cursor.at(Tag.PREPOSITION) and len(phrases) == 1:
            predicate = cursor.take().value
            told = tuple(Relation(predicate, other) for other in parse_phrases(cursor))
            phrases = (replace(phrases[0], relations=told),)
        return self._among(phrases, items) if cursor.at_end else ()

    def _among(self, phrases: Sequence[Phrase], items: Items) -> tuple[str, ...]:
        found: list[str] = []
        for phrase in phrases:
            counted = _by_number(phrase, items)
            fits = {item.id for item in self._matcher.fitting(phrase)}
            near = [item for item in items if item.id in fits]
            left = counted or self._matcher.narrowed(near, phrase)
            if len(left) != 1 and not phrase.is_several:
                return ()
            found += [item.id for item in left]
        return tuple(dict.fromkeys(found))


def _by_number(phrase: Phrase, items: Items) -> Items:
    """Return what `the second one` or `2` means in a list of candidates."""
    index = phrase.ordinal if not phrase.selector else 0
    if phrase.count and phrase.is_bare_quantity and not phrase.ordinal:
        suffixed = [item for item in items if item.id.endswith(f"_{phrase.count}")]
        if len(suffixed) == 1:
            return suffixed
        index = phrase.count
    if index == -1:
        return items[-1:]
    return items[index - 1 : index] if index else []


def _too_few(phrase: Phrase, items: Items) -> Refuse:
    wanted = phrase.count or 2
    ids = listed([item.id for item in items])
    return Refuse(
        RefuseKind.MISSING_OBJECT,
        f"{wanted} {_bare(phrase.text)} were asked for; I see only {len(items)}: {ids}",
    )


def _bare(text: str) -> str:
    return text if text not in ("the rest", "the others", "both", "all", "") else "objects"


def _where(item: SceneObject) -> str:
    """Return where an object is, as the robot sees it, for example `18 cm ahead, 5 cm left`."""
    ahead, left = round(100 * item.position_m[0]), round(100 * item.position_m[1])
    side = f"{abs(left)} cm {'left' if left > 0 else 'right'}" if left else "in the middle"
    return f"{ahead} cm ahead, {side}"
