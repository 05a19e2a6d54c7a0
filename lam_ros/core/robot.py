"""The robot description: one truth about joints, cameras, topics and features.

It is read from `config/robot/<name>.yaml` at the edge (`lam_ros.config`), and travels
as a plain mapping inside every recording, data set and checkpoint, with a
fingerprint of what a policy depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np

from lam_ros.core.clock import period_ns, seconds_to_ns
from lam_ros.core.errors import FingerprintMismatch, RobotError, unknown_name
from lam_ros.core.types import FloatArray, frozen_floats

DEFAULT_MODEL = "so101"
"""Simulated arm of a description that names none, as those from before there was a choice."""

_IN_METRES = {
    "lower_rad": "lower_m",
    "upper_rad": "upper_m",
    "velocity_rad_s": "velocity_m_s",
    "effort_nm": "effort_n",
    "acceleration_rad_s2": "acceleration_m_s2",
    "open_rad": "open_m",
    "closed_rad": "closed_m",
}
"""What the keys of a joint that slides are called in YAML."""

_OPTIONAL = frozenset({"kind", "acceleration_rad_s2"})

DETAIL_RATE_HZ = 5.0
"""How often a camera's larger pictures come."""

_AT_HOME_RAD = 0.06
"""Within this of its home pose in every joint but the gripper's, the arm is at home."""


class JointKind(StrEnum):
    """How a joint moves."""

    REVOLUTE = "revolute"
    PRISMATIC = "prismatic"


@dataclass(frozen=True)
class Joint:
    """One joint and its limits; None is no limit of acceleration.

    Of a joint that slides (`prismatic`), here as in every array of joint positions,
    metres and newtons stand where radians and newton metres are said.
    """

    name: str
    lower_rad: float
    upper_rad: float
    velocity_rad_s: float
    effort_nm: float
    kind: JointKind = JointKind.REVOLUTE
    acceleration_rad_s2: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that leave no room to move."""
        numbers = (self.lower_rad, self.upper_rad, self.velocity_rad_s, self.effort_nm)
        if not np.isfinite(numbers).all():
            raise RobotError(f"joint '{self.name}': a limit is not finite; give numbers")
        if not self.lower_rad < self.upper_rad:
            raise RobotError(
                f"joint '{self.name}': lower_rad {self.lower_rad} is not below "
                f"upper_rad {self.upper_rad}"
            )
        if self.velocity_rad_s <= 0 or self.effort_nm <= 0:
            raise RobotError(f"joint '{self.name}': velocity and effort limits must be positive")
        acceleration = self.acceleration_rad_s2
        if acceleration is not None and not 0 < acceleration < float("inf"):
            raise RobotError(
                f"joint '{self.name}': acceleration_rad_s2 {acceleration} came, a positive number "
                "or null is allowed"
            )

    @property
    def slides(self) -> bool:
        """True for a prismatic joint, whose positions are metres."""
        return self.kind is JointKind.PRISMATIC


@dataclass(frozen=True)
class Gripper:
    """Which joint is the gripper, and where it is open and closed."""

    joint: str
    open_rad: float
    closed_rad: float


@dataclass(frozen=True)
class Poses:
    """Named joint positions, in joint order, shape (J,)."""

    home_rad: tuple[float, ...]
    rest_rad: tuple[float, ...]


@dataclass(frozen=True)
class Camera:
    """One camera stream."""

    name: str
    width_px: int
    height_px: int
    rate_hz: float
    stale_after_s: float

    def in_detail(self, width_px: int) -> Camera:
        """Return the same camera with larger, rarer pictures, for who looks closely."""
        height_px = round(self.height_px * width_px / self.width_px)
        return replace(self, width_px=width_px, height_px=height_px, rate_hz=DETAIL_RATE_HZ)

    @property
    def period_ns(self) -> int:
        """Time between two frames [ns]."""
        return period_ns(self.rate_hz)

    @property
    def stale_after_ns(self) -> int:
        """Age above which a frame is stale [ns]."""
        return seconds_to_ns(self.stale_after_s)


@dataclass(frozen=True)
class JointStream:
    """The joint state stream."""

    rate_hz: float
    stale_after_s: float

    @property
    def stale_after_ns(self) -> int:
        """Age above which a joint state is stale [ns]."""
        return seconds_to_ns(self.stale_after_s)


@dataclass(frozen=True)
class Topics:
    """Relative topic names; `{camera}` stands for the camera's name."""

    joint_state: str
    joint_command: str
    camera_image: str
    camera_info: str


@dataclass(frozen=True)
class Features:
    """LeRobot feature names; `{camera}` stands for the camera's name."""

    state: str
    image: str
    action: str


