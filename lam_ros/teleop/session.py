"""One sitting at the arm: the graph beside, the teleoperation node here, the panel on top."""

from __future__ import annotations

import gc
import time
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import rclpy
import sensor_msgs.msg
from rclpy.parameter import Parameter

from lam_ros.bridge import qos
from lam_ros.bridge.runtime import ended_by_signal, ros
from lam_ros.core.errors import MachineError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ImageArray
from lam_ros.nodes.teleop import TeleopNode
from lam_ros.run.client import RunClient
from lam_ros.supervisor import Supervisor
from lam_ros.teleop.keyboard import QUIT
from lam_ros.teleop.panel import Sight, TeleopPanel

START_S = 60.0
"""Longest time until the graph speaks."""

SPIN_S = 0.02
DRAW_EVERY_S = 0.2
END_S = 1.0
"""How long giving the arm back may take at the end."""

NEXT_CAMERA = "v"


@dataclass(frozen=True)
class Sitting:
    """How it went.

    Attributes:
        seconds: from the graph's first word to the end.
        engaged_seconds: time in which the person had the arm.
        finished: whether a script said that it is done with its task.
        status: the device's last word.
        interrupted: whether a signal ended it.
        outcome: what became of the instruction that a policy was given, if one was.
    """

    seconds: float
    engaged_seconds: float
    finished: bool
    status: str
    interrupted: bool
    outcome: str = ""


