"""Calls tools: services and actions of any type by name, Python functions, and our own.

`Doers` decides who does a step, and looks to its owner like one client of skills.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

from lam_ros.bridge.asking import SentGoal
from lam_ros.bridge.interfaces import fill, interface
from lam_ros.bridge.skill_client import SkillClient
from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.errors import ConfigError
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.decisions import RunStep, SkillState, SkillStatus
from lam_ros.planning.tools import Tool

HOME_TOOL = "home"


class ToolClient:
    """Uses one tool at a time."""

    def __init__(
        self, node: Node, tools: Iterable[Tool], say: Callable[[str], None],
        seen_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        """Open a client of each service and action.

        Args:
            node: that calls.
            tools: what can be called.
            say: says something to people.
            seen_ns: returns the stamp of the newest scene.

        Raises:
            ConfigError: if a type is not installed, or a request does not fit it.
        """
        self._node, self._say, self._seen_ns = node, say, seen_ns
        self._tools = {tool.name: tool for tool in tools}
        self._clients = {tool.name: self._client(tool) for tool in self._tools.values()}
        self.reset()

    def _client(self, tool: Tool) -> Any:
        if not tool.service and not tool.action:
            return None
        try:
            kind = interface(tool.type)
            fill(kind.Request() if tool.service else kind.Goal(), _filled(tool.request, "0", "0"))
        except ConfigError as error:
            raise ConfigError(f"tool '{tool.name}': {error}") from None
        if tool.service:
            return self._node.create_client(kind, tool.service)
        return ActionClient(self._node, kind, tool.action)

    def reset(self) -> None:
        """Forget what was called before."""
        self.status = SkillStatus()
        self._sent = False
        self._goal: SentGoal | None = None
        self._forget: Callable[[], object] = lambda: None

    def run(self, step: RunStep, now_ns: int) -> None:
        """See to it that a step's tool is being used."""
        if step.run == self.status.run:
            return
        self.reset()
        self.status = SkillStatus(step.run, SkillState.RUNNING)
        self._tool, self._since_ns = self._tools[step.planned.tool], now_ns
        planned = step.planned.step
        is_called = planned.skill == "use"
        self._text = planned.target_id if is_called else ""
        self._object = "" if is_called else planned.object_id

    def watch(self, now_ns: int) -> None:
        """Call it as soon as it is there; one that takes too long has failed."""
        if self.status.state is not SkillState.RUNNING:
            return
        if not self._sent:
            try:
                self._send(self.status.run)
            except ConfigError as error:  # the words that were said do not fit the request
                self._end(self.status.run, SkillState.POLICY_ERROR, str(error))
        if self._goal is not None:
            self._look(self._goal, now_ns)
        tool = self._tool
        if self.status.state is not SkillState.RUNNING:
            return
        if tool.builtin == "look_again" and self._seen_ns() > self._since_ns:
            self._end(self.status.run, SkillState.DONE, "looked again")
        elif tool.builtin == "wait" and now_ns - self._since_ns >= _wait_ns(self._text):
            self._end(self.status.run, SkillState.DONE, f"waited {self._text} s")
        elif ns_to_seconds(now_ns - self._since_ns) > tool.timeout_s:
            there = "does not answer" if self._sent else "is not there"
            detail = f"{tool.service or tool.action or tool.name} {there}"
            self.stop(now_ns)
            self.status = SkillStatus(self.status.run, SkillState.TIMEOUT, detail)

    @property
    def is_asking(self) -> bool:
        """True while a question to people waits for its answer."""
        return self.status.state is SkillState.RUNNING and self._tool.builtin == "ask"

    def answer(self, text: str) -> None:
        """Take the answer to the question that was asked."""
        self._end(self.status.run, SkillState.DONE, f"answered: {text}")

    def stop(self, now_ns: int) -> None:
        """See to it that no tool is being used; a call that is under way is not waited for."""
        if self.status.state is not SkillState.RUNNING:
            return
        if self._goal is not None:
            self._goal.cancel()
        self._forget()
        self._end(self.status.run, SkillState.CANCELLED, "cancelled")

    def destroy(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            if isinstance(client, ActionClient):
                client.destroy()
            elif client is not None:
                self._node.destroy_client(client)

    def _send(self, run: int) -> None:
        tool, client = self._tool, self._clients[self._tool.name]
        if tool.service and client.service_is_ready():
            self._sent = True
            request = self._filled(interface(tool.type).Request())
            answer = client.call_async(request)  # once: it may do something each time
            answer.add_done_callback(lambda f: self._answered(run, f))
            self._forget = partial(client.remove_pending_request, answer)
        elif tool.action and client.server_is_ready():
            self._sent = True
            goal = self._filled(interface(tool.type).Goal())
            self._goal = SentGoal(client, goal)
        elif tool.builtin == "say":
            self._say(self._text)
            self._end(run, SkillState.DONE, f"said: {self._text}")
        elif tool.builtin == "ask":
            self._sent = True
            self._say(f"{self._text.rstrip('?')}?")
        elif tool.call is not None:
            self._sent = True
            threading.Thread(target=self._called, args=(run, tool), daemon=True).start()

    def _filled(self, message: Any) -> Any:
        return fill(message, _filled(self._tool.request, self._text, self._object))

    def _called(self, run: int, tool: Tool) -> None:
        assert tool.call is not None
        try:
            said = tool.call(self._text, self._object)
        except Exception as error:  # noqa: BLE001 (somebody else's code)
            self._end(run, SkillState.POLICY_ERROR, f"{tool.name}: {error}")
        else:
            self._end(run, SkillState.DONE, str(said or "done"))

    def _answered(self, run: int, future: Any) -> None:
        answer = future.result()
        good = getattr(answer, "success", True)
        message = str(getattr(answer, "message", ""))
        state = SkillState.DONE if good else SkillState.POLICY_ERROR
        self._end(run, state, message or ("done" if good else "the service said no"))

    def _look(self, goal: SentGoal, now_ns: int) -> None:
        goal.look(now_ns)
        run = self.status.run
        if goal.accepted is False:
            self._end(run, SkillState.POLICY_ERROR, f"{self._tool.action} rejected the goal")
        elif goal.result is not None:
            good = goal.result.status == GoalStatus.STATUS_SUCCEEDED
            state = SkillState.DONE if good else SkillState.POLICY_ERROR
            self._end(run, state, "done" if good else "the action did not succeed")

    def _end(self, run: int, state: SkillState, detail: str) -> None:
        if run == self.status.run and self.status.state is SkillState.RUNNING:
            self._goal = None
            self.status = SkillStatus(run, state, detail)


class Doers:
    """Gives a step to the policy or to a tool; looks like one client of skills.

    The way home is a skill of whoever drives, and over when the arm is there.
    """

    def __init__(self, skill: SkillClient, tools: ToolClient, is_home: Callable[[], bool]) -> None:
        """Give steps to either; `is_home` tells whether the arm is at its home pose."""
        self._skill, self._tools, self._is_home = skill, tools, is_home
        self._active: SkillClient | ToolClient = skill
        self._home_run = 0
        self._arrived: SkillStatus | None = None

    @property
    def status(self) -> SkillStatus:
        """How the newest step stands."""
        return self._arrived or self._active.status

    @property
    def is_asking(self) -> bool:
        """True while a question to people waits for its answer."""
        return self._active is self._tools and self._tools.is_asking

    def answer(self, text: str) -> None:
        """Take the answer to the question that was asked."""
        self._tools.answer(text)

    def reset(self) -> None:
        """Forget the instruction before."""
        self._skill.reset()
        self._tools.reset()
        self._active, self._home_run, self._arrived = self._skill, 0, None

    def run(self, step: RunStep, now_ns: int) -> None:
        """See to it that a step is being done."""
        if step.run != self.status.run:
            self._arrived = None
        if step.planned.tool == HOME_TOOL:
            self._home_run = step.run
            way = replace(
                step.planned, step=Step(Skill.HOME, "", ""), prompt="return home", tool=""
            )
            step = replace(step, planned=way)
        if self._arrived is None:
            self._active = self._tools if step.planned.tool else self._skill
            self._active.run(step, now_ns)

    def stop(self, now_ns: int) -> None:
        """See to it that nothing is being done."""
        self._active.stop(now_ns)

    def watch(self, now_ns: int) -> None:
        """Give up who does not answer."""
        self._active.watch(now_ns)
        status = self._active.status
        is_under_way = status.run == self._home_run and status.state is SkillState.RUNNING
        if is_under_way and self._arrived is None and self._is_home():
            self._skill.stop(now_ns)
            self._arrived = SkillStatus(status.run, SkillState.DONE, "at home")


def _filled(request: Any, text: str, object_id: str) -> Any:
    if isinstance(request, Mapping):
        return {name: _filled(value, text, object_id) for name, value in request.items()}
    if isinstance(request, str):
        return request.replace("{text}", text).replace("{object}", object_id)
    return request


def _wait_ns(text: str) -> int:
    """Return how long `wait {number} seconds` waits."""
    return seconds_to_ns(float(text))
