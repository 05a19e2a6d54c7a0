"""Where a point in the base frame is seen in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pinhole:
    """A camera with square pixels; x right, y up, looking along -z, as MuJoCo has it.

    Attributes:
        position_m: in the base frame, shape (3,).
        R_base_camera: shape (3, 3).
        fovy_deg: vertical field of view.
        aspect: width of the picture over its height.
    """

    position_m: Floats
    R_base_camera: Floats
    fovy_deg: float
    aspect: float = 1.0

    def see(self, points_m: Floats) -> Floats:
        """Return where points, shape (N, 3), are seen, shape (N, 3).

        Columns: x to the right and y downwards in [-1, 1] across the picture, and 1
        where the point is inside it, else 0.
        """
        local = (points_m - self.position_m) @ self.R_base_camera
        depth = -local[:, 2]
        is_ahead = depth > 1e-3
        reach = np.where(is_ahead, depth, 1.0) * np.tan(np.radians(self.fovy_deg) / 2)
        x, y = local[:, 0] / (reach * self.aspect), -local[:, 1] / reach
        is_seen = is_ahead & (np.abs(x) < 1) & (np.abs(y) < 1)
        return np.column_stack([x, y, is_seen]) * is_seen[:, None]
