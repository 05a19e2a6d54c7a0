"""Carrying out a plan: its behaviour tree is ticked over what is seen.

The owner calls `tick` a few times a second with the newest scene, the time and how the
skill stands, and does what the returned decision says.  A decision says what should be
the case (the same `RunStep` again: keep it running), so a repeated tick does no harm.

After each step its effect is looked for.  If it is not seen: again, with another grasp, a
new plan from what is seen, a question, giving up; in that order, each bounded by
`ExecutionConfig`.
"""

from __future__ import annotations

from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.scene import Scene
from lam_ros.planning.behaviour_tree import PlanTree
from lam_ros.planning.config import ExecutionConfig
from lam_ros.planning.course import Course, Tell, tell_nobody
from lam_ros.planning.decisions import (
    Decision,
    Hold,
    Replanner,
    RunStep,
    SkillState,
    SkillStatus,
    Termination,
)
from lam_ros.planning.outcome import Plan
from lam_ros.planning.progress import PlanProgress, StepProgress


class PlanExecution:
    """Carries out one plan; one instance an instruction."""

    def __init__(
        self,
        plan: Plan,
        replanner: Replanner,
        config: ExecutionConfig,
        tell: Tell = tell_nobody,
    ) -> None:
        """Start before the first step.

        Args:
            plan: what to do; may have no steps if its goal holds already.
            replanner: makes a new plan when a step fails or its effect is undone.
            config: times and how often to try.
            tell: hears what happens.
        """
        self._course = Course(plan, replanner, config, tell)
        self._tree = PlanTree(self._course)
        self._state = "starting"
        self._paused_since_ns: int | None = None
        self._is_over = False

    def tick(self, scene: Scene | None, now_ns: int, skill: SkillStatus) -> Decision:
        """Return what should be the case now.

        Args:
            scene: the newest scene, or None if none has come.
            now_ns: the present time, on the clock of the scene's stamp.
            skill: how the skill stands; RUNNING from when it is asked for until it is over.
        """
        course = self._course
        course.observe(scene, now_ns, skill)
        while course.result is None and self._paused_since_ns is None:
            if course.is_new_plan:
                self._tree, course.is_new_plan = PlanTree(course), False
            self._tree.tick()
            if course.decision is not None:
                break
        decision = self._decision(skill)
        self._state = _in_words(decision)
        return decision

    def _decision(self, skill: SkillStatus) -> Decision:
        course = self._course
        if course.result is not None:
            self._is_over = self._is_over or skill.state is not SkillState.RUNNING
            return course.result if self._is_over else Hold("waiting for the skill to end")
        if self._paused_since_ns is not None:
            return Hold("waiting, as told; say 'go on'")
        assert course.decision is not None
        return course.decision

    def cancel(self, reason: str = "cancelled") -> None:
        """End it: the next decisions hold the arm still, then say that it is over."""
        self._course.end(Termination.CANCELLED, reason)

    def pause(self) -> None:
        """Hold still until `go_on`."""
        if self._paused_since_ns is None:
            self._paused_since_ns = self._course.now_ns

    def go_on(self) -> None:
        """Go on after a pause; the time that it took counts for nothing."""
        if self._paused_since_ns is None:
            return
        paused_ns, self._paused_since_ns = self._paused_since_ns, None
        self._course.skip(ns_to_seconds(self._course.now_ns - paused_ns))

    def take(self, plan: Plan, why: str) -> None:
        """Go on with another plan for what is left; the step that runs ends."""
        if self._course.result is None:
            self._course.take(plan, why)

    def extend(self, plan: Plan, why: str) -> None:
        """Go on with another plan for what is left, as soon as the step that runs is over."""
        self._course.extension = (plan, why)

    @property
    def is_paused(self) -> bool:
        """True from `pause` until `go_on`."""
        return self._paused_since_ns is not None

    @property
    def question(self) -> str:
        """What is being asked while the arm rests; empty if nothing."""
        return self._course.question

    @property
    def plan(self) -> Plan:
        """The plan that is being carried out."""
        return self._course.plan

    def progress(self) -> PlanProgress:
        """Return how the plan stands, as of the last tick."""
        course = self._course
        pending = [StepProgress(planned) for planned in course.queue]
        running = course.current_progress()
        if pending and running is not None and course.result is None:
            pending[0] = running
        steps = (*course.ended, *pending)
        instruction = course.plan.instruction
        nodes = self._tree.nodes()
        return PlanProgress(
            instruction, steps, len(course.ended), course.replans, self._state, nodes
        )


def _in_words(decision: Decision) -> str:
    if isinstance(decision, RunStep):
        again = f" (attempt {decision.attempt})" if decision.attempt > 1 else ""
        return f"running: {decision.planned.prompt}{again}"
    return decision.reason if isinstance(decision, Hold) else decision.message
