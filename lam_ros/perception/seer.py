"""Perception as one object: pictures and joints in, scenes out."""

from __future__ import annotations

from collections.abc import Mapping

from lam_ros.config import build, load_group
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.perception.arm import ArmShape
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import PerceptionConfig
from lam_ros.perception.detecting import Detector
from lam_ros.perception.open_vocabulary import OpenDetector
from lam_ros.perception.tracking import Tool, Tracker


class Seer:
    """Sees what one camera shows, and remembers."""

    def __init__(
        self, robot: RobotDescription, config: PerceptionConfig, arm: ArmShape | None
    ) -> None:
        """Know of nothing yet; without an arm's shape nothing is taken for the arm.

        Raises:
            ConfigError: if the shape is another arm's.
        """
        joints = [link.joint for link in arm.links if link.joint] if arm is not None else []
        missing = [name for name in joints if name not in robot.joint_names]
        if missing:
            raise ConfigError(
                f"perception: the shape of arm '{config.arm}' has joints {', '.join(missing)}, which "
                f"robot '{robot.name}' has not; describe this arm's, or set arm: '' for none"
            )
        self._robot = robot
        self._config = config
        self._arm = arm
        self._detector: Detector | OpenDetector = (
            OpenDetector(config, arm) if config.open.model else Detector(config, arm)
        )
        self._tracker = Tracker(config.track)

    def reset(self) -> None:
        """Forget everything."""
        self._tracker = Tracker(self._config.track)
        if isinstance(self._detector, Detector):
            self._detector = Detector(self._config, self._arm)

    def see(
        self, image: ImageArray, camera: TableCamera, position_rad: FloatArray, stamp_ns: int
    ) -> Scene:
        """Take in a picture and return the scene as now believed.

        Args:
            image: rgb8, shape (H, W, 3), without distortion.
            camera: the camera, calibrated at any size.
            position_rad: measured joints in the robot's order at that time, shape (J,).
            stamp_ns: time of the picture.
        """
        joints = dict(zip(self._robot.joint_names, map(float, position_rad), strict=True))
        sight = self._detector.see(image, camera, joints, self._tracker.known())
        return self._tracker.update(sight, stamp_ns, self._tool(joints))

    def touch(self, position_rad: FloatArray) -> None:
        """Take in measured joints in the robot's order, shape (J,), between two pictures."""
        joints = dict(zip(self._robot.joint_names, map(float, position_rad), strict=True))
        tool = self._tool(joints)
        if tool is not None:
            self._tracker.touch(tool)

    def _tool(self, joints_rad: Mapping[str, float]) -> Tool | None:
        if self._arm is None:
            return None
        low, high = self._config.track.grip_rad
        grips = low <= joints_rad[self._robot.gripper.joint] <= high
        return Tool(self._arm.tool_m(joints_rad), grips)


def load_perception(name: str) -> tuple[PerceptionConfig, ArmShape | None]:
    """Read `config/perception/<name>.yaml` and the arm's shape that it names.

    Raises:
        ConfigError: if one of them is not there or is wrong.
    """
    config = build(PerceptionConfig, load_group("perception", name), "perception")
    if not config.arm:
        return config, None
    return config, build(ArmShape, load_group("perception", config.arm), "arm")
