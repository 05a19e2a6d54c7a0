"""A camera that is calibrated against the table: from points to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lam_ros.core.types import FloatArray, frozen_floats


@dataclass(frozen=True, eq=False)
class TableCamera:
    """A pinhole camera at a known pose, without distortion (pictures are rectified first).

    The optical frame has x right, y down, z forward.

    Attributes:
        width_px, height_px: size of the pictures.
        matrix_px: intrinsic matrix, shape (3, 3).
        rotation_base_camera: rotation from the optical frame to the base frame, shape (3, 3).
        position_m: the camera's centre in the base frame, shape (3,).
    """

    width_px: int
    height_px: int
    matrix_px: FloatArray
    rotation_base_camera: FloatArray
    position_m: FloatArray

    def __post_init__(self) -> None:
        """Check shapes and that the pose is one.

        Raises:
            ValueError: if an array has another shape, or the rotation is none.
        """
        for name, ndim in (("matrix_px", 2), ("rotation_base_camera", 2), ("position_m", 1)):
            object.__setattr__(self, name, frozen_floats(getattr(self, name), name, ndim))
        rotation = self.rotation_base_camera
        if rotation.shape != (3, 3) or self.matrix_px.shape != (3, 3):
            raise ValueError("camera: matrices of shape (3, 3) are needed")
        if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4):
            raise ValueError("camera: rotation_base_camera is no rotation")

    @property
    def focal_px(self) -> float:
        """Focal length, the mean of both axes."""
        return float(self.matrix_px[0, 0] + self.matrix_px[1, 1]) / 2

    def resized(self, width_px: int, height_px: int) -> TableCamera:
        """Return the same camera for pictures of another size."""
        scale = np.array([width_px / self.width_px, height_px / self.height_px, 1.0])
        # Pixel centres lie on whole numbers: the corner of the picture is at -0.5.
        shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
        back = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1.0]])
        matrix = back @ np.diag(scale) @ shift @ self.matrix_px
        return replace(self, width_px=width_px, height_px=height_px, matrix_px=matrix)

    def project(self, points_m: npt.ArrayLike) -> FloatArray:
        """Return the pixels (u, v) of points in the base frame, shape (N, 3) -> (N, 2)."""
        local = (np.asarray(points_m, dtype=np.float64) - self.position_m) @ (
            self.rotation_base_camera
        )
        local = local @ self.matrix_px.T
        pixels: FloatArray = local[:, :2] / np.maximum(local[:, 2:], 1e-6)
        return pixels

    def depth_m(self, points_m: npt.ArrayLike) -> FloatArray:
        """Return how far before the camera points lie along its axis, shape (N, 3) -> (N,)."""
        local = np.asarray(points_m, dtype=np.float64) - self.position_m
        depth: FloatArray = local @ self.rotation_base_camera[:, 2]
        return depth

    def on_plane(self, pixels: npt.ArrayLike, height_m: float = 0.0) -> FloatArray:
        """Return where pixels, shape (N, 2), meet the plane z = height: (x, y) [m], (N, 2)."""
        uv = np.asarray(pixels, dtype=np.float64)
        rays = np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(self.matrix_px).T
        rays = rays @ self.rotation_base_camera.T
        down = np.where(np.abs(rays[:, 2]) < 1e-9, -1e-9, rays[:, 2])
        reach = (height_m - self.position_m[2]) / down
        points: FloatArray = self.position_m[:2] + reach[:, None] * rays[:, :2]
        return points

    def table_homography(self) -> FloatArray:
        """Return the matrix from table points (x, y, 1) [m] to pixels (u, v, 1), shape (3, 3)."""
        world_to_camera = self.rotation_base_camera.T
        offset = -world_to_camera @ self.position_m
        homography: FloatArray = self.matrix_px @ np.column_stack([world_to_camera[:, :2], offset])
        return homography / homography[2, 2]


def looking_camera(
    width_px: int,
    height_px: int,
    fovy_rad: float,
    position_m: npt.ArrayLike,
    rotation_base_camera: npt.ArrayLike,
) -> TableCamera:
    """Return a camera with square pixels and its axis through the picture's centre."""
    focal = height_px / 2 / np.tan(fovy_rad / 2)
    matrix = [[focal, 0, (width_px - 1) / 2], [0, focal, (height_px - 1) / 2], [0, 0, 1]]
    return TableCamera(
        width_px,
        height_px,
        np.array(matrix, dtype=np.float64),
        np.asarray(rotation_base_camera, dtype=np.float64),
        np.asarray(position_m, dtype=np.float64),
    )
