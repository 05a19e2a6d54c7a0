"""Plans that someone else proposes, verified and repaired: dropped, swapped, invented steps.

A proposal is text.  What names no skill or no object is left out; what can be done when
its turn comes is kept; what is missing is planned; what serves nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import EFFECT, Skill, Step
from lam_ros.planning.domain import PLACING, World, effect_of
from lam_ros.planning.search import TABLE_ID, Abilities, Steps, Stuck, plan_for, valid, without_idle


@dataclass(frozen=True)
class Proposed:
    """One step as it was proposed, unchecked."""

    skill: str
    object_id: str
    target_id: str = ""


@dataclass(frozen=True)
class Repaired:
    """A plan that is valid.

    Attributes:
        steps: what to do, in order.
        kept: how many of the proposed steps are in it.
        is_as_proposed: True if nothing had to be changed.
    """

    steps: Steps
    kept: int
    is_as_proposed: bool


def repair(
    scene: Scene, goals: Sequence[Literal], proposed: Sequence[Proposed], able: Abilities
) -> Repaired | Stuck:
    """Return a valid plan for the goals that keeps what it can of a proposed one.

    Args:
        scene: what is seen.
        goals: what shall hold in the end.
        proposed: the steps, as an LLM or a person wrote them.
        able: what can be done.
    """
    start = World(scene)
    read = [step for item in proposed if (step := _read(item, scene, able)) is not None]
    if len(read) == len(proposed) and valid(start, goals, read):
        return Repaired(tuple(read), len(read), is_as_proposed=True)
    repaired = _completed(start, goals, _sound(start, read), able)
    fresh = plan_for(start, goals, able)
    if isinstance(repaired, Stuck) and isinstance(fresh, Stuck):
        return fresh
    options = [steps for steps in (repaired, fresh) if not isinstance(steps, Stuck)]
    steps = min(
        options, key=lambda steps: (len(steps) > 1.5 * len(options[-1]), -_kept(steps, read))
    )
    return Repaired(steps, _kept(steps, read), is_as_proposed=False)


def _kept(steps: Iterable[Step], read: Sequence[Step]) -> int:
    return sum(step in read for step in steps)


def _read(item: Proposed, scene: Scene, able: Abilities) -> Step | None:
    """Return a proposed step that names a skill and objects that there are."""
    if item.skill not in tuple(Skill) or item.object_id not in scene:
        return None
    step = Step(Skill(item.skill), item.object_id, item.target_id)
    if step.skill not in able.skills or step.object_id in able.protected:
        return None
    if step.skill not in PLACING.values():
        return Step(step.skill, step.object_id, "") if step.skill in EFFECT else None
    known = step.target_id in scene or step.target_id == TABLE_ID
    is_movable = able.can_move(scene[step.object_id])
    return step if known and is_movable and step.target_id != step.object_id else None


def _sound(world: World, steps: Sequence[Step]) -> Steps:
    """Return the steps that can be done when their turn comes, and change something."""
    kept: list[Step] = []
    for step in steps:
        effect = effect_of(step, world.scene)
        if world.lacks(step) is None and effect is not None and not world.holds(effect):
            kept.append(step)
            world = world.after(step)
    return tuple(kept)


def _completed(
    start: World, goals: Sequence[Literal], steps: Steps, able: Abilities
) -> Steps | Stuck:
    """Return steps with what is missing for the goals after them, and nothing idle."""
    world = start
    for step in steps:
        world = world.after(step)
    rest = plan_for(world, goals, able)
    return rest if isinstance(rest, Stuck) else without_idle(start, goals, (*steps, *rest))
