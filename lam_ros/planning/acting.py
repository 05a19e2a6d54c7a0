"""From clauses about doors, lamps, buttons, pushes and turns to steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from lam_ros.core.scene import Literal, SceneObject
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.choosing import Chosen, Limits
from lam_ros.planning.commands import Command
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.domain import first_places
from lam_ros.planning.kinds import CONTROLS, head, is_part
from lam_ros.planning.lexicon import (
    CLOSE,
    OPEN,
    PRESS,
    PUSH,
    PUSH_DOWN,
    PUSH_UP,
    ROTATE,
    TURN_OFF,
    TURN_ON,
)
from lam_ros.planning.outcome import Clarify, Refuse, RefuseKind
from lam_ros.planning.phrases import Phrase, Pronoun
from lam_ros.planning.placing import Asked, Placer, refuse_skill

ACTS = frozenset({OPEN, CLOSE, TURN_ON, TURN_OFF, PRESS, PUSH, PUSH_UP, PUSH_DOWN, ROTATE})
"""Verbs that are read here."""

_DOORS = frozenset(
    [
        "drawer",
        "door",
        "cabinet",
        "cupboard",
        "microwave",
        "oven",
        "fridge",
        "refrigerator",
        "slider",
        "box",
        "bin",
    ]
)
_DEVICES = frozenset(
    [
        "stove",
        "hob",
        "burner",
        "lamp",
        "light",
        "lightbulb",
        "bulb",
        "led",
        "oven",
        "microwave",
        "switch",
        "lever",
        "button",
    ]
)
_LIGHTS = frozenset(["lightbulb", "bulb", "lamp", "light"])
_STATE_OF = {OPEN: "open", CLOSE: "closed", TURN_ON: "turned_on", TURN_OFF: "turned_off"}
_SURFACES = frozenset({"table", "tabletop", "desk", "counter", "board", "workspace", "surface"})
_EDGES = frozenset({"table", "tabletop", "desk", "counter", "edge", "shelf"})
_IT = Phrase("it", pronoun=Pronoun.IT)


class Actor:
    """Grounds what is opened, switched, pressed, pushed or turned."""

    def __init__(self, resolver: Resolver, placer: Placer) -> None:
        """Ground through `resolver`; pushes into something through `placer`."""
        self._resolver = resolver
        self._placer = placer
        self._scene = resolver.scene

    def act(self, command: Command) -> Asked | Clarify | Refuse:
        """Return what a clause asks for."""
        verb = command.verb
        if verb in _STATE_OF:
            return self._states(command, verb)
        if verb in (PUSH_UP, PUSH_DOWN):
            return self._switched(command)
        if verb == PRESS:
            return self._each(command, self._pressed)
        if verb == PUSH and command.places and not command.objects:
            inward = tuple(target for place in command.places for target in place.targets)
            pulls = command.text.split()[:1] in (["pull"], ["pulling"], ["tug"])
            meant = replace(command, objects=inward, places=())
            return self._states(meant, OPEN if pulls else CLOSE)
        if verb == PUSH and (side := _table_side(command)):
            command = replace(command, direction=side, places=())
        if verb == PUSH and command.places:
            return self._pushed_to(command)
        skill = Skill.PUSH if verb == PUSH else Skill.ROTATE
        return self._moved_towards(command, skill)

    def _ids(self, command: Command, limits: Limits) -> Chosen:
        found: list[str] = []
        for phrase in _told(command) or (_IT,):
            ids = self._resolver.moved(phrase, limits)
            if not isinstance(ids, tuple):
                return ids
            if phrase.pronoun and limits.satisfied.issuperset(ids):
                targets = self._resolver.spoken.targets
                ids = tuple(item for item in targets if item not in limits.avoid) or ids
            found += [item for item in ids if item not in found]
        return tuple(found)

    def _each(
        self, command: Command, step: Callable[[SceneObject], Step | Refuse]
    ) -> Asked | Clarify | Refuse:
        ids = self._ids(command, Limits())
        if not isinstance(ids, tuple):
            return ids
        steps: list[Step] = []
        for item in ids:
            made = step(self._scene[item])
            if isinstance(made, Refuse):
                return made
            steps.append(made)
        return Asked(tuple(steps), tuple(made.object_id for made in steps), (), "")

    # Open, close, turn on, turn off

    def _states(self, command: Command, verb: str) -> Asked | Clarify | Refuse:
        predicate = _STATE_OF[verb]
        able = self._openable if verb in (OPEN, CLOSE) else self._switchable
        holding = [item.id for item in self._scene.objects
                   if self._scene.holds(Literal(predicate, (item.id,)))]  # fmt: skip
        unable = [item.id for item in self._scene.objects if not able(item)]
        limits = Limits(satisfied=frozenset(holding) | frozenset(unable))
        ids = self._ids(command, limits)
        if isinstance(ids, Clarify) and (step := self._by_means(command, ids)):
            return Asked((step,), (step.object_id,), (), "")
        if not isinstance(ids, tuple):
            return ids
        found: list[str] = []
        for item in ids:
            chosen = self._part(self._scene[item], able, predicate)
            if not isinstance(chosen, tuple):
                return chosen
            found += chosen
        steps = tuple(Step(Skill(verb), item, "") for item in found)
        return Asked(steps, tuple(found), (), "")

    def _by_means(self, command: Command, asked: Clarify) -> Step | None:
        """Return what a switch does where several lamps fit: it switches the bulb, no LED."""
        by = [t for place in command.places if place.preposition == "with" for t in place.targets]
        for phrase in (*command.means, *by):
            means = self._resolver.matcher.fitting(phrase)
            if len(means) == 1 and head(means[0].kind) in ("switch", "lever"):
                step = self._lamp_step(means[0], command.verb == TURN_ON)
                return step if step.object_id in asked.candidates else None
            if len(means) == 1 and head(means[0].kind) == "button":
                return Step(Skill.PRESS, means[0].id, "")
        return None

    def _part(
        self, item: SceneObject, able: Callable[[SceneObject], bool], predicate: str
    ) -> Chosen:
        """Return what of an object is opened or switched: itself, or one of its parts."""
        parts = [part for part in self._scene.objects if is_part(part, item) and able(part)]
        has_state = item.is_open is not None or item.is_on is not None
        if parts and not has_state:
            left = [p for p in parts if not self._scene.holds(Literal(predicate, (p.id,)))]
            limits = Limits(satisfied=frozenset(p.id for p in parts if p not in left))
            return self._resolver.chooser.choose(Phrase(f"part of {item.id}"), parts, limits)
        if not able(item):
            return refuse_skill(f"{item.id} is nothing that can be {predicate.replace('_', ' ')}")
        return (item.id,)

    def _openable(self, item: SceneObject) -> bool:
        return item.is_open is not None or head(item.kind) in _DOORS

    def _switchable(self, item: SceneObject) -> bool:
        return item.is_on is not None or head(item.kind) in _DEVICES

    # Switches and buttons

    def _switched(self, command: Command) -> Asked | Clarify | Refuse:
        """Read `push the switch up`: it turns on the lamp; `push down the button` presses it."""
        up = command.verb == PUSH_UP

        def step(item: SceneObject) -> Step | Refuse:
            if head(item.kind) == "button":
                return Step(Skill.PRESS, item.id, "")
            if head(item.kind) in ("switch", "lever"):
                return self._lamp_step(item, up)
            return Step(Skill.PUSH, item.id, "up" if up else "down")

        return self._each(command, step)

    def _pressed(self, item: SceneObject) -> Step | Refuse:
        """Press a button; a switch is set to the other side."""
        if not self._switchable(item) and head(item.kind) not in CONTROLS:
            return refuse_skill(f"{item.id} is nothing that can be pressed")
        if head(item.kind) not in ("switch", "lever"):
            return Step(Skill.PRESS, item.id, "")
        lamps = [lamp for lamp in self._scene.objects if head(lamp.kind) in _LIGHTS]
        is_lit = len(lamps) == 1 and lamps[0].is_on is True
        return self._lamp_step(item, not is_lit)

    def _lamp_step(self, switch: SceneObject, up: bool) -> Step:
        lamps = [item for item in self._scene.objects if head(item.kind) in _LIGHTS]
        target = lamps[0] if len(lamps) == 1 else switch
        return Step(Skill.TURN_ON if up else Skill.TURN_OFF, target.id, "")

    # Pushes and turns

    def _pushed_to(self, command: Command) -> Asked | Clarify | Refuse:
        asked = self._placer.place(command, self._enclosed())
        if not isinstance(asked, Asked):
            return asked
        steps = tuple(self._as_push(step) for step in asked.steps)
        return Asked(self._as_sweep(steps), asked.objects, asked.targets, asked.preposition)

    def _as_push(self, step: Step) -> Step:
        """Push what goes into something, or into a region painted on the table."""
        flat = step.skill is Skill.PLACE_ON and self._scene[step.target_id].kind == "region"
        if step.skill is not Skill.PLACE_IN and not flat:
            return step
        return Step(Skill.PUSH, step.object_id, step.target_id)

    def _as_sweep(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Sweep small pieces of one colour at once, all that there are of it."""
        found: dict[tuple[str, str], Step] = {}
        for step in steps:
            item = self._scene[step.object_id]
            if step.skill is Skill.PUSH and item.kind == "piece":
                one = Step(Skill.SWEEP, item.id, step.target_id)
                found.setdefault((item.color, step.target_id), one)
            else:
                found[step.object_id, step.target_id] = step
        return tuple(found.values())

    def _enclosed(self) -> frozenset[str]:
        """Return what cannot be pushed from where it is, so that something else is meant."""
        places = first_places(self._scene)
        return frozenset(item for item, place in places.items() if place.predicate == "in")

    def _moved_towards(self, command: Command, skill: Skill) -> Asked | Clarify | Refuse:
        direction = command.direction or _side_of(command)
        if any(_EDGES.intersection(phrase.nouns) for phrase in command.sources):
            return Refuse(RefuseKind.UNSAFE, "nothing is pushed off the table: it would fall")
        pulls = command.text.split()[:1] in (["pull"], ["pulling"], ["drag"])

        def step(item: SceneObject) -> Step | Refuse:
            if head(item.kind) in ("switch", "lever") and direction in ("up", "down"):
                return self._lamp_step(item, direction == "up")
            if head(item.kind) == "button":
                return Step(Skill.PRESS, item.id, "")
            if not direction and skill is Skill.PUSH and self._openable(item):
                return Step(Skill.OPEN if pulls else Skill.CLOSE, item.id, "")
            slides = skill is Skill.PUSH and self._openable(item)
            if not (slides or self._resolver.config.can_move(item)):
                return refuse_skill(f"{item.id}: to {skill} a {item.kind} is not among my skills")
            return Step(skill, item.id, direction)

        return self._each(command, step)


def _table_side(command: Command) -> str:
    """Return where to in `push it to the left side of the table`."""
    place = command.places[0] if len(command.places) == 1 else None
    if place is None or place.preposition not in ("left_of", "right_of"):
        return ""
    is_table_side = all(
        _SURFACES.intersection((*target.nouns, *target.unknown)) for target in place.targets
    )
    return place.preposition.removesuffix("_of") if is_table_side else ""


def _side_of(command: Command) -> str:
    """Return the side of `the blue block to the left`, which for a push is where to."""
    sides = (phrase.selector for phrase in command.objects if phrase.selector_is_postfix)
    return next(sides, "")


def _told(command: Command) -> tuple[Phrase, ...]:
    """Return the objects without the side that says where to."""
    if command.verb not in (PUSH, ROTATE) or command.direction:
        return command.objects
    return tuple(
        replace(phrase, selector="", selector_is_postfix=False)
        if phrase.selector_is_postfix
        else phrase
        for phrase in command.objects
    )


def holding_steps(ids: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps that pick things up and keep them."""
    return tuple(Step(Skill.PICK, item, "") for item in ids)
