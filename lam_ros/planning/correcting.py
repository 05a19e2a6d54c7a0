"""What a correction changes of a plan: `no, the other one`, `skip it`."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.core.scene import Literal, Scene
from lam_ros.planning.choosing import listed
from lam_ros.planning.outcome import Clarify, Plan, Refuse, RefuseKind
from lam_ros.planning.progress import PlanProgress, StepProgress, StepStatus

_CORRECTED = " (the other one)"


def named_again(instruction: str) -> str:
    """Return how a corrected instruction is called."""
    return instruction if instruction.endswith(_CORRECTED) else f"{instruction}{_CORRECTED}"


def for_the_other(
    progress: PlanProgress, plan: Plan, scene: Scene, answer: str
) -> tuple[str, tuple[Literal, ...]] | Clarify | Refuse:
    """Return which object was wrong, and the goals with the one that was meant instead.

    The wrong one is that of the step that runs, or else of the last that was done; the
    other one is of its kind, and of its colour if there is another such.
    """
    wrong = _latest(progress)
    if wrong is None or wrong not in scene:
        return Refuse(RefuseKind.NOT_UNDERSTOOD, "'the other one' has nothing to refer to yet")
    named = {item for goal in plan.goal for item in goal.args}
    alike = [
        item for item in scene.objects if item.kind == scene[wrong].kind and item.id not in named
    ]
    same = [item for item in alike if item.color == scene[wrong].color]
    fitting = [item.id for item in same or alike]
    chosen = [item for item in fitting if answer and _names(answer, item, scene)] or fitting
    if not chosen:
        return Refuse(RefuseKind.MISSING_OBJECT, f"there is no other {scene[wrong].kind}")
    if len(chosen) > 1:
        return Clarify(f"Which other one: {listed(chosen)}?", tuple(chosen))
    other = chosen[0]
    swapped = tuple(
        replace(goal, args=tuple(other if item == wrong else item for item in goal.args))
        for goal in plan.goal
    )
    return wrong, swapped


def _names(answer: str, item: str, scene: Scene) -> bool:
    words = answer.lower().split()
    return item in words or scene[item].color in words


def _latest(progress: PlanProgress) -> str | None:
    steps = progress.steps
    running = [s for s in steps if s.status is StepStatus.RUNNING]
    over = [s for s in steps if s.status in (StepStatus.DONE, StepStatus.FAILED)]
    latest: list[StepProgress] = running or over[-1:]
    return latest[0].planned.step.object_id if latest else None


def without_step(progress: PlanProgress, plan: Plan) -> Plan | None:
    """Return the plan's goals without the step that is next; None if nothing is left."""
    if progress.current >= len(progress.steps):
        return None
    planned = progress.steps[progress.current].planned
    goals = tuple(goal for goal in plan.goal if goal != planned.effect)
    if len(goals) == len(plan.goal):
        goals = tuple(goal for goal in plan.goal if planned.step.object_id not in goal.args)
    return Plan(plan.instruction, goals, ()) if goals else None