@dataclass(frozen=True)
class RobotDescription:
    """Everything that the pieces must agree on about one robot.

    `model` names the simulated arm (`lam_sim.arms`): it says how the robot is simulated,
    drawn and reached with, and is no part of the fingerprint.
    """

    name: str
    joints: tuple[Joint, ...]
    gripper: Gripper
    poses: Poses
    control_rate_hz: float
    cameras: tuple[Camera, ...]
    joint_state: JointStream
    max_skew_s: float
    topics: Topics
    features: Features
    calibration: Mapping[str, Any] = field(default_factory=dict)
    model: str = DEFAULT_MODEL

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        names = self.joint_names
        if not names or len(set(names)) != len(names):
            raise RobotError(f"robot '{self.name}': joints must be named, and each only once")
        if self.gripper.joint not in names:
            raise RobotError(
                f"robot '{self.name}': {unknown_name('gripper joint', self.gripper.joint, names)}"
            )
        for pose_name in ("home_rad", "rest_rad"):
            self._check_pose(pose_name, getattr(self.poses, pose_name))

    def _check_pose(self, name: str, pose: Sequence[float]) -> None:
        if len(pose) != len(self.joints):
            raise RobotError(
                f"robot '{self.name}': pose {name} has {len(pose)} values, "
                f"{len(self.joints)} are needed"
            )
        for joint, value in zip(self.joints, pose, strict=True):
            if not joint.lower_rad <= value <= joint.upper_rad:
                raise RobotError(
                    f"robot '{self.name}': pose {name} puts '{joint.name}' at {value}, allowed "
                    f"is {joint.lower_rad} to {joint.upper_rad}"
                )

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Joint names in order, length J."""
        return tuple(joint.name for joint in self.joints)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Camera names in order."""
        return tuple(camera.name for camera in self.cameras)

    @property
    def lower_rad(self) -> FloatArray:
        """Lower position limits, shape (J,)."""
        return frozen_floats([joint.lower_rad for joint in self.joints], "lower_rad", 1)

    @property
    def upper_rad(self) -> FloatArray:
        """Upper position limits, shape (J,)."""
        return frozen_floats([joint.upper_rad for joint in self.joints], "upper_rad", 1)

    @property
    def velocity_rad_s(self) -> FloatArray:
        """Velocity limits, shape (J,)."""
        return frozen_floats([joint.velocity_rad_s for joint in self.joints], "velocity_rad_s", 1)

    @property
    def acceleration_rad_s2(self) -> FloatArray:
        """Acceleration limits, shape (J,); infinite where a joint has none."""
        limits = [joint.acceleration_rad_s2 for joint in self.joints]
        return np.array([np.inf if limit is None else limit for limit in limits])

    @property
    def gripper_index(self) -> int:
        """Index of the gripper among the joints."""
        return self.joint_names.index(self.gripper.joint)

    @property
    def control_period_ns(self) -> int:
        """Time between two commands [ns]."""
        return period_ns(self.control_rate_hz)

    @property
    def max_skew_ns(self) -> int:
        """Largest allowed time between the streams of one observation [ns]."""
        return seconds_to_ns(self.max_skew_s)

    def is_at_home(self, position_rad: FloatArray) -> bool:
        """Tell whether the arm is at its home pose, wherever its gripper is; shape (J,)."""
        away = np.abs(np.asarray(position_rad) - np.array(self.poses.home_rad))
        away[self.gripper_index] = 0.0
        return bool(away.max() < _AT_HOME_RAD)

    def camera(self, name: str) -> Camera:
        """Return the camera of that name.

        Raises:
            RobotError: if there is none.
        """
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise RobotError(unknown_name("camera", name, self.camera_names))

    def image_topic(self, camera: str) -> str:
        """Return the image topic of a camera."""
        return self.topics.camera_image.format(camera=self.camera(camera).name)

    def info_topic(self, camera: str) -> str:
        """Return the camera_info topic of a camera."""
        return self.topics.camera_info.format(camera=self.camera(camera).name)

    def detail_topics(self, camera: str) -> tuple[str, str]:
        """Return the topics of a camera's larger, rarer pictures and of what describes them."""
        parts = (
            topic.rpartition("/") for topic in (self.image_topic(camera), self.info_topic(camera))
        )
        image, info = (f"{before}/detail/{name}" for before, _, name in parts)
        return image, info

    def image_feature(self, camera: str) -> str:
        """Return the LeRobot feature of a camera."""
        return self.features.image.format(camera=self.camera(camera).name)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data (JSON and YAML can hold it); `from_dict` reads it back."""
        data = asdict(self)
        data["cameras"] = {camera.pop("name"): camera for camera in data["cameras"]}
        slides = {joint.name for joint in self.joints if joint.slides}
        data["joints"] = [_joint_to_dict(joint) for joint in data["joints"]]
        if self.gripper.joint in slides:
            data["gripper"] = {_IN_METRES.get(k, k): v for k, v in data["gripper"].items()}
        if self.model == DEFAULT_MODEL:
            del data["model"]
        data["poses"] = {name: list(pose) for name, pose in data["poses"].items()}
        data["calibration"] = dict(self.calibration)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RobotDescription:
        """Build a description from plain data.

        Raises:
            RobotError: if a key is missing or unknown, or the parts do not fit.
        """
        values = _known(cls, data, "robot description", optional={"calibration", "model"})
        cameras = values["cameras"]
        joints = tuple(_joint_from_dict(joint) for joint in values["joints"])
        slides = {joint.name for joint in joints if joint.slides}
        grips_by_sliding = dict(values["gripper"]).get("joint") in slides
        return cls(
            name=str(values["name"]),
            joints=joints,
            gripper=_build(Gripper, _in_radians(values["gripper"], grips_by_sliding), "gripper"),
            poses=Poses(**{key: tuple(pose) for key, pose in values["poses"].items()}),
            control_rate_hz=float(values["control_rate_hz"]),
            cameras=tuple(
                _build(Camera, {"name": name, **camera}, f"camera '{name}'")
                for name, camera in cameras.items()
            ),
            joint_state=_build(JointStream, values["joint_state"], "joint_state"),
            max_skew_s=float(values["max_skew_s"]),
            topics=_build(Topics, values["topics"], "topics"),
            features=_build(Features, values["features"], "features"),
            calibration=dict(values.get("calibration") or {}),
            model=str(values.get("model") or DEFAULT_MODEL),
        )

    def fingerprint(self) -> str:
        """Return a short hash of what a policy depends on.

        That is joints, limits, cameras (name, size) and calibration; topics, rates
        and poses may change without making a checkpoint unfit.
        """
        text = json.dumps(self._identity(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def require_match(self, other: RobotDescription, what: str) -> None:
        """Check that `what`, made for `other`, fits this robot.

        Raises:
            FingerprintMismatch: with each difference named.
        """
        if self.fingerprint() == other.fingerprint():
            return
        differences = _differences(other._identity(), self._identity())
        instead = "" if other.name == self.name else f", or robot={other.name}"
        raise FingerprintMismatch(
            f"{what} was made for robot '{other.name}' and does not fit robot '{self.name}': "
            f"{'; '.join(differences)}; use one made for this robot{instead}"
        )

    def _identity(self) -> dict[str, Any]:
        return {
            "joints": {
                joint.name: [
                    i,
                    joint.lower_rad,
                    joint.upper_rad,
                    joint.velocity_rad_s,
                    *([str(joint.kind)] if joint.slides else []),
                ]
                for i, joint in enumerate(self.joints)
            },
            "cameras": {
                camera.name: [camera.width_px, camera.height_px] for camera in self.cameras
            },
            "calibration": dict(self.calibration),
        }


def _joint_from_dict(data: Mapping[str, Any]) -> Joint:
    kind = str(data.get("kind", JointKind.REVOLUTE))
    if kind not in list(JointKind):
        raise RobotError(f"joint '{data.get('name')}': {unknown_name('kind', kind, JointKind)}")
    values = _in_radians(data, kind == JointKind.PRISMATIC)
    return Joint(**{**_known(Joint, values, "joint", _OPTIONAL), "kind": JointKind(kind)})


def _joint_to_dict(data: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(data)
    if values["acceleration_rad_s2"] is None:
        del values["acceleration_rad_s2"]
    if values.pop("kind") == JointKind.REVOLUTE:
        return values
    return {_IN_METRES.get(k, k): v for k, v in values.items()} | {"kind": "prismatic"}


def _in_radians(data: Mapping[str, Any], slides: bool) -> dict[str, Any]:
    """Return a joint's or gripper's keys as the fields are called; one that slides has metres."""
    if not slides:
        return dict(data)
    named = {metres: radians for radians, metres in _IN_METRES.items()}
    for key in data:
        if key in _IN_METRES:
            raise RobotError(f"a joint that slides has no '{key}'; give '{_IN_METRES[key]}'")
    return {named.get(key, key): value for key, value in data.items()}


def _known(
    cls: type,
    data: Mapping[str, Any],
    thing: str,
    optional: Set[str] = frozenset(),
) -> dict[str, Any]:
    allowed = {entry.name for entry in fields(cls)}
    for key in data:
        if key not in allowed:
            raise RobotError(f"{thing}: {unknown_name('key', str(key), allowed)}")
    missing = sorted(allowed - set(data) - set(optional))
    if missing:
        raise RobotError(f"{thing}: missing {', '.join(missing)}; add it to the robot's YAML")
    return dict(data)


def _build[T](cls: type[T], data: Mapping[str, Any], thing: str) -> T:
    return cls(**_known(cls, data, thing))


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    found = []
    for part in ours:
        for where, some, other in (("there", theirs, ours), ("here", ours, theirs)):
            only = [str(key) for key in some[part] if key not in other[part]]
            if only:
                found.append(f"{part} only {where}: {', '.join(only)}")
        for key in sorted(set(theirs[part]) & set(ours[part])):
            a, b = theirs[part][key], ours[part][key]
            if a != b:
                found.append(f"{part}.{key} {a} there, {b} here")
    return found
