"""What a scene says of a step: is its effect there, and could it begin?"""

from __future__ import annotations

from lam_ros.core.scene import Literal, Scene
from lam_ros.planning.outcome import PlannedStep
from lam_ros.planning.sequence import blocked


def effect_seen(scene: Scene, goal: Literal) -> bool:
    """Tell whether a literal is seen to hold, with its object released."""
    known = all(item in scene for item in goal.args)
    return known and scene.held != goal.args[0] and scene.holds(goal)


def what_is_lacking(scene: Scene, planned: PlannedStep) -> str:
    """Say what a step needs that is not seen, or nothing."""
    for item in (planned.step.object_id, planned.step.target_id):
        if item not in scene:
            return f"{item} is not seen"
    blocker = blocked(scene, planned.step)
    return blocker.reason if blocker else ""
