"""A table in thought: an executor that knows how to do each step, and fails at some.

It keeps time with the ticks that it is given, needs neither ROS nor physics, and says of
the table only what a camera would: where things are.  A failed step is a miss (nothing
changes), a drop (the thing lies on the table), or the wrong place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.decisions import Decision, Finished, RunStep, SkillState, SkillStatus
from lam_ros.planning.domain import FREE, PLACING, Place, World, effect_of
from lam_ros.planning.kinds import can_contain, is_solid

TICK_S = 0.1
GRASP_S, PLACE_S = 0.4, 0.8
"""When a step has taken hold of its object, and when it lets go, from its beginning."""


class Outcome(StrEnum):
    """How a step goes."""

    RIGHT = "right"
    MISS = "miss"
    DROP = "drop"
    WRONG_PLACE = "wrong_place"


FAILURES = (Outcome.MISS, Outcome.DROP, Outcome.WRONG_PLACE)


@dataclass
class TableTop:
    """The table and the arm.

    Attributes:
        scene: the truth.
        rng: where chance comes from.
        failing: share of the tries that fail.
        now_s: the time.
        skill: how the skill stands that was asked for.
        before_tick: is called before each tick, for what a person does.
    """

    scene: Scene
    rng: np.random.Generator
    failing: float = 0.0
    now_s: float = 0.0
    skill: SkillStatus = field(default_factory=SkillStatus)
    before_tick: Callable[[TableTop], None] = lambda table: None

    def __post_init__(self) -> None:
        """Begin at rest."""
        self.runs: list[RunStep] = []
        self.drawn: list[Outcome] = []
        self._since_s = 0.0
        self._is_over = True

    # -- what the owner of an execution does ----------------------------------------------

    def observed(self) -> Scene:
        """Return the scene as it is seen now."""
        return replace(self.scene, stamp_ns=self.now_ns)

    @property
    def now_ns(self) -> int:
        """The time."""
        return seconds_to_ns(self.now_s)

    def run(
        self, tick: Callable[[Scene, int, SkillStatus], Decision | None], limit_s: float = 3600.0
    ) -> Finished | None:
        """Tick an execution until it is over; None if that takes more than `limit_s`."""
        while self.now_s < limit_s:
            self.now_s += TICK_S
            self.before_tick(self)
            decision = tick(self.observed(), self.now_ns, self.skill)
            if isinstance(decision, Finished) or decision is None:
                return decision
            self.follow(decision)
        return None

    def follow(self, decision: Decision) -> None:
        """Do what was decided."""
        if not isinstance(decision, RunStep):
            if self.skill.state is SkillState.RUNNING:
                self._let_go()
                self.skill = replace(self.skill, state=SkillState.CANCELLED)
            return
        if decision.run != self.skill.run:
            self.skill = SkillStatus(decision.run, SkillState.RUNNING)
            self.runs.append(decision)
            fails = bool(self.rng.random() < self.failing)
            chosen = FAILURES[int(self.rng.integers(len(FAILURES)))] if fails else Outcome.RIGHT
            self.drawn.append(chosen)
            self._since_s, self._is_over = self.now_s, False
        if self.skill.state is SkillState.RUNNING:
            self._act(decision.planned.step, self.now_s - self._since_s)

    # -- the arm --------------------------------------------------------------------------

    def _act(self, step: Step, seconds: float) -> None:
        """Bring the step on; one that cannot be done does nothing, as one that misses."""
        outcome = self.drawn[-1]
        if step.object_id not in self.scene:
            return
        if self._is_over or World(self.scene).lacks(step) is not None or outcome is Outcome.MISS:
            return
        carries = step.skill in PLACING.values()
        if seconds >= PLACE_S:
            self._is_over = True
            self._end(step, outcome, carries=carries)
        elif seconds >= GRASP_S and carries and not self.scene.held:
            self.scene = replace(self.scene, held=step.object_id)

    def _end(self, step: Step, outcome: Outcome, *, carries: bool) -> None:
        effect = effect_of(step, self.scene)
        if not carries:
            if outcome is Outcome.RIGHT and effect is not None:
                self._switch(effect)
            return
        place = FREE
        if outcome is Outcome.WRONG_PLACE:
            place = self._another_place(step)
        elif outcome is Outcome.RIGHT and effect is not None and step.target_id in self.scene:
            place = Place(effect.predicate, step.target_id)
        self.put(step.object_id, place)

    def _switch(self, effect: Literal) -> None:
        item = self.scene[effect.args[0]]
        if effect.predicate in ("open", "closed"):
            self._set(replace(item, is_open=effect.predicate == "open"))
        elif effect.predicate == "holding":
            self.scene = replace(self.scene, held=item.id)
        else:
            self._set(replace(item, is_on=effect.predicate != "turned_off"))

    def _another_place(self, step: Step) -> Place:
        """Return somewhere that was not meant: in an open container, or on what is clear."""
        world = World(self.scene)
        places = [FREE]
        for other in self.scene.objects:
            if other.id in (step.object_id, step.target_id):
                continue
            for skill, predicate in ((Skill.PLACE_IN, "in"), (Skill.PLACE_ON, "on")):
                fits = can_contain(other) if predicate == "in" else is_solid(other)
                if fits and world.lacks(Step(skill, step.object_id, other.id)) is None:
                    places.append(Place(predicate, other.id))
        return places[int(self.rng.integers(len(places)))]

    def _let_go(self) -> None:
        """Open the hand: what it holds falls onto the table."""
        if self.scene.held:
            self.put(self.scene.held, FREE)

    # -- hands ----------------------------------------------------------------------------

    def put(self, item: str, place: Place) -> None:
        """Put something somewhere; where it is free, somewhere on the table."""
        at = self._somewhere() if place == FREE else self._at(place)
        moved = replace(
            self.scene[item],
            on=place.other if place.predicate == "on" else "",
            inside=place.other if place.predicate == "in" else "",
            position_m=at,
        )
        self._set(moved)
        if self.scene.held == item:
            self.scene = replace(self.scene, held="")

    def remove(self, item: str) -> None:
        """Take something away."""
        left = tuple(other for other in self.scene.objects if other.id != item)
        self.scene = replace(self.scene, objects=left)

    def add(self, item: SceneObject) -> None:
        """Bring something."""
        self.scene = replace(self.scene, objects=(*self.scene.objects, item))

    def _set(self, item: SceneObject) -> None:
        items = tuple(item if other.id == item.id else other for other in self.scene.objects)
        self.scene = replace(self.scene, objects=items)

    def _somewhere(self) -> tuple[float, float, float]:
        x_m, y_m = self.rng.uniform((0.5, -0.9), (0.9, 0.9))
        return float(x_m), float(y_m), 0.02

    def _at(self, place: Place) -> tuple[float, float, float]:
        other = self.scene[place.other]
        x_m, y_m, z_m = other.position_m
        if place.predicate in ("on", "in"):
            return x_m, y_m, z_m + 0.02
        gap_m = other.radius_m + 0.03
        aside = {"left_of": (0, 1), "right_of": (0, -1), "in_front_of": (-1, 0)}
        ux, uy = aside.get(place.predicate, (1, 0))
        return x_m + gap_m * ux, y_m + gap_m * uy, 0.02
