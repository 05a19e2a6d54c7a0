"""A camera of 640x480 or an arm's joints at 30 Hz, made up, as a node of its own.

When it is stopped it writes down the stamps of all that it has sent, so that nothing that
got lost on the way can hide.
"""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np
import sensor_msgs.msg

from lam_ros.bridge import qos
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.images import ImageWriter
from lam_ros.bridge.messages import joints_to
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import load_robot
from lam_ros.core.types import ImageArray, JointState

RATE_HZ = 30.0
PICTURES = 60


def made_up_pictures(width_px: int, height_px: int, seed: int = 0) -> list[ImageArray]:
    """Return pictures in which things move over a textured table, with a camera's noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 200, (height_px // 16, width_px // 16, 3), dtype=np.uint8)
    table = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    pictures: list[ImageArray] = []
    for index in range(PICTURES):
        picture = table.copy()
        angle = 2 * np.pi * index / PICTURES
        for k, color in enumerate(((200, 40, 40), (40, 60, 200), (230, 230, 230))):
            x = int(width_px * (0.5 + 0.3 * np.cos(angle + 2 * k)))
            y = int(height_px * (0.5 + 0.3 * np.sin(angle + 2 * k)))
            cv2.rectangle(picture, (x - 40, y - 40), (x + 40, y + 40), color, -1)
        noise = rng.normal(0.0, 2.0, picture.shape)
        pictures.append(np.clip(picture + noise, 0, 255).astype(np.uint8))
    return pictures


class SourceNode(LamNode):
    """Sends one stream; its parameter `camera` names the camera, empty for the joints."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("source", **node_arguments)
        self._opened = Entities(self)
        self._stamps: list[int] = []
        self._timer: Any = None

    def configure(self) -> None:
        """Make the pictures, and the publisher."""
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot"))
        self._path = self.text("stamps")
        camera = self.text("camera")
        if camera:
            about = self._robot.camera(camera)
            self._writer = ImageWriter(camera, about.width_px, about.height_px)
            self._pictures = made_up_pictures(about.width_px, about.height_px)
            kind, topic = sensor_msgs.msg.Image, self._robot.image_topic(camera)
        else:
            kind, topic = sensor_msgs.msg.JointState, self._robot.topics.joint_state
        self._out = self._opened.publisher(kind, topic, qos.SENSOR)
        self._timer = self._opened.timer(
            1.0 / RATE_HZ, self._send_picture if camera else self._send_joints
        )

    def activate(self) -> None:
        """Begin to send."""
        self._timer.reset()

    def deactivate(self) -> None:
        """Stop, and write the stamps."""
        self._timer.cancel()
        np.save(self._path, np.array(self._stamps, dtype=np.int64))

    def cleanup(self) -> None:
        """Close the topics."""
        self._opened.close()

    def _send_picture(self) -> None:
        picture = self._pictures[len(self._stamps) % PICTURES]
        stamp_ns = self._time.now_ns()
        self._stamps.append(stamp_ns)
        self._out.publish(self._writer.fill(picture, stamp_ns))

    def _send_joints(self) -> None:
        stamp_ns = self._time.now_ns()
        self._stamps.append(stamp_ns)
        home = np.array(self._robot.poses.home_rad)
        self._out.publish(joints_to(JointState(stamp_ns, home), self._robot))


def main() -> None:
    """Run the node."""
    sys.exit(run_node(SourceNode))


if __name__ == "__main__":
    main()
