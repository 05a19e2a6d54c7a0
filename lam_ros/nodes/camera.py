"""The camera's node: one device behind one of the robot's cameras.

    camera/<name>/image_raw, camera_info   each picture, stamped when it was taken
    /diagnostics                           once a second: rate, losses, and what is wrong

A device that is lost is looked for until it is there again; why is said once.  Black and
frozen pictures are not published: to the policy that is silence, and the arm holds.

Parameters: `robot`; `camera`: its name there; `cameras`: a file of config/camera, a YAML
file, or `front:/dev/video0,...` (`lam_ros.camera.settings`).
"""

from __future__ import annotations

import math
import sys
from typing import Any

import sensor_msgs.msg
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from lam_ros.bridge import qos, topics
from lam_ros.bridge.camera_info import pinhole_info, unknown_info
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.images import ImageWriter
from lam_ros.bridge.messages import ns_to_stamp
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.camera.capture import Capture, Condition, Detail
from lam_ros.camera.settings import load_cameras
from lam_ros.config import load_robot
from lam_ros.core.robot import Camera
from lam_ros.core.types import ImageArray

REPORT_EVERY_S = 1.0


class CameraNode(LamNode):
    """Thin over `camera.capture.Capture`."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("camera", **node_arguments)
        self._opened = Entities(self)
        self._capture: Capture | None = None
        self._timer: Any = None

    def configure(self) -> None:
        """Open the device and the topics.

        Raises:
            ConfigError: if there is no such camera, or its device is described wrongly.
            MachineError: if the device is not to be had, or delivers something else.
        """
        robot = load_robot(self.text("robot", "so101"))
        camera = robot.camera(self.text("camera", robot.camera_names[0]))
        config = load_cameras(self.text("cameras", "opencv"), robot)[camera.name]
        self._camera: Camera = camera
        self._time = RosClock(self)
        fovy_rad, opened = math.radians(config.fovy_deg), self._opened
        topics_of = robot.image_topic(camera.name), robot.info_topic(camera.name)
        self._stream = _Stream(opened, topics_of, camera, fovy_rad)
        detail, width_px = None, int(self.number("detail_width_px", 0))
        if width_px > camera.width_px:
            larger = camera.in_detail(width_px)
            closely = _Stream(opened, robot.detail_topics(camera.name), larger, fovy_rad)
            detail = Detail(larger, closely.publish)
        self._diagnostics = opened.publisher(DiagnosticArray, topics.DIAGNOSTICS, qos.REPORT)
        self._timer = opened.timer(REPORT_EVERY_S, self._report)
        self._capture = Capture(
            camera, config, self._stream.publish, self._say, self._time.now_ns, detail
        )
        self._capture.open()

    def activate(self) -> None:
        """Publish pictures."""
        if self._capture is not None:
            self._capture.start()
        self._timer.reset()

    def deactivate(self) -> None:
        """Publish no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._capture is not None:
            self._capture.stop()

    def cleanup(self) -> None:
        """Let go of the device, and close the topics."""
        self._timer = None
        if self._capture is not None:
            self._capture.close()
            self._capture = None
        self._opened.close()

    def _say(self, text: str) -> None:
        self.get_logger().warning(f"camera '{self._camera.name}': {text}")

    def _report(self) -> None:
        if self._capture is not None:
            self._diagnostics.publish(self._message(self._capture.condition()))

    def _message(self, condition: Condition) -> DiagnosticArray:
        level = DiagnosticStatus.WARN if condition.trouble else DiagnosticStatus.OK
        if condition.trouble and condition.rate_hz == 0:
            level = DiagnosticStatus.ERROR
        name = f"camera: {self._camera.name}"
        entry = DiagnosticStatus(level=level, name=name, message=condition.trouble)
        values = {
            "rate_hz": f"{condition.rate_hz:.1f}",
            "pictures": str(condition.pictures),
            "losses": str(condition.losses),
        }
        entry.values = [KeyValue(key=key, value=value) for key, value in values.items()]
        message = DiagnosticArray(status=[entry])
        message.header.stamp = ns_to_stamp(self._time.now_ns())
        return message


class _Stream:
    """The topics of one size of pictures."""

    def __init__(
        self, opened: Entities, topics_of: tuple[str, str], camera: Camera, fovy_rad: float
    ) -> None:
        self._writer = ImageWriter(camera.name, camera.width_px, camera.height_px)
        self._info = pinhole_info(camera, fovy_rad) if fovy_rad else unknown_info(camera)
        image, info = topics_of
        self._image_out = opened.publisher(sensor_msgs.msg.Image, image, qos.SENSOR)
        self._info_out = opened.publisher(sensor_msgs.msg.CameraInfo, info, qos.SENSOR)

    def publish(self, image: ImageArray, stamp_ns: int) -> None:
        """Send a picture and what describes the camera."""
        self._image_out.publish(self._writer.fill(image, stamp_ns))
        self._info.header.stamp = ns_to_stamp(stamp_ns)
        self._info_out.publish(self._info)


def main() -> None:
    """Run the node."""
    sys.exit(run_node(CameraNode))


if __name__ == "__main__":
    main()
