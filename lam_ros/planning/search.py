"""The search for a plan: A* over literals, led by what the missing goals still need.

Only steps that a missing goal asks for, or that remove what keeps it from being done,
are tried.  A step that has to be done sooner or later and spoils nothing is done at once
without looking at others; what is left to search are cycles (swaps, towers turned over).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from lam_ros.core.scene import Literal, SceneObject
from lam_ros.core.skills import DEMONSTRATED, Skill, Step
from lam_ros.planning.domain import (
    FREE,
    HELD,
    INVERSE,
    PLACING,
    STATES,
    Lack,
    Need,
    World,
    step_for,
)
from lam_ros.planning.kinds import head, is_solid, is_table

TABLE_ID = "table"
"""Stands for the bare table where a scene has no object for it."""

_WEIGHTS = (1.0, 1.5, 3.0)
"""Weight of the estimate in one attempt after the other: the shortest plan, then short ones."""

_MOST_EXPANSIONS = 1500
_EXPANSIONS_TIMES_SQUARE = 300_000
"""Expansions of one attempt, over the square of the number of objects, which each costs."""
_GREEDY_EXPANSIONS = 5_000

type Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Abilities:
    """What can be done at all.

    Attributes:
        skills: what the policy was trained for.
        can_move: tells whether an object can be picked up.
        protected: ids that must not be touched.
        cost: of each skill for a kind of object, from its success rate; 1 for the surest.
            That of ("", "") is of what was never tried.
    """

    skills: frozenset[Skill]
    can_move: Callable[[SceneObject], bool]
    protected: frozenset[str] = frozenset()
    cost: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def may_move(self, world: World, object_id: str) -> bool:
        """Tell whether an object may be picked up."""
        return object_id not in self.protected and self.can_move(world.scene[object_id])

    def cost_of(self, world: World, step: Step) -> float:
        """Return what a step costs, at least 1."""
        if not self.cost:
            return 1.0
        kind = world.scene[step.object_id].kind if step.object_id in world.scene else ""
        unknown = self.cost.get(("", ""), 1.0)
        return max(1.0, self.cost.get((str(step.skill), kind), unknown))

    @property
    def reaches_table(self) -> bool:
        """True if things can be put on the bare table."""
        return not self.skills <= frozenset(DEMONSTRATED)


@dataclass(frozen=True)
class Stuck:
    """There is no plan: the goal that cannot be reached, and what is lacking for it."""

    goal: Literal | None
    lack: Lack | None


def plan_for(world: World, goals: Sequence[Literal], able: Abilities) -> Steps | Stuck:
    """Return few steps after which all goals hold, or what is in the way of them."""
    search = _Search(tuple(goals), able)
    squared = max(1, len(world.scene.objects)) ** 2
    budget = min(_MOST_EXPANSIONS, _EXPANSIONS_TIMES_SQUARE // squared)
    for weight in _WEIGHTS:
        found = search.run(world, weight, budget)
        if found is not None:
            return found if weight == 1.0 else without_idle(world, goals, found)
    found = _piecewise(world, goals, able) or search.run(world, math.inf, _GREEDY_EXPANSIONS)
    return search.stuck(world) if found is None else without_idle(world, goals, found)


def _piecewise(world: World, goals: Sequence[Literal], able: Abilities) -> Steps | None:
    """Return the steps to one goal after the other, from the table up; None if one is not reached.

    For where many goals at once are too much: longer, but each search is small.
    """
    below = {goal.args[0]: goal.args[1] for goal in goals if goal.predicate not in STATES}

    def height(goal: Literal) -> tuple[bool, int]:
        level, at = 0, goal.args[0]
        while at in below and level <= len(below):
            level, at = level + 1, below[at]
        return goal.predicate in STATES, level

    ordered = sorted(goals, key=height)
    steps: Steps = ()
    for count_ in range(1, len(ordered) + 1):
        more = _Search(tuple(ordered[:count_]), able).run(world, math.inf, _GREEDY_EXPANSIONS)
        if more is None:
            return None
        for step in more:
            world = world.after(step)
        steps += more
    return steps


def without_idle(world: World, goals: Sequence[Literal], steps: Steps) -> Steps:
    """Drop every step without which the rest still works."""
    at = 0
    while at < len(steps):
        fewer = steps[:at] + steps[at + 1 :]
        if valid(world, goals, fewer):
            steps = fewer
        else:
            at += 1
    return steps


def valid(world: World, goals: Iterable[Literal], steps: Iterable[Step]) -> bool:
    """Tell whether each step can be done when its turn comes, and all goals hold after."""
    for step in steps:
        if world.lacks(step) is not None:
            return False
        world = world.after(step)
    return all(world.holds(goal) for goal in goals)


class _Search:
    def __init__(self, goals: tuple[Literal, ...], able: Abilities) -> None:
        self._goals = goals
        self._able = able
        self._place_of = {g.args[0]: g for g in goals if g.predicate not in STATES}
        self._waits: set[str] = set()

    def run(self, start: World, weight: float, most: int) -> Steps | None:
        """Return the steps to the goals, or None if none were found within `most` expansions."""
        order = count()
        open_list: list[tuple[float, float, int, World, Steps, float]] = []
        best: dict[object, float] = {}

        def push(world: World, steps: Steps, spent: float) -> None:
            key = (world.moved, world.flags)
            if best.get(key, math.inf) <= spent:
                return
            best[key] = spent
            left = self._estimate(world)
            rank = left if math.isinf(weight) else spent + weight * left
            heapq.heappush(open_list, (rank, left, next(order), world, steps, spent))

        push(start, (), 0.0)
        for _ in range(most):
            if not open_list:
                return None
            _, _, _, world, steps, spent = heapq.heappop(open_list)
            missing = self._missing(world)
            if not missing:
                return steps
            for step in self._candidates(world, missing):
                push(world.after(step), (*steps, step), spent + self._able.cost_of(world, step))
        return None

    def stuck(self, world: World) -> Stuck:
        """Return what keeps the first goal that cannot be reached alone from being reached."""
        for goal in self._missing(world):
            alone = _Search((goal,), self._able)
            if alone.run(world, 1.0, 500) is None:
                return Stuck(goal, alone.dead_end(world, goal))
        return Stuck(None, None)

    def dead_end(self, world: World, goal: Literal) -> Lack | None:
        """Return what is lacking for a goal that nothing can be done about."""
        step = step_for(goal)
        return world.lacks(step)

    def _missing(self, world: World) -> list[Literal]:
        return [goal for goal in self._goals if not world.holds(goal)]

    # How much is left

    def _estimate(self, world: World) -> float:
        """Return a lower bound of the number of steps that are left."""
        missing = self._missing(world)
        extra: set[tuple[str, str]] = set()
        for goal in missing:
            extra |= self._unavoidable(world, goal)
        placed = {goal.args[0] for goal in missing if goal.predicate not in STATES}
        states = {(goal.predicate, goal.args[0]) for goal in missing if goal.predicate in STATES}
        moves = {item for what, item in extra if what == "move"} - placed
        opens = {("open", item) for what, item in extra if what == "open"} - states
        return len(missing) + len(moves) + len(opens)

    def _unavoidable(self, world: World, goal: Literal) -> set[tuple[str, str]]:
        """Return what must be moved or opened for a goal, in whatever order."""
        found: set[tuple[str, str]] = set()
        item = goal.args[0]
        if goal.predicate in STATES and goal.predicate != "holding":
            return found
        found |= {("move", above) for above in _pile(world, item)}
        found |= {("open", around) for around in _closed(world, item)}
        target = goal.args[1] if len(goal.args) > 1 else ""
        if target in world.scene:
            if goal.predicate == "in" and world.is_closed(target):
                found.add(("open", target))
            if goal.predicate == "on" and is_solid(world.scene[target]):
                found |= {("move", above) for above in _pile(world, target) if above != item}
        return found

    # What can be done

    def _candidates(self, world: World, missing: Sequence[Literal]) -> list[Step]:
        """Return the steps that are worth trying; one alone if it is surely right."""
        found: dict[Step, None] = {}
        self._waits = {goal.args[0] for goal in missing if goal.predicate not in STATES}
        for goal in missing:
            self._waits |= {item for what, item in self._unavoidable(world, goal) if what == "move"}
        for goal in missing:
            step = step_for(goal)
            if not self._is_able(world, step):
                continue
            lack = world.lacks(step)
            if lack is None:
                if self._is_final(world, step, missing):
                    return [step]
                found[step] = None
            else:
                found |= dict.fromkeys(self._remedies(world, lack, step, frozenset()))
        sure = [step for step in found if self._is_sure(world, step)]
        return sure[:1] or list(found)

    def _is_able(self, world: World, step: Step) -> bool:
        if step.skill not in self._able.skills:
            return False
        if step.skill in PLACING.values() or step.skill is Skill.PICK:
            return self._able.may_move(world, step.object_id)
        return step.object_id not in self._able.protected

    def _is_final(self, world: World, step: Step, missing: Sequence[Literal]) -> bool:
        """Tell whether a step that can be done now reaches its goal for good."""
        if step.skill is Skill.CLOSE:
            return not any(self._uses(world, goal, step.object_id) for goal in missing)
        if step.skill is Skill.PICK:
            return len(missing) == 1
        if step.skill not in PLACING.values():
            return True
        chain = [step.target_id, *world.enclosing(step.target_id)]
        return (self._waits - {step.object_id}).isdisjoint(chain) and not self._disturbs(
            world, step.object_id
        )

    def _disturbs(self, world: World, item: str) -> bool:
        """Tell whether moving an object undoes what is next to it and should be."""
        return any(
            goal.predicate in INVERSE and item in goal.args and world.holds(goal)
            for goal in self._goals
        )

    def _uses(self, world: World, goal: Literal, drawer: str) -> bool:
        """Tell whether a missing goal still needs a drawer to be open."""
        around = [place for item in goal.args if item in world.scene
                  for place in (item, *world.enclosing(item))]  # fmt: skip
        return goal != Literal("closed", (drawer,)) and drawer in around

    def _is_sure(self, world: World, step: Step) -> bool:
        """Tell whether a remedy cannot be avoided and has no rival: an opening, a bystander."""
        if step.skill is Skill.OPEN:
            return True
        if step.skill not in PLACING.values():
            return False
        is_bystander = step.object_id not in self._place_of
        return is_bystander and not self._disturbs(world, step.object_id)

    def _remedies(
        self, world: World, lack: Lack, wanted: Step, seen: frozenset[Lack]
    ) -> Iterator[Step]:
        """Yield steps that can be done now and bring a step nearer."""
        if lack in seen:
            return
        if lack.need is Need.OPEN:
            options = [Step(Skill.OPEN, lack.object_id, "")]
        elif lack.need is Need.ROOM:
            inside = world.resting.get(lack.object_id, ())
            leaving = [item for item in inside if self._leaves(world, item)]
            options = [s for item in leaving or inside for s in self._away(world, item, wanted)]
        else:
            item = lack.by if lack.need is Need.CLEAR else lack.object_id
            options = list(self._away(world, item, wanted))
        for step in options:
            if not self._is_able(world, step):
                continue
            below = world.lacks(step)
            if below is None:
                yield step
            else:
                yield from self._remedies(world, below, step, seen | {lack})

    def _leaves(self, world: World, item: str) -> bool:
        goal = self._place_of.get(item)
        return goal is None or not world.holds(goal)

    def _away(self, world: World, item: str, wanted: Step) -> Iterator[Step]:
        """Yield the ways to put an object elsewhere: where it should go, then aside."""
        goal = self._place_of.get(item)
        if goal and not world.holds(goal) and world.lacks(step_for(goal)) is None:
            yield step_for(goal)
        yield from self._aside(world, item, wanted)

    def _aside(self, world: World, item: str, wanted: Step) -> Iterator[Step]:
        """Yield where an object may wait: on the table, or next to something that stays."""
        if self._able.reaches_table:
            table = next((i.id for i in world.scene.objects if is_table(i)), TABLE_ID)
            yield Step(Skill.PLACE_ON, item, table)
            return
        pile = {item, wanted.object_id, wanted.target_id, *world.enclosing(item)}
        standing = [
            other
            for other in world.scene.objects
            if other.id not in pile
            and world.places[other.id] == FREE
            and other.id not in self._place_of
            and not world.resting.get(other.id)
        ]
        standing.sort(
            key=lambda other: (not _is_fixed(other), world.scene[item].distance_xy_m(other))
        )
        for other in standing[:1]:
            yield Step(Skill.PLACE_NEXT_TO, item, other.id)


def _is_fixed(item: SceneObject) -> bool:
    return head(item.kind) in ("bowl", "tray", "spot")


def _pile(world: World, item: str) -> Iterator[str]:
    """Yield everything that lies on an object, directly or not."""
    left, seen = list(world.above(item)), {item}
    while left:
        above = left.pop()
        if above not in seen:
            seen.add(above)
            yield above
            left += world.above(above)


def _closed(world: World, item: str) -> Iterator[str]:
    """Yield the closed things around an object."""
    if world.places.get(item, FREE) == HELD:
        return
    for around in world.enclosing(item):
        if world.is_closed(around):
            yield around
