"""Which device stands behind each of the robot's cameras: `config/camera/<name>.yaml`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lam_ros.config import build, load_group
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.robot import RobotDescription


class Kind(StrEnum):
    """Who opens the device."""

    OPENCV = "opencv"
    LEROBOT = "lerobot"


class Fit(StrEnum):
    """What is done with pictures of another size than the robot's description says."""

    REFUSE = "refuse"
    CROP = "crop"


@dataclass(frozen=True)
class DeviceConfig:
    """One device.

    Attributes:
        type: `opencv`, or `lerobot` for a camera class of LeRobot's.
        device: of `opencv`: a path such as /dev/video0, a number, a file or a URL.
        name: of `lerobot`: as LeRobot registers it, for example `intelrealsense`.
        arguments: of `lerobot`: its options in LeRobot's notation, for example
            `--serial_number_or_name=0123`.
        width_px, height_px, rate_hz: what is asked of an `opencv` device; 0 for what the
            robot's description says.
        fourcc: pixel format that is asked of it, such as MJPG; empty for its own.
        fit: `refuse` pictures of another size, or `crop` their middle and scale it.
        turned_deg: by how much the camera is mounted turned, clockwise: 0, 90, 180 or 270.
        fovy_deg: vertical field of view of what is published; 0 if it is not known.
        black_after_s, frozen_after_s: after so long of black, or of one and the same picture,
            nothing is published until that is over; 0 lets it pass.
    """

    type: Kind
    device: str | int = ""
    name: str = ""
    arguments: tuple[str, ...] = ()
    width_px: int = 0
    height_px: int = 0
    rate_hz: float = 0.0
    fourcc: str = ""
    fit: Fit = Fit.REFUSE
    turned_deg: int = 0
    fovy_deg: float = 0.0
    black_after_s: float = 1.0
    frozen_after_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what goes with no device."""
        if self.type is Kind.OPENCV and str(self.device) == "":
            raise ConfigError("device: give a path such as /dev/video0, a number, a file or a URL")
        if self.type is Kind.LEROBOT and not self.name:
            raise ConfigError("name: give the name that LeRobot registers it by")
        if self.turned_deg not in (0, 90, 180, 270):
            raise ConfigError(f"turned_deg: {self.turned_deg} came, allowed: 0, 90, 180, 270")
        if self.fourcc and len(self.fourcc) != 4:
            raise ConfigError(f"fourcc: '{self.fourcc}' came, 4 letters are needed, such as MJPG")
        for name in ("rate_hz", "fovy_deg", "black_after_s", "frozen_after_s"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ConfigError(f"{name}: {getattr(self, name)} came, 0 or more is allowed")
        if self.fovy_deg >= 180 or min(self.width_px, self.height_px) < 0:
            raise ConfigError("fovy_deg must be below 180, width_px and height_px 0 or more")


def load_cameras(name: str, robot: RobotDescription) -> dict[str, DeviceConfig]:
    """Return the device of each camera of a robot.

    Args:
        name: of a file in config/camera, the path of a YAML file, or devices on one line,
            as in `front:/dev/video0,wrist:/dev/video2`.
        robot: whose cameras.

    Raises:
        ConfigError: if a device is described wrongly, or a camera has none.
    """
    cameras = {}
    for camera, data in _read(name).items():
        if camera not in robot.camera_names:
            thing = f"camera of robot '{robot.name}'"
            raise ConfigError(f"cameras: {unknown_name(thing, camera, robot.camera_names)}")
        if not isinstance(data, Mapping):
            raise ConfigError(f"camera '{camera}': give a mapping, such as {{type: opencv, ...}}")
        try:
            cameras[camera] = build(DeviceConfig, data, f"camera {camera}")
        except ConfigError as error:
            where = "" if f"camera {camera}" in str(error) else f"camera '{camera}': "
            raise ConfigError(f"{where}{error}") from None
    missing = [camera for camera in robot.camera_names if camera not in cameras]
    if missing:
        raise ConfigError(
            f"cameras '{name}': no device for {', '.join(missing)} of robot '{robot.name}'; "
            "add it, or take the camera out of the robot's description"
        )
    return cameras


def _read(name: str) -> Mapping[str, object]:
    if ":" not in name or Path(name).suffix in (".yaml", ".yml"):
        return load_group("camera", name)
    devices = {}
    for word in name.split(","):
        camera, colon, device = word.strip().partition(":")
        if not colon or not camera or not device:
            raise ConfigError(
                f"cameras: '{word}' came, camera:device is needed, such as front:/dev/video0"
            )
        devices[camera] = {"type": str(Kind.OPENCV), "device": device, "fit": str(Fit.CROP)}
    return devices
