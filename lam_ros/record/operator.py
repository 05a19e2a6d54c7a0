"""Who operates the arm during a session: a person at a device, or the script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import std_msgs.msg
from rclpy.action import ActionClient
from rclpy.node import Node

from lam_interfaces.action import ExecuteInstruction
from lam_ros.bridge import qos, topics
from lam_ros.bridge.asking import Question, SentGoal
from lam_ros.core.clock import NS_PER_S
from lam_ros.nodes.teleop import TeleopNode
from lam_ros.planning.outcome import Plan
from lam_ros.planning.planner import Planner
from lam_ros.record.client import RecordClient
from lam_ros.record.loop import Verdict, Wish
from lam_ros.recording.format import Outcome
from lam_ros.teleop.keys import Key, KeyKind
from lam_ros.teleop.port import Control, Reading, Teleoperator, View
from lam_ros.teleop.terminal import Terminal

KEYS = {
    "enter": Wish.KEEP, "k": Wish.KEEP, "start": Wish.KEEP,
    "backspace": Wish.DISCARD, "x": Wish.DISCARD, "back": Wish.DISCARD,
    "tab": Wish.RERECORD, "n": Wish.RERECORD,
    "esc": Wish.FINISH,
}  # fmt: skip
"""Keys and buttons that no teleoperator uses for motion -> what they mean."""

CONTROLS = (
    Control("enter", "keep the episode; skip a wait"),
    Control("backspace", "discard it"),
    Control("tab", "discard it, the same scene again"),
    Control("esc", "finish the session"),
)

_IDLE_NS = NS_PER_S
"""A script that still says that it is done so long after it was given a task, is."""


class Listening:
    """A teleoperator whose pressed keys are heard by the session as well.

    Attributes:
        is_off: whether the session has the arm, and the person has not, whatever is pressed.
    """

    def __init__(self, device: Teleoperator) -> None:
        """Wrap a device."""
        self.is_off = False
        self._device = device
        self._pressed: list[str] = []

    @property
    def controls(self) -> tuple[Control, ...]:
        """What a person presses for what."""
        return self._device.controls

    def open(self) -> None:
        """Take the device."""
        self._device.open()

    def read(self, view: View) -> Reading:
        """Return what the person wants now."""
        reading = self._device.read(view)
        self._pressed += reading.pressed
        return replace(reading, engaged=False) if self.is_off else reading

    def close(self) -> None:
        """Give the device back."""
        self._device.close()

    def take_pressed(self) -> list[str]:
        """Return what was pressed since the last call."""
        pressed, self._pressed = self._pressed, []
        return pressed


class SessionKeys:
    """The keys of a session whose teleoperator has no use for the terminal."""

    def __init__(self, terminal: Terminal | None) -> None:
        """Listen to a terminal; None for nobody."""
        self._terminal = terminal

    def take_pressed(self, now_ns: int) -> list[str]:
        """Return what was pressed since the last call."""
        if self._terminal is None:
            return []
        keys: Sequence[Key] = self._terminal.poll(now_ns)
        return [key.name for key in keys if key.kind is KeyKind.PRESS]


def wishes_of(pressed: Sequence[str]) -> tuple[Wish, ...]:
    """Return what keys mean; those that mean nothing are left out."""
    return tuple(KEYS[name] for name in pressed if name in KEYS)


class Operator(Protocol):
    """Who does the task, as far as the session can tell."""

    def begin(self, task: str) -> None:
        """Hear that an episode has begun."""
        ...

    def end(self) -> None:
        """Hear that it is over."""
        ...

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return how it went, None while the work goes on."""
        ...


class Person:
    """A person at a device; says nothing but by keys."""

    def begin(self, task: str) -> None:
        """The person sees that the episode has begun."""

    def end(self) -> None:
        """The person sees that it is over."""

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return nothing: the keys tell."""
        return None


class Judgement:
    """What the ground truth says of a goal; asked once it is needed."""

    def __init__(self, client: RecordClient, goal: Sequence[str], remark: str) -> None:
        """Ask nothing yet; `remark` is what the one who worked says of it."""
        self._goal, self._remark = tuple(goal), remark
        self._question: Question = client.question_of(self._goal)

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return how it went, None until there is an answer."""
        answer = self._question.answer(now_ns)
        if answer is None:
            return None
        pairs = zip(self._goal, answer.holds, strict=True)
        failing = [literal for literal, holds in pairs if not holds]
        if failing:
            text = f"{', '.join(failing)} does not hold: {self._remark}"
            return Verdict(Outcome.DISCARDED, text)
        return Verdict(Outcome.SUCCESS, f"by the ground truth: {', '.join(self._goal)}")


