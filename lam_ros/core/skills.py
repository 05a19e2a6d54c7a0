"""The skills: what a policy can be asked to do in one step, and what each achieves.

A step is a skill, an object and a target.  Its prompt is the text that the policy
reads; `canonical_prompt` makes it for the planner, and the wordings that training
draws from (`lam_ros.core.language`) paraphrase the same step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lam_ros.core.scene import PREDICATES, Literal, Scene, SceneError, SceneObject


class Skill(StrEnum):
    """What can be planned; a policy has some of it.  Placing includes grasping the object.

    `use` is of tools alone: its object is the tool's name, its target the words for it.
    """

    PLACE_IN = "place_in"
    PLACE_ON = "place_on"
    PLACE_NEXT_TO = "place_next_to"
    PLACE_LEFT_OF = "place_left_of"
    PLACE_RIGHT_OF = "place_right_of"
    PLACE_IN_FRONT_OF = "place_in_front_of"
    PLACE_BEHIND = "place_behind"
    PICK = "pick"
    OPEN = "open"
    CLOSE = "close"
    TURN_ON = "turn_on"
    TURN_OFF = "turn_off"
    PRESS = "press"
    PUSH = "push"
    ROTATE = "rotate"
    SWEEP = "sweep"
    HOME = "home"
    USE = "use"


TRAINED: tuple[Skill, ...] = (Skill.PLACE_IN, Skill.PLACE_ON, Skill.PLACE_NEXT_TO)
"""Skills of the first version, which our policies are trained for; the rest is planned only."""
DEMONSTRATED: tuple[Skill, ...] = (
    *TRAINED, Skill.PUSH, Skill.OPEN, Skill.CLOSE, Skill.PRESS, Skill.SWEEP, Skill.HOME,
)  # fmt: skip
"""Skills that the simulator has scenes, a teleoperator and a judge for."""

EFFECT: dict[Skill, str] = {
    Skill.PLACE_IN: "in",
    Skill.PLACE_ON: "on",
    Skill.PLACE_NEXT_TO: "next_to",
    Skill.PLACE_LEFT_OF: "left_of",
    Skill.PLACE_RIGHT_OF: "right_of",
    Skill.PLACE_IN_FRONT_OF: "in_front_of",
    Skill.PLACE_BEHIND: "behind",
    Skill.PICK: "holding",
    Skill.OPEN: "open",
    Skill.CLOSE: "closed",
    Skill.TURN_ON: "turned_on",
    Skill.TURN_OFF: "turned_off",
    Skill.PRESS: "pressed",
}
"""Skill -> the predicate that holds of (object, target), or of the object, when it is done.

A push or a rotation in some direction has no predicate: its effect cannot be told from one
scene.  `achieved` judges these, a push into a region, a sweep and the way home too.
"""


@dataclass(frozen=True)
class Step:
    """One thing to do: `skill` with `object_id` and `target_id` (ids of a scene).

    The target of a push or a rotation may be a direction, such as `left`; skills of one
    object have an empty one.  A sweep is about everything of the object's kind and colour;
    the way home has neither object nor target.
    """

    skill: Skill
    object_id: str
    target_id: str

    @property
    def goal(self) -> Literal:
        """The literal that holds when the step is done.

        Raises:
            SceneError: for a push or a rotation, whose effect no literal says.
        """
        if self.skill not in EFFECT:
            raise SceneError(f"skill '{self.skill}': no literal says its effect")
        predicate = EFFECT[self.skill]
        args = (self.object_id, self.target_id)
        return Literal(predicate, args[: PREDICATES[predicate]])


def achieved(step: Step, scene: Scene) -> bool:
    """Tell whether a step's effect holds in a scene.

    Raises:
        SceneError: if it names an object that is not in the scene, or has no effect that one
            scene can tell.
    """
    if step.skill is Skill.HOME:
        return scene.at_home is True
    if step.skill is Skill.SWEEP:
        return all(
            scene.holds(Literal("in", (item.id, step.target_id))) for item in swept(step, scene)
        )
    if step.skill is Skill.PUSH and step.target_id in scene:
        return scene.holds(Literal("in", (step.object_id, step.target_id)))
    return scene.holds(step.goal)


def swept(step: Step, scene: Scene) -> tuple[SceneObject, ...]:
    """Return everything of the kind and colour of a step's object."""
    one = scene[step.object_id]
    return tuple(item for item in scene.of_kind(one.kind) if item.color == one.color)


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
    item = scene[step.object_id] if step.object_id else _NOTHING
    target = scene[step.target_id] if step.target_id else _NOTHING
    return StepWords(step.skill, item.color, item.kind, target.color, target.kind)


_NOTHING = SceneObject("", "")


_PREPOSITION = {
    Skill.PLACE_IN: "in",
    Skill.PLACE_ON: "on",
    Skill.PLACE_NEXT_TO: "next to",
}


def canonical_prompt(said: StepWords) -> str:
    """Return the planner's wording, for example `put the red cube in the blue bowl`."""
    item = f"{said.object_color} {said.object_kind}".strip()
    target = f"{said.target_color} {said.target_kind}".strip()
    match said.skill:
        case Skill.PUSH:
            return f"push the {item} into the {target}"
        case Skill.SWEEP:
            return f"sweep the {item}s into the {target}"
        case Skill.OPEN | Skill.CLOSE | Skill.PRESS:
            return f"{said.skill} the {item}"
        case Skill.HOME:
            return "return home"
        case _:
            return f"put the {item} {_PREPOSITION[said.skill]} the {target}"
