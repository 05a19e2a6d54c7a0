"""From clauses to placements: what is to be put where, tied to the ids of a scene."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from lam_ros.core.scene import Literal
from lam_ros.core.skills import DEMONSTRATED, TRAINED, Skill, Step
from lam_ros.planning.acting import ACTS, Actor, holding_steps
from lam_ros.planning.choosing import Limits, listed
from lam_ros.planning.commands import Command, Place
from lam_ros.planning.conditions import Judge
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.domain import Place as Where
from lam_ros.planning.domain import effect_of, first_places
from lam_ros.planning.grounding import TABLE_WORDS
from lam_ros.planning.kinds import head
from lam_ros.planning.lexicon import (
    CLOSE,
    GRASP,
    HARM,
    LEAVE,
    OPEN,
    OTHER,
    PLACE,
    PUSH,
    REMOVE,
    RETURN,
    SORT,
    STACK,
    TALK,
)
from lam_ros.planning.outcome import Clarify, Refuse, RefuseKind
from lam_ros.planning.phrases import Phrase, Pronoun, Quantifier, Relation
from lam_ros.planning.place_parser import parse_place
from lam_ros.planning.placing import SKILL_OF, Asked, Placer, predicate_for, refuse_skill
from lam_ros.planning.wishing import WISHES, Wished, Wisher

_TILTS = {"lower": CLOSE, "raise": OPEN, "lift": OPEN}
_TILTED = {"down": CLOSE, "up": OPEN}
_THERE = Phrase("there", pronoun=Pronoun.THERE)
_EVERYTHING = Phrase("object", quantifier=Quantifier.ALL, generic=True, plural=True)
_ONE_ANOTHER = Phrase("each other", pronoun=Pronoun.EACH_OTHER)


@dataclass(frozen=True)
class Placement:
    """One step that was asked for.

    Attributes:
        step: what was asked for.
        stage: a later one was asked for after an earlier one.
        is_means: True if it only serves what comes after (`open the drawer and put ...`).
    """

    step: Step
    stage: int = 0
    is_means: bool = False


type Placements = tuple[Placement, ...]
type Interpreted = Placements | Clarify | Refuse


class Interpreter:
    """Turns clauses into placements, one after the other."""

    def __init__(
        self,
        resolver: Resolver,
        skills: Collection[Skill] = TRAINED,
        remembered: Mapping[str, Where] | None = None,
    ) -> None:
        """Start with nothing asked for.

        Args:
            resolver: ties phrases to ids.
            skills: what can be done at all.
            remembered: where objects were before, for `put it back`.
        """
        self._resolver = resolver
        self._is_open = not frozenset(skills) <= frozenset(DEMONSTRATED)
        self._placer = Placer(resolver, self._is_open)
        self._actor = Actor(resolver, self._placer)
        self._wisher = Wisher(resolver, self._is_open, remembered or {})
        self._judge = Judge(resolver)
        self.unmet: list[str] = []
        self._approached = ""
        self._stays: Refuse | None = None
        self._scene = resolver.scene
        self._forbidden: set[Literal] = set()
        self._picked: Command | None = None
        self._in_hand: tuple[str, ...] = ()

    def interpret(self, commands: Sequence[Command]) -> Interpreted:
        """Return the placements that the clauses ask for, in the order of their stages."""
        for command in commands:
            problem = None if _looks_back(command) else self._forbid(command)
            if problem:
                return problem
        found: list[Placement] = []
        for command in commands:
            counts = self._judge.holds(command)
            if not isinstance(counts, bool):
                return counts
            if not counts:
                self.unmet += [f"'{c.text}' decides it" for c in command.conditions]
                self._note_quietly(command)
                continue
            placed = self._clause(command)
            if not isinstance(placed, tuple):
                return placed
            found = _without_carried(found, placed)
        if self._picked:
            placed = self._pick_without_place(self._picked)
            if not isinstance(placed, tuple):
                return placed
            found += placed
        return self._checked(tuple(sorted(found, key=lambda item: item.stage)))

    def _checked(self, placements: Placements) -> Interpreted:
        if not placements and self.unmet:
            return ()
        if not placements and self._stays:
            return self._stays
        if not placements:
            return Refuse(RefuseKind.NOT_A_TASK, "nothing is to be moved; say what goes where")
        protected = self._resolver.spoken.protected
        for step in (placement.step for placement in placements):
            effect = effect_of(step, self._scene)
            if effect in self._forbidden or step.object_id in protected:
                return Refuse(
                    RefuseKind.CONTRADICTORY,
                    f"{effect or step.skill} is both asked for and forbidden; say which holds",
                )
        return placements

    # What must not be done

    def _forbid(self, command: Command) -> Clarify | Refuse | None:
        """Take note of what a negated clause rules out."""
        verb = command.verb.partition(":")[0]
        if not _forbids(command) or verb in (HARM, TALK, OTHER):
            return None
        if command.places:
            return self._forbid_places(command.objects, command.places)
        for phrase in command.objects:
            ids = self._resolver.moved(phrase, Limits())
            if not isinstance(ids, tuple):
                return ids
            spoken = self._resolver.spoken
            self._resolver.spoken = replace(spoken, protected=spoken.protected | set(ids))
        return None

    def _forbid_places(
        self, objects: Sequence[Phrase], places: Sequence[Place]
    ) -> Clarify | Refuse | None:
        pairs = [(phrase, place, target)
                 for phrase in objects for place in places for target in place.targets]  # fmt: skip
        for phrase, place, target in pairs:
            moved = self._resolver.moved(phrase, Limits())
            if not isinstance(moved, tuple):
                return moved
            problem = self._forbid_target(moved, place.preposition, target)
            if problem:
                return problem
        return None

    def _forbid_target(
        self, moved: tuple[str, ...], preposition: str, target: Phrase
    ) -> Clarify | Refuse | None:
        ids = self._resolver.target(target, preposition, (), Limits())
        if isinstance(ids, Clarify):
            ids = ids.candidates  # not in "the bowl", whichever that is
        if not isinstance(ids, tuple):
            return ids
        for target_id in ids:
            if target_id not in self._scene:
                continue
            predicate = predicate_for(preposition, self._scene[target_id])
            if predicate in SKILL_OF:
                self._forbidden |= {Literal(predicate, (item, target_id)) for item in moved}
        return None

    # What is to be done

    def _clause(self, command: Command) -> Interpreted:
        if _forbids(command):
            problem = self._forbid(command) if _looks_back(command) else None
            self._note_quietly(command)
            return problem or ()
        if command.verb in WISHES:
            return self._wished(command)
        if command.verb in ACTS:
            return self._acted(command)
        if self._is_open and (act := self._as_act(command)):
            return self._acted(act)
        picks = self._is_open and command.verb == GRASP and command.objects
        if picks and command.places and not command.places[-1].is_goal:
            return self._picked_where(command)
        return self._place(command) if command.places else self._without_place(command)

    def _as_act(self, command: Command) -> Command | None:
        """Read `move the door to the left` as a push, `lower the lid` as closing it."""
        first = command.text.split()[0] if command.text else ""
        verb = _TILTS.get(first, "") or _TILTED.get(command.direction, "")
        if verb and not command.places and self._is_lidded(command.objects):
            return replace(command, verb=verb)
        if command.direction in _TILTED and self._are_switches(command.objects):
            return replace(command, verb=PUSH)
        if command.verb != PLACE or command.places or not command.objects:
            return None
        at_side = any(phrase.selector_is_postfix for phrase in command.objects)
        pushes = command.direction not in ("", *_TILTED) or (at_side and not command.sources)
        return replace(command, verb=PUSH) if pushes else None

    def _is_lidded(self, objects: Sequence[Phrase]) -> bool:
        """Tell whether one thing is meant that is known to be open or closed."""
        found = [item for phrase in objects for item in self._resolver.matcher.fitting(phrase)]
        return len(found) == 1 and found[0].is_open is not None

    def _are_switches(self, objects: Sequence[Phrase]) -> bool:
        found = [item for phrase in objects for item in self._resolver.matcher.fitting(phrase)]
        return bool(found) and all(head(item.kind) in ("switch", "lever") for item in found)

    def _acted(self, command: Command) -> Interpreted:
        sources = [p for p in command.sources if not TABLE_WORDS.intersection(p.nouns)]
        if command.verb == PUSH and sources and not (command.places or command.direction):
            return self._without_place(replace(command, verb=GRASP))  # "slide it out of the stand"
        asked = self._actor.act(command)
        if not isinstance(asked, Asked):
            return asked
        self._note(command, asked)
        return tuple(Placement(step, command.stage) for step in asked.steps)

    def _wished(self, command: Command) -> Interpreted:
        told = command.places and not command.sources
        if (command.verb == RETURN and command.places) or (command.verb == SORT and told):
            return self._place(replace(command, verb=PLACE))
        wished = self._wisher.wish(command)
        if not isinstance(wished, Wished):
            return wished
        self._note(command, wished.asked)
        means = tuple(Placement(step, command.stage, is_means=True) for step in wished.means)
        steps = tuple(Placement(step, command.stage) for step in wished.asked.steps)
        if not steps:
            self.unmet.append(f"'{command.text}' leaves nothing to move")
        return (*means, *steps)

    def _picked_where(self, command: Command) -> Interpreted:
        """Read `grasp the blue block in the drawer`: the place tells which one."""
        relations = tuple(_relation_of(place) for place in command.places if place.targets)
        objects = tuple(
            replace(phrase, relations=(*phrase.relations, *relations)) for phrase in command.objects
        )
        found = self._without_place(replace(command, places=(), objects=objects))
        if isinstance(found, Refuse) and found.kind is RefuseKind.MISSING_OBJECT:
            return self._place(command)  # `get the bowl on the plate` says where to
        return found

    def _place(self, command: Command) -> Interpreted:
        asked = self._placer.place(command)
        if not isinstance(asked, Asked):
            return asked
        for place in command.forbidden:
            for target in place.targets:
                problem = self._forbid_target(asked.objects, place.preposition, target)
                if problem:
                    return problem
        self._note(command, asked)
        return tuple(Placement(step, command.stage) for step in asked.steps)

    def _note(self, command: Command, asked: Asked) -> None:
        """Remember what was spoken of, for pronouns and ellipsis."""
        nouns = [phrase.nouns for phrase in command.objects if phrase.nouns]
        kinds = [phrase.nouns for place in command.places for phrase in place.targets]
        spoken = self._resolver.spoken
        self._resolver.spoken = replace(
            spoken,
            moved=asked.objects or spoken.moved,
            nouns=nouns[-1] if nouns else spoken.nouns,
            targets=asked.targets or spoken.targets,
            target_nouns=next((k for k in reversed(kinds) if k), spoken.target_nouns),
            preposition=asked.preposition or spoken.preposition,
            mentioned=spoken.mentioned | set(asked.objects),
        )
        if self._picked and set(spoken.moved) & {*asked.objects, *asked.targets}:
            self._picked = None

    def _note_sources(self, command: Command) -> None:
        """Let `it` mean what something is taken out of, if nothing was put anywhere yet."""
        found = [item.id for phrase in command.sources
                 for item in self._resolver.matcher.fitting(phrase)]  # fmt: skip
        spoken = self._resolver.spoken
        if len(found) == 1 and not spoken.targets:
            self._resolver.spoken = replace(spoken, targets=tuple(found))

    def _note_quietly(self, command: Command) -> None:
        """Let `it` mean what a clause forbids to be moved, if that is clear."""
        chooser = self._resolver.chooser
        kept, chooser.answers = chooser.answers, ()
        asked = self._placer.only_objects(command) if command.objects else None
        chooser.answers = kept
        if isinstance(asked, Asked):
            spoken = self._resolver.spoken
            self._resolver.spoken = replace(spoken, moved=asked.objects)
        for place in command.places[-1:]:
            ids = self._quiet_targets(place)
            if ids:
                spoken = self._resolver.spoken
                self._resolver.spoken = replace(spoken, targets=ids, preposition=place.preposition)

    def _quiet_targets(self, place: Place) -> tuple[str, ...]:
        """Return where to, if that is clear without asking."""
        found: list[str] = []
        for phrase in place.targets:
            ids = self._resolver.target(phrase, place.preposition, (), Limits())
            if not isinstance(ids, tuple):
                return ()
            found += ids
        return tuple(found)

    def _without_place(self, command: Command) -> Interpreted:
        spoken = self._resolver.spoken
        at_side = any(phrase.selector_is_postfix for phrase in command.objects)
        if at_side and command.verb == PLACE and not command.sources:
            return refuse_skill(
                "placing at a side is not among my skills; say in, on or next to what"
            )
        if command.verb == STACK:
            return self._tower(command)
        goes_along = not command.has_verb or command.text.split()[:1] in (["add"], ["adding"])
        if goes_along and spoken.targets and command.objects:
            return self._place(replace(command, places=(Place(spoken.preposition, (_THERE,)),)))
        asked = self._placer.only_objects(command)
        if not isinstance(asked, Asked):
            return asked
        if self._approached and command.objects and command.verb == PLACE:
            near = Place("to", (Phrase(self._approached, object_id=self._approached),))
            return self._place(replace(command, places=(near,)))
        self._note(command, asked)
        self._note_sources(command)
        if command.verb == GRASP:
            self._approach(asked.objects)
        if command.verb in (GRASP, REMOVE):
            stays = self._placer.immovable(asked.objects) if self._is_open else None
            self._picked = None if stays else command
            self._in_hand = asked.objects
            self._stays = stays
            return ()
        if problem := self._placer.immovable(asked.objects):
            return problem
        return self._ask_where(command, asked.objects)

    def _approach(self, ids: tuple[str, ...]) -> None:
        """Remember a place that was gone to: `move to the drawer and put the block down`."""
        is_place = len(ids) == 1 and self._resolver.config.is_fixed(self._scene[ids[0]])
        self._approached = ids[0] if is_place and self._is_open else ""

    def _tower(self, command: Command) -> Interpreted:
        """Read `stack the cubes`: on each other, in the order that is least work."""
        command = replace(command, objects=command.objects or (_EVERYTHING,))
        answers = self._resolver.chooser.answers
        asked = self._placer.only_objects(command)
        if isinstance(asked, Asked) and len(asked.objects) == 1:
            self._note(command, asked)
            return self._ask_where(command, asked.objects)
        self._resolver.chooser.answers = answers
        places = (Place("on", (_ONE_ANOTHER,)),)
        return self._place(replace(command, places=places))

    def _pick_without_place(self, command: Command) -> Interpreted:
        sources = [p for p in command.sources if not TABLE_WORDS.intersection(p.nouns)]
        takes_out = sources and {"out", "off"}.intersection(command.text.split())
        if self._is_open and command.verb == GRASP and not takes_out:
            steps = holding_steps(self._in_hand)
            return tuple(Placement(step, command.stage) for step in steps)
        places = first_places(self._scene)
        moved = self._in_hand
        is_free = all(places[item] == Where() for item in moved)
        if self._is_open and not is_free:
            spoken = self._resolver.spoken
            self._resolver.spoken = replace(spoken, moved=moved)
            it = Phrase("it", pronoun=Pronoun.THEM if len(moved) > 1 else Pronoun.IT)
            table = Place("on", (Phrase("table", nouns=("table",)),))
            return self._place(Command(command.text, "place", (it,), (table,), stage=command.stage))
        if command.verb == REMOVE or sources:
            return self._ask_where(command, moved)
        return refuse_skill(
            f"'{command.text}' says no place to put it; say also in, on or next to what it goes"
        )

    def _ask_where(self, command: Command, objects: tuple[str, ...]) -> Interpreted:
        """Ask for the place, or take it from an answer."""
        chooser = self._resolver.chooser
        targets = tuple(item for item in self._scene.ids if item not in objects)
        question = f"Where should {listed(objects)} go: {listed(targets)}?"
        answer = chooser.next_answer()
        if not answer:
            return Clarify(question, targets)
        place = parse_place(chooser.tokens(answer))
        if place is None:
            return Clarify(f"'{answer[:60]}' names no place. {question}", targets)
        if command.verb == STACK and place.preposition == "to":
            place = replace(place, preposition="on")
        it = Phrase("it", pronoun=Pronoun.THEM if len(objects) > 1 else Pronoun.IT)
        return self._place(Command(command.text, "place", (it,), (place,), stage=command.stage))


def _relation_of(place: Place) -> Relation:
    """Return where something is as what tells it from others."""
    at = "from" if place.preposition in ("in", "on", "to", "at") else place.preposition
    first, *others = place.targets
    return Relation(at, first, others[0] if at == "between" and others else None)


def _without_carried(found: list[Placement], placed: Placements) -> list[Placement]:
    """Add placements; what was stacked on a thing goes with it (`stack a on b, put them there`)."""
    on = {item.step.object_id: item.step.target_id for item in found
          if item.step.skill is Skill.PLACE_ON}  # fmt: skip
    moved = {item.step.object_id for item in placed}
    kept = [item for item in placed
            if len(moved) == 1 or on.get(item.step.object_id) not in moved]  # fmt: skip
    return [*found, *kept]


def _forbids(command: Command) -> bool:
    """Tell whether a clause says what not to do: `do not`, `leave the red cube alone`."""
    return command.is_negated or (command.verb == LEAVE and not command.places)


def _looks_back(command: Command) -> bool:
    """Tell whether a clause can be understood only after those before it."""
    phrases = [*command.objects, *(item for place in command.places for item in place.targets)]
    back = (Quantifier.REST, Quantifier.ANOTHER)
    return any(p.pronoun or p.quantifier in back for p in phrases) or not command.objects
