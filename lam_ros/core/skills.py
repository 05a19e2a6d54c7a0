"""The skills: what a policy can be asked to do in one step, and what each achieves.

A step is a skill, an object and a target.  Its prompt is the text that the policy
reads; `canonical_prompt` makes it for the planner, and the wordings that training
draws from (`lam_ros.core.language`) paraphrase the same step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lam_ros.core.scene import Literal, Scene


class Skill(StrEnum):
    """Skills of the first version; each includes grasping the object."""

    PLACE_IN = "place_in"
    PLACE_ON = "place_on"
    PLACE_NEXT_TO = "place_next_to"


EFFECT: dict[Skill, str] = {
    Skill.PLACE_IN: "in",
    Skill.PLACE_ON: "on",
    Skill.PLACE_NEXT_TO: "next_to",
}
"""Skill -> the predicate that holds of (object, target) when it is done."""


@dataclass(frozen=True)
class Step:
    """One thing to do: `skill` with `object_id` and `target_id` (ids of a scene)."""

    skill: Skill
    object_id: str
    target_id: str

    @property
    def goal(self) -> Literal:
        """The literal that holds when the step is done."""
        return Literal(EFFECT[self.skill], (self.object_id, self.target_id))


@dataclass(frozen=True)
class StepWords:
    """A step as it can be said: kinds and colours instead of ids."""

    skill: Skill
    object_color: str
    object_kind: str
    target_color: str
    target_kind: str


def words(step: Step, scene: Scene) -> StepWords:
    """Return how a step is said in a scene.

    Raises:
        SceneError: if the step names an object that is not in the scene.
    """
    item, target = scene[step.object_id], scene[step.target_id]
    return StepWords(step.skill, item.color, item.kind, target.color, target.kind)


_PREPOSITION = {
    Skill.PLACE_IN: "in",
    Skill.PLACE_ON: "on",
    Skill.PLACE_NEXT_TO: "next to",
}


def canonical_prompt(said: StepWords) -> str:
    """Return the planner's wording, for example `put the red cube in the blue bowl`."""
    item = f"{said.object_color} {said.object_kind}".strip()
    target = f"{said.target_color} {said.target_kind}".strip()
    return f"put the {item} {_PREPOSITION[said.skill]} the {target}"
