"""How far a plan has come, for display; mirrors lam_interfaces/msg/Plan and PlanStep."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from lam_ros.planning.outcome import PlannedStep
from lam_ros.planning.tree_view import TreeNode


class StepStatus(IntEnum):
    """How a step stands; the numbers are those of PlanStep.msg."""

    PENDING = 0
    RUNNING = 1
    DONE = 2
    FAILED = 3
    SKIPPED = 4


@dataclass(frozen=True)
class StepProgress:
    """One step and how it stands.

    Attributes:
        planned: the step and its prompt.
        status: how it stands.
        outcome: one line on how it ended; empty until then.
        seconds: time since it was first tried, up to its end.
        attempts: how often it was tried.
    """

    planned: PlannedStep
    status: StepStatus = StepStatus.PENDING
    outcome: str = ""
    seconds: float = 0.0
    attempts: int = 0


@dataclass(frozen=True)
class PlanProgress:
    """A plan and how it stands.

    Attributes:
        instruction: the words that it answers.
        steps: in order; steps that a new plan replaced stay, failed or skipped.
        current: index of the running step; `len(steps)` when all are done.
        replans: how often a new plan was made.
        state: one line for people.
        tree: the behaviour tree that carries it out, parents before children.
    """

    instruction: str
    steps: tuple[StepProgress, ...]
    current: int
    replans: int
    state: str
    tree: tuple[TreeNode, ...] = ()
