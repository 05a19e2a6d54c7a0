"""A client of `lam/run_skill` that is told what should be the case, again and again.

The nodes of a graph find each other at their own pace: one that runs may be found a
second later than another, so a server is waited for before it counts as missing.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from unique_identifier_msgs.msg import UUID

from lam_interfaces.action import RunSkill
from lam_ros.bridge import topics
from lam_ros.core.clock import seconds_to_ns
from lam_ros.planning.decisions import RunStep, SkillState, SkillStatus

_STATES = {
    RunSkill.Result.CANCELLED: SkillState.CANCELLED,
    RunSkill.Result.TIMEOUT: SkillState.TIMEOUT,
    RunSkill.Result.NO_OBSERVATION: SkillState.NO_OBSERVATION,
    RunSkill.Result.POLICY_ERROR: SkillState.POLICY_ERROR,
    RunSkill.Result.STOPPED: SkillState.STOPPED,
    RunSkill.Result.REJECTED: SkillState.REJECTED,
}


class SkillClient:
    """Starts a skill once for each new run, and cancels it once when none should run.

    A server that is not found, or leaves a goal or a cancel unanswered, for `patience_s`
    counts as gone.
    """

    def __init__(self, node: Node, patience_s: float = 3.0) -> None:
        """Open the client."""
        self._client = ActionClient(node, RunSkill, topics.RUN_SKILL)
        self._patience_ns = seconds_to_ns(patience_s)
        self._token = 0
        self.reset()

    def reset(self) -> None:
        """Forget the skill of the instruction before; its numbers begin anew."""
        self._token += 1
        self._goal: Any = None
        self._unsent: RunSkill.Goal | None = None
        self._stopping = False
        self._waiting_since_ns: int | None = None
        self.status = SkillStatus()

    def run(self, step: RunStep, now_ns: int) -> None:
        """See to it that a step's skill is running; a run that has begun is left alone."""
        if step.run == self.status.run:
            return
        self.reset()
        self.status = SkillStatus(step.run, SkillState.RUNNING)
        self._waiting_since_ns = now_ns
        planned = step.planned
        self._unsent = RunSkill.Goal(
            skill=str(planned.step.skill),
            object_id=planned.step.object_id,
            target_id=planned.step.target_id,
            prompt=planned.prompt,
            timeout_s=float(step.timeout_s),
            grasp=min(step.grasp, 255),
        )
        if self._client.server_is_ready():
            self._send(now_ns)

    def _send(self, now_ns: int) -> None:
        goal, self._unsent = self._unsent, None
        self._waiting_since_ns = now_ns
        token, name = self._token, UUID(uuid=list(uuid4().bytes))
        # A handle of our own making: it can cancel a goal whose answer was lost.
        self._goal = ClientGoalHandle(self._client, name, None)
        answer = self._client.send_goal_async(goal, goal_uuid=name)
        answer.add_done_callback(lambda future: self._on_answer(token, future.result()))

    def stop(self, now_ns: int) -> None:
        """See to it that no skill is running."""
        if self.status.state is not SkillState.RUNNING or self._stopping:
            return
        if self._unsent is not None:
            self._end(self._token, SkillState.CANCELLED, "cancelled before it began")
            return
        self._stopping = True
        self._waiting_since_ns = now_ns
        if self._goal is not None:
            self._goal.cancel_goal_async()

    def watch(self, now_ns: int) -> None:
        """Give up a server that does not answer, or is gone."""
        if self.status.state is not SkillState.RUNNING:
            return
        since_ns = self._waiting_since_ns
        is_late = since_ns is not None and now_ns - since_ns > self._patience_ns
        if self._unsent is not None:
            if self._client.server_is_ready():
                self._send(now_ns)
            elif is_late:
                detail = f"no node serves {topics.RUN_SKILL}"
                self._end(self._token, SkillState.POLICY_ERROR, detail)
        elif not self._client.server_is_ready():
            self._give_up("is gone")
        elif is_late:
            self._goal.cancel_goal_async()
            self._give_up("does not answer")

    def destroy(self) -> None:
        """Close the client."""
        self._client.destroy()

    def _on_answer(self, token: int, goal: Any) -> None:
        if not goal.accepted:
            detail = "the skill was rejected; the log of its node says why"
            self._end(token, SkillState.POLICY_ERROR, detail)
            return
        if token != self._token or self._stopping:
            goal.cancel_goal_async()
        else:
            self._waiting_since_ns = None
        result = goal.get_result_async()
        result.add_done_callback(lambda future: self._on_result(token, future.result().result))

    def _on_result(self, token: int, result: RunSkill.Result) -> None:
        state = _STATES.get(result.termination, SkillState.POLICY_ERROR)
        self._end(token, state, result.detail)

    def _give_up(self, why: str) -> None:
        detail = f"the node that serves {topics.RUN_SKILL} {why}"
        self._end(self._token, SkillState.POLICY_ERROR, detail)

    def _end(self, token: int, state: SkillState, detail: str) -> None:
        if token == self._token and self.status.state is SkillState.RUNNING:
            self.status = SkillStatus(self.status.run, state, detail)
            self._goal = self._unsent = self._waiting_since_ns = None
