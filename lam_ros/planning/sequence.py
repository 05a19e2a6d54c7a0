"""In which order placements are done, proved by playing them through in thought.

The order that was said is kept if it works.  Otherwise whatever others build on
goes first (the bottom of a tower, a thing that lies in the way and is to be moved
anyway).  If no order works, the reason is returned.
"""

from __future__ import annotations

from collections.abc import Sequence

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.interpretation import Placement
from lam_ros.planning.names import SOLID_KINDS
from lam_ros.planning.outcome import Refuse, RefuseKind

type Steps = tuple[Step, ...]


def goals_of(placements: Sequence[Placement], scene: Scene) -> tuple[Literal, ...] | Refuse:
    """Return what holds in the end: of each object, the last place that was said.

    Refused if one object is to be at two places at once, two at the same, or if
    things are to lie on each other in a circle.
    """
    last: dict[str, Placement] = {}
    for placement in placements:
        before = last.get(placement.step.object_id)
        if before and before.stage == placement.stage and before.step != placement.step:
            return _contradiction(
                f"{before.step.goal} and {placement.step.goal} cannot both hold; "
                "say 'then' between them, or one place"
            )
        last[placement.step.object_id] = placement
    goals = tuple(placement.step.goal for placement in last.values())
    return _crowded(goals, scene) or _circular(goals) or goals


def _contradiction(reason: str) -> Refuse:
    return Refuse(RefuseKind.CONTRADICTORY, reason)


def _circular(goals: Sequence[Literal]) -> Refuse | None:
    """Refuse a on b, b on a."""
    below = {goal.args[0]: goal.args[1] for goal in goals if goal.predicate != "next_to"}
    for start in below:
        seen, at = {start}, below[start]
        while at in below and at not in seen:
            seen.add(at)
            at = below[at]
        if at in seen:
            return _contradiction(f"{at} would have to lie on itself; say which goes to the bottom")
    return None


def _crowded(goals: Sequence[Literal], scene: Scene) -> Refuse | None:
    """Refuse two things on top of one that holds only one."""
    on_top: dict[str, Literal] = {}
    for goal in goals:
        support = goal.args[1]
        if goal.predicate != "on" or is_spacious(scene, support):
            continue
        if support in on_top:
            return _contradiction(
                f"{on_top[support]} and {goal} cannot both hold: only one thing fits there; "
                "say 'stack' to put one on the other"
            )
        on_top[support] = goal
    return None


def is_spacious(scene: Scene, object_id: str) -> bool:
    """Tell whether several things fit on or in an object."""
    return scene[object_id].kind not in SOLID_KINDS


class State:
    """A scene as it will be after some steps."""

    def __init__(self, scene: Scene) -> None:
        """Start with the scene as it is."""
        self.scene = scene
        self._moved: dict[str, Literal | None] = {}

    def do(self, step: Step) -> None:
        """Suppose that a step has been done; what stood next to its object no longer does."""
        for item, goal in self._moved.items():
            if goal and goal.predicate == "next_to" and goal.args[1] == step.object_id:
                self._moved[item] = None
        self._moved[step.object_id] = step.goal

    def holds(self, goal: Literal) -> bool:
        """Tell whether a literal of two objects holds."""
        item, target = goal.args
        if item in self._moved:
            return self._moved[item] == goal
        if goal.predicate == "next_to" and target in self._moved:
            return self._moved[target] == Literal("next_to", (target, item))
        return self.scene.held != item and self.scene.holds(goal)

    def on_top(self, object_id: str) -> str:
        """Return the id of something that lies on an object, or an empty string."""
        if is_spacious(self.scene, object_id):
            return ""
        for other in self.scene.ids:
            if other != object_id and self._lies_on(other, object_id):
                return other
        return ""

    def _lies_on(self, item: str, support: str) -> bool:
        if item in self._moved:
            return self._moved[item] == Literal("on", (item, support))
        if support in self._moved or self.scene.held == item:
            return False
        return self.scene.holds(Literal("on", (item, support)))

    def top_m(self, object_id: str) -> float:
        """Height of the upper side of an object [m]."""
        item = self.scene[object_id]
        seen = set[str]()
        height = 0.0
        while item.id in self._moved and item.id not in seen:
            seen.add(item.id)
            goal = self._moved[item.id]
            height += item.size_m[2]
            if goal is None or goal.predicate == "next_to":
                return height
            item = self.scene[goal.args[1]]
        return height + (item.top_m if not is_spacious(self.scene, item.id) else item.bottom_m)


