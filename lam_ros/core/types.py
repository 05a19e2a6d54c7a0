"""The items that walk through the system, one after the other.

    CameraFrame, JointState -> Observation -> ActionChunk -> Target -> Command

Each is a frozen dataclass that checks shape, dtype and finiteness when made and
holds its arrays read-only.  Joints are in the order of the robot description, in
radians; stamps are integer nanoseconds; images are rgb8, shape (H, W, 3).

Constructors raise `ValueError` on a malformed item.  What arrives from outside
is checked by value first (see `core.safety` for commands and chunks), so that
bad input becomes a verdict and not an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
ImageArray = npt.NDArray[np.uint8]


def frozen_floats(values: npt.ArrayLike, name: str, ndim: int) -> FloatArray:
    """Return a read-only float64 copy of `values`.

    Raises:
        ValueError: if the number of dimensions is wrong or a value is not finite.
    """
    array = np.array(values, dtype=np.float64)
    if array.ndim != ndim:
        raise ValueError(f"{name}: {array.ndim} dimensions came, {ndim} are needed")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: a value is not finite")
    array.flags.writeable = False
    return array


def _set(item: object, name: str, value: object) -> None:
    object.__setattr__(item, name, value)


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """One picture: rgb8, shape (H, W, 3), with the time of its exposure.

    The image is not copied: a view on the message's memory is enough, and it is
    marked read-only.
    """

    camera: str
    stamp_ns: int
    image: ImageArray

    def __post_init__(self) -> None:
        """Check shape and dtype and set the picture read-only."""
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(
                f"camera '{self.camera}': {self.image.dtype} of shape {self.image.shape} came, "
                "uint8 of shape (H, W, 3) is needed"
            )
        view = self.image.view()
        view.flags.writeable = False
        _set(self, "image", view)


@dataclass(frozen=True, eq=False)
class JointState:
    """Measured joints in the order of the robot description, shape (J,)."""

    stamp_ns: int
    position_rad: FloatArray
    velocity_rad_s: FloatArray | None = None
    effort_nm: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check shapes and finiteness and set the arrays read-only."""
        _set(self, "position_rad", frozen_floats(self.position_rad, "position_rad", 1))
        for name in ("velocity_rad_s", "effort_nm"):
            if getattr(self, name) is None:
                continue
            values = frozen_floats(getattr(self, name), name, 1)
            if values.shape != self.position_rad.shape:
                raise ValueError(f"{name} and position_rad differ in length")
            _set(self, name, values)


@dataclass(frozen=True, eq=False)
class Observation:
    """What a policy sees at one instant.

    Attributes:
        stamp_ns: the time that the observation stands for: the oldest of its
            camera stamps, since a policy learned to act from pictures.
        state_rad: measured joint positions, shape (J,).
        images: camera name -> rgb8 picture, shape (H, W, 3).
        age_ns: stream name -> age of its value at assembly.
    """

    stamp_ns: int
    state_rad: FloatArray
    images: Mapping[str, ImageArray]
    age_ns: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the state and set everything read-only."""
        _set(self, "state_rad", frozen_floats(self.state_rad, "state_rad", 1))
        _set(self, "images", MappingProxyType(dict(self.images)))
        _set(self, "age_ns", MappingProxyType(dict(self.age_ns)))


class NotReadyReason(StrEnum):
    """Why there is no observation."""

    MISSING = "missing"
    STALE = "stale"
    FUTURE = "future"
    SKEWED = "skewed"
    WRONG_SIZE = "wrong_size"
    BLACK = "black"
    FROZEN = "frozen"


@dataclass(frozen=True)
class NotReady:
    """There is no observation; `stream` is to blame for `reason`."""

    stream: str
    reason: NotReadyReason
    detail: str


@dataclass(frozen=True, eq=False)
class ActionChunk:
    """A policy's answer: joint targets for the next H steps.

    Row k is the target to be reached at `obs_stamp_ns + (k + 1) * dt_ns`; between
    rows the target is interpolated linearly.

    Attributes:
        obs_stamp_ns: stamp of the observation that it was computed from.
        dt_ns: time between two rows.
        joint_names: the robot's joints, in order, length J.
        targets_rad: shape (H, J).
        policy_id: who computed it (name and short hash of the checkpoint).
        sequence: counts up by one with each chunk of a run.
    """

    obs_stamp_ns: int
    dt_ns: int
    joint_names: tuple[str, ...]
    targets_rad: FloatArray
    policy_id: str = ""
    sequence: int = 0

    def __post_init__(self) -> None:
        """Check shapes, finiteness and time step and set the array read-only."""
        _set(self, "targets_rad", frozen_floats(self.targets_rad, "targets_rad", 2))
        _set(self, "joint_names", tuple(self.joint_names))
        if self.targets_rad.shape[0] < 1 or self.targets_rad.shape[1] != len(self.joint_names):
            raise ValueError(
                f"targets_rad: shape {self.targets_rad.shape} came, "
                f"(H >= 1, {len(self.joint_names)}) is needed"
            )
        if self.dt_ns <= 0:
            raise ValueError(f"dt_ns: {self.dt_ns} came, a positive time is needed")

    @property
    def end_ns(self) -> int:
        """The time of the last row, after which the chunk has expired."""
        return self.obs_stamp_ns + len(self.targets_rad) * self.dt_ns


class Source(StrEnum):
    """Who asked for a motion."""

    POLICY = "policy"
    TELEOP = "teleop"
    REST = "rest"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Target:
    """Where the joints should be now, shape (J,), and what it was computed from."""

    position_rad: FloatArray
    obs_stamp_ns: int
    source: Source

    def __post_init__(self) -> None:
        """Set the array read-only; finiteness is the safety room's to judge."""
        array = np.array(self.position_rad, dtype=np.float64)
        array.flags.writeable = False
        _set(self, "position_rad", array)


class ExpiredReason(StrEnum):
    """Why there is no target now."""

    NOTHING_YET = "nothing_yet"
    CHUNK_ENDED = "chunk_ended"
    CANCELLED = "cancelled"
    POLICY_SILENT = "policy_silent"
    TELEOP_SILENT = "teleop_silent"
    JOINTS_JUMPED = "joints_jumped"
    CLOCK_JUMPED = "clock_jumped"


@dataclass(frozen=True)
class Expired:
    """There is no target for the present time."""

    reason: ExpiredReason
    detail: str


class Verdict(IntEnum):
    """What the safety room decided; the larger, the graver."""

    PASS = 0
    CLAMPED = 1
    HOLD = 2
    STOP = 3


@dataclass(frozen=True, eq=False)
class SafetyReport:
    """The verdict on one request and the rule that decided it.

    Attributes:
        verdict: PASS (sent as asked), CLAMPED (sent within limits), HOLD (the arm
            keeps its last safe command), STOP (latched until reset).
        rule: short name of the deciding rule, for example `velocity`, `nan`, `stale`.
        detail: one line for people.
        sent_rad: what goes to the motors, shape (J,); None while no safe command
            is known (nothing measured yet).
        requested_rad: what was asked for, shape (J,), if anything well-formed was.
        obs_stamp_ns: stamp of the observation behind the request, 0 if none.
        source: who asked.
    """

    verdict: Verdict
    rule: str
    detail: str
    sent_rad: FloatArray | None
    requested_rad: FloatArray | None = None
    obs_stamp_ns: int = 0
    source: Source = Source.NONE
