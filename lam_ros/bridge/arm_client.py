"""An arm on the graph for a program that is no node: look at it, ask it to go somewhere.

Callbacks run inside the calls, in the caller's thread; there is no thread to end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
import sensor_msgs.msg
from rclpy.context import Context
from rclpy.experimental import EventsExecutor
from rclpy.signals import SignalHandlerOptions

from lam_interfaces import msg as lam_msg
from lam_ros import security
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.commander import TELEOPERATION, SoleCommander
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.images import frame_from
from lam_ros.bridge.messages import command_from, command_to, joints_from
from lam_ros.core.assemble import Assembler
from lam_ros.core.errors import BusyError, LamError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import (
    CameraFrame,
    FloatArray,
    JointState,
    NotReady,
    Observation,
    Source,
    Target,
)

_IDLE_SPINS = 3
"""Looks without any callback after which nothing is left to run."""


class ArmClient:
    """Observations of one arm, and a person's wishes to its control node."""

    def __init__(self, robot: RobotDescription, timeout_s: float) -> None:
        """Prepare.

        Args:
            robot: the arm.
            timeout_s: how long an observation is waited for.
        """
        self._robot = robot
        self._timeout_s = timeout_s
        self._context = Context()
        self._executor: EventsExecutor | None = None

    def connect(self) -> None:
        """Join the graph and wait until the arm is seen and its control node listens.

        Raises:
            ConnectionError: if that takes too long, or another teleoperator drives the arm.
        """
        security.require()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node("lerobot", context=self._context)
        self._executor = EventsExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clock = RosClock(self._node)
        self._sight = Assembler(self._robot)
        self._sent: FloatArray | None = None
        self._heard = 0
        self._lost: LamError | None = None
        self._open()
        try:
            self._claim()
            self._wait(lambda: self._commands.get_subscription_count() > 0, "control node")
            self.observe()
        except ConnectionError:
            self.close()
            raise

    def observe(self) -> Observation:
        """Return what the arm sees now.

        Raises:
            ConnectionError: if no complete, fresh observation comes in time.
        """
        self._spin()
        end = time.monotonic() + self._timeout_s
        while True:
            seen = self._sight.assemble(self._clock.now_ns())
            if isinstance(seen, Observation):
                return seen
            if time.monotonic() > end:
                raise ConnectionError(_nothing_seen(seen))
            self._once(0.01)

    def send(self, target_rad: FloatArray) -> FloatArray:
        """Ask for joint positions, shape (J,); returns what was last sent to the motors.

        Raises:
            ConnectionError: if another teleoperator drives the arm.
        """
        self._spin()
        if self._lost is not None:
            raise ConnectionError(str(self._lost))
        now_ns = self._clock.now_ns()
        self._commands.publish(
            command_to(target_rad, self._robot, stamp_ns=now_ns, source=Source.TELEOP)
        )
        return np.array(target_rad if self._sent is None else self._sent)

    def close(self) -> None:
        """Leave the graph."""
        if self._executor is None:
            return
        self._executor.shutdown()
        self._opened.close()
        rclpy.try_shutdown(context=self._context)
        self._node.destroy_node()
        self._executor = None

    def _open(self) -> None:
        opened = self._opened = Entities(self._node)
        robot, command = self._robot, lam_msg.JointCommand
        joints, image = sensor_msgs.msg.JointState, sensor_msgs.msg.Image
        self._commands = opened.publisher(command, topics.TELEOP_COMMAND, qos.COMMAND)
        opened.listen(command, robot.topics.joint_command, self._on_command, qos.COMMAND)
        opened.listen(joints, robot.topics.joint_state, self._on_joints, qos.SENSOR)
        for camera in robot.camera_names:
            opened.listen(image, robot.image_topic(camera), self._eye(camera), qos.SENSOR)

    def _claim(self) -> None:
        def give_way(error: LamError) -> None:
            self._lost = error

        claim = SoleCommander(self._node, topics.TELEOP_COMMAND, give_way, TELEOPERATION)
        self._opened.add(claim.release)
        try:
            claim.claim(0.0)
        except BusyError as error:
            raise ConnectionError(str(error)) from None

    def _eye(self, camera: str) -> Callable[[Any], None]:
        def on_image(message: sensor_msgs.msg.Image) -> None:
            self._heard += 1
            frame = frame_from(message, camera)
            if isinstance(frame, CameraFrame):
                self._sight.put_frame(frame)

        return on_image

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        self._heard += 1
        state = joints_from(message, self._robot)
        if isinstance(state, JointState):
            self._sight.put_joints(state)

    def _on_command(self, message: lam_msg.JointCommand) -> None:
        self._heard += 1
        command = command_from(message, self._robot)
        if isinstance(command, Target):
            self._sent = command.position_rad

    def _spin(self) -> None:
        """Run what has come, and no more."""
        idle = 0
        while idle < _IDLE_SPINS:
            before = self._heard
            self._once(0.0)
            idle = 0 if self._heard > before else idle + 1

    def _once(self, timeout_s: float) -> None:
        if self._executor is None:
            raise ConnectionError("the arm is not connected")
        self._executor.spin_once(timeout_sec=timeout_s)

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + self._timeout_s
        while not done():
            if time.monotonic() > end:
                raise ConnectionError(
                    f"no {what} on this graph: start one, and set ROS_DOMAIN_ID to its domain"
                )
            self._once(0.02)


def _nothing_seen(why: NotReady) -> str:
    return f"the arm cannot be seen: {why.detail}; is its driver running in this ROS_DOMAIN_ID?"
