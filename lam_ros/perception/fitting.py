"""Finding where a solid of known size must stand, so that its outline fills the pixels seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from lam_ros.core.types import FloatArray
from lam_ros.perception.arm import Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import KindConfig, Shape
from lam_ros.perception.outline import fill, outline_px

_WINDOW_PX = 72
_MARGIN_PX = 14
_HOPELESS_OVERLAP = 0.3
"""What overlaps less below the blob's middle is not made good by moving it about."""

_STEPS_M = (0.006, 0.003, 0.0015, 0.0007)
_STEPS_RAD = (0.20, 0.10, 0.05, 0.03)


@dataclass(frozen=True)
class Fit:
    """A solid in its best place.

    Attributes:
        kind: what it is.
        center_m: its centre in the base frame.
        yaw_rad: its turn about z.
        overlap: share of the pixels of outline or blob that both have, 0 to 1.
        seen: share of its outline that is not hidden, 0 to 1.
        out_m: how far what slides out of it is out; None where that cannot be told.
    """

    kind: KindConfig
    center_m: tuple[float, float, float]
    yaw_rad: float
    overlap: float
    seen: float
    out_m: float | None = None


class Window:
    """A part of the picture around a blob, with what is seen there.

    Attributes:
        center_px, spread_px: middle of the blob, and its longer axis (one standard deviation).
    """

    def __init__(self, camera: TableCamera, blob: Mask, hidden: Mask, margin_px: int) -> None:
        """Cut the window about the blob; large windows are looked at coarsely.

        Args:
            blob: the pixels to explain.
            hidden: pixels that tell nothing, since something else is before them.
        """
        left, top, width, height = cv2.boundingRect(blob)
        u0, v0 = max(0, left - margin_px), max(0, top - margin_px)
        u1 = min(camera.width_px, left + width + margin_px)
        v1 = min(camera.height_px, top + height + margin_px)
        self._camera = camera
        self._scale = min(1.0, _WINDOW_PX / max(u1 - u0, v1 - v0))
        self._origin = (u0, v0)
        size = (max(1, round((u1 - u0) * self._scale)), max(1, round((v1 - v0) * self._scale)))
        self._shape = (size[1], size[0])
        self._factor = np.array([size[0] / (u1 - u0), size[1] / (v1 - v0)])
        small = cv2.resize(blob[v0:v1, u0:u1], size, interpolation=cv2.INTER_AREA)
        veil = cv2.resize(hidden[v0:v1, u0:u1], size, interpolation=cv2.INTER_AREA)
        self._care = (veil < 128).astype(np.uint8) * 255
        self._blob = cv2.bitwise_and((small >= 128).astype(np.uint8) * 255, self._care)
        self._blob_count = int(cv2.countNonZero(self._blob))
        moments = cv2.moments(blob, binaryImage=True)
        area = max(moments["m00"], 1.0)
        self.center_px = np.array([moments["m10"] / area, moments["m01"] / area])
        self.spread_px = _spread(moments, area)

    def overlap(
        self, kind: KindConfig, center_m: FloatArray, yaw_rad: float, rest_weight: float = 1.0
    ) -> tuple[float, float]:
        """Return how well a solid there explains the pixels, and how much of it is not hidden.

        Args:
            rest_weight: how much pixels count that it leaves; less where it may be one of many.
        """
        x, y, z = map(float, center_m)
        outline = outline_px(self._camera, kind, (x, y, z), yaw_rad)
        local = (outline - self._origin + 0.5) * self._factor - 0.5
        solid = fill(local, (0, 0), self._shape)
        whole = max(float(cv2.contourArea(local.astype(np.float32))), 1.0)
        solid = cv2.bitwise_and(solid, self._care)
        seen = int(cv2.countNonZero(solid))
        both = int(cv2.countNonZero(cv2.bitwise_and(solid, self._blob)))
        left = rest_weight * (self._blob_count - both)
        return both / max(seen + left, 1.0), min(1.0, seen / whole)


def _spread(moments: Mapping[str, float], area: float) -> FloatArray:
    """Return the longer axis of a blob, as long as one standard deviation, shape (2,)."""
    cross = moments["mu11"] / area
    values, axes = np.linalg.eigh(
        [[moments["mu20"] / area, cross], [cross, moments["mu02"] / area]]
    )
    longest: FloatArray = axes[:, 1] * math.sqrt(max(float(values[1]), 0.0))
    return longest


def fit(
    camera: TableCamera,
    kind: KindConfig,
    window: Window,
    bottom_m: float | None = None,
    start_px: FloatArray | None = None,
    rest_weight: float = 1.0,
) -> Fit:
    """Return the best place of a solid whose lower side is at a height.

    Args:
        bottom_m: that height; where it is while the thing stands on the table if None.
        start_px: where its middle may be in the picture, shape (N, 2); the blob's if None.
        rest_weight: as of `Window.overlap`.
    """
    height = (kind.raised_m if bottom_m is None else bottom_m) + kind.size_m[2] / 2
    pixels = window.center_px[None] if start_px is None else start_px
    starts = [np.array([x, y, height]) for x, y in camera.on_plane(pixels, height)]
    known: dict[tuple[int, ...], tuple[float, float]] = {}

    def looked(at: FloatArray, turn: float) -> tuple[float, float, FloatArray, float]:
        """Return overlap and share seen there; neighbours of neighbours are asked for again."""
        key = (*map(round, (at[:2] * 1e6).tolist()), round(turn * 1e6))
        if key not in known:
            known[key] = window.overlap(kind, at, turn, rest_weight)
        return (*known[key], at, turn)

    overlap, seen, center, yaw = max(
        (looked(at, yaw) for at in starts for yaw in _yaws(kind)), key=lambda item: item[0]
    )
    steps = zip(_STEPS_M, _STEPS_RAD, strict=True) if overlap > _HOPELESS_OVERLAP else ()
    for step_m, step_rad in steps:
        for _ in range(8):
            places = _neighbours(kind, center, yaw, step_m, step_rad)
            found = max((looked(*place) for place in places), key=lambda item: item[0])
            if found[0] <= overlap + 1e-4:
                break
            overlap, seen, center, yaw = found
    x, y, z = map(float, center)
    return Fit(kind, (x, y, z), _folded(kind, yaw), overlap, seen)


def _neighbours(
    kind: KindConfig, center: FloatArray, yaw: float, step_m: float, step_rad: float
) -> list[tuple[FloatArray, float]]:
    moves = [(dx, dy, 0.0) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
    if _turns(kind) > 0:
        moves += [(0, 0, -1.0), (0, 0, 1.0)]
    return [
        (center + np.array([dx * step_m, dy * step_m, 0.0]), yaw + turn * step_rad)
        for dx, dy, turn in moves
    ]


def _turns(kind: KindConfig) -> float:
    """Return after which turn a solid looks the same; 0 if after any."""
    if kind.shape is not Shape.BOX:
        return 0.0
    return math.pi / 2 if abs(kind.size_m[0] - kind.size_m[1]) < 1e-6 else math.pi


def _yaws(kind: KindConfig) -> list[float]:
    period = _turns(kind)
    if period == 0.0:
        return [0.0]
    count = round(period / (math.pi / 12))
    return [index * period / count for index in range(count)]


def _folded(kind: KindConfig, yaw: float) -> float:
    """Return the same turn within half a period about zero."""
    period = _turns(kind)
    return (yaw + period / 2) % period - period / 2 if period else 0.0
