"""The port that every teleoperator stands behind, and the items that pass it.

    View (what the arm does now) -> Teleoperator.read -> Reading (what the person wants)

A teleoperator is a device with its driver, or a script; it knows neither ROS nor how a
wish becomes a safe joint target.  That is the pilot's (`lam_ros.teleop.pilot`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray, JointState, frozen_floats


class Frame(StrEnum):
    """The frame of a twist: the robot's base, or the tool as it stands now."""

    BASE = "base"
    TOOL = "tool"


@dataclass(frozen=True, eq=False)
class JointTarget:
    """Where the joints should be, in the order of the robot description, shape (J,)."""

    position_rad: FloatArray

    def __post_init__(self) -> None:
        """Check that the numbers are finite and set the array read-only.

        Raises:
            ValueError: if they are not, or there is not one row of them.
        """
        position = frozen_floats(self.position_rad, "position_rad", 1)
        object.__setattr__(self, "position_rad", position)


@dataclass(frozen=True)
class CartesianTwist:
    """How the tool should move now.

    Attributes:
        linear_m_s: velocity of the point between the fingers, in `frame`, (x, y, z).
            The tool's x points from the wrist to the finger tips.
        roll_rad_s: rate of turning about the tool's own axis.
        pitch_rad_s: rate at which the tool turns to point further down.
        gripper_rad_s: rate of the gripper joint; positive opens.
        frame: what `linear_m_s` is relative to.
    """

    linear_m_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    roll_rad_s: float = 0.0
    pitch_rad_s: float = 0.0
    gripper_rad_s: float = 0.0
    frame: Frame = Frame.BASE

    def __post_init__(self) -> None:
        """Check that the numbers are finite.

        Raises:
            ValueError: if one is not.
        """
        rates = (*self.linear_m_s, self.roll_rad_s, self.pitch_rad_s, self.gripper_rad_s)
        if not all(map(math.isfinite, rates)):
            raise ValueError("twist: a rate is not finite")

    @property
    def moves_tool(self) -> bool:
        """True if the tool is to move, not only the gripper."""
        return any(self.linear_m_s) or bool(self.roll_rad_s) or bool(self.pitch_rad_s)


STILL = CartesianTwist()


@dataclass(frozen=True)
class Task:
    """What is to be done, in words; a larger number is a new task, even in the same words."""

    words: str
    number: int = 0


@dataclass(frozen=True)
class View:
    """What a teleoperator may look at.

    Attributes:
        now_ns: the present time.
        joints: newest measured joints; None until they come, or when they are stale.
        scene: what is on the table, if anything says so.
        task: what is to be done, if anything.
    """

    now_ns: int
    joints: JointState | None = None
    scene: Scene | None = None
    task: Task | None = None


@dataclass(frozen=True)
class Reading:
    """What a person wants now.

    Attributes:
        command: the motion; None for none, in which case an engaged arm stands still.
        engaged: whether the person has hold of the arm.
        status: one line for people: speed, frame, what a script is about to do.
        pressed: keys or buttons that are no motion, since the last reading; whoever runs
            the session reads them (`q` to quit, those of a recorder).
        finished: a script has done its task, or says in `status` why it cannot.
    """

    command: JointTarget | CartesianTwist | None = None
    engaged: bool = False
    status: str = ""
    pressed: tuple[str, ...] = ()
    finished: bool = False


@dataclass(frozen=True)
class Control:
    """One key, button or stick, and what it does: a row of the help."""

    name: str
    action: str


class Teleoperator(Protocol):
    """A device or a script that says where the arm should go."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """What a person presses for what."""
        ...

    def open(self) -> None:
        """Take the device.

        Raises:
            MachineError: if it is not there, or may not be used.
        """
        ...

    def read(self, view: View) -> Reading:
        """Return what the person wants now; never waits.

        Raises:
            MachineError: if the device has gone.
        """
        ...

    def close(self) -> None:
        """Give the device back; may be called twice."""
        ...
