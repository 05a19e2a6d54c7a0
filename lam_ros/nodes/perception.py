"""Perception as a node: pictures and joint states in, what is on the table out.

The camera's pose comes from the file that `lam calibrate table` wrote, or else from the
topic beside its pictures, where the simulator says it.
"""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import Any

import cv2
import geometry_msgs.msg
import numpy as np
import sensor_msgs.msg

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos, topics
from lam_ros.bridge.cameras import camera_from, pose_topic
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.images import frame_from
from lam_ros.bridge.messages import joints_from
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.bridge.scenes import scene_to
from lam_ros.config import load_robot
from lam_ros.core.clock import period_ns
from lam_ros.core.errors import DataError
from lam_ros.core.inbound import Rejected
from lam_ros.core.pacing import Every
from lam_ros.core.scene import Scene
from lam_ros.core.types import CameraFrame, JointState
from lam_ros.perception.calibration import Calibration, load_calibration
from lam_ros.perception.picture import scene_in
from lam_ros.perception.seer import Seer, load_perception

_REMEMBERED_JOINTS = 100
_WARN_EVERY_S = 5.0


class PerceptionNode(LamNode):
    """Publishes the scene that one camera shows, a few times a second."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("perception", **node_arguments)
        self._opened = Entities(self)
        self._joints: deque[JointState] = deque(maxlen=_REMEMBERED_JOINTS)
        self._frame: CameraFrame | None = None
        self._pictured: sensor_msgs.msg.Image | None = None
        self._pose: geometry_msgs.msg.PoseStamped | None = None
        self._info: sensor_msgs.msg.CameraInfo | None = None
        self._calibration: Calibration | None = None

    def configure(self) -> None:
        """Read settings and calibration, and open the streams."""
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        config, arm = load_perception(self.text("perception", "default"))
        cv2.setNumThreads(1)  # pictures this small are not worth a core of the command stream
        self._every = Every(period_ns(self.number("rate_hz", config.rate_hz)))
        self._settled = config.track.confirm_count + 1
        path = self.text("calibration", config.calibration)
        self._calibration = load_calibration(Path(path)) if path else None
        self._camera = self._robot.camera(config.camera).name
        self._seer = Seer(self._robot, config, arm)
        opened, robot = self._opened, self._robot
        self._scenes = opened.publisher(
            lam_msg.Scene, self.text("scene_topic", topics.SCENE), qos.SCENE
        )
        self._goals = opened.publisher(lam_msg.Scene, topics.GOAL_SCENE, qos.LATCHED)
        joints, images = sensor_msgs.msg.JointState, sensor_msgs.msg.Image
        opened.listen(joints, robot.topics.joint_state, self._on_joints, qos.HISTORY)
        image_topic, info_topic = robot.image_topic(self._camera), robot.info_topic(self._camera)
        if self.flag("detail", False):
            image_topic, info_topic = robot.detail_topics(self._camera)
        opened.listen(images, image_topic, self._on_image, qos.SENSOR)
        opened.listen(images, topics.GOAL_IMAGE, self._on_goal_image, qos.LATCHED)
        if self._calibration is None:
            infos, poses = sensor_msgs.msg.CameraInfo, geometry_msgs.msg.PoseStamped
            opened.listen(infos, info_topic, self._on_info, qos.SENSOR)
            pose = pose_topic(robot.image_topic(self._camera))
            opened.listen(poses, pose, self._on_pose, qos.LATCHED)

    def activate(self) -> None:
        """Begin with an empty table."""
        self._forget()

    def cleanup(self) -> None:
        """Close the streams."""
        self._opened.close()
        self._joints.clear()
        self._pose, self._info, self._calibration = None, None, None

    # -- streams -----------------------------------------------------------------------

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, Rejected):
            return
        self._joints.append(state)
        self._seer.touch(state.position_rad)
        # Where the arm was when the picture was taken is known once a later word of it has come.
        if self._frame is not None and self._frame.stamp_ns <= state.stamp_ns:
            frame, self._frame = self._frame, None
            calibration = self._calibrated()
            if calibration is not None and self.is_active:
                self._look(frame, calibration)

    def _on_info(self, message: sensor_msgs.msg.CameraInfo) -> None:
        self._info = message
        self._look_at_goal()

    def _look_at_goal(self) -> None:
        """Look at the picture that waited for the camera's pose."""
        if self._pictured is not None and self._pose is not None and self._info is not None:
            self._on_goal_image(self._pictured)

    def _on_pose(self, message: geometry_msgs.msg.PoseStamped) -> None:
        if self._pose is not None and message != self._pose:
            self._forget()  # another camera, or another table
        self._pose = message
        self._look_at_goal()

    def _on_image(self, message: sensor_msgs.msg.Image) -> None:
        if not self.is_active or not self._every.is_due(self._time.now_ns()):
            return
        frame = frame_from(message, self._camera)
        if isinstance(frame, Rejected):
            self._warn(frame.detail)
            return
        if not self._joints:
            self._warn(f"no joint states come on {self._robot.topics.joint_state}")
        self._frame = frame

    def _on_goal_image(self, message: sensor_msgs.msg.Image) -> None:
        """See what a picture shows that somebody wants the table to look like."""
        frame = frame_from(message, self._camera)
        if isinstance(frame, Rejected):
            self._warn(frame.detail)
            return
        calibration = self._calibrated()
        self._pictured = message if calibration is None else None
        if calibration is None:
            return
        try:
            scene = scene_in(np.ascontiguousarray(frame.image), calibration, self._robot)
        except DataError as error:
            self._warn(str(error))
            scene = Scene(())
        self._goals.publish(scene_to(scene))

    def _calibrated(self) -> Calibration | None:
        """Return where the camera is, or None while that is not known."""
        if self._calibration is not None:
            return self._calibration
        if self._pose is None or self._info is None:
            self._warn(
                f"camera '{self._camera}': its pose is not known; set the parameter "
                "'calibration' to a file that `lam calibrate table` wrote"
            )
            return None
        camera = camera_from(self._info, self._pose)
        if isinstance(camera, Rejected):
            self._warn(camera.detail)
            return None
        return Calibration(camera)

    def _look(self, frame: CameraFrame, calibration: Calibration) -> None:
        joints = min(self._joints, key=lambda state: abs(state.stamp_ns - frame.stamp_ns))
        image = calibration.rectified(np.ascontiguousarray(frame.image))
        scene = self._seer.see(image, calibration.camera, joints.position_rad, frame.stamp_ns)
        self._looks += 1
        if self._looks >= self._settled:  # before, what is there has not been confirmed
            self._scenes.publish(scene_to(scene))

    def _forget(self) -> None:
        self._seer.reset()
        self._looks = 0
        self._frame = None

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=_WARN_EVERY_S)


def main() -> None:
    """Run the node."""
    sys.exit(run_node(PerceptionNode))


if __name__ == "__main__":
    main()
