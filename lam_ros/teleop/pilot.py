"""The pilot: from a teleoperator's reading to a joint target that may be sent, or none.

Each time that a person takes hold of the arm, everything begins anew from the measured
joints.  Only the gripper goes on from the command that is in force, since what it holds
would fall if the command went back to where the fingers are.

A device that says where the joints should be (a leader arm) is followed slowly until the
arm is where the device is, and at the joints' speed from then on.

Nothing is sent while nobody has hold, while the joint states are stale, or when the
device says something that is no position of this robot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.errors import ConfigError
from lam_ros.core.inbound import PLAUSIBLE_RAD
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, JointState, Source, Target
from lam_ros.teleop.jog import JogConfig, Jogger
from lam_ros.teleop.port import STILL, CartesianTwist, JointTarget, Reading
from lam_sim.ik import CartesianTeleop


@dataclass(frozen=True)
class PilotConfig:
    """How wishes become joint targets.

    Attributes:
        speed_share: part of the joints' velocity limits that may be used.
        align_rad_s: speed of following a device until the arm is where the device is.
        aligned_rad: how near that is.
        gripper_gap_rad: how far the gripper's command in force may be from where it is
            measured to be taken over; further off, it is not what holds something.
        jog: where the tool may be jogged.
    """

    speed_share: float = 0.9
    align_rad_s: float = 0.5
    aligned_rad: float = 0.03
    gripper_gap_rad: float = 0.5
    jog: JogConfig = field(default_factory=JogConfig)

    def __post_init__(self) -> None:
        """Refuse speeds at which nothing moves, or too fast."""
        if not 0.0 < self.speed_share <= 1.0:
            raise ConfigError(
                f"teleop.pilot.speed_share: {self.speed_share} came, above 0 and up to 1 is allowed"
            )
        for name in ("align_rad_s", "aligned_rad"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise ConfigError(
                    f"teleop.pilot.{name}: {getattr(self, name)} came, a positive number is needed"
                )


class IdleReason(StrEnum):
    """Why nothing is sent."""

    RELEASED = "released"
    NO_JOINTS = "no_joints"
    JOINTS_STALE = "joints_stale"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Idle:
    """Nothing is to be sent now."""

    reason: IdleReason
    detail: str


class Pilot:
    """Holds the reference of one arm; deterministic, without a clock of its own."""

    def __init__(
        self,
        robot: RobotDescription,
        kinematics: CartesianTeleop,
        config: PilotConfig | None = None,
    ) -> None:
        """Begin with nobody in hold of the arm."""
        self._config = config or PilotConfig()
        self._shape = (len(robot.joints),)
        self._lower, self._upper = robot.lower_rad, robot.upper_rad
        self._speed = self._config.speed_share * robot.velocity_rad_s
        self._gripper = robot.gripper_index
        self._period_ns = robot.control_period_ns
        self._stale_ns = robot.joint_state.stale_after_ns
        self._future_ns = seconds_to_ns(0.05)
        self._jogger = Jogger(robot, kinematics, self._config.jog)
        self._reference: FloatArray | None = None
        self._stepped_ns = 0
        self._is_aligned = False

    @property
    def is_driving(self) -> bool:
        """True from the first target after the arm was taken until it is let go."""
        return self._reference is not None

    def release(self) -> None:
        """Forget the reference; the next one begins at the measured joints."""
        self._reference = None

    def step(
        self,
        reading: Reading,
        joints: JointState | None,
        in_force_rad: FloatArray | None,
        now_ns: int,
    ) -> Target | Idle:
        """Return what to ask for now, or why nothing.

        Args:
            reading: what the person wants.
            joints: newest measured joints.
            in_force_rad: the command that the motors follow, shape (J,), if it is known.
            now_ns: the present time, in the time base of the joints' stamps.
        """
        trouble = self._trouble(reading, joints, now_ns)
        if trouble is not None or joints is None:
            self.release()
            return trouble or Idle(IdleReason.NO_JOINTS, "no joint state has come")
        measured = joints.position_rad
        if self._reference is None:
            self._take(measured, in_force_rad)
            dt_s = 0.0
        else:
            elapsed_ns = min(max(0, now_ns - self._stepped_ns), 2 * self._period_ns)
            dt_s = ns_to_seconds(elapsed_ns)
        self._stepped_ns = now_ns
        self._reference = self._next(reading.command, measured, dt_s)
        return Target(self._reference, joints.stamp_ns, Source.TELEOP)

    def _trouble(self, reading: Reading, joints: JointState | None, now_ns: int) -> Idle | None:
        if not reading.engaged:
            return Idle(IdleReason.RELEASED, "nobody has hold of the arm")
        if joints is None:
            return Idle(IdleReason.NO_JOINTS, "no joint state has come")
        if joints.position_rad.shape != self._shape:
            return Idle(IdleReason.MALFORMED, f"{joints.position_rad.shape} joints are measured")
        age_ns = now_ns - joints.stamp_ns
        if not -self._future_ns <= age_ns <= self._stale_ns:
            return Idle(IdleReason.JOINTS_STALE, f"joint state is {age_ns / 1e6:.0f} ms old")
        command = reading.command
        if isinstance(command, JointTarget):
            position = command.position_rad
            if position.shape != self._shape:
                return Idle(IdleReason.MALFORMED, f"shape {position.shape} came from the device")
            if np.abs(position).max() > PLAUSIBLE_RAD:
                return Idle(IdleReason.MALFORMED, "the device's position is no joint position")
        return None

    def _take(self, measured: FloatArray, in_force: FloatArray | None) -> None:
        """Begin at the measured joints."""
        start = np.clip(measured, self._lower, self._upper)
        if in_force is not None and in_force.shape == self._shape:
            grip = in_force[self._gripper]
            if abs(grip - measured[self._gripper]) <= self._config.gripper_gap_rad:
                start[self._gripper] = np.clip(
                    grip, self._lower[self._gripper], self._upper[self._gripper]
                )
        self._reference, self._is_aligned = start, False
        self._jogger.begin(start)

    def _next(
        self, command: JointTarget | CartesianTwist | None, measured: FloatArray, dt_s: float
    ) -> FloatArray:
        assert self._reference is not None
        if isinstance(command, JointTarget):
            moved = self._followed(self._reference, command.position_rad, dt_s)
            self._jogger.begin(moved)
            return moved
        return self._jogger.step(command or STILL, measured, dt_s)

    def _followed(self, here: FloatArray, wanted: FloatArray, dt_s: float) -> FloatArray:
        goal = np.clip(wanted, self._lower, self._upper)
        speed = self._speed
        if not self._is_aligned:
            speed = np.minimum(speed, self._config.align_rad_s)
            self._is_aligned = bool(np.abs(goal - here).max() <= self._config.aligned_rad)
        return np.asarray(here + np.clip(goal - here, -speed * dt_s, speed * dt_s))
