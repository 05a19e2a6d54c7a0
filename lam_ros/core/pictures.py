"""Watching a camera's pictures: black ones and frozen ones look like pictures and are none."""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import NS_PER_S
from lam_ros.core.types import ImageArray

BLACK_LEVEL = 12
"""Of 255: a picture without a brighter pixel is black."""

_EVERY_PX = 4


class PictureWatch:
    """Says of each picture whether the camera can be believed.

    A sensor's noise makes every picture another one, so a picture that is the same to the
    last bit, for a while, is an old one that is sent again.
    """

    def __init__(self, black_after_ns: int, frozen_after_ns: int) -> None:
        """Watch; 0 leaves out one of the two."""
        self._black_after_ns, self._frozen_after_ns = black_after_ns, frozen_after_ns
        self.restart()

    def restart(self) -> None:
        """Begin anew, as with another device."""
        self._last: ImageArray | None = None
        self._same_since_ns: int | None = None
        self._black_since_ns: int | None = None

    def judge(self, image: ImageArray, stamp_ns: int) -> str:
        """Return what is wrong, or nothing.

        Args:
            image: rgb8, shape (H, W, 3).
            stamp_ns: when it was taken.
        """
        same = self._last is not None and np.array_equal(self._last, image)
        self._last = image
        if not same or self._same_since_ns is None:
            self._same_since_ns = stamp_ns
        black = int(image[::_EVERY_PX, ::_EVERY_PX].max(initial=0)) <= BLACK_LEVEL
        if not black:
            self._black_since_ns = None
        elif self._black_since_ns is None:
            self._black_since_ns = stamp_ns
        for word, since_ns, limit_ns in (
            ("black", self._black_since_ns, self._black_after_ns),
            ("frozen", self._same_since_ns, self._frozen_after_ns),
        ):
            if limit_ns and since_ns is not None and stamp_ns - since_ns >= limit_ns:
                return f"its pictures have been {word} for {limit_ns / NS_PER_S:g} s"
        return ""
