"""Where the carrying out of a plan stands, and each check and act that its tree is made of.

Every verb here is asked again at each tick and returns how it stands: SUCCESS, FAILURE or
RUNNING.  One that is RUNNING has said in `decision` what should be the case meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from py_trees.common import Status

from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.scene import Literal, Scene
from lam_ros.planning.config import ExecutionConfig
from lam_ros.planning.decisions import (
    Decision,
    Finished,
    Hold,
    Replanner,
    RunStep,
    SkillState,
    SkillStatus,
    Termination,
)
from lam_ros.planning.outcome import ALREADY_DONE, Plan, PlannedStep, Refuse
from lam_ros.planning.progress import StepProgress, StepStatus
from lam_ros.planning.seeing import effect_seen, what_is_lacking

type Tell = Callable[[str, str, Mapping[str, Any]], None]
"""Takes what happened: a kind, one line for people, and what programs need of it."""


def tell_nobody(kind: str, text: str, facts: Mapping[str, Any]) -> None:
    """Let what happened go by."""


@dataclass
class Attempt:
    """The step that is being carried out.

    Attributes:
        planned: the step.
        number: of the try; 0 before the first.
        since_ns: when the first try began.
        try_since_ns: when this try began.
        effect_since_ns: since when the effect is seen without a break.
        lacking_since_ns: since when something is lacking that the step needs.
        grasp: 0 for the usual grasp, counting up with each other one.
        run: number of the run that carries it out.
    """

    planned: PlannedStep
    number: int = 0
    since_ns: int | None = None
    try_since_ns: int = 0
    effect_since_ns: int | None = None
    lacking_since_ns: int | None = None
    grasp: int = 0
    run: int = 0


@dataclass
class Course:
    """Everything that is known of one execution.

    Attributes:
        plan: what is being carried out; replaced by a new plan.
        replanner: makes the new plan.
        config: times and how often to try.
        tell: hears what happens.
        ended: the steps that are over, in order.
        queue: the steps that are left.
        replans: how often a new plan was made.
        result: how it ended; None until then.
        question: what is being asked, with the arm at rest; empty if nothing.
        is_new_plan: True from when a new plan was made until its tree is built.
    """

    plan: Plan
    replanner: Replanner
    config: ExecutionConfig
    tell: Tell = tell_nobody
    ended: list[StepProgress] = field(default_factory=list)
    queue: list[PlannedStep] = field(default_factory=list)
    replans: int = 0
    result: Finished | None = None
    question: str = ""
    is_new_plan: bool = False
    runs: int = 0
    why: str = ""
    decision: Decision | None = None
    seen: Scene | None = None
    skill: SkillStatus = field(default_factory=SkillStatus)
    now_ns: int = 0
    attempt: Attempt | None = None
    interrupted: bool = False
    extension: tuple[Plan, str] | None = None
    _waiting_since_ns: int | None = None
    _asked_since_ns: int | None = None
    _undone_since_ns: int | None = None

    def __post_init__(self) -> None:
        """Begin with all steps of the plan."""
        self.queue = list(self.plan.steps)

    # What the owner tells

    def observe(self, scene: Scene | None, now_ns: int, skill: SkillStatus) -> None:
        """Take note of the newest scene, the time and how the skill stands."""
        self._rebase(now_ns)
        fresh_ns = seconds_to_ns(self.config.scene_stale_s)
        is_fresh = scene is not None and abs(now_ns - scene.stamp_ns) <= fresh_ns
        self.seen = scene if is_fresh else None
        self.skill = skill
        self.decision = None
        if skill.state is SkillState.STOPPED and skill.run == self.runs and self.runs:
            self.end(Termination.STOPPED, f"stopped: {skill.detail or 'emergency stop'}")

    def skip(self, seconds: float) -> None:
        """Let time that was spent waiting on purpose not count."""
        self._shift(seconds_to_ns(seconds))
        self.interrupted = True

    # The parts of the tree

    def done_already(self) -> Status:
        """Wait for the arm to be still and for a fresh scene; is the step's effect seen?"""
        ready = self._still_and_seeing("waiting for a fresh scene")
        if ready is not Status.SUCCESS or self.seen is None:
            return ready
        if self._extended():
            return Status.RUNNING
        attempt = self._current()
        if not _effect_seen(self.seen, attempt.planned):
            return Status.FAILURE
        status = StepStatus.DONE if attempt.number else StepStatus.SKIPPED
        self._close(status, f"{_goal_of(attempt.planned)} holds already")
        return Status.SUCCESS

    def can_begin(self) -> Status:
        """Wait for what the step needs; FAILURE if it stays away."""
        ready = self._still_and_seeing("waiting for a fresh scene")
        if ready is not Status.SUCCESS or self.seen is None:
            return ready
        attempt = self._current()
        lacking = what_is_lacking(self.seen, attempt.planned)
        if not lacking:
            attempt.lacking_since_ns = None
            return Status.SUCCESS
        return self._lasting(attempt, lacking)

    def act(self, grasp: int) -> Status:
        """Let the policy act until the effect is seen to last, or the try has failed."""
        attempt = self._current()
        if attempt.run == 0 or self.interrupted:
            self._begin(attempt, grasp)
        planned, config = attempt.planned, self.config
        if self.seen is None or not _effect_seen(self.seen, planned):
            attempt.effect_since_ns = None
        elif attempt.effect_since_ns is None:
            attempt.effect_since_ns = self.now_ns
        over = self.skill.run == attempt.run and self.skill.state not in (
            SkillState.IDLE, SkillState.RUNNING,
        )  # fmt: skip
        if over and self.skill.state is SkillState.DONE and not _has_effect(planned):
            self._close(StepStatus.DONE, self.skill.detail or "done")
            return Status.SUCCESS
        if attempt.effect_since_ns is not None:
            if self._passed(attempt.effect_since_ns, config.settle_s):
                self._close(StepStatus.DONE, f"{_goal_of(planned)} is seen")
                return Status.SUCCESS
        elif over and not self._awaits_effect(attempt):
            detail = f": {self.skill.detail}" if self.skill.detail else ""
            return self._failed(attempt, f"the skill ended with {self.skill.state.value}{detail}")
        elif self._passed(attempt.try_since_ns, config.step_timeout_s):
            return self._failed(
                attempt, f"{_goal_of(planned)} not seen in {config.step_timeout_s:g} s"
            )
        elif self._is_hopeless(attempt):
            return self._failed(attempt, self.why)
        if over:
            self.decision = Hold("the effect is seen; waiting for it to settle")
        else:
            self.decision = RunStep(
                attempt.run, planned, attempt.number, config.step_timeout_s, attempt.grasp
            )
        return Status.RUNNING

    def goal_holds(self) -> Status:
        """See that every goal literal holds in the end."""
        ready = self._still_and_seeing("waiting for a fresh scene")
        if ready is not Status.SUCCESS or self.seen is None:
            return ready
        if self._extended():
            return Status.RUNNING
        undone = [goal for goal in self.plan.goal if not effect_seen(self.seen, goal)]
        if not undone:
            self.end(Termination.SUCCEEDED, "done" if self.runs else ALREADY_DONE)
            return Status.SUCCESS
        self.why = f"{undone[0]} was undone"
        if self._undone_since_ns is None:
            self._undone_since_ns = self.now_ns
        if self._passed(self._undone_since_ns, self.config.settle_s):
            return Status.FAILURE
        self.decision = Hold(self.why)
        return Status.RUNNING

    def plan_anew(self) -> Status:
        """Plan from what is seen for the steps that are left."""
        ready = self._still_and_seeing("waiting for a fresh scene to plan anew")
        if ready is not Status.SUCCESS or self.seen is None:
            return ready
        if self.replans >= self.config.max_replans:
            return Status.FAILURE
        remaining = [planned.step for planned in self.queue]
        plan = self.replanner.replan(self.plan, remaining, self.seen)
        if isinstance(plan, Refuse):
            self.why = f"{self.why}; no other way: {plan.reason}"
            self.tell("no_plan", f"no other way: {plan.reason}", {})
            return Status.FAILURE
        self.replans += 1
        self.take(plan, self.why)
        return Status.RUNNING

    def ask(self) -> Status:
        """Ask whether to leave the step out or to try again, while the arm rests."""
        if self.config.ask_timeout_s <= 0 or not self.queue:
            return Status.FAILURE
        if self._asked_since_ns is None:
            self._asked_since_ns = self.now_ns
            prompt = self.queue[0].prompt
            self.question = (
                f"I could not do '{prompt}' ({self.why}): shall I skip it, try again, or stop?"
            )
            self.tell("ask", self.question, {})
        if self._passed(self._asked_since_ns, self.config.ask_timeout_s):
            self.question = ""
            self.tell("unanswered", f"no answer in {self.config.ask_timeout_s:g} s", {})
            return Status.FAILURE
        self.decision = Hold(self.question)
        return Status.RUNNING

    def give_up(self) -> Status:
        """End with the step that could not be done, and why."""
        step = self.queue[0] if self.queue else None
        named = f"step '{step.prompt}' failed: {self.why}" if step else self.why
        self.end(Termination.STEP_FAILED, named)
        return Status.FAILURE

    # What changes the course

    def take(self, plan: Plan, why: str) -> None:
        """Go on with another plan for what is left."""
        if self.attempt is not None and self.attempt.number:
            self._close(StepStatus.FAILED, why)
        self.plan = plan
        self.queue = list(plan.steps)
        self.attempt = None
        self.question, self._asked_since_ns = "", None
        self._waiting_since_ns = self._undone_since_ns = None
        self.is_new_plan = True
        told = {"steps": [step.to_dict() for step in plan.steps]}
        self.tell("replan", f"a new plan, because {why}: {plan.message}", told)

    def end(self, termination: Termination, message: str) -> None:
        """Be over, once the arm is still; the first reason counts."""
        if self.result is None:
            failed = termination is not Termination.SUCCEEDED
            step = self.queue[0] if failed and self.queue else None
            self.result = Finished(termination, message, step)
            tried = self.attempt is not None and self.attempt.number
            if step and (tried or termination is Termination.STEP_FAILED):
                self._current()
                self._close(StepStatus.FAILED, message)
            self.question = ""

    def _extended(self) -> bool:
        """Take what has to be done beside, as was noticed meanwhile."""
        if self.extension is None:
            return False
        (plan, why), self.extension = self.extension, None
        self.take(plan, why)
        return True

    # What the verbs share

    def current_progress(self) -> StepProgress | None:
        """Return how the step stands that is being tried, if one is."""
        if self.attempt is None or not self.attempt.number:
            return None
        return self._progress(self.attempt, StepStatus.RUNNING, "")

    def _current(self) -> Attempt:
        """Return the attempt at the first step that is left."""
        if self.attempt is None:
            self.attempt = Attempt(self.queue[0])
        return self.attempt

    def _begin(self, attempt: Attempt, grasp: int) -> None:
        again = self.interrupted and attempt.run != 0
        self.interrupted = False
        self.runs += 1
        attempt.run = self.runs
        attempt.number += 0 if again else 1
        attempt.grasp = grasp
        attempt.try_since_ns = self.now_ns
        attempt.effect_since_ns = None
        if attempt.since_ns is None:
            attempt.since_ns = self.now_ns
        text = f"{attempt.planned.prompt} (attempt {attempt.number})"
        facts = {"step": attempt.planned.to_dict(), "attempt": attempt.number, "grasp": grasp}
        self.tell("resumed" if again else "try", text, facts)

    def _failed(self, attempt: Attempt, why: str) -> Status:
        self.why = why
        attempt.run = 0
        facts = {"step": attempt.planned.to_dict(), "attempt": attempt.number}
        self.tell("failed", f"attempt {attempt.number} at '{attempt.planned.prompt}': {why}", facts)
        return Status.FAILURE

    def _awaits_effect(self, attempt: Attempt) -> bool:
        """Tell whether a tool that says it is done may still be seen to have worked."""
        return self.skill.state is SkillState.DONE and not self._passed(
            attempt.try_since_ns, self.config.look_timeout_s
        )

    def _is_hopeless(self, attempt: Attempt) -> bool:
        """Tell whether a person has taken or covered what the step needs, for long."""
        if self.seen is None:
            return False
        lacking = what_is_lacking(self.seen, attempt.planned)
        holds = self.seen.held == attempt.planned.step.object_id
        if not lacking or holds:
            attempt.lacking_since_ns = None
            return False
        if attempt.lacking_since_ns is None:
            attempt.lacking_since_ns = self.now_ns
        self.why = lacking
        return self._passed(attempt.lacking_since_ns, self.config.look_timeout_s)

    def _lasting(self, attempt: Attempt, lacking: str) -> Status:
        self.why = lacking
        if attempt.lacking_since_ns is None:
            attempt.lacking_since_ns = self.now_ns
        if self._passed(attempt.lacking_since_ns, self.config.look_timeout_s):
            self.tell("lacking", lacking, {})
            return Status.FAILURE
        self.decision = Hold(lacking)
        return Status.RUNNING

    def _still_and_seeing(self, reason: str) -> Status:
        """Wait until no skill runs and the scene is of the present; blind for long is the end."""
        if self.skill.state is SkillState.RUNNING:
            self._waiting_since_ns = None
            self.decision = Hold("waiting for the skill to end")
            return Status.RUNNING
        if self.seen is not None:
            self._waiting_since_ns = None
            return Status.SUCCESS
        if self._waiting_since_ns is None:
            self._waiting_since_ns = self.now_ns
        if self._passed(self._waiting_since_ns, self.config.look_timeout_s):
            self.why = f"{reason}, none came in {self.config.look_timeout_s:g} s"
            return self.give_up()
        self.decision = Hold(reason)
        return Status.RUNNING

    def _passed(self, since_ns: int, seconds: float) -> bool:
        return self.now_ns - since_ns >= seconds_to_ns(seconds)

    def _close(self, status: StepStatus, outcome: str) -> None:
        """Book the current step as ended and go to the next."""
        attempt = self._current()
        closed = self._progress(attempt, status, outcome)
        self.ended.append(closed)
        facts = {
            "step": attempt.planned.to_dict(),
            "status": status.name.lower(),
            "attempts": attempt.number,
            "seconds": round(closed.seconds, 3),
        }
        self.tell("step", f"'{attempt.planned.prompt}' {status.name.lower()}: {outcome}", facts)
        if self.queue:
            del self.queue[0]
        self.attempt = None
        self._waiting_since_ns = self._undone_since_ns = None

    def _progress(self, attempt: Attempt, status: StepStatus, outcome: str) -> StepProgress:
        since_ns = self.now_ns if attempt.since_ns is None else attempt.since_ns
        seconds = ns_to_seconds(self.now_ns - since_ns)
        return StepProgress(attempt.planned, status, outcome, seconds, attempt.number)

    def _rebase(self, now_ns: int) -> None:
        """Shift what is timed when the clock jumps back, as simulated time does on reset."""
        self._shift(min(0, now_ns - self.now_ns))
        self.now_ns = now_ns

    def _shift(self, jump_ns: int) -> None:
        for owner, names in (
            (self, ("_waiting_since_ns", "_asked_since_ns", "_undone_since_ns")),
            (self.attempt, ("since_ns", "try_since_ns", "effect_since_ns", "lacking_since_ns")),
        ):
            for name in names if owner is not None else ():
                since_ns = getattr(owner, name)
                if since_ns is not None:
                    setattr(owner, name, since_ns + jump_ns)


def _has_effect(planned: PlannedStep) -> bool:
    return planned.effect is not None


def _goal_of(planned: PlannedStep) -> Literal | str:
    return planned.effect or planned.prompt


def _effect_seen(scene: Scene, planned: PlannedStep) -> bool:
    effects = planned.effects
    return bool(effects) and all(effect_seen(scene, effect) for effect in effects)
