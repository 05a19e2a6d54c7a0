"""Reads an instruction clause by clause.  Every word is accounted for, or it is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from lam_ros.core.skills import Skill
from lam_ros.planning.clause_parser import BREAKS, ClauseReader
from lam_ros.planning.clauses import chained, lend_places, named_first
from lam_ros.planning.commands import Command, Condition
from lam_ros.planning.cursor import Cursor
from lam_ros.planning.lexicon import CLOSE, OPEN, PLACE, TURN_OFF, TURN_ON, Tag
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.place_parser import read_place
from lam_ros.planning.text import Token
from lam_ros.planning.verbs import OPEN_SKILLS, read_condition

_MAKES = {"open": OPEN, "closed": CLOSE, "on": TURN_ON, "off": TURN_OFF}
_AFTER_THAT = (Tag.COMMA, Tag.VERB, Tag.PREPOSITION)
_THAT = ("that", "this", "it", "so")
_ASKING = frozenset({"can", "could", "should", "may", "might", "would", "will", "shall"})
_AFTER_MARKER = (Tag.COMMA, Tag.VERB, Tag.NOT, Tag.DETERMINER, Tag.QUANTIFIER, Tag.PREPOSITION)


def parse_commands(
    tokens: Sequence[Token], skills: Collection[Skill] = OPEN_SKILLS
) -> tuple[Command, ...] | Refuse:
    """Return the clauses of an instruction in the order in which they are to be done.

    Args:
        tokens: what was said.
        skills: what can be done; a verb that needs another is refused.
    """
    return _Parser(tokens, skills).parse()


class _Parser:
    def __init__(self, tokens: Sequence[Token], skills: Collection[Skill]) -> None:
        self._cursor = Cursor(tokens)
        self._reader = ClauseReader(self._cursor, skills)
        self._stage = 0
        self._sentence = 0
        self._conditions: tuple[Condition, ...] = ()
        self._commands: list[Command] = []

    def parse(self) -> tuple[Command, ...] | Refuse:
        if self._cursor.peek().text in _ASKING and not self._cursor.at(Tag.PRONOUN, ahead=1):
            self._cursor.take()
        while True:
            goes_first = self._separators()
            if self._cursor.at_end:
                return lend_places(named_first(chained(self._commands)))
            start = self._cursor.index
            if self._cursor.at(Tag.WHEN):
                problem = self._when()
            else:
                problem = self._add(-1 - self._stage if goes_first else self._stage)
            if isinstance(problem, Refuse):
                return problem
            if not problem:
                said = self._cursor.rest(max(self._cursor.index - 1, start)) or "it"
                return _not_understood(said)

    def _add(self, stage: int) -> bool | Refuse:
        """Read a clause and keep it for a stage; False where it cannot be read."""
        command = self._reader.read(self._commands[-1].verb if self._commands else PLACE)
        if command is None or isinstance(command, Refuse):
            return command or False
        conditions = self._conditions
        self._commands.append(replace(command, stage=stage, conditions=conditions))
        return True

    # `if`, `unless`, `otherwise`, `before`, `after`

    def _when(self) -> bool | Refuse:
        word = self._cursor.take().value
        if word == "else":
            if not self._conditions:
                return False
            *kept, last = self._conditions
            self._conditions = (*kept, replace(last, is_negated=not last.is_negated))
            self._cursor.skip(Tag.COMMA)
            return True
        if word in ("if", "unless"):
            return self._if(word)
        if word == "once":
            return self._once()
        return self._around(word)

    def _if(self, word: str) -> bool:
        """Read a condition before its clauses, or after those of the same sentence."""
        condition = read_condition(self._cursor, lambda: read_place(self._cursor))
        if condition is None:
            return False
        if word == "unless":
            condition = replace(condition, is_negated=not condition.is_negated)
        if len(self._commands) > self._sentence:
            self._commands[self._sentence :] = [
                replace(command, conditions=(*command.conditions, condition))
                for command in self._commands[self._sentence :]
            ]
        self._conditions = (condition,)
        is_first = len(self._commands) == self._sentence
        if is_first:
            self._cursor.skip(Tag.COMMA, Tag.THEN)
        elif not self._is_else():
            self._conditions = ()
        return True

    def _once(self) -> bool:
        """Read `once the drawer is open, ...`: that is to be so before."""
        start = self._cursor.index
        condition = read_condition(self._cursor, lambda: read_place(self._cursor))
        if condition is None or condition.is_negated:
            return False
        verb = _MAKES.get(condition.state, "") or (PLACE if condition.place else "")
        if not verb:
            return False
        places = (condition.place,) if condition.place else ()
        text = self._cursor.between(start, self._cursor.index)
        behind = len(self._commands) > self._sentence
        stage = -1 - self._stage if behind else self._stage
        self._commands.append(Command(text, verb, (condition.subject,), places, stage=stage))
        self._stage += not behind
        self._cursor.skip(Tag.COMMA, Tag.THEN)
        return True

    def _is_else(self) -> bool:
        ahead = 0
        breaks = (Tag.COMMA, Tag.END, Tag.AND)
        while self._cursor.peek(ahead).text and self._cursor.at(*breaks, ahead=ahead):
            ahead += 1
        return self._cursor.at_value(Tag.WHEN, "else", ahead=ahead)

    def _around(self, word: str) -> bool | Refuse:
        """Read `before X-ing` and `after X-ing`, in front of a clause or behind it."""
        goes_behind = len(self._commands) > self._sentence
        now, start = self._stage, self._cursor.index
        if word == "after" and self._once():
            return True
        self._cursor.index = start
        if self._cursor.peek().text in ("doing", "you do") and self._cursor.peek(1).text in _THAT:
            self._cursor.take()
        if self._cursor.peek().text in _THAT and self._cursor.at(*_AFTER_THAT, ahead=1):
            self._cursor.take()
            self._cursor.skip(Tag.COMMA)
            self._stage += word == "after"
            return self._add(-1 - now if word == "before" else self._stage)
        if goes_behind and word == "after":
            self._commands[self._sentence :] = [
                replace(command, stage=command.stage + 1)
                for command in self._commands[self._sentence :]
            ]
        read = self._add(now if word == "after" else now + 1)
        if read is not True:
            return read
        self._stage = now + 1
        if goes_behind or word == "after":
            self._cursor.skip(Tag.COMMA)
            return True
        self._cursor.skip(Tag.COMMA, Tag.THEN)
        return self._add(now)

    def _separators(self) -> bool:
        """Step to the next clause, counting stages; True if it says `but first`."""
        cursor = self._cursor
        goes_first = False
        while not cursor.at_end:
            token = cursor.peek()
            is_marker = token.tag is Tag.ORDINAL and cursor.at(*_AFTER_MARKER, ahead=1)
            if cursor.at(Tag.WHEN) or not (cursor.at(*BREAKS) or is_marker):
                break
            if token.tag is Tag.END:
                self._sentence = len(self._commands)
                if not self._is_else():
                    self._conditions = ()
            if token.tag in (Tag.THEN, Tag.END) or (is_marker and token.value != "1"):
                self._stage += bool(self._commands)
            goes_first = is_marker and token.value == "1" and bool(self._commands)
            cursor.take()
        return goes_first


def _not_understood(said: str) -> Refuse:
    return Refuse(
        RefuseKind.NOT_UNDERSTOOD,
        f"I do not understand '{said[:80]}'; say it as 'put X in, on or next to Y'",
    )
