"""What of a picture is the arm, by its joints: a chain of links that carry capsules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.types import FloatArray
from lam_ros.perception.camera import TableCamera

Vector = tuple[float, float, float]
Mask = npt.NDArray[np.uint8]
"""255 where it holds, else 0; shape (H, W)."""


@dataclass(frozen=True)
class Capsule:
    """A ball swept along a line, in its link's frame."""

    start_m: Vector
    end_m: Vector
    radius_m: float


@dataclass(frozen=True)
class Link:
    """One link: where it sits on its parent, the joint that turns it, and its shape.

    Attributes:
        name, parent: names; the first link has no parent and is the base frame.
        offset_m: its origin in the parent's frame.
        joint: joint that turns it; empty if fixed.
        axis: the joint's axis.
        capsules: its shape.
    """

    name: str
    parent: str
    offset_m: Vector
    joint: str
    axis: Vector
    capsules: tuple[Capsule, ...]


@dataclass(frozen=True)
class ToolPoint:
    """The point between the fingers, in a link's frame."""

    link: str
    point_m: Vector


@dataclass(frozen=True)
class ArmShape:
    """An arm as capsules on a chain of links, parents before their children."""

    tool: ToolPoint
    links: tuple[Link, ...]

    def __post_init__(self) -> None:
        """Check the chain.

        Raises:
            ConfigError: if a parent comes after its child or does not exist.
        """
        seen: list[str] = []
        for link in self.links:
            if link.parent and link.parent not in seen:
                raise ConfigError(
                    f"link '{link.name}': {unknown_name('parent', link.parent, seen)}"
                )
            seen.append(link.name)
        if self.tool.link not in seen:
            raise ConfigError(f"tool: {unknown_name('link', self.tool.link, seen)}")

    def poses(self, joints_rad: Mapping[str, float]) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Return rotation (3, 3) and origin (3,) [m] of each link in the base frame."""
        poses: dict[str, tuple[FloatArray, FloatArray]] = {}
        for link in self.links:
            rotation, origin = poses.get(link.parent, (np.eye(3), np.zeros(3)))
            origin = origin + rotation @ np.asarray(link.offset_m)
            if link.joint:
                turn = np.asarray(link.axis) * joints_rad.get(link.joint, 0.0)
                rotation = rotation @ cv2.Rodrigues(turn)[0]
            poses[link.name] = (rotation, origin)
        return poses

    def tool_m(self, joints_rad: Mapping[str, float]) -> FloatArray:
        """Return the point between the fingers in the base frame, shape (3,)."""
        rotation, origin = self.poses(joints_rad)[self.tool.link]
        point: FloatArray = origin + rotation @ np.asarray(self.tool.point_m)
        return point

    def mask(
        self, camera: TableCamera, joints_rad: Mapping[str, float], margin_px: float = 3.0
    ) -> Mask:
        """Return where the arm is in the picture, widened by a margin."""
        mask = np.zeros((camera.height_px, camera.width_px), np.uint8)
        poses = self.poses(joints_rad)
        for link in self.links:
            rotation, origin = poses[link.name]
            for capsule in link.capsules:
                ends = np.array([capsule.start_m, capsule.end_m]) @ rotation.T + origin
                _draw_capsule(mask, camera, ends, capsule.radius_m, margin_px)
        return mask


_CIRCLE = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)])


def _draw_capsule(
    mask: Mask, camera: TableCamera, ends_m: FloatArray, radius_m: float, margin_px: float
) -> None:
    depth = camera.depth_m(ends_m)
    if (depth < radius_m + 0.01).any():
        return
    pixels = camera.project(ends_m)
    radius_px = camera.focal_px * radius_m / depth + margin_px
    outline = np.concatenate(
        [
            center + radius * _CIRCLE / np.cos(np.pi / 12)
            for center, radius in zip(pixels, radius_px, strict=True)
        ]
    )
    hull = cv2.convexHull(np.clip(outline, -4000, 4000).astype(np.float32))
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 255)
