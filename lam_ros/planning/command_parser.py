"""Reads an instruction clause by clause.  Every word is accounted for, or it is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from lam_ros.core.skills import Skill
from lam_ros.planning.clauses import (
    chained,
    filled,
    leave_out,
    lend_places,
    named_first,
    sources_apart,
)
from lam_ros.planning.commands import Command, Condition, Place
from lam_ros.planning.cursor import Cursor
from lam_ros.planning.kinds import head, is_place
from lam_ros.planning.lexicon import (
    CLOSE,
    ENSURE,
    OPEN,
    PLACE,
    PUSH,
    REMOVE,
    RETURN,
    SORT,
    STACK,
    TIDY,
    TURN_OFF,
    TURN_ON,
    UNSTACK,
    Tag,
)
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.phrase_parser import parse_phrase, parse_phrases
from lam_ros.planning.phrases import Phrase, Pronoun
from lam_ros.planning.readings import told_by
from lam_ros.planning.text import Token
from lam_ros.planning.thing_words import KIND_WORDS
from lam_ros.planning.verbs import (
    DIRECTED,
    OPEN_SKILLS,
    is_direction_first,
    read_condition,
    read_direction,
    read_leaving,
    read_particle,
    read_passive,
    verb_refusal,
)

_MAKES = {"open": OPEN, "closed": CLOSE, "on": TURN_ON, "off": TURN_OFF}
_RESTING = ("sit", "rest", "lie", "stand", "be")
_AFTER_THAT = (Tag.COMMA, Tag.VERB, Tag.PREPOSITION)
_BREAKS = (Tag.AND, Tag.COMMA, Tag.THEN, Tag.END, Tag.WHEN)
_THAT = ("that", "this", "it", "so")
_PARTICLES = {"away": TIDY, "out": REMOVE, "apart": UNSTACK}
_TOWARDS = ("onto", "into", "in to", "on to", "inside to", "up to", "over in", "over on")
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


def parse_place(tokens: Sequence[Token]) -> Place | None:
    """Read an answer such as `in the blue bowl` or `the tray`; None if it is neither."""
    cursor = Cursor(tokens)
    preposition = cursor.take().value if cursor.at(Tag.PREPOSITION) else "to"
    targets = parse_phrases(cursor)
    cursor.skip(Tag.END, Tag.COMMA)
    return Place(preposition, targets) if targets and cursor.at_end else None


class _Parser:
    def __init__(self, tokens: Sequence[Token], skills: Collection[Skill]) -> None:
        self._cursor = Cursor(tokens)
        self._skills = skills
        self._stage = 0
        self._sentence = 0
        self._is_wish = False
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
        command = self._clause()
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
        condition = read_condition(self._cursor, self._place)
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
        condition = read_condition(self._cursor, self._place)
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
            if cursor.at(Tag.WHEN) or not (cursor.at(*_BREAKS) or is_marker):
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

    def _clause(self) -> Command | Refuse | None:
        """Read one clause; None where it cannot be read."""
        cursor = self._cursor
        start = cursor.index
        negated = cursor.skip(Tag.NOT)
        if cursor.at(Tag.BE):
            return _statement(cursor.rest(start))
        fronted = self._place() if cursor.at(Tag.PREPOSITION) else None
        if fronted:
            cursor.skip(Tag.COMMA, Tag.SHALL)
        verb, has_verb = self._verb()
        if not negated and (refusal := verb_refusal(verb, self._skills)):
            return refusal
        command = Command("", verb, is_negated=negated, has_verb=has_verb)
        command = replace(command, places=(fronted,) if fronted else ())
        read = self._arguments(command)
        if isinstance(read, Refuse):
            return read
        if not negated and (refusal := verb_refusal(read.verb, self._skills)):
            return refusal
        ends = cursor.at_end or cursor.at(*_BREAKS) or cursor.at(Tag.NOT, Tag.VERB)
        says_something = read.objects or read.places or has_verb
        if not (ends and says_something) or cursor.index == start:
            return None
        said = replace(sources_apart(filled(read)), text=cursor.between(start, cursor.index))
        return _named_place(said)

    def _verb(self) -> tuple[str, bool]:
        """Take the verb; without one, that of the clause before counts."""
        cursor = self._cursor
        if cursor.at_value(Tag.VERB, "other:go") and cursor.at(Tag.VERB, ahead=1):
            cursor.take()
        if cursor.peek().text == "light" and cursor.at(Tag.DETERMINER, ahead=1):
            cursor.take()
            return TURN_ON, True
        if cursor.at_value(Tag.VERB, "other:make") and self._makes_be():
            cursor.take()
            self._is_wish = True
            return ENSURE, True
        if self._cursor.at(Tag.VERB):
            verb = self._cursor.take().value
            self._is_wish = verb == ENSURE
            if verb == ENSURE and self._cursor.at(Tag.VERB):
                verb = self._cursor.take().value
            return verb, True
        if self._is_wish:
            return ENSURE, False
        before = self._commands[-1].verb if self._commands else PLACE
        return before, False

    def _makes_be(self) -> bool:
        """Tell whether it says `make the cube sit on ...`."""
        cursor = self._cursor
        start = cursor.index
        cursor.take()
        found = parse_phrase(cursor)
        says = found is not None and (
            cursor.peek().text in _RESTING or cursor.at(Tag.SHALL, Tag.BE)
        )
        cursor.index = start
        return says

    def _arguments(self, command: Command) -> Command | Refuse:
        """Read objects, places and what is excluded, in the order in which they come."""
        cursor = self._cursor
        start = cursor.index
        cursor.skip(Tag.OF)
        joined = cursor.peek().text == "together" and bool(cursor.take())
        if command.verb in DIRECTED and is_direction_first(cursor):
            command = replace(command, direction=cursor.take().value)
        if cursor.at_value(Tag.PREPOSITION, "with", "from") and command.verb == STACK:
            cursor.take()
        if command.verb in DIRECTED and cursor.at(Tag.PREPOSITION):
            command = replace(command, direction=read_direction(cursor))
        command = replace(command, objects=parse_phrases(cursor, self._joins_objects))
        if joined and command.objects and not cursor.at(Tag.PREPOSITION):
            each_other = Phrase("each other", pronoun=Pronoun.EACH_OTHER)
            command = replace(command, places=(Place("next_to", (each_other,)),))
        if command.objects:
            self._skip_each()
        is_wish = command.verb == ENSURE or cursor.at(Tag.SHALL)
        if command.objects and not command.has_verb and (left := read_leaving(cursor, command)):
            return left
        if cursor.at(Tag.BE) and command.verb != ENSURE:
            return _statement(cursor.rest(start))
        command = self._shall(command, is_wish)
        if purpose := self._purpose(command):
            return purpose
        while True:
            at = cursor.index
            if command.verb in DIRECTED and (direction := read_direction(cursor)):
                command = replace(command, direction=direction)
            if cursor.index > at:  # "30 degrees" alone says no direction
                continue
            if purpose := self._purpose(command):
                return purpose
            if cursor.peek().text == "together":
                command = self._together(command)
            elif cursor.peek().text == "back" and command.objects:
                cursor.take()  # "put the pan back on the stove"
                if not cursor.at(Tag.PREPOSITION):
                    command = replace(command, verb=RETURN)
            elif cursor.peek().text in _PARTICLES and (
                cursor.at(*_BREAKS, ahead=1) or cursor.is_last
            ):
                command = replace(command, verb=_PARTICLES[cursor.take().text])
            elif cursor.peek().text == "over" and (cursor.at(*_BREAKS, ahead=1) or cursor.is_last):
                cursor.take()  # "carry it over"
            elif self._goes_on(command):
                command = self._shall(_told_by_place(command), is_wish=True)
            elif command.objects and self._is_inside_alone():
                cursor.take()
                it = Phrase("it", pronoun=Pronoun.IT)
                command = replace(command, places=(*command.places, Place("in", (it,))))
            elif cursor.at(Tag.PREPOSITION):
                place = self._place()
                if place is None:
                    return command
                command = replace(command, places=(*command.places, place))
                if not command.objects and not cursor.at(Tag.PREPOSITION):
                    late = parse_phrases(cursor) if command.has_verb else ()
                    command = replace(command, objects=late)
            elif command.objects and cursor.at_value(Tag.PRONOUN, "there"):
                there = parse_phrases(cursor)
                command = replace(command, places=(*command.places, Place("there", there)))
            elif command.objects and not command.places and self._is_place_after_comma():
                cursor.take()
            elif not (tail := self._tail(command)):
                return command
            else:
                command = tail

    def _shall(self, command: Command, is_wish: bool) -> Command:
        """Read `should be`, and the verb that may follow: `should be pressed`, `is to be open`."""
        cursor = self._cursor
        self._skip_each()
        cursor.skip(Tag.BE, Tag.SHALL)
        self._skip_each()
        if cursor.skip(Tag.BE, Tag.SHALL) or (is_wish and cursor.peek().text in _RESTING):
            cursor.take() if cursor.peek().text in _RESTING else None
        if not command.has_verb and cursor.at_value(Tag.VERB, "other:go"):
            cursor.take()
        if particle := read_particle(cursor, command.verb, is_wish):
            return replace(command, verb=particle)
        if is_wish and (passive := read_passive(cursor)):
            return replace(command, verb=passive)
        return command

    def _skip_each(self) -> None:
        """Step over `both` of `the cubes both belong in the bowl`."""
        cursor = self._cursor
        is_verb = cursor.at(Tag.SHALL, Tag.BE, Tag.PREPOSITION, ahead=1)
        is_go = cursor.at_value(Tag.VERB, "other:go", ahead=1)
        if cursor.at_value(Tag.QUANTIFIER, "both", "all") and (is_verb or is_go):
            cursor.take()

    def _goes_on(self, command: Command) -> bool:
        """Tell whether a verb like `goes` follows: what was said of places told which thing."""
        says = self._cursor.at(Tag.SHALL) or self._cursor.at_value(Tag.VERB, "other:go")
        return says and bool(command.objects and command.places) and not command.has_verb

    def _together(self, command: Command) -> Command:
        """Read `bring the two moons together`: side by side, unless a place is said."""
        self._cursor.take()
        if not command.objects or command.places or self._cursor.at(Tag.PREPOSITION):
            return command
        each_other = Phrase("each other", pronoun=Pronoun.EACH_OTHER)
        verb = PLACE if command.verb in (SORT, PUSH) else command.verb
        return replace(command, verb=verb, places=(Place("next_to", (each_other,)),))

    def _purpose(self, command: Command) -> Command | Refuse | None:
        """Read `to turn on the light`: what is done for it is only the means."""
        cursor = self._cursor
        verb, start = cursor.peek(1).value, cursor.index
        if not (cursor.at_value(Tag.PREPOSITION, "to") and cursor.at(Tag.VERB, ahead=1)):
            return None
        cursor.index += 2
        objects = parse_phrases(cursor, self._joins_objects)
        verb = read_particle(cursor, verb, is_wish=False) or verb
        if verb not in (OPEN, CLOSE, TURN_ON, TURN_OFF):
            cursor.index = start
            return None
        if objects and objects[0].pronoun is Pronoun.IT:
            objects = command.objects or objects
        means = command.objects or tuple(t for place in command.places for t in place.targets)
        return replace(
            Command(command.text, verb, objects, is_negated=command.is_negated), means=means
        )

    def _is_inside_alone(self) -> bool:
        """Tell whether it says `inside` and not of what: what was spoken of is meant."""
        is_inside = self._cursor.peek().text in ("inside", "in")
        return is_inside and (self._cursor.at(*_BREAKS, ahead=1) or self._cursor.is_last)

    def _is_place_after_comma(self) -> bool:
        return self._cursor.at(Tag.COMMA) and self._cursor.at(Tag.PREPOSITION, ahead=1)

    def _joins_objects(self, phrase: Phrase) -> bool:
        """Tell whether a phrase after a comma or `and` is moved by the same verb."""
        return not self._cursor.at(Tag.SHALL, Tag.BE)

    def _place(self) -> Place | None:
        """Read a preposition and what it governs."""
        start = self._cursor.index
        said = self._cursor.take()
        preposition = said.value
        is_goal = preposition == "to" or said.text.startswith(_TOWARDS)
        first: list[Phrase] = []

        def joins(phrase: Phrase) -> bool:
            if preposition == "between" and len(first) == 1:
                return True
            return bool(first) and self._joins_targets(first[0], phrase)

        self._cursor.in_place = True
        probe = self._cursor.index
        head = parse_phrase(self._cursor)
        if head is not None:
            first.append(head)
            self._cursor.index = probe
            place = Place(preposition, parse_phrases(self._cursor, joins), is_goal)
        self._cursor.in_place = False
        if head is None:
            self._cursor.index = start
            return None
        return place

    def _joins_targets(self, first: Phrase, phrase: Phrase) -> bool:
        """Tell whether a phrase after a target and a comma or `and` is one more target.

        It is not if a place of its own follows (`in the bowl and the green one on the
        tray`), or if it is rather one more thing to move (`in the bowl and the green one`).
        """
        cursor = self._cursor
        start = cursor.index
        while cursor.skip(Tag.AND, Tag.COMMA) and parse_phrase(cursor):
            pass
        goes_on = cursor.at(Tag.PREPOSITION, Tag.SHALL, Tag.BE)
        cursor.index = start
        is_thing = phrase.is_anaphoric or not _is_place(phrase)
        is_more = bool(first.nouns) and _is_place(first) and is_thing
        return not goes_on and not is_more

    def _tail(self, command: Command) -> Command | None:
        """Read `, not in the bowl`, `but not the red one`, `except the red one`."""
        cursor = self._cursor
        start = cursor.index
        cursor.skip(Tag.COMMA, Tag.AND)
        says_not = cursor.at(Tag.NOT, Tag.EXCEPT)
        is_but = cursor.peek(-1).value == "but" and cursor.index > start
        if says_not:
            cursor.take()
            if cursor.at(Tag.PREPOSITION) and (place := self._place()):
                return replace(command, forbidden=(*command.forbidden, place))
        if (says_not or is_but) and command.objects and not cursor.at(Tag.VERB):
            left_out = parse_phrases(cursor)
            if left_out and (cursor.at_end or cursor.at(*_BREAKS, Tag.NOT)):
                return leave_out(command, left_out)
        cursor.index = start
        return None


def _named_place(command: Command) -> Command:
    """Read `yellow cube, white bowl` as what and where to."""
    bare = not (command.has_verb or command.places or command.is_negated)
    if not bare or len(command.objects) != 2 or command.verb != PLACE:
        return command
    item, target = command.objects
    if not item.nouns or _is_place(item) or not _is_place(target):
        return command
    return replace(command, objects=(item,), places=(Place("to", (target,)),))


def _told_by_place(command: Command) -> Command:
    """Read the places of `the bowl in the drawer goes ...` as what tells the bowl."""
    objects = command.objects
    for place in command.places:
        objects = tuple(told_by(item, place) for item in objects)
    return replace(command, objects=objects, places=())


def _is_place(phrase: Phrase) -> bool:
    """Tell whether its head names what things are put in or on rather than what is carried."""
    if not phrase.nouns:
        return False
    kinds = KIND_WORDS.get(phrase.nouns[-1], (phrase.nouns[-1],))
    return any(is_place(head(kind)) for kind in kinds[:1])


def _statement(said: str) -> Refuse:
    return Refuse(
        RefuseKind.NOT_A_TASK,
        f"'{said}' says how things are; say what to do, for example 'put the red cube in the bowl'",
    )


def _not_understood(said: str) -> Refuse:
    return Refuse(
        RefuseKind.NOT_UNDERSTOOD,
        f"I do not understand '{said[:80]}'; say it as 'put X in, on or next to Y'",
    )
