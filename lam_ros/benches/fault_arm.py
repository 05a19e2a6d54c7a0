"""The arm of `lam bench faults`: perfect, with two cameras, and able to fail in every way.

It is in the bench's own process, so that the time of a fault and of the commands that
still come are read from one clock.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import sensor_msgs.msg
from rclpy.clock import Clock, ClockType

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.gate import CommandGate
from lam_ros.bridge.images import ImageWriter
from lam_ros.bridge.messages import joints_to
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, JointState

PICTURES = 8
MOVED_RAD = 1e-7


class FaultArm:
    """Publishes what an arm does and follows what passes the gate.

    Attributes:
        joints: what is wrong with the joint states: nothing, `stopped`, `nan` or `jump`.
        camera: what is wrong with the front camera: nothing, `stopped`, `black`, `size`,
            `stamp` (the same one again and again) or `picture` (the same one).
        guarded: whether a second commander is looked for, as an arm's node does.
        position_rad: where the arm is, shape (J,).
        last_motion_ns: when the last command came that was another than the one before.
        heard: commands so far.
        equal: commands since then.
        lived: control periods that this process has lived since then: what was sent before
            them has been heard, however long the machine kept it waiting.
    """

    def __init__(self, node: Any, robot: RobotDescription) -> None:
        """Open the topics and begin to send."""
        self.joints = self.camera = ""
        self.guarded = False
        self.position_rad: FloatArray = np.array(robot.poses.home_rad)
        self.last_motion_ns = self.heard = self.equal = self.lived = 0
        self._robot, self._clock = robot, RosClock(node)
        self._gate = CommandGate(node, robot)
        self._ticks = 0
        self._frozen_ns = 0
        self._pictures = {c.name: _pictures(c.width_px, c.height_px) for c in robot.cameras}
        self._writers = {
            c.name: ImageWriter(c.name, c.width_px, c.height_px) for c in robot.cameras
        }
        half = robot.cameras[0]
        self._small = ImageWriter(half.name, half.width_px // 2, half.height_px // 2)
        kind = sensor_msgs.msg
        self._joints_out = node.create_publisher(
            kind.JointState, robot.topics.joint_state, qos.SENSOR
        )
        self._images_out = {
            name: node.create_publisher(kind.Image, robot.image_topic(name), qos.SENSOR)
            for name in robot.camera_names
        }
        node.create_subscription(
            lam_msg.JointCommand, robot.topics.joint_command, self._on_command, qos.COMMAND
        )
        # Steady: it goes on while the graph's clock does what it likes.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(robot.control_period_ns / NS_PER_S, self._tick, clock=steady)

    @property
    def robot(self) -> RobotDescription:
        """The arm's description."""
        return self._robot

    def now_ns(self) -> int:
        """Return the present time of the graph."""
        return self._clock.now_ns()

    def _on_command(self, message: lam_msg.JointCommand) -> None:
        now_ns = time.monotonic_ns()
        if self.guarded and isinstance(self._gate.accept(message, self._clock.now_ns()), Rejected):
            self.equal += 1
            return
        target = np.array(message.position_rad)
        self.heard += 1
        if np.abs(target - self.position_rad).max() > MOVED_RAD:
            self.last_motion_ns, self.equal, self.lived = now_ns, 0, 0
        else:
            self.equal += 1
        self.position_rad = target

    def _tick(self) -> None:
        now_ns = self._clock.now_ns()
        self._ticks += 1
        self.lived += 1
        if self.joints != "stopped":
            position = self.position_rad.copy()
            if self.joints == "nan":
                position[1] = np.nan
            if self.joints == "jump":
                position[1] += 1.0
            message = joints_to(JointState(now_ns, self.position_rad), self._robot)
            message.position = position.tolist()
            self._joints_out.publish(message)
        if self._ticks % 2 == 0:
            for name in self._images_out:
                self._send_picture(name, now_ns)

    def _send_picture(self, name: str, now_ns: int) -> None:
        fault = self.camera if name == self._robot.camera_names[0] else ""
        if fault == "stopped":
            return
        writer, picture = self._writers[name], self._pictures[name][self._ticks // 2 % PICTURES]
        if fault != "stamp" and name == self._robot.camera_names[0]:
            self._frozen_ns = now_ns
        if fault == "black":
            picture = np.zeros_like(picture)
        if fault == "picture":
            picture = self._pictures[name][0]
        if fault == "size":
            writer, picture = self._small, np.ascontiguousarray(picture[::2, ::2])
        stamp_ns = self._frozen_ns if fault == "stamp" else now_ns
        self._images_out[name].publish(writer.fill(picture, stamp_ns))


def _pictures(width_px: int, height_px: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (PICTURES, height_px, width_px, 3)
    return list(rng.integers(40, 220, shape, dtype=np.uint8))