def order(
    placements: Sequence[Placement], goals: Sequence[Literal], scene: Scene, config: PlannerConfig
) -> Steps | Refuse:
    """Return the steps that are needed, in an order that works, or why there is none."""
    said = [placement.step for placement in placements]
    as_said = _play(said, goals, scene)
    steps = as_said if isinstance(as_said, tuple) else _reordered(said, goals, scene)
    if isinstance(steps, Refuse):
        return steps
    return _out_of_reach(steps, scene, config) or steps


def _play(steps: Sequence[Step], goals: Sequence[Literal], scene: Scene) -> Steps | Refuse:
    """Do the steps in thought; those whose goal holds already are left out."""
    state = State(scene)
    done: list[Step] = []
    for step in steps:
        if state.holds(step.goal):
            continue
        blocker = blocked(state, step)
        if blocker:
            return blocker
        state.do(step)
        done.append(step)
    failing = [goal for goal in goals if not state.holds(goal)]
    if failing:
        return _contradiction(f"{failing[0]} does not last: a later step undoes it")
    return tuple(done)


def blocked(state: State, step: Step) -> Refuse | None:
    """Say what lies in the way of a step, if something does."""
    above = state.on_top(step.object_id)
    if above:
        return Refuse(
            RefuseKind.BLOCKED,
            f"{above} lies on {step.object_id}; say first where {above} should go",
        )
    above = state.on_top(step.target_id) if step.skill is Skill.PLACE_ON else ""
    if above and above != step.object_id:
        return Refuse(
            RefuseKind.BLOCKED,
            f"{above} is on {step.target_id} already; say first where {above} should go",
        )
    return None


def _reordered(said: Sequence[Step], goals: Sequence[Literal], scene: Scene) -> Steps | Refuse:
    """Put first what others build on or wait for."""
    state = State(scene)
    left = list(said)
    done: list[Step] = []
    while left:
        ready = next((k for k in range(len(left)) if _is_ready(k, left, state)), None)
        if ready is None:
            return _why_stuck(left, state)
        step = left.pop(ready)
        if not state.holds(step.goal):
            state.do(step)
            done.append(step)
    return _play(done, goals, scene)


def _is_ready(index: int, left: Sequence[Step], state: State) -> bool:
    step = left[index]
    waits_for_itself = any(other.object_id == step.object_id for other in left[:index])
    moves_later = any(other.object_id == step.target_id for other in left)
    if waits_for_itself or moves_later:
        return False
    return state.holds(step.goal) or blocked(state, step) is None


def _why_stuck(left: Sequence[Step], state: State) -> Refuse:
    blockers = (blocked(state, step) for step in left)
    return next(filter(None, blockers), None) or _contradiction(
        f"no order of the steps works for {left[0].goal}; say them one after the other"
    )


def _out_of_reach(steps: Sequence[Step], scene: Scene, config: PlannerConfig) -> Refuse | None:
    reach = config.reach
    state = State(scene)
    for step in steps:
        for item in (scene[step.object_id], scene[step.target_id]):
            if not reach.holds(item):
                return Refuse(
                    RefuseKind.UNREACHABLE,
                    f"{item.id} is {reach.distance_m(item):.2f} m from the arm's axis; "
                    f"it reaches from {reach.min_m:.2f} to {reach.max_m:.2f} m",
                )
        state.do(step)
        height = state.top_m(step.object_id) - scene[step.object_id].size_m[2] / 2
        if height > reach.max_height_m:
            return Refuse(
                RefuseKind.UNREACHABLE,
                f"{step.goal} would be {height:.3f} m high; the arm stacks up to "
                f"{reach.max_height_m:.3f} m",
            )
    return None