class _Worker:
    """Does the task by itself, within a time, and is judged."""

    def __init__(self, client: RecordClient, max_seconds: float) -> None:
        self._client = client
        self._max_ns = int(max_seconds * NS_PER_S)
        self._judgement: Judgement | None = None
        self._began_ns = 0

    def _begin(self) -> None:
        self._judgement, self._began_ns = None, self._client.now_ns()

    def _too_late(self, now_ns: int) -> Verdict | None:
        if now_ns - self._began_ns <= self._max_ns:
            return None
        seconds = self._max_ns / NS_PER_S
        return Verdict(Outcome.DISCARDED, f"not done within {seconds:g} s (episode_s)")

    def _judged(self, goal: Sequence[str], remark: str, now_ns: int) -> Verdict | None:
        if not goal:
            return Verdict(Outcome.DISCARDED, remark)
        self._judgement = self._judgement or Judgement(self._client, goal, remark)
        return self._judgement.verdict(now_ns)


class Script(_Worker):
    """The scripted teleoperator: given the task, then asked of the judge how it went."""

    def __init__(
        self,
        node: Node,
        client: RecordClient,
        reading: Callable[[], Reading],
        max_seconds: float,
    ) -> None:
        """Talk to the teleoperation node, whose last reading `reading` returns."""
        super().__init__(client, max_seconds)
        self._reading = reading
        self._tasks = node.create_publisher(std_msgs.msg.String, topics.TELEOP_TASK, qos.ESTOP)
        self._planner = Planner()
        self._goal: tuple[str, ...] = ()
        self._is_working = False

    def begin(self, task: str) -> None:
        """Give the script its task."""
        self._begin()
        self._is_working = False
        self._goal = self._goal_of(task)
        self._tasks.publish(std_msgs.msg.String(data=task))

    def end(self) -> None:
        """Take the task away."""
        self._tasks.publish(std_msgs.msg.String(data=""))

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return how it went, once the script is done or its time is over."""
        reading = self._reading()
        self._is_working = self._is_working or not reading.finished
        is_idle = not self._is_working and now_ns - self._began_ns < _IDLE_NS
        if not reading.finished or is_idle:
            return self._too_late(now_ns)
        return self._judged(self._goal, reading.status or "the task cannot be planned", now_ns)

    def _goal_of(self, task: str) -> tuple[str, ...]:
        """Return what must hold at the end; nothing if there is nothing to do."""
        if self._client.scene is None:
            return ()
        outcome = self._planner.plan(task, self._client.scene)
        if not isinstance(outcome, Plan) or not outcome.steps:
            return ()
        return tuple(str(literal) for literal in outcome.goal)


class Planned(_Worker):
    """The planner with its policy: given the task as an instruction."""

    def __init__(self, node: Node, client: RecordClient, max_seconds: float) -> None:
        """Talk to the planner's node."""
        super().__init__(client, max_seconds)
        self._execute = ActionClient(node, ExecuteInstruction, topics.EXECUTE_INSTRUCTION)
        self._goal: SentGoal | None = None

    def begin(self, task: str) -> None:
        """Give the instruction, as soon as the planner can be reached."""
        self._begin()
        self._goal = SentGoal(self._execute, ExecuteInstruction.Goal(instruction=task))

    def end(self) -> None:
        """Take the instruction back."""
        if self._goal is not None and self._goal.result is None:
            self._goal.cancel()

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return how it went, once the planner has ended or the time is over."""
        goal = self._goal
        if goal is None:
            return None
        goal.look(now_ns)
        if goal.accepted is False:
            return Verdict(Outcome.DISCARDED, "the planner is busy with another")
        if goal.result is None:
            return self._too_late(now_ns)
        result = goal.result.result
        if result.termination != ExecuteInstruction.Result.SUCCEEDED or not result.plan.steps:
            return Verdict(Outcome.DISCARDED, result.message or "there is nothing to do")
        return self._judged(result.goal, result.message, now_ns)


def teleop_node(
    files: dict[str, str], make: Callable[..., Teleoperator], **more: Any
) -> tuple[TeleopNode, list[Listening]]:
    """Return the teleoperation node, unconfigured, and where its device will be found."""
    from rclpy.parameter import Parameter

    made: list[Listening] = []

    def make_listening(*arguments: Any) -> Teleoperator:
        made.append(Listening(make(*arguments)))
        return made[-1]

    values = {"robot": files["robot"], "teleop": files["teleop"], "autostart": False} | more
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    return TeleopNode(make=make_listening, parameter_overrides=overrides), made
