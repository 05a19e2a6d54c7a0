"""The planner's node: instructions in, skills out, one line of progress after the other.

Action `lam/execute_instruction` carries out an instruction; service `lam/plan` only
plans.  What to do next is decided by `planning.execution` from the scenes that are
seen; this node asks it, and sees to it that what it says becomes the case.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import ExecuteInstruction
from lam_interfaces.srv import PlanInstruction
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.goals import End, SingleGoalServer
from lam_ros.bridge.plans import fill_answer, progress_to
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.bridge.scenes import scene_from
from lam_ros.bridge.skill_client import SkillClient
from lam_ros.config import build, load_group
from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.inbound import Rejected
from lam_ros.core.scene import Scene
from lam_ros.core.skills import TRAINED, Skill
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.decisions import Finished, RunStep, Termination
from lam_ros.planning.execution import PlanExecution
from lam_ros.planning.outcome import Clarify, Outcome, Plan, Refuse, RefuseKind
from lam_ros.planning.planner import Planner
from lam_ros.planning.progress import PlanProgress

TICK_S = 0.05
SAY_EVERY_NS = 500_000_000


class PlannerNode(LamNode):
    """Carries out one instruction at a time."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("planner", **node_arguments)
        self._opened = Entities(self)
        self._scene: Scene | None = None
        self._execution: PlanExecution | None = None
        self._said: PlanProgress | None = None
        self._said_ns = 0

    def configure(self) -> None:
        """Read the settings and open the topics."""
        self._time = RosClock(self)
        group = load_group("planner", self.text("planner", "default"))
        self._planner = Planner(self._skills(), build(PlannerConfig, group, "planner"))
        opened = self._opened
        self._timer = opened.timer(TICK_S, self._tick)
        opened.listen(lam_msg.Scene, topics.SCENE, self._on_scene, qos.SCENE)
        self._plans = opened.publisher(lam_msg.Plan, topics.PLAN, qos.LATCHED)
        opened.serve(PlanInstruction, topics.PLAN_INSTRUCTION, self._on_plan)
        self._skill = SkillClient(self)
        opened.add(self._skill.destroy)
        self._server = SingleGoalServer(self, ExecuteInstruction, topics.EXECUTE_INSTRUCTION, self)
        opened.add(self._server.destroy)

    def deactivate(self) -> None:
        """End the instruction that is being carried out."""
        if self._server.is_busy:
            self._skill.stop(self._time.now_ns())
            self._finish(Termination.CANCELLED, "the planner node was stopped")

    def cleanup(self) -> None:
        """Close the topics."""
        self._opened.close()

    def _skills(self) -> list[Skill]:
        names = self.text("skills", ",".join(TRAINED)).split(",")
        for name in names:
            if name not in tuple(Skill):
                raise ConfigError(unknown_name("skill", name, Skill))
        return [Skill(name) for name in names]

    # -- an instruction ----------------------------------------------------------------

    def refuse_goal(self, request: ExecuteInstruction.Goal) -> str:
        """Return why a goal cannot be taken now, or an empty string."""
        return "" if self.is_active else "the planner node is not active"

    def start_goal(self, request: ExecuteInstruction.Goal) -> None:
        """Begin: the plan is made as soon as a scene is seen."""
        self._request = request
        self._goal: list[str] = []
        self._execution, self._said = None, None
        self._started_ns = self._time.now_ns()
        self._timer.reset()

    def cancel_goal(self) -> None:
        """Hold the arm, then end."""
        if self._execution is None:
            self._finish(Termination.CANCELLED, "cancelled")
        else:
            self._execution.cancel()

    def _tick(self) -> None:
        now_ns = self._time.now_ns()
        execution = self._execution or self._begin(now_ns)
        if execution is None:
            return
        self._skill.watch(now_ns)
        decision = execution.tick(self._scene, now_ns, self._skill.status)
        if isinstance(decision, RunStep):
            self._skill.run(decision, now_ns)
        else:
            self._skill.stop(now_ns)
        self._say(execution.progress(), now_ns)
        if isinstance(decision, Finished):
            self._finish(decision.termination, decision.message)

    def _begin(self, now_ns: int) -> PlanExecution | None:
        """Plan from what is seen; ends the instruction where there is no plan."""
        settings = self._planner.config.execution
        if self._scene is None:
            if ns_to_seconds(now_ns - self._started_ns) > settings.look_timeout_s:
                why = f"no scene has come on {topics.SCENE} in {settings.look_timeout_s:g} s"
                self._finish(Termination.STEP_FAILED, why)
            return None
        outcome = self._planner.plan(self._request.instruction, self._scene, self._request.answer)
        if isinstance(outcome, Plan):
            self.get_logger().info(f"plan: {outcome.message}")
            self._goal = [str(literal) for literal in outcome.goal]
            self._skill.reset()
            self._execution = PlanExecution(outcome, self._planner, settings)
        elif isinstance(outcome, Clarify):
            result = ExecuteInstruction.Result(
                question=outcome.question, candidates=list(outcome.candidates)
            )
            self._finish(ExecuteInstruction.Result.QUESTION, outcome.question, result)
        elif isinstance(outcome, Refuse):
            self._finish(ExecuteInstruction.Result.REFUSED, outcome.reason)
        return self._execution

    def _say(self, progress: PlanProgress, now_ns: int) -> None:
        """Publish the progress when it has changed, and now and then for its seconds."""
        news = self._said is None or _without_times(progress) != _without_times(self._said)
        if not news and now_ns - self._said_ns < SAY_EVERY_NS:
            return
        self._said, self._said_ns = progress, now_ns
        message = progress_to(progress, now_ns)
        self._plans.publish(message)
        self._server.feedback(ExecuteInstruction.Feedback(plan=message))

    def _finish(
        self, termination: int, message: str, result: ExecuteInstruction.Result | None = None
    ) -> None:
        self._timer.cancel()
        now_ns = self._time.now_ns()
        result = result or ExecuteInstruction.Result()
        result.termination, result.message = int(termination), message
        result.goal = self._goal
        result.seconds = ns_to_seconds(now_ns - self._started_ns)
        if self._execution is not None:
            result.plan = progress_to(self._execution.progress(), now_ns)
        self._execution = None
        self.get_logger().info(f"instruction ended: {message}")
        done = termination == ExecuteInstruction.Result.SUCCEEDED
        self._server.finish(End.SUCCEEDED if done else End.ABORTED, result)

    # -- topics and services -----------------------------------------------------------

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if isinstance(scene, Rejected):
            self.get_logger().warning(f"scene: {scene.detail}", throttle_duration_sec=1.0)
            return
        self._scene = scene

    def _on_plan(
        self, request: PlanInstruction.Request, response: PlanInstruction.Response
    ) -> PlanInstruction.Response:
        if self._scene is None:
            outcome: Outcome = Refuse(RefuseKind.BAD_SCENE, f"no scene has come on {topics.SCENE}")
        else:
            outcome = self._planner.plan(request.instruction, self._scene, request.answer)
        return fill_answer(response, outcome, self._time.now_ns())


def _without_times(progress: PlanProgress) -> PlanProgress:
    steps = tuple(replace(step, seconds=0.0) for step in progress.steps)
    return replace(progress, steps=steps)


def main() -> None:
    """Run the node."""
    sys.exit(run_node(PlannerNode))


if __name__ == "__main__":
    main()
