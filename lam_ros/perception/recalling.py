"""What a blob of colour was taken for in the picture before: what looks the same is the same.

Most of a table does not change from one picture to the next, and fitting outlines is what
costs most.  A blob is compared with the one that was fitted, not with the last, so that
slow changes add up until they count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lam_ros.perception.arm import Mask

_MOST_CHANGED = 0.03
"""Share of a blob's pixels that may come or go before it is looked at anew."""

_EDGE_PX = 2


@dataclass(frozen=True, eq=False)
class _Known:
    asked: Hashable
    box: tuple[int, int, int, int]
    pixels: Mask
    answer: Any


class Memory:
    """Answers of the last picture and this one."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._before: list[_Known] = []
        self._now: list[_Known] = []
        self._view: object = None

    def next_picture(self, view: object) -> None:
        """Begin with a picture; one that was taken from elsewhere makes all before it void."""
        self._before, self._now = (self._now, []) if view == self._view else ([], [])
        self._view = view

    def recall[T](self, blob: Mask, asked: Hashable, find: Callable[[], T]) -> T:
        """Return what was found of a blob, shape (H, W); found now if it is new or changed.

        Args:
            blob: its pixels.
            asked: what was asked of it; another question has another answer.
            find: finds the answer.
        """
        box = cv2.boundingRect(blob)
        for known in (*self._before, *self._now):
            near = max(abs(a - b) for a, b in zip(box, known.box, strict=True)) <= _EDGE_PX
            if known.asked == asked and near and _is_same(blob, known):
                self._now.append(known)
                answer: T = known.answer
                return answer
        u, v, width, height = box
        pixels = blob[v : v + height, u : u + width].copy()
        answer = find()
        self._now.append(_Known(asked, (u, v, width, height), pixels, answer))
        return answer


def _is_same(blob: Mask, known: _Known) -> bool:
    u, v, width, height = known.box
    whole, inside = int(cv2.countNonZero(blob)), blob[v : v + height, u : u + width]
    outside = whole - int(cv2.countNonZero(inside))
    changed = outside + int(cv2.countNonZero(np.bitwise_xor(inside, known.pixels)))
    return changed <= _MOST_CHANGED * whole