class Session:
    """Runs one sitting; made for one use."""

    def __init__(
        self,
        robot: RobotDescription,
        host: Supervisor | None,
        panel: TeleopPanel,
        limit_s: float = 0.0,
        instruction: str = "",
    ) -> None:
        """Prepare.

        Args:
            robot: whose cameras are shown.
            host: runs the rest of the graph; None if it runs already, elsewhere.
            panel: shows what happens.
            limit_s: after which the sitting ends; 0 for never.
            instruction: what a policy does meanwhile; empty for nothing.
        """
        self._instruction = instruction
        self._errand: RunClient | None = None
        self._host = host
        self._panel = panel
        self._limit_s = limit_s
        self._robot = robot
        self._cameras = [*robot.camera_names, ""]
        self._shown = 0
        self._pictures: dict[str, ImageArray] = {}
        self._engaged_s = 0.0

    def run(self, parameters: dict[str, str]) -> Sitting:
        """Fly until the person quits.

        Args:
            parameters: of the teleoperation node.

        Raises:
            LamError: if the graph cannot be started or a part of it dies, or the device goes.
        """
        try:
            with ended_by_signal() as self._signals, ros() as self._executor:
                return self._run(parameters)
        finally:
            gc.collect()  # a node in a reference cycle keeps the middleware's threads

    def _run(self, parameters: dict[str, str]) -> Sitting:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        node = TeleopNode(parameter_overrides=[*overrides, Parameter("autostart", value=False)])
        self._node = node
        self._executor.add_node(node)
        try:
            with self._host or nullcontext():
                node.bring_up()
                self._watch_cameras()
                self._wait_for_graph()
                if self._instruction:
                    self._errand = self._send(RunClient(node, ["planner", "policy"]))
                return self._fly()
        finally:
            node.stop()
            # What the executor still looks at must not be destroyed under it.
            self._executor.shutdown()
            node.cleanup()
            rclpy.try_shutdown()
            node.destroy_node()

    def _wait_for_graph(self) -> None:
        deadline = time.monotonic() + START_S
        self._panel.line("starting the graph" if self._host else "waiting for the graph")
        while self._node.flight.verdict is None or self._node.joints is None:
            self._step()
            if self._signals:
                return
            if time.monotonic() > deadline:
                raise MachineError(
                    f"no word of the control node and the arm for {START_S:g} s: is the machine "
                    "busy, or with --attach, is ROS_DOMAIN_ID that of the arm's graph?"
                )

    def _send(self, client: RunClient) -> RunClient:
        """Have the planner carry out the instruction with the policy."""
        deadline = time.monotonic() + START_S
        while not client.is_ready and not self._signals:
            client.ask_states(time.monotonic())
            self._step()
            if time.monotonic() > deadline:
                names = ", ".join(client.waiting_for) or "the planner"
                raise MachineError(f"no word of {names} for {START_S:g} s: is it on this graph?")
        client.send(self._instruction, "")
        return client

    def _plan(self) -> tuple[str, ...]:
        """Return the steps of the instruction and how they stand."""
        if self._errand is None:
            return ()
        plan = self._errand.timeline.plans.at(self._node.get_clock().now().nanoseconds)
        steps = plan.steps if plan is not None else ()
        lines = [f"{step.planned.prompt}: {step.status.name.lower()}" for step in steps]
        return (*lines, *filter(None, [self._outcome()]))

    def _outcome(self) -> str:
        """Return how the instruction ended, empty while it runs."""
        if self._errand is None:
            return ""
        if self._errand.is_rejected:
            return "the planner is busy with another instruction"
        result = self._errand.result
        return (result.question or result.message or "done") if result is not None else ""

    def _end_errand(self) -> None:
        """Cancel what the policy still does, so that the arm is left at rest."""
        if self._errand is None or self._errand.result is not None:
            return
        self._errand.cancel()
        deadline = time.monotonic() + END_S
        while self._errand.result is None and time.monotonic() < deadline:
            self._step()

    def _fly(self) -> Sitting:
        began = last = time.monotonic()
        next_drawing = 0.0
        while True:
            self._step()
            now = time.monotonic()
            flight = self._node.flight
            if flight.idle is None:
                self._engaged_s += now - last
            last = now
            if NEXT_CAMERA in self._node.take_pressed(NEXT_CAMERA):
                self._shown = (self._shown + 1) % len(self._cameras)
            if now >= next_drawing:
                self._draw()
                next_drawing = now + DRAW_EVERY_S
            over = flight.reading.finished or bool(self._node.take_pressed(QUIT))
            if over or self._signals or 0 < self._limit_s <= now - began:
                break
        outcome = self._outcome()
        self._end_errand()
        self._hand_back()
        self._draw()
        return Sitting(
            now - began, self._engaged_s, flight.reading.finished,
            self._node.flight.reading.status, bool(self._signals), outcome,
        )  # fmt: skip

    def _hand_back(self) -> None:
        """Wait until the control node has taken back what the person let go of."""
        deadline = time.monotonic() + END_S
        while self._node.owes_release and time.monotonic() < deadline:
            self._step()

    def _step(self) -> None:
        self._executor.spin_once(timeout_sec=SPIN_S)
        if self._node.failure is not None:
            raise self._node.failure
        if self._host is not None:
            self._host.check()

    def _watch_cameras(self) -> None:
        """Listen to the cameras, if there is a terminal to show them on."""
        if not self._panel.console.is_terminal:
            return
        for camera in self._robot.cameras:

            def keep(message: sensor_msgs.msg.Image, name: str = camera.name) -> None:
                image = np.frombuffer(message.data, np.uint8)
                if message.encoding == "rgb8" and image.size == message.height * message.width * 3:
                    self._pictures[name] = image.reshape(message.height, message.width, 3).copy()

            topic = self._robot.image_topic(camera.name)
            self._node.create_subscription(sensor_msgs.msg.Image, topic, keep, qos.SENSOR)

    def _draw(self) -> None:
        flight, joints, device = self._node.flight, self._node.joints, self._node.teleoperator
        sight = Sight(
            engaged=flight.idle is None,
            commander=flight.commander,
            verdict=flight.verdict,
            rule=flight.rule,
            status=flight.reading.status,
            idle=flight.idle.detail if flight.idle else "",
            measured_rad=joints.position_rad if joints else None,
            plan=self._plan(),
            picture=self._pictures.get(self._cameras[self._shown]),
        )
        self._panel.draw(sight, device.controls if device else ())
