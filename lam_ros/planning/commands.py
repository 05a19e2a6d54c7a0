"""What an instruction asks for, clause by clause, before it is tied to a scene."""

from __future__ import annotations

from dataclasses import dataclass

from lam_ros.planning.phrases import Phrase


@dataclass(frozen=True)
class Place:
    """Where to: a preposition (`in`, `on`, `next_to`, `to`, ...) and what it governs.

    `is_goal` is True where the word says that something goes there (`onto`, `into`, `to`).
    """

    preposition: str
    targets: tuple[Phrase, ...]
    is_goal: bool = False


@dataclass(frozen=True)
class Condition:
    """What must be seen for a clause to count: `if the bowl is empty`.

    Attributes:
        text: its words, for messages.
        subject: what it is about.
        state: `empty`, `full`, `open`, `closed`, `on`, `off`, `there`, a colour, or empty.
        place: where the subject must be, or None.
        is_negated: True if it must not be so.
        least, most: how many there must be, for `if there are more than two cubes`.
    """

    text: str
    subject: Phrase
    state: str = ""
    place: Place | None = None
    is_negated: bool = False
    least: int = 1
    most: int | None = None


@dataclass(frozen=True)
class Command:
    """One clause.

    Attributes:
        text: its words, for messages.
        verb: meaning of its verb (see `lexicon`); that of the clause before if it has none.
        objects: what is moved; empty if the clause does not say (`then on the tray`).
        places: where to; the last is the target unless a scene says otherwise.
        sources: where from (`out of the bowl`).
        forbidden: where not to (`and not in the green bowl`).
        stage: clauses of one stage belong together; a later stage comes after.
        is_negated: True for `do not touch the red cube`.
        has_verb: True if the clause has a verb of its own.
        direction: `left`, `right`, `up` and so on for a push or a turn; empty if none was said.
        means: by which it is done, as the switch in `use the switch to turn on the light`.
        conditions: all must hold in the scene for the clause to count.
    """

    text: str
    verb: str
    objects: tuple[Phrase, ...] = ()
    places: tuple[Place, ...] = ()
    sources: tuple[Phrase, ...] = ()
    forbidden: tuple[Place, ...] = ()
    stage: int = 0
    is_negated: bool = False
    has_verb: bool = True
    direction: str = ""
    conditions: tuple[Condition, ...] = ()
    means: tuple[Phrase, ...] = ()
