"""What a planner answers: a plan, a question, or a refusal; never nothing.

The three are frozen values.  Any planner behind the seam
`Planner.plan(instruction, scene, answer) -> Outcome` returns one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import EFFECT, Step
from lam_ros.planning.domain import effects_of
from lam_ros.planning.prompts import prompt_for

type JsonDict = dict[str, object]

ALREADY_DONE = "already done: everything that was asked for holds in the scene"


class RefuseKind(StrEnum):
    """Why an instruction is not carried out."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTERS = "control_characters"
    OTHER_LANGUAGE = "other_language"
    NOT_A_TASK = "not_a_task"
    NOT_UNDERSTOOD = "not_understood"
    UNSAFE = "unsafe"
    CONTRADICTORY = "contradictory"
    MISSING_OBJECT = "missing_object"
    UNSUPPORTED_SKILL = "unsupported_skill"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    BAD_SCENE = "bad_scene"
    NO_PICTURE = "no_picture"


@dataclass(frozen=True)
class PlannedStep:
    """A step and the text that the policy reads for it.

    Attributes:
        step: what to do.
        prompt: what the policy reads.
        tool: name of the tool that does it; empty for the policy.
        needs: what must hold before, beside what the step itself needs.
        brings: what holds afterwards where the skill alone does not say it: a push, a sweep.
    """

    step: Step
    prompt: str
    tool: str = ""
    needs: tuple[Literal, ...] = ()
    brings: tuple[Literal, ...] = ()

    @classmethod
    def of(cls, step: Step, scene: Scene) -> PlannedStep:
        """Return the step with its prompt in the planner's wording.

        Raises:
            SceneError: if the step names an object that is not in the scene.
        """
        brings = () if step.skill in EFFECT else effects_of(step, scene)
        return cls(step, prompt_for(step, scene), brings=brings)

    @property
    def effect(self) -> Literal | None:
        """What is seen when the step is done, the first of it; None where no literal says it."""
        return next(iter(self.effects), None)

    @property
    def effects(self) -> tuple[Literal, ...]:
        """Everything that is seen when the step is done."""
        return (self.step.goal,) if self.step.skill in EFFECT else self.brings

    def to_dict(self) -> JsonDict:
        """Return the row of the JSON output."""
        return {
            "skill": str(self.step.skill),
            "object": self.step.object_id,
            "target": self.step.target_id,
            "prompt": self.prompt,
        }


def _row(kind: str, **entries: object) -> JsonDict:
    row: JsonDict = {"kind": kind, "goal": [], "steps": [], "question": "", "reason": ""}
    return row | {"candidates": [], "refuse_kind": "", "remark": ""} | entries


@dataclass(frozen=True)
class Plan:
    """What will be done.

    Attributes:
        instruction: the words that it answers.
        goal: what holds when all is done, in the order that it was said.
        steps: what to do, in order; empty if the goal holds already.
        note: why there is nothing to do, if not because the goal holds.
        remark: who understood the words, where there is a choice; empty otherwise.
    """

    instruction: str
    goal: tuple[Literal, ...]
    steps: tuple[PlannedStep, ...]
    note: str = ""
    remark: str = ""

    @property
    def is_done(self) -> bool:
        """True if there is nothing left to do."""
        return not self.steps

    @property
    def message(self) -> str:
        """One line for people."""
        if self.is_done:
            return self.note or ALREADY_DONE
        return ", then ".join(step.prompt for step in self.steps)

    def to_dict(self) -> JsonDict:
        """Return the JSON row."""
        return _row(
            "plan",
            goal=[literal.to_list() for literal in self.goal],
            steps=[step.to_dict() for step in self.steps],
            reason=self.message if self.is_done else "",
            remark=self.remark,
        )


@dataclass(frozen=True)
class Clarify:
    """A question, with the ids among which the answer chooses; `remark` as of a plan."""

    question: str
    candidates: tuple[str, ...]
    remark: str = ""

    def to_dict(self) -> JsonDict:
        """Return the JSON row."""
        return _row("clarify", question=self.question, candidates=list(self.candidates),
                    remark=self.remark)  # fmt: skip


@dataclass(frozen=True)
class Refuse:
    """A refusal: its kind for programs, and one line with the reason for people.

    `remark` is as of a plan.
    """

    kind: RefuseKind
    reason: str
    remark: str = ""

    def to_dict(self) -> JsonDict:
        """Return the JSON row."""
        return _row("refuse", reason=self.reason, refuse_kind=str(self.kind),
                    remark=self.remark)  # fmt: skip


type Outcome = Plan | Clarify | Refuse
