"""How a step is said to a policy: the trained wording, and the like for every other skill."""

from __future__ import annotations

import re

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import TRAINED, Skill, Step, canonical_prompt, words

_PREPOSITION = {
    Skill.PLACE_IN: "in", Skill.PLACE_ON: "on", Skill.PLACE_NEXT_TO: "next to",
    Skill.PLACE_LEFT_OF: "to the left of", Skill.PLACE_RIGHT_OF: "to the right of",
    Skill.PLACE_IN_FRONT_OF: "in front of", Skill.PLACE_BEHIND: "behind",
}  # fmt: skip
_VERB = {
    Skill.PICK: "pick up", Skill.OPEN: "open", Skill.CLOSE: "close", Skill.TURN_ON: "turn on",
    Skill.TURN_OFF: "turn off", Skill.PRESS: "press", Skill.PUSH: "push", Skill.ROTATE: "rotate",
}  # fmt: skip


def prompt_for(step: Step, scene: Scene) -> str:
    """Return the text that a policy reads for a step.

    Raises:
        SceneError: if the step's object is not in the scene.
    """
    if step.skill in (Skill.SWEEP, Skill.HOME):
        return canonical_prompt(words(step, scene))
    target_seen = step.target_id in scene
    if step.skill in TRAINED and target_seen and _is_plain(step, scene):
        return canonical_prompt(words(step, scene))
    item = name_of(scene[step.object_id])
    target = name_of(scene[step.target_id]) if target_seen else step.target_id
    if step.skill in _PREPOSITION:
        return f"put the {item} {_PREPOSITION[step.skill]} the {target}"
    said = f"{_VERB[step.skill]} the {item}"
    if not target:
        return said
    if target_seen:
        return f"{said} into the {target}"
    return f"{said} {target}" if target in ("up", "down") else f"{said} to the {target}"


def _is_plain(step: Step, scene: Scene) -> bool:
    """Tell whether kinds and colours alone name what is meant, as in training."""
    return all("_" not in scene[i].kind and not _is_part_name(scene[i])
               for i in (step.object_id, step.target_id))  # fmt: skip


def _is_part_name(item: SceneObject) -> bool:
    return bool(re.search(r"_\d+_", item.id))


def name_of(item: SceneObject) -> str:
    """Return how an object is called: its colour and kind, a part by its whole id."""
    if _is_part_name(item):
        return " ".join(re.findall(r"[^\W\d_]+", item.id))
    kind = item.kind.replace("_", " ")
    color = item.color.replace("_", " ")
    return kind if not color or color in kind.split() else f"{color} {kind}"
