"""What a driver of an arm does, whichever arm it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lam_ros.core.types import FloatArray
from lam_ros.core.vitals import Vitals


@dataclass(frozen=True)
class Silence:
    """The arm did not answer, and one line on how."""

    detail: str


class ArmDriver(Protocol):
    """One arm; every call blocks until the arm has answered, or has not."""

    def open(self) -> None:
        """Connect, and hold still where the arm is.

        Raises:
            LamError: why it cannot.
        """

    def read(self) -> FloatArray | Silence:
        """Return the joint positions [rad], shape (J,)."""

    def write(self, target_rad: FloatArray) -> Silence | None:
        """Send joint targets, shape (J,), within the robot's limits."""

    def vitals(self) -> Vitals | Silence:
        """Return how the motors are."""

    def close(self) -> None:
        """Switch the torque off, and disconnect; also an arm that has gone."""
