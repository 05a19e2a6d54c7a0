"""The planner's node: instructions in, skills out, one line of progress after the other.

Action `lam/execute_instruction` carries out an instruction; a newer goal takes the place of
one that runs.  What is said on `lam/instruction` goes to the run (`stop`, `wait`, `no, the
other one`, or something else to do), or begins one; what is made of it comes on
`lam/reply`.  Service `lam/plan` only plans.  What to do is decided by `planning.conductor`
from the scenes that are seen; this node asks it, and sees to it that what it says becomes
the case.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sensor_msgs.msg
import std_msgs.msg

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import ExecuteInstruction
from lam_interfaces.srv import PlanInstruction
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.goals import End, SingleGoalServer
from lam_ros.bridge.messages import joints_from
from lam_ros.bridge.plans import fill_answer, progress_to
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.bridge.scenes import scene_from
from lam_ros.bridge.skill_client import SkillClient
from lam_ros.bridge.tool_client import Doers, ToolClient
from lam_ros.config import build, load_group, load_robot
from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.homing import is_home
from lam_ros.core.inbound import Rejected
from lam_ros.core.scene import Scene
from lam_ros.core.skills import TRAINED, Skill
from lam_ros.core.types import JointState
from lam_ros.paths import state_dir
from lam_ros.planning.advised import make_planner
from lam_ros.planning.conductor import Conductor
from lam_ros.planning.config import MemoryConfig, PlannerConfig
from lam_ros.planning.decision_log import DecisionLog
from lam_ros.planning.decisions import Finished, RunStep, Termination
from lam_ros.planning.hearing import Word, is_no, word_of
from lam_ros.planning.memory import Memory, Prior
from lam_ros.planning.outcome import Clarify, Outcome, Plan, Refuse, RefuseKind
from lam_ros.planning.planner import ANSWER_SEPARATOR
from lam_ros.planning.progress import PlanProgress
from lam_ros.planning.tool_config import load_tools
from lam_ros.planning.tools import ToolPlanner, skills_of

TICK_S = 0.05
SAY_EVERY_NS = 500_000_000


@dataclass(frozen=True)
class Told:
    """An instruction, and whether it came by the action or was said on the topic."""

    instruction: str
    answer: str = ""
    by_action: bool = False


class PlannerNode(LamNode):
    """Carries out one instruction at a time."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("planner", **node_arguments)
        self._opened = Entities(self)
        self._scene: Scene | None = None
        self._told: Told | None = None
        self._after: Told | None = None
        self._asked: Told | None = None
        self._said: PlanProgress | None = None
        self._said_ns = 0

    def configure(self) -> None:
        """Read the settings and open the topics."""
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        group = load_group("planner", self.text("planner", "default"))
        config = build(PlannerConfig, group, "planner")
        opened = self._opened
        self._memory = self._open_memory(config.memory)
        costs = self._memory.costs if self._memory is not None else dict
        tools = load_tools(load_group("planner", self.text("tools", "tools")))
        own = self._skills()
        self._planner = make_planner((*own, *skills_of(tools)), config, costs)
        self._conductor = Conductor(
            ToolPlanner(self._planner, tools, own, config.can_move, confirm=config.confirm),
            config.execution,
            reaches_table=self._planner.reaches_table,
            memory=self._memory,
            log=self._open_log(),
        )
        self._timer = opened.timer(TICK_S, self._tick)
        opened.listen(lam_msg.Scene, topics.SCENE, self._on_scene, qos.SCENE)
        opened.listen(std_msgs.msg.String, topics.INSTRUCTION, self._on_said, qos.REPORT)
        opened.listen(lam_msg.Scene, topics.GOAL_SCENE, self._on_goal_scene, qos.LATCHED)
        self._plans = opened.publisher(lam_msg.Plan, topics.PLAN, qos.LATCHED)
        self._replies = opened.publisher(std_msgs.msg.String, topics.REPLY, qos.REPORT)
        opened.serve(PlanInstruction, topics.PLAN_INSTRUCTION, self._on_plan)
        skill = SkillClient(self)
        used = ToolClient(
            self, tools, self._reply, lambda: self._scene.stamp_ns if self._scene else 0
        )
        opened.add(skill.destroy)
        opened.add(used.destroy)
        self._skill = Doers(skill, used, self._is_home)
        self._joints: JointState | None = None
        opened.listen(sensor_msgs.msg.JointState, self._robot.topics.joint_state,
                      self._on_joints, qos.SENSOR)  # fmt: skip
        name = topics.EXECUTE_INSTRUCTION
        self._server = SingleGoalServer(self, ExecuteInstruction, name, self, newest_wins=True)
        opened.add(self._server.destroy)

    def deactivate(self) -> None:
        """End the instruction that is being carried out."""
        self._after = self._asked = None
        while self._told is not None:
            self._skill.stop(self._time.now_ns())
            self._conductor.abandon("the planner node was stopped")
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

    def _open_memory(self, config: MemoryConfig) -> Memory | None:
        if not config.enabled:
            return None
        folder = Path(config.folder).expanduser() if config.folder else state_dir()
        prior = Prior(config.prior_successes, config.prior_failures)
        memory = Memory(folder / f"{self._robot.name}.sqlite", self.get_logger().warning, prior)
        self._opened.add(memory.close)
        return memory

    def _open_log(self) -> DecisionLog | None:
        """Open the decision log where one is wanted; its first entry says who decides."""
        path = self.text("decision_log", "")
        if not path:
            return None
        goes_on = self.flag("decision_log_goes_on", False)
        log = DecisionLog(Path(path), self._time.now_ns, self.get_logger().warning, goes_on=goes_on)
        self._opened.add(log.close)
        facts = {"policy": self.text("policy_id", ""), "skills": sorted(self._skills())}
        log.note("who", f"policy: {facts['policy'] or 'unknown'}", facts)
        return log

    # -- an instruction ----------------------------------------------------------------

    def refuse_goal(self, request: ExecuteInstruction.Goal) -> str:
        """Return why a goal cannot be taken now, or an empty string."""
        return "" if self.is_active else "the planner node is not active"

    def start_goal(self, request: ExecuteInstruction.Goal) -> None:
        """Begin: the plan is made as soon as a scene is seen, and nothing else is going on."""
        told = Told(request.instruction, request.answer, by_action=True)
        if self._told is None:
            self._start(told)
        else:
            self._after = told
            self._cancel("replaced by a newer instruction")

    def _start(self, told: Told) -> None:
        self._told, self._after, self._said = told, None, None
        self._goal: list[str] = []
        self._started_ns = self._time.now_ns()
        self._timer.reset()

    def cancel_goal(self) -> None:
        """Hold the arm, then end."""
        is_replaced = self._server.is_replaced
        self._cancel("replaced by a newer instruction" if is_replaced else "cancelled")

    def _cancel(self, why: str) -> None:
        if self._conductor.is_busy:
            self._conductor.cancel(why)
        else:
            self._finish(Termination.CANCELLED, why)

    def _tick(self) -> None:
        now_ns = self._time.now_ns()
        if not self._conductor.is_busy and not self._begin(now_ns):
            return
        self._skill.watch(now_ns)
        decision = self._conductor.tick(self._scene, now_ns, self._skill.status)
        if isinstance(decision, RunStep):
            self._skill.run(decision, now_ns)
        else:
            self._skill.stop(now_ns)
        progress = self._conductor.progress()
        if progress is not None:
            self._say(progress, now_ns)
        if isinstance(decision, Finished):
            self._finish(decision.termination, decision.message)
        else:
            self._goal = [str(literal) for literal in self._conductor.goal]

    def _begin(self, now_ns: int) -> bool:
        """Plan from what is seen; ends the instruction where there is no plan."""
        told = self._told
        if told is None:
            return False
        scene = self._fresh_scene(now_ns)
        if isinstance(scene, str):
            patience_s = self._planner.config.execution.look_timeout_s
            if ns_to_seconds(now_ns - self._started_ns) > patience_s:
                self._finish(Termination.STEP_FAILED, scene)
            return False
        outcome = self._conductor.begin(told.instruction, scene, told.answer, now_ns)
        if outcome.remark:
            self.get_logger().info(outcome.remark)
        if isinstance(outcome, Plan):
            self.get_logger().info(f"plan: {outcome.message}")
            self._reply(outcome.message)
            self._goal = [str(literal) for literal in outcome.goal]
            self._skill.reset()
        elif isinstance(outcome, Clarify):
            result = ExecuteInstruction.Result(
                question=outcome.question, candidates=list(outcome.candidates)
            )
            self._finish(ExecuteInstruction.Result.QUESTION, outcome.question, result)
            self._asked = None if told.by_action else told
        elif isinstance(outcome, Refuse):
            self._finish(ExecuteInstruction.Result.REFUSED, outcome.reason)
        return isinstance(outcome, Plan)

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
        if self._said is not None:
            result.plan = progress_to(self._said, now_ns)
        told, self._told = self._told, None
        self.get_logger().info(f"instruction ended: {message}")
        self._reply(message)
        if told is not None and told.by_action:
            done = termination == ExecuteInstruction.Result.SUCCEEDED
            self._server.finish(End.SUCCEEDED if done else End.ABORTED, result)
        if self._after is not None:
            self._start(self._after)

    # -- what is said ------------------------------------------------------------------

    def _on_said(self, message: std_msgs.msg.String) -> None:
        """Take up what a person says, as it is typed or as a speech recogniser hears it."""
        text = message.data.strip()
        if not text or not self.is_active:
            return
        if self._skill.is_asking and word_of(text) is not Word.STOP:
            self._on_answer(text)
        elif self._conductor.is_busy:
            self._reply(self._conductor.hear(text).text)
        elif self._told is not None:
            self._after = None if word_of(text) is Word.STOP else Told(text)
            self._cancel("told something else before it began")
        elif word_of(text) in (Word.STOP, Word.WAIT, Word.GO_ON, Word.SKIP):
            self._asked = None
            self._reply("nothing is being carried out")
        elif self._asked is not None:
            answers = ANSWER_SEPARATOR.join(filter(None, (self._asked.answer, text)))
            asked, self._asked = self._asked, None
            self._start(Told(asked.instruction, answers))
        else:
            self._start(Told(text))

    def _on_answer(self, text: str) -> None:
        """Take the answer to a question that the plan asks; a no ends the run."""
        if is_no(text):
            self._reply(self._conductor.hear("stop").text)
            return
        self._skill.answer(text)
        self._reply(f"answered: {text}")

    def _reply(self, text: str) -> None:
        self._replies.publish(std_msgs.msg.String(data=text))

    # -- topics and services -----------------------------------------------------------

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if isinstance(scene, Rejected):
            self.get_logger().warning(f"scene: {scene.detail}", throttle_duration_sec=1.0)
            return
        self._scene = scene

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, JointState):
            self._joints = state

    def _is_home(self) -> bool:
        return self._joints is not None and is_home(self._robot, self._joints.position_rad)

    def _on_goal_scene(self, message: lam_msg.Scene) -> None:
        """Take in what a picture shows that somebody wants the table to look like."""
        scene = scene_from(message)
        if not isinstance(scene, Rejected):
            self._planner.show(scene)

    def _on_plan(
        self, request: PlanInstruction.Request, response: PlanInstruction.Response
    ) -> PlanInstruction.Response:
        now_ns = self._time.now_ns()
        scene = self._fresh_scene(now_ns)
        if isinstance(scene, str):
            outcome: Outcome = Refuse(RefuseKind.BAD_SCENE, scene)
        else:
            outcome = self._conductor.plan(request.instruction, scene, request.answer)
        return fill_answer(response, outcome, now_ns)

    def _fresh_scene(self, now_ns: int) -> Scene | str:
        """Return the newest scene, or why there is none to plan on: an old one may hold no more."""
        if self._scene is None:
            return f"no scene has come on {topics.SCENE}; is the simulator or the perception up?"
        limit_s = self._planner.config.execution.scene_stale_s
        age_s = ns_to_seconds(abs(now_ns - self._scene.stamp_ns))
        if age_s <= limit_s:
            return self._scene
        return (
            f"the newest scene on {topics.SCENE} is {age_s:.1f} s old, at most {limit_s:g} s are "
            "planned on; is the camera up, and the table in its view?"
        )


def _without_times(progress: PlanProgress) -> PlanProgress:
    steps = tuple(replace(step, seconds=0.0) for step in progress.steps)
    return replace(progress, steps=steps)


def main() -> None:
    """Run the node."""
    sys.exit(run_node(PlannerNode))


if __name__ == "__main__":
    main()
