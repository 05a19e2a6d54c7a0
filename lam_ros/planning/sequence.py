"""In which order things are done, proved by playing them through in thought.

The order that was said is kept if it works.  Otherwise a search finds the steps that are
needed: what lies in the way is moved, what is closed is opened, towers grow from below.
If there is no way, the goal that cannot be reached and the reason are returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.domain import (
    INVERSE,
    PLACING,
    STATES,
    Lack,
    Need,
    World,
    effect_of,
    effects_of,
)
from lam_ros.planning.interpretation import Placement
from lam_ros.planning.kinds import is_solid, is_table
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.search import Abilities, Stuck, plan_for, valid

type Steps = tuple[Step, ...]
type Goals = tuple[Literal, ...]


def goals_of(placements: Sequence[Placement], scene: Scene) -> Goals | Refuse:
    """Return what holds in the end: of each object, the last that was said of it.

    Refused if one object is to be at two places at once, two at the same, or if
    things are to lie on each other in a circle.
    """
    placements = _through(placements)
    last: dict[tuple[str, str], tuple[int, Literal]] = {}
    effects = [(placement, goal) for placement in placements if not placement.is_means
               for goal in effects_of(placement.step, scene)]  # fmt: skip
    for placement, goal in effects:
        key = (_aspect(goal), goal.args[0])
        stage, before = last.get(key, (-1, goal))
        if stage == placement.stage and before != goal:
            if not _both_hold(before, goal):
                return _contradiction(
                    f"{before} and {goal} cannot both hold; say 'then' between them, or one place"
                )
            key = (goal.predicate, goal.args[0])
        last[key] = (placement.stage, goal)
    goals = tuple(dict.fromkeys(goal for _, goal in last.values()))
    return _crowded(goals, scene) or _circular(goals) or goals


def _through(placements: Sequence[Placement]) -> list[Placement]:
    """Read `open it, put the cube in and close it` as opening only for what comes between."""
    found = list(placements)
    for at, first in enumerate(found):
        if first.step.skill not in (Skill.OPEN, Skill.TURN_ON) or first.is_means:
            continue
        undo = Skill.CLOSE if first.step.skill is Skill.OPEN else Skill.TURN_OFF
        later = [k for k in range(at + 2, len(found))
                 if found[k].step == Step(undo, first.step.object_id, "")]  # fmt: skip
        if later and found[later[0]].stage == first.stage:
            found[at] = replace(first, is_means=True)
    return found


def _aspect(goal: Literal) -> str:
    """Return what of an object a literal is about: where it is, or one of its states."""
    predicate = goal.predicate
    pairs = {"open": "door", "closed": "door", "turned_on": "power", "turned_off": "power"}
    if predicate in pairs:
        return pairs[predicate]
    return predicate if predicate in STATES and predicate != "holding" else "place"


def _both_hold(first: Literal, second: Literal) -> bool:
    """Tell whether an object can stand relative to one thing and also to another."""
    return first.predicate in INVERSE and second.predicate in INVERSE


def _contradiction(reason: str) -> Refuse:
    return Refuse(RefuseKind.CONTRADICTORY, reason)


def _circular(goals: Sequence[Literal]) -> Refuse | None:
    """Refuse a on b, b on a."""
    below = {goal.args[0]: goal.args[1] for goal in goals if goal.predicate in ("on", "in")}
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
        if goal.predicate != "on" or not (goal.args[1] in scene and is_solid(scene[goal.args[1]])):
            continue
        support = goal.args[1]
        if support in on_top:
            return _contradiction(
                f"{on_top[support]} and {goal} cannot both hold: only one thing fits there; "
                "say 'stack' to put one on the other"
            )
        on_top[support] = goal
    return None


def order(
    placements: Sequence[Placement],
    goals: Goals,
    scene: Scene,
    config: PlannerConfig,
    able: Abilities,
) -> Steps | Refuse:
    """Return the steps that are needed, in an order that works, or why there is none."""
    start = World(scene)
    said = _as_said(placements, goals, start, able)
    steps = _staged(placements, goals, start, able) if said is None else said
    if isinstance(steps, Refuse):
        return steps
    return _out_of_reach(steps, scene, config) or steps


def _as_said(
    placements: Sequence[Placement], goals: Goals, start: World, able: Abilities
) -> Steps | None:
    """Do the steps in thought as they were said; those that hold already are left out."""
    world = start
    done: list[Step] = []
    for placement in placements:
        step = placement.step
        effect = effect_of(step, world.scene)
        if effect and world.holds(effect) and not placement.is_means:
            continue
        if world.lacks(step) is not None or step.object_id in able.protected:
            return None
        world = world.after(step)
        done.append(step)
    return tuple(done) if valid(start, goals, done) else None


def _staged(
    placements: Sequence[Placement], goals: Goals, start: World, able: Abilities
) -> Steps | Refuse:
    """Search for the goals; a push or a turn that was said stays between what was around it."""
    acts = [k for k, item in enumerate(placements) if effect_of(item.step, start.scene) is None]
    world, done = start, list[Step]()
    for at in acts:
        before = [p for k, p in enumerate(placements[:at]) if k not in acts]
        reached = goals_of(before, start.scene) if before else ()
        wanted = reached if isinstance(reached, tuple) else ()
        found = _ready_for(placements[at].step, wanted, world, able)
        if isinstance(found, Refuse):
            return found
        for step in (*found, placements[at].step):
            done.append(step)
            world = world.after(step)
    rest = plan_for(world, goals, able)
    return _why(rest, goals) if isinstance(rest, Stuck) else (*done, *rest)


def _ready_for(act: Step, wanted: Goals, world: World, able: Abilities) -> Steps | Refuse:
    """Return what must be done before an act that has no literal of its own."""
    found = plan_for(world, wanted, able)
    if isinstance(found, Stuck):
        return _why(found, wanted)
    steps = list(found)
    for step in found:
        world = world.after(step)
    for _ in range(len(world.scene.objects) + 1):
        lack = world.lacks(act)
        if lack is None:
            return tuple(steps)
        goal = (
            Literal("open", (lack.object_id,))
            if lack.need is Need.OPEN
            else Literal("on", (lack.by or lack.object_id, "table"))
        )
        more = plan_for(world, (goal,), able)
        if isinstance(more, Stuck) or not more:
            return _why(Stuck(None, lack), wanted)
        for step in more:
            steps.append(step)
            world = world.after(step)
    return _why(Stuck(None, world.lacks(act)), wanted)


def _why(stuck: Stuck, goals: Goals) -> Refuse:
    """Say which goal cannot be reached, and what is in the way."""
    goal = stuck.goal or (goals[0] if goals else None)
    if stuck.lack:
        return blocked_by(stuck.lack)
    if goal and stuck.goal:
        return Refuse(RefuseKind.BLOCKED, f"{goal} cannot be reached with the skills there are")
    return _contradiction(f"no order of the steps works for {goal}; say them one after the other")


def blocked_by(lack: Lack) -> Refuse:
    """Refuse because of what a step lacks."""
    remedy = {
        Need.CLEAR: f"say first where {lack.by} should go",
        Need.OPEN: f"open {lack.object_id} first",
        Need.ROOM: f"say first what should be taken out of {lack.object_id}",
        Need.HAND: f"say first where {lack.object_id} should go",
        Need.RELEASE: f"say first where {lack.object_id} should go",
    }
    return Refuse(RefuseKind.BLOCKED, f"{lack.reason}; {remedy[lack.need]}")


def _out_of_reach(steps: Sequence[Step], scene: Scene, config: PlannerConfig) -> Refuse | None:
    reach = config.reach
    world = World(scene)
    for step in steps:
        for item in (scene[i] for i in (step.object_id, step.target_id) if i in scene):
            if not reach.holds(item) and not is_table(item):
                return Refuse(
                    RefuseKind.UNREACHABLE,
                    f"{item.id} is {reach.distance_m(item):.2f} m from the arm's axis; "
                    f"it reaches from {reach.min_m:.2f} to {reach.max_m:.2f} m",
                )
        world = world.after(step)
        if step.skill not in PLACING.values():
            continue
        height = _top_m(world, step.object_id) - scene[step.object_id].size_m[2] / 2
        if height > reach.max_height_m:
            return Refuse(
                RefuseKind.UNREACHABLE,
                f"{step.goal} would be {height:.3f} m high; the arm stacks up to "
                f"{reach.max_height_m:.3f} m",
            )
    return None


def _top_m(world: World, object_id: str) -> float:
    """Height of the upper side of an object [m] after some steps."""
    moved = dict(world.moved)
    item = world.scene[object_id]
    seen = set[str]()
    height_m = 0.0
    while item.id in moved and item.id not in seen:
        seen.add(item.id)
        height_m += item.size_m[2]
        place = moved[item.id]
        if place.predicate not in ("on", "in") or place.other not in world.scene:
            return height_m
        item = world.scene[place.other]
    return height_m + (item.top_m if is_solid(item) else item.bottom_m)


def blocked(scene: Scene, step: Step) -> Refuse | None:
    """Say what lies in the way of a step in a scene, if something does."""
    lack = World(scene).lacks(step)
    return blocked_by(lack) if lack and lack.need is not Need.HAND else None
