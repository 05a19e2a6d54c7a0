"""What a noun phrase says: `the left red cube`, `all the others`, `it`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Quantifier(StrEnum):
    """How many of those that fit are meant."""

    THE = "the"
    A = "a"
    ANOTHER = "another"
    ALL = "all"
    BOTH = "both"
    REST = "rest"


class Pronoun(StrEnum):
    """What is meant by reference to what was said before."""

    IT = "it"
    THEM = "them"
    THERE = "there"
    ITSELF = "itself"
    EACH_OTHER = "each_other"


SAME_COLOR = "same_color"
"""Of a relation: as the other in colour."""


@dataclass(frozen=True)
class Relation:
    """A thing told by where it is: `predicate` with what `other` names; between two of them."""

    predicate: str
    other: Phrase
    second: Phrase | None = None


@dataclass(frozen=True)
class Phrase:
    """One noun phrase, read but not yet tied to a scene.

    Attributes:
        text: the words that describe it, without article, for messages.
        quantifier: how many of those that fit are meant.
        count: a number that was said, or 0.
        plural: True if it names several.
        colors: colour words, of which one must fit; empty if none was said.
        nouns: words for the kind, all of which must fit; empty if none was said.
        generic: True for `object`, `everything` and the like.
        says_one: True for `one` and `ones`.
        unknown: words that are not understood; they fit only what is named by them.
        selector: `left`, `nearest` and so on, or empty.
        selector_is_postfix: True for `the cube on the left`.
        ordinal: 1 for the first from the `selector` side, 0 if none was said.
        relations: `that is on the tray`, `in the bowl`.
        near: `closest to the bowl`.
        excluded: `except the red one`.
        pronoun: set if the phrase is a pronoun.
        object_id: set if an id was said.
        number: the trailing number of `cube 2`, or 0.
        matching: True for `the bowl of the same colour`.
        empty: True for `the empty bowl`.
        state: `open` or `closed`, for `the open drawer`.
        is_held: True for `the grasped block`.
        is_stacked: True for `the stacked block`.
        in_heap: True for `the bottom cube of the stack`.
        part: `top` or `center` for `the cabinet top`, `the table center`.
        is_each: True for `each bowl`, said one by one.
        content: what is in it, for `a bottle of ketchup`, which may be called ketchup alone.
        alternatives: what may be meant instead (`or the green one`).
    """

    text: str
    quantifier: Quantifier = Quantifier.THE
    count: int = 0
    plural: bool = False
    colors: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    generic: bool = False
    says_one: bool = False
    unknown: tuple[str, ...] = ()
    selector: str = ""
    selector_is_postfix: bool = False
    ordinal: int = 0
    relations: tuple[Relation, ...] = ()
    near: Phrase | None = None
    excluded: tuple[Phrase, ...] = ()
    pronoun: Pronoun | None = None
    object_id: str = ""
    number: int = 0
    matching: bool = False
    empty: bool = False
    state: str = ""
    is_held: bool = False
    is_stacked: bool = False
    in_heap: bool = False
    is_each: bool = False
    part: str = ""
    alternatives: tuple[Phrase, ...] = ()
    content: Phrase | None = None

    @property
    def is_several(self) -> bool:
        """True if more than one thing is meant."""
        if self.quantifier is Quantifier.ALL or self.count > 1:
            return True
        if self.count == 1:
            return False
        return self.plural or self.quantifier is Quantifier.BOTH or self.pronoun is Pronoun.THEM

    @property
    def is_anaphoric(self) -> bool:
        """True for `the green one`: its kind follows from what was said before."""
        return not (self.nouns or self.unknown or self.object_id or self.pronoun or self.generic)

    @property
    def is_plain(self) -> bool:
        """True for `the stack`: a noun and nothing that tells it from others."""
        told = self.colors or self.selector or self.relations or self.unknown or self.number
        return bool(self.nouns) and not told

    @property
    def is_bare_side(self) -> bool:
        """True for `the left`: a direction, naming no thing."""
        named = self.colors or self.says_one or self.ordinal or not self.is_anaphoric
        is_size = self.selector in ("largest", "smallest")
        return bool(self.selector) and not named and not is_size

    @property
    def is_bare_quantity(self) -> bool:
        """True for `both`, `all`, `two`: a quantity, naming no thing."""
        told = (
            self.colors
            or self.state
            or self.is_held
            or self.selector
            or self.ordinal
            or self.relations
            or self.near
        )
        return self.is_anaphoric and not told
