"""Whether a camera still shows what is there: pictures that are black, or do not change.

A camera at rest before an arm at rest may well send the same picture again and again,
in simulation to the last bit.  That it has frozen is known only when the arm has moved
since, which every camera of an arm sees: in simulation 0.025 rad of any one joint but the
gripper's changes some pixel, and a real camera's noise lets no two pictures be equal.
A camera that sends each picture twice makes a fast arm pause.
"""

from __future__ import annotations

import numpy as np

from lam_ros.core.types import FloatArray, ImageArray

BLACK_BELOW = 12
"""A picture whose brightest value is below this shows nothing: a covered or dead camera has noise."""

FROZEN_MOTION_RAD = 0.025
"""Motion of one joint that no picture of the arm can leave unchanged; the gripper's does not count."""

FROZEN_COUNT = 2
"""Equal pictures, one after the other, that it takes at least."""

_STRIDE = 3
"""Of the pixels that are looked at for black, in both directions."""


class PictureWatch:
    """Watches the pictures of one camera.

    Attributes:
        is_black: whether the last picture shows nothing.
        same: how many pictures up to the last one are equal to each other.
        moved_rad: how far the joint that moved most has gone meanwhile.
    """

    def __init__(self, gripper_index: int) -> None:
        """Start with nothing seen."""
        self._gripper = gripper_index
        self.forget()

    def forget(self) -> None:
        """Start over: what comes next is not compared with what came before."""
        self._last: ImageArray | None = None
        self._from: FloatArray | None = None
        self.is_black = False
        self.same = 0
        self.moved_rad = 0.0

    @property
    def is_frozen(self) -> bool:
        """Whether the pictures have not changed though the arm has moved."""
        return self.same >= FROZEN_COUNT and self.moved_rad >= FROZEN_MOTION_RAD

    def see(self, image: ImageArray, position_rad: FloatArray | None) -> None:
        """Look at the next picture.

        Args:
            image: rgb8, shape (H, W, 3); it must not be written to afterwards.
            position_rad: the newest joint positions, shape (J,), if any have come.
        """
        self.is_black = bool(image[::_STRIDE, ::_STRIDE].max(initial=0) < BLACK_BELOW)
        if self._last is None or not np.array_equal(self._last, image):
            self._last, self._from = image, position_rad
            self.same, self.moved_rad = 1, 0.0
            return
        self.same += 1
        if self._from is None:
            self._from = position_rad
        if self._from is None or position_rad is None or self._from.shape != position_rad.shape:
            return
        moved = np.abs(position_rad - self._from)
        moved[self._gripper] = 0.0
        self.moved_rad = max(self.moved_rad, float(moved.max(initial=0.0)))
