"""The values that go in and out of the execution of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from lam_ros.core.scene import Scene
from lam_ros.core.skills import Step
from lam_ros.planning.outcome import Plan, PlannedStep, Refuse


class SkillState(StrEnum):
    """How the skill that `run` names stands; the ends are those of RunSkill.action.

    DONE is the end of a tool that says itself that it has worked; a policy never knows.
    """

    IDLE = "idle"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    NO_OBSERVATION = "no_observation"
    POLICY_ERROR = "policy_error"
    STOPPED = "stopped"
    REJECTED = "rejected"


@dataclass(frozen=True)
class SkillStatus:
    """How the newest skill stands.

    Attributes:
        run: the number of the `RunStep` that it carries out; 0 before the first.
        state: how it stands.
        detail: one line on how it ended.
    """

    run: int = 0
    state: SkillState = SkillState.IDLE
    detail: str = ""


class Termination(IntEnum):
    """How an execution ended; the numbers are those of ExecuteInstruction.action."""

    SUCCEEDED = 0
    STEP_FAILED = 1
    CANCELLED = 4
    STOPPED = 5


@dataclass(frozen=True)
class RunStep:
    """The policy should be running with this step's prompt.

    Attributes:
        run: counts up with each attempt; a new number means: start anew.
        planned: the step and its prompt.
        attempt: 1 for the first.
        timeout_s: how long the attempt may take.
        grasp: 0 for the usual grasp, counting up with each other one that shall be tried.
    """

    run: int
    planned: PlannedStep
    attempt: int
    timeout_s: float
    grasp: int = 0


@dataclass(frozen=True)
class Hold:
    """No skill should be running: cancel it if one is; the arm holds still."""

    reason: str


@dataclass(frozen=True)
class Finished:
    """It is over; no skill should be running.

    Attributes:
        termination: how it ended.
        message: one line for people.
        failed_step: the step that could not be done, if one is to blame.
    """

    termination: Termination
    message: str
    failed_step: PlannedStep | None = None


type Decision = RunStep | Hold | Finished


class Replanner(Protocol):
    """Makes a new plan for what is left of a plan, from what is seen."""

    def replan(self, plan: Plan, remaining: Sequence[Step], scene: Scene) -> Plan | Refuse:
        """Return the plan for the steps that are left, or why there is none."""
        ...
