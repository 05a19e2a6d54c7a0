"""Who operates the arm during a session: a person at a device, or the script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import std_msgs.msg
from rclpy.node import Node

from lam_ros.bridge import qos, topics
from lam_ros.core.clock import NS_PER_S
from lam_ros.nodes.teleop import TeleopNode
from lam_ros.planning.outcome import Plan
from lam_ros.planning.planner import Planner
from lam_ros.record.client import Question, RecordClient
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


class Person:
    """A person at a device; says nothing but by keys."""

    def begin(self, task: str) -> None:
        """The person sees that the episode has begun."""

    def end(self) -> None:
        """The person sees that it is over."""

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return nothing: the keys tell."""
        return None


class Script:
    """The scripted teleoperator: given the task, then asked of the judge how it went."""

    def __init__(
        self,
        node: Node,
        client: RecordClient,
        reading: Callable[[], Reading],
        max_seconds: float,
    ) -> None:
        """Talk to the teleoperation node, whose last reading `reading` returns."""
        self._client, self._reading = client, reading
        self._max_ns = int(max_seconds * NS_PER_S)
        self._tasks = node.create_publisher(std_msgs.msg.String, topics.TELEOP_TASK, qos.ESTOP)
        self._planner = Planner()
        self._question: Question | None = None
        self._goal: tuple[str, ...] = ()
        self._began_ns = 0
        self._is_working = False

    def begin(self, task: str) -> None:
        """Give the script its task."""
        self._question, self._is_working = None, False
        self._began_ns = self._client.now_ns()
        self._goal = self._goal_of(task)
        self._tasks.publish(std_msgs.msg.String(data=task))

    def end(self) -> None:
        """Take the task away."""
        self._tasks.publish(std_msgs.msg.String(data=""))

    def verdict(self, now_ns: int) -> Verdict | None:
        """Return how it went, once the script is done or its time is over."""
        if now_ns - self._began_ns > self._max_ns:
            seconds = self._max_ns / NS_PER_S
            return Verdict(Outcome.DISCARDED, f"not done within {seconds:g} s (episode_s)")
        reading = self._reading()
        self._is_working = self._is_working or not reading.finished
        is_idle = not self._is_working and now_ns - self._began_ns < _IDLE_NS
        if not reading.finished or is_idle:
            return None
        if not self._goal:
            return Verdict(Outcome.DISCARDED, reading.status or "the task cannot be planned")
        return self._judged(reading, now_ns)

    def _judged(self, reading: Reading, now_ns: int) -> Verdict | None:
        self._question = self._question or self._client.question_of(self._goal)
        answer = self._question.answer(now_ns)
        if answer is None:
            return None
        pairs = zip(self._goal, answer.holds, strict=True)
        failing = [literal for literal, holds in pairs if not holds]
        if failing:
            return Verdict(
                Outcome.DISCARDED, f"{', '.join(failing)} does not hold: {reading.status}"
            )
        return Verdict(Outcome.SUCCESS, f"by the ground truth: {', '.join(self._goal)}")

    def _goal_of(self, task: str) -> tuple[str, ...]:
        if self._client.scene is None:
            return ()
        outcome = self._planner.plan(task, self._client.scene)
        if not isinstance(outcome, Plan) or not outcome.steps:
            return ()
        return tuple(str(literal) for literal in outcome.goal)


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
