"""What a camera's device does, whichever device it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lam_ros.core.types import ImageArray


@dataclass(frozen=True)
class Loss:
    """No picture came, and one line on why."""

    detail: str


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture, rgb8, shape (H, W, 3), and how old it was when it was handed over [ns]."""

    image: ImageArray
    age_ns: int = 0


class CameraDevice(Protocol):
    """One camera; every call blocks until the device has answered, or has not."""

    def open(self) -> None:
        """Connect.

        Raises:
            LamError: why it cannot.
        """

    @property
    def rate_hz(self) -> float:
        """What the open device says that it delivers; 0 if it does not say."""

    def read(self) -> Shot | Loss:
        """Wait for the next picture."""

    def close(self) -> None:
        """Let go of the device; also of one that has gone."""
