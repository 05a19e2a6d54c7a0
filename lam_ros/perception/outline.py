"""Outlines of solids in a picture, as filled masks."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from lam_ros.core.types import FloatArray
from lam_ros.perception.arm import Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import KindConfig, Shape

_SHIFT = 4
_AROUND = 24


def outline_px(
    camera: TableCamera, kind: KindConfig, center_m: tuple[float, float, float], yaw_rad: float
) -> FloatArray:
    """Return the convex outline of a solid in pixels, shape (N, 2)."""
    turn = np.array(
        [[math.cos(yaw_rad), -math.sin(yaw_rad)], [math.sin(yaw_rad), math.cos(yaw_rad)]]
    )
    points = _surface(kind.shape, kind.size_m, kind.base_share).copy()
    points[:, :2] = points[:, :2] @ turn.T
    pixels = camera.project(points + np.asarray(center_m)).astype(np.float32)
    hull: FloatArray = cv2.convexHull(pixels)[:, 0].astype(np.float64)
    return hull


def fill(outline: FloatArray, origin_px: tuple[int, int], shape: tuple[int, int]) -> Mask:
    """Return a mask of a window of the picture that an outline fills.

    Args:
        outline: pixels (u, v), shape (N, 2).
        origin_px: (u, v) of the window's first pixel.
        shape: (rows, columns) of the window.
    """
    mask = np.zeros(shape, np.uint8)
    local = np.clip((outline - origin_px) * (1 << _SHIFT), -(1 << 20), 1 << 20)
    cv2.fillConvexPoly(mask, np.round(local).astype(np.int32), 255, shift=_SHIFT)
    return mask


def outline_mask(
    camera: TableCamera, kind: KindConfig, center_m: tuple[float, float, float], yaw_rad: float
) -> Mask:
    """Return a mask of the whole picture that the outline of a solid fills, shape (H, W)."""
    outline = outline_px(camera, kind, center_m, yaw_rad)
    return fill(outline, (0, 0), (camera.height_px, camera.width_px))


@lru_cache(maxsize=64)
def _surface(shape: Shape, size_m: tuple[float, float, float], base_share: float) -> FloatArray:
    """Return points whose convex hull is the solid, about its centre, shape (N, 3)."""
    half = np.asarray(size_m) / 2
    if shape is Shape.BOX:
        corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return corners * half
    angles = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    if shape is Shape.BALL:
        tilts = np.linspace(-np.pi / 2, np.pi / 2, 9)
        rings = [
            np.column_stack(
                [
                    np.cos(t) * np.cos(angles),
                    np.cos(t) * np.sin(angles),
                    np.full(_AROUND, np.sin(t)),
                ]
            )
            for t in tilts
        ]
        return np.concatenate(rings) * half
    circle = np.column_stack([np.cos(angles), np.sin(angles), np.ones(_AROUND)])
    foot = circle * [base_share, base_share, -1.0]
    return np.concatenate([circle, foot]) * half
