"""What is asked of a run, and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from lam_ros.core.errors import ExitCode


@dataclass(frozen=True)
class RunRequest:
    """One instruction to carry out.

    Attributes:
        instruction: what to do, in English.
        seed: fixes the scene.
        goal_image: picture of the wanted table; None for none.
        answer: to the question that an earlier run ended with.
        out: folder of the run's files; None for a new one in `runs/`.
        video: whether to make the video and the contact sheet.
        single_process: all nodes in this process, for debugging.
        show: whether to show the progress for people.
        overrides: hydra overrides of config/run.yaml.
    """

    instruction: str
    seed: int = 0
    answer: str = ""
    out: Path | None = None
    goal_image: Path | None = None
    video: bool = True
    single_process: bool = False
    show: bool = True
    overrides: tuple[str, ...] = ()


class Termination(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    GOAL_NOT_REACHED = "goal_not_reached"
    STEP_FAILED = "step_failed"
    REFUSED = "refused"
    QUESTION = "question"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    TIMEOUT = "timeout"
    NODE_DIED = "node_died"


EXIT_CODES = {
    Termination.SUCCEEDED: ExitCode.DONE,
    Termination.REFUSED: ExitCode.WRONG_REQUEST,
    Termination.QUESTION: ExitCode.QUESTION_OPEN,
    Termination.CANCELLED: ExitCode.INTERRUPTED,
}
"""Terminations that are not simply a failed task."""


@dataclass(frozen=True)
class StepReport:
    """How one step of the plan went."""

    skill: str
    prompt: str
    outcome: str
    seconds: float


@dataclass(frozen=True)
class RunReport:
    """How a run ended.

    Attributes:
        success: the ground truth's verdict on the goal, and the plan was finished.
        termination: how it ended.
        message: one line that says what failed and why; empty after success.
        goal: the literals that were judged, as `predicate(a, b)`.
        failing: those of them that do not hold.
        question, candidates: what the planner asks; empty otherwise.
        policy: who drove the arm.
        seconds: from the instruction to its end.
        start_seconds: from the start to the instruction.
        latency_ms: mean time from a picture to its chunk.
        sight: how well what was planned on agreed with the ground truth.
        files: name -> path of what was written.
    """

    success: bool
    instruction: str
    termination: Termination
    message: str
    steps: tuple[StepReport, ...]
    replans: int
    seconds: float
    seed: int
    run_dir: str
    policy: str
    goal: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    question: str = ""
    candidates: tuple[str, ...] = ()
    start_seconds: float = 0.0
    latency_ms: float = 0.0
    files: tuple[tuple[str, str], ...] = ()
    sight: tuple[tuple[str, float], ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """What the shell gets."""
        return EXIT_CODES.get(self.termination, ExitCode.TASK_FAILED)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data = asdict(self)
        data["termination"] = str(self.termination)
        data["steps"] = [asdict(step) for step in self.steps]
        data["files"], data["sight"] = dict(self.files), dict(self.sight)
        return data
