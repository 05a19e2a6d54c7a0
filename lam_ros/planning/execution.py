"""What to do next while a plan is carried out: a state machine over what is seen.

    CHECKING -> RUNNING -> HALTING -> CHECKING the next step ... -> ENDING -> OVER
                   |  failed: retry, then replan from what is seen, then give up

The owner calls `tick` a few times a second with the newest scene, the time and how the
skill stands, and does what the returned decision says.  A decision says what should be
the case (the same `RunStep` again: keep it running), so a repeated tick does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.scene import Scene
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
from lam_ros.planning.progress import PlanProgress, StepProgress, StepStatus
from lam_ros.planning.seeing import effect_seen, what_is_lacking


class _Phase(Enum):
    CHECKING = auto()
    RUNNING = auto()
    HALTING = auto()
    REPLANNING = auto()
    ENDING = auto()
    OVER = auto()


class PlanExecution:
    """Carries out one plan; one instance an instruction."""

    def __init__(self, plan: Plan, replanner: Replanner, config: ExecutionConfig) -> None:
        """Start before the first step.

        Args:
            plan: what to do; may have no steps if its goal holds already.
            replanner: makes a new plan when a step fails or its effect is undone.
            config: times and how often to try.
        """
        self._plan = plan
        self._replanner = replanner
        self._config = config
        self._ended: list[StepProgress] = []
        self._queue: list[PlannedStep] = list(plan.steps)
        self._phase = _Phase.CHECKING
        self._next = _Phase.CHECKING
        self._result: Finished | None = None
        self._run = 0
        self._attempt = 0
        self._replans = 0
        self._why = ""
        self._state = "starting"
        self._now_ns = 0
        self._step_since_ns: int | None = None
        self._attempt_since_ns = 0
        self._waiting_since_ns: int | None = None
        self._effect_since_ns: int | None = None

    def tick(self, scene: Scene | None, now_ns: int, skill: SkillStatus) -> Decision:
        """Return what should be the case now.

        Args:
            scene: the newest scene, or None if none has come.
            now_ns: the present time, on the clock of the scene's stamp.
            skill: how the skill stands; RUNNING from when it is asked for until it is over.
        """
        self._rebase(now_ns)
        seen = self._fresh(scene)
        if skill.state is SkillState.STOPPED and skill.run == self._run and self._run:
            self._end(Termination.STOPPED, f"stopped: {skill.detail or 'emergency stop'}")
        while True:
            before = self._phase
            decision = self._step(seen, skill)
            if decision is not None:
                self._state = _in_words(decision)
                return decision
            if self._phase is not before:
                self._waiting_since_ns = None

    def cancel(self, reason: str = "cancelled") -> None:
        """End it: the next decisions hold the arm still, then say that it is over."""
        if self._phase is not _Phase.OVER:
            self._end(Termination.CANCELLED, reason)

    def progress(self) -> PlanProgress:
        """Return how the plan stands, as of the last tick."""
        pending = [StepProgress(planned) for planned in self._queue]
        if pending and self._attempt and self._phase is not _Phase.OVER:
            pending[0] = self._current(StepStatus.RUNNING, "")
        steps = (*self._ended, *pending)
        return PlanProgress(
            self._plan.instruction, steps, len(self._ended), self._replans, self._state
        )

    # The phases: each returns a decision, or None after having gone to another phase

    def _step(self, seen: Scene | None, skill: SkillStatus) -> Decision | None:
        if self._phase is _Phase.CHECKING:
            return self._checking(seen)
        if self._phase is _Phase.RUNNING:
            return self._running(seen, skill)
        if self._phase is _Phase.HALTING:
            return self._halting(skill)
        if self._phase is _Phase.REPLANNING:
            return self._replanning(seen)
        if self._phase is _Phase.ENDING:
            return self._ending(seen)
        return self._result

    def _checking(self, seen: Scene | None) -> Decision | None:
        """Wait until the next step can begin, then begin it."""
        if not self._queue:
            self._phase = _Phase.ENDING
            return None
        if seen is None:
            return self._wait("waiting for a fresh scene", self._give_up_blind)
        planned = self._queue[0]
        if effect_seen(seen, planned.step.goal):
            status = StepStatus.DONE if self._attempt else StepStatus.SKIPPED
            self._close(status, f"{planned.step.goal} holds already")
            return None
        lacking = what_is_lacking(seen, planned)
        if lacking:
            return self._wait(lacking, self._replan_because)
        self._begin()
        return None

    def _begin(self) -> None:
        self._run += 1
        self._attempt += 1
        self._attempt_since_ns = self._now_ns
        if self._step_since_ns is None:
            self._step_since_ns = self._now_ns
        self._effect_since_ns = None
        self._phase = _Phase.RUNNING

    def _running(self, seen: Scene | None, skill: SkillStatus) -> Decision | None:
        """Let the policy act until the effect is seen, or the attempt has failed."""
        planned = self._queue[0]
        if seen is None or not effect_seen(seen, planned.step.goal):
            self._effect_since_ns = None
        elif self._effect_since_ns is None:
            self._effect_since_ns = self._now_ns
        over = skill.run == self._run and skill.state not in (SkillState.IDLE, SkillState.RUNNING)
        if self._effect_since_ns is not None:
            if self._passed(self._effect_since_ns, self._config.settle_s):
                self._close(StepStatus.DONE, f"{planned.step.goal} is seen")
                self._halt(_Phase.CHECKING)
                return None
        elif over:
            detail = f": {skill.detail}" if skill.detail else ""
            self._failed(f"the skill ended with {skill.state.value}{detail}")
            return None
        elif self._passed(self._attempt_since_ns, self._config.step_timeout_s):
            self._failed(f"{planned.step.goal} not seen in {self._config.step_timeout_s:g} s")
            return None
        if over:
            return Hold("the effect is seen; waiting for it to settle")
        return RunStep(self._run, planned, self._attempt, self._config.step_timeout_s)

    def _failed(self, why: str) -> None:
        """Try again, or plan anew after the last attempt."""
        self._why = why
        last = self._attempt >= self._config.max_attempts
        self._halt(_Phase.REPLANNING if last else _Phase.CHECKING)

    def _halt(self, after: _Phase) -> None:
        self._phase, self._next = _Phase.HALTING, after

    def _halting(self, skill: SkillStatus) -> Decision | None:
        if skill.state is SkillState.RUNNING:
            return Hold("waiting for the skill to end")
        self._phase = self._next
        return None

    def _replanning(self, seen: Scene | None) -> Decision | None:
        """Plan anew from what is seen for the steps that are left."""
        if seen is None:
            return self._wait("waiting for a fresh scene to plan anew", self._give_up_blind)
        if self._replans >= self._config.max_replans:
            self._give_up(self._why)
            return None
        remaining = [planned.step for planned in self._queue]
        plan = self._replanner.replan(self._plan, remaining, seen)
        if isinstance(plan, Refuse):
            self._give_up(f"{self._why}; no other way: {plan.reason}")
            return None
        self._replans += 1
        if self._attempt:
            self._close(StepStatus.FAILED, self._why)
        self._queue = list(plan.steps)
        self._phase = _Phase.CHECKING
        return None

    def _ending(self, seen: Scene | None) -> Decision | None:
        """See that every goal literal holds in the end."""
        if seen is None:
            return self._wait("waiting for a fresh scene", self._give_up_blind)
        undone = [goal for goal in self._plan.goal if not effect_seen(seen, goal)]
        if not undone:
            self._end(Termination.SUCCEEDED, "done" if self._run else ALREADY_DONE)
            return None
        self._why = f"{undone[0]} was undone"
        return self._wait(self._why, self._replan_because, self._config.settle_s)

    # What phases share

    def _wait(
        self, reason: str, then: Callable[[str], None], patience_s: float | None = None
    ) -> Decision | None:
        """Hold still; when that has lasted too long, do `then`."""
        if self._waiting_since_ns is None:
            self._waiting_since_ns = self._now_ns
        patience_s = self._config.look_timeout_s if patience_s is None else patience_s
        if not self._passed(self._waiting_since_ns, patience_s):
            return Hold(reason)
        then(reason)
        return None

    def _passed(self, since_ns: int, seconds: float) -> bool:
        return self._now_ns - since_ns >= seconds_to_ns(seconds)

    def _fresh(self, scene: Scene | None) -> Scene | None:
        """Return the scene if it is of the present."""
        if scene is None:
            return None
        age_ns = abs(self._now_ns - scene.stamp_ns)
        return scene if age_ns <= seconds_to_ns(self._config.scene_stale_s) else None

    def _close(self, status: StepStatus, outcome: str) -> None:
        """Book the current step as ended and go to the next."""
        self._ended.append(self._current(status, outcome))
        del self._queue[0]
        self._attempt = 0
        self._step_since_ns = None
        self._waiting_since_ns = None

    def _current(self, status: StepStatus, outcome: str) -> StepProgress:
        since_ns = self._now_ns if self._step_since_ns is None else self._step_since_ns
        seconds = ns_to_seconds(self._now_ns - since_ns)
        return StepProgress(self._queue[0], status, outcome, seconds, self._attempt)

    def _replan_because(self, why: str) -> None:
        self._why = why
        self._phase = _Phase.REPLANNING

    def _give_up_blind(self, why: str) -> None:
        self._give_up(f"{why}, none came in {self._config.look_timeout_s:g} s")

    def _give_up(self, why: str) -> None:
        step = self._queue[0] if self._queue else None
        named = f"step '{step.prompt}' failed: {why}" if step else why
        self._end(Termination.STEP_FAILED, named)

    def _end(self, termination: Termination, message: str) -> None:
        """Hold the arm still, then be over; the first reason counts."""
        if self._result is not None:
            return
        failed = termination is not Termination.SUCCEEDED
        step = self._queue[0] if failed and self._queue else None
        self._result = Finished(termination, message, step)
        if step and (self._attempt or termination is Termination.STEP_FAILED):
            self._close(StepStatus.FAILED, message)
        self._halt(_Phase.OVER)

    def _rebase(self, now_ns: int) -> None:
        """Shift what is timed when the clock jumps back, as simulated time does on reset."""
        jump_ns = min(0, now_ns - self._now_ns)
        self._attempt_since_ns += jump_ns
        for name in ("_step_since_ns", "_waiting_since_ns", "_effect_since_ns"):
            since_ns = getattr(self, name)
            if since_ns is not None:
                setattr(self, name, since_ns + jump_ns)
        self._now_ns = now_ns


def _in_words(decision: Decision) -> str:
    if isinstance(decision, RunStep):
        again = f" (attempt {decision.attempt})" if decision.attempt > 1 else ""
        return f"running: {decision.planned.prompt}{again}"
    return decision.reason if isinstance(decision, Hold) else decision.message
