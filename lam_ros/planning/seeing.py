"""What a scene says of a step: is its effect there, and could it begin?"""

from __future__ import annotations

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill
from lam_ros.planning.domain import World
from lam_ros.planning.outcome import PlannedStep
from lam_ros.planning.search import TABLE_ID
from lam_ros.planning.sequence import blocked


def effect_seen(scene: Scene, goal: Literal) -> bool:
    """Tell whether a literal is seen to hold, with its object released."""
    if not all(is_known(item, scene) for item in goal.args):
        return False
    if goal.predicate == "holding":
        return scene.holds(goal)
    return scene.held != goal.args[0] and World(scene).holds(goal)


def is_known(item: str, scene: Scene) -> bool:
    """Tell whether something is seen, or needs not be: the bare table, or no target at all."""
    return item in scene or item in ("", TABLE_ID)


def what_is_lacking(scene: Scene, planned: PlannedStep) -> str:
    """Say what a step needs that is not seen, or nothing."""
    for need in planned.needs:
        if not effect_seen(scene, need):
            return f"{need} does not hold, which {planned.tool} needs"
    if planned.step.skill is Skill.USE:
        return ""
    for item in (planned.step.object_id, planned.step.target_id):
        if not is_known(item, scene):
            return f"{item} is not seen"
    blocker = blocked(scene, planned.step)
    return blocker.reason if blocker else ""
