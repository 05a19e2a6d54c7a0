"""How far a turned solid reaches along the base frame's axes."""

from __future__ import annotations

import math

from lam_ros.perception.config import KindConfig, Shape


def extent_m(kind: KindConfig, yaw_rad: float) -> tuple[float, float, float]:
    """Return the extent (x, y, z) of a solid that is turned about z."""
    x, y, z = kind.size_m
    if kind.shape is not Shape.BOX:
        return kind.size_m
    cosine, sine = abs(math.cos(yaw_rad)), abs(math.sin(yaw_rad))
    return cosine * x + sine * y, sine * x + cosine * y, z
