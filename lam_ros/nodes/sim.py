"""The simulator as a node: MuJoCo in real time, speaking the robot's own topics.

It stands where the arm and its cameras would: joint states and pictures come from it, and
it plays `lam/joint_command` as motors do.  A command stays in force until the next one
comes; while more than one node commands, none is taken.
The ground truth goes to `lam/ground_truth`, for judging and showing; where no perception
node runs (`publishes_scene`), also to `lam/scene`, as if it were seen.

With the parameter `controller` (`joint_trajectory` or `forward_position`) it plays an arm
behind ros2_control instead: it follows that controller's topic, and joint commands reach it
through the node `ros2_control` alone.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import geometry_msgs.msg
import numpy as np
import sensor_msgs.msg

from lam_interfaces import msg as lam_msg
from lam_interfaces.srv import Judge, ResetScene
from lam_ros.bridge import qos, topics
from lam_ros.bridge.camera_info import pinhole_info
from lam_ros.bridge.cameras import pose_to, pose_topic
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.controllers import SimulatedController
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.gate import CommandGate
from lam_ros.bridge.images import ImageWriter
from lam_ros.bridge.messages import command_from, joints_to, ns_to_stamp
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.bridge.scenes import scene_to
from lam_ros.config import build, load_robot
from lam_ros.core.clock import period_ns
from lam_ros.core.errors import ConfigError, LamError
from lam_ros.core.inbound import Rejected
from lam_ros.core.literals import judge
from lam_ros.core.pacing import Every, Pacer
from lam_ros.core.robot import Camera
from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.run.recording import Moment, StateLog
from lam_sim.cameras import true_camera
from lam_sim.render import POLICY
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig, SceneSpec
from lam_sim.world import LockstepSim, SimConfig

FIXED_CAMERAS = ("front",)
"""Cameras that stand still beside the table."""


class SimNode(LamNode):
    """Steps the world in pace with the ROS clock and publishes what the robot would."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("sim", **node_arguments)
        self._opened = Entities(self)
        self._timer: Any = None
        self._log: StateLog | None = None
        self._controller: SimulatedController | None = None

    def configure(self) -> None:
        """Build the world, and publishers for everything in it."""
        self._ros_clock = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        self._read_parameters()
        self._build_world()
        self._open()

    def activate(self) -> None:
        """Let time run."""
        self._pacer = Pacer(self._robot.control_period_ns)
        self._started_ns = self._ros_clock.now_ns()
        self._publish_poses(self._started_ns)
        self._pacer.start(self._started_ns)
        self._timer.reset()

    def deactivate(self) -> None:
        """Stop time, and write what was recorded."""
        if self._timer is not None and not self._timer.is_canceled():
            self._timer.cancel()
            self._say_pace()
        if self._log is not None:
            self._log.save(Path(self._record_path))
            self._log = None

    def cleanup(self) -> None:
        """Close the topics and free the GL contexts."""
        self._timer, self._controller = None, None
        self._opened.close()

    # -- setting up --------------------------------------------------------------------

    def _read_parameters(self) -> None:
        self._seed = int(self.number("seed", 0))
        self._scene_config = _scene_config(self.text("scene", "{}"))
        self._scene_every = Every(period_ns(self.number("scene_rate_hz", 20.0)))
        self._publishes_scene = self.flag("publishes_scene", True)
        self._detail_width_px = int(self.number("detail_width_px", 0))
        self._record_path = self.text("record_path", "")
        self._record_every = Every(period_ns(self.number("record_rate_hz", 20.0)))
        # For tests of what happens when a camera stops.
        self._stop_camera = self.text("stop_camera", "")
        self._stop_camera_after_ns = int(self.number("stop_camera_after_s", 0.0) * 1e9)

    def _build_world(self) -> None:
        self._world = LockstepSim(self._robot, SimConfig(self._scene_config))
        first = self._world.reset(self._sampled(self._seed))
        self._target_rad: FloatArray = self._world.target_rad
        self._images: dict[str, ImageArray] = dict(first.images)
        self._log = StateLog() if self._record_path else None

    def _open(self) -> None:
        robot, opened = self._robot, self._opened
        opened.add(self._world.close)
        self._timer = opened.timer(1.0 / robot.control_rate_hz, self._tick)
        self._joints = opened.publisher(
            sensor_msgs.msg.JointState, robot.topics.joint_state, qos.SENSOR
        )
        names = (topics.GROUND_TRUTH, topics.SCENE)[: 1 + self._publishes_scene]
        self._scenes = [opened.publisher(lam_msg.Scene, name, qos.SCENE) for name in names]
        self._cameras = [self._stream(camera) for camera in robot.cameras]
        self._details = [
            self._stream(camera.in_detail(self._detail_width_px), detail=True)
            for camera in robot.cameras
            if camera.name in FIXED_CAMERAS and self._detail_width_px
        ]
        poses = geometry_msgs.msg.PoseStamped
        self._poses = [
            (
                camera,
                opened.publisher(poses, pose_topic(robot.image_topic(camera.name)), qos.LATCHED),
            )
            for camera in robot.cameras
            if camera.name in FIXED_CAMERAS
        ]
        kind = self.text("controller")
        if kind:
            log, clock = self.get_logger(), self._ros_clock
            self._controller = SimulatedController(opened, robot, kind, clock, log)
            self._controller.place(self._target_rad)
        else:
            command = robot.topics.joint_command
            self._gate = CommandGate(self, robot)
            opened.listen(lam_msg.JointCommand, command, self._on_command, qos.COMMAND)
        opened.serve(Judge, topics.JUDGE, self._on_judge)
        opened.serve(ResetScene, topics.RESET_SCENE, self._on_reset)

    def _stream(self, camera: Camera, *, detail: bool = False) -> _CameraStream:
        robot, name = self._robot, camera.name
        topics_of = robot.image_topic(name), robot.info_topic(name)
        if detail:
            topics_of = robot.detail_topics(name)
        return _CameraStream(self._opened, topics_of, camera, self._fovy_rad(camera))

    def _sampled(self, seed: int) -> SceneSpec:
        return sample_scene(self._scene_config, seed, self._world.arm)

    def _fovy_rad(self, camera: Camera) -> float:
        return float(np.radians(self._world.model.camera(camera.name).fovy[0]))

    # -- running -----------------------------------------------------------------------

    def _on_command(self, message: lam_msg.JointCommand) -> None:
        command = command_from(message, self._robot)
        refused = command.detail if isinstance(command, Rejected) else self._gate.rivalry()
        if isinstance(command, Rejected) or refused:
            self.get_logger().warning(
                f"joint command refused: {refused}", throttle_duration_sec=1.0
            )
            return
        self._target_rad = command.position_rad

    def _tick(self) -> None:
        stamps = self._pacer.due(self._ros_clock.now_ns())
        for stamp_ns in stamps:
            if self._controller is not None:
                self._target_rad = self._controller.target(stamp_ns)
            self._world.step(self._target_rad)
        if stamps:
            self._publish(stamps[-1])

    def _publish(self, stamp_ns: int) -> None:
        state = self._world.joint_state()
        state = replace(state, stamp_ns=stamp_ns)
        self._joints.publish(joints_to(state, self._robot))
        due = [stream for stream in self._cameras if stream.every.is_due(stamp_ns)]
        if due:
            self._publish_pictures(due, stamp_ns)
        for stream in self._details:
            if stream.every.is_due(stamp_ns) and not self._has_stopped(
                stream.camera.name, stamp_ns
            ):
                camera = stream.camera
                size = camera.width_px, camera.height_px
                stream.publish(self._world.render(camera.name, *size, quality=POLICY), stamp_ns)
        if self._scene_every.is_due(stamp_ns):
            message = scene_to(self._truth(stamp_ns))
            for publisher in self._scenes:
                publisher.publish(message)
        if self._log is not None and self._record_every.is_due(stamp_ns):
            self._log.add(Moment(stamp_ns, self._world.data.qpos, dict(self._images)))

    def _publish_pictures(self, due: list[_CameraStream], stamp_ns: int) -> None:
        images = self._world.observe().images
        for stream in due:
            name = stream.camera.name
            if self._has_stopped(name, stamp_ns):
                continue
            self._images[name] = images[name]
            stream.publish(images[name], stamp_ns)

    def _has_stopped(self, camera: str, stamp_ns: int) -> bool:
        running_ns = stamp_ns - self._started_ns
        return camera == self._stop_camera and running_ns >= self._stop_camera_after_ns

    def _publish_poses(self, stamp_ns: int) -> None:
        """Say where the cameras that stand still are, as a calibration would."""
        world = self._world
        for camera, publisher in self._poses:
            size = camera.width_px, camera.height_px
            pose = true_camera(world.model, world.data, camera.name, *size)
            publisher.publish(pose_to(pose, stamp_ns))

    def _truth(self, stamp_ns: int) -> Scene:
        scene = self._world.truth()
        return Scene(scene.objects, stamp_ns, scene.held)

    def _on_judge(self, request: Judge.Request, response: Judge.Response) -> Judge.Response:
        verdict = judge(self._world.truth(), request.literals)
        response.holds = list(verdict.holds)
        response.detail = verdict.detail
        return response

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        """Set the table anew; the arm is at home then, and its last command stays in force."""
        try:
            first = self._world.reset(self._sampled(request.seed))
        except (LamError, ValueError) as error:  # a negative seed is no seed
            response.message = str(error)
            return response
        self._images = dict(first.images)
        if self._controller is not None:  # unlike a command, a trajectory does not outlast it
            self._controller.place(self._world.target_rad)
        now_ns = self._ros_clock.now_ns()
        for stream in (*self._cameras, *self._details):
            stream.turn(self._fovy_rad(stream.camera))
        self._publish_poses(now_ns)
        self._pacer.start(now_ns)
        response.success = True
        response.message = ", ".join(self._world.truth().ids)
        return response

    def _say_pace(self) -> None:
        if self._pacer.overruns:
            self.get_logger().warning(
                f"could not keep up: {self._pacer.overruns} control steps dropped, "
                f"{self._pacer.late} ticks late"
            )


