"""A picture of the table, taken apart: what all that looks for things in it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.perception.arm import Mask
from lam_ros.perception.camera import TableCamera


@dataclass(frozen=True, eq=False)
class View:
    """A picture taken apart; masks have its shape (H, W).

    Attributes:
        image: the picture at the working size, rgb8, shape (H, W, 3).
        camera: the camera at that size.
        hidden: where something is before the table.
        light: colour of the light, shape (3,).
        groups: pixels by groups of alike colours.
        foreground: what is not the table.
        bright: what is too bright for a cabinet.
        grey: what may be a cabinet, or a grey table.
        thin_px: half the width below which a blob is an edge.
    """

    image: ImageArray
    camera: TableCamera
    hidden: Mask
    light: FloatArray
    groups: Mapping[str, Mask]
    foreground: Mask
    bright: Mask
    grey: Mask
    thin_px: float