class _CameraStream:
    """One camera's publishers and its rate."""

    def __init__(
        self, opened: Entities, topics_of: tuple[str, str], camera: Camera, fovy_rad: float
    ) -> None:
        self.camera = camera
        self.every = Every(camera.period_ns)
        self._writer = ImageWriter(camera.name, camera.width_px, camera.height_px)
        self._info = pinhole_info(camera, fovy_rad)
        image, info = topics_of
        self._image = opened.publisher(sensor_msgs.msg.Image, image, qos.SENSOR)
        self._info_out = opened.publisher(sensor_msgs.msg.CameraInfo, info, qos.SENSOR)

    def turn(self, fovy_rad: float) -> None:
        """Describe the camera anew: another scene has another field of view."""
        self._info = pinhole_info(self.camera, fovy_rad)

    def publish(self, image: ImageArray, stamp_ns: int) -> None:
        """Send a picture and what describes the camera."""
        self._image.publish(self._writer.fill(image, stamp_ns))
        self._info.header.stamp = ns_to_stamp(stamp_ns)
        self._info_out.publish(self._info)


def _scene_config(text: str) -> SceneConfig:
    """Read the scene's configuration from JSON.

    Raises:
        ConfigError: if it is no JSON object, or holds what a scene has not.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"parameter 'scene': not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ConfigError("parameter 'scene': a JSON object is needed")
    return build(SceneConfig, data, "scene")


def main() -> None:
    """Run the node."""
    sys.exit(run_node(SimNode))


if __name__ == "__main__":
    main()
