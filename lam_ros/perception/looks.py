"""Light, table and colours: which pixels belong to no table, and what colour they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.perception.arm import Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import LightConfig
from lam_ros.perception.outline import fill

Labels = npt.NDArray[np.int8]
"""Index of each pixel's colour, -1 for none; shape (H, W)."""

_FAINT = 0.05
_SHADES = np.array([0.13, 0.20, 0.30, 0.42, 0.55, 0.70, 0.85, 1.0, 1.15])
"""Brightness of a surface against that of one that lies flat in the same light."""

_LIT = np.array([0.75, 0.85, 1.0, 1.15, 1.3])
"""The same, of the surfaces that the light falls on."""

_GREY_SPREAD = 0.25
_GREY_NOISE = 0.02
_FLAT = np.array([0.92, 1.0, 1.08])


class Surface(Enum):
    """How a surface lies to the light."""

    FLAT = "flat"
    LIT = "lit"
    SHADED = "shaded"


_LEVELS = {Surface.FLAT: _FLAT, Surface.LIT: _LIT, Surface.SHADED: _SHADES}

_DROPPED_BITS = 2
_SEED = 20240
_TRIES = 250
_LENGTH_PRICE = 0.0025
_SPREADS = 2.5
_LEAST_TOLERANCE = 7.0
_SAMPLES = 3000


def disc_px(camera: TableCamera, light: LightConfig, share: float = 1.0) -> FloatArray:
    """Return the outline of the patch of known colour in pixels, shape (N, 2)."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(40)])
    return camera.project(np.asarray(light.center_m) + share * light.radius_m * ring)


def find_light(
    image: ImageArray, camera: TableCamera, light: LightConfig, hidden: Mask
) -> FloatArray:
    """Return how bright a white surface would look that lies flat, in rgb, shape (3,).

    It is read off the patch of known colour where `hidden` leaves enough of it; a plain
    guess from the brightest pixels otherwise.  Above 1 where the picture is overexposed.
    """
    if light.radius_m > 0:
        shape = (camera.height_px, camera.width_px)
        patch = fill(disc_px(camera, light, 0.93), (0, 0), shape)
        seen = image[(patch > 0) & (hidden == 0)]
        if len(seen) >= 40:
            level: FloatArray = np.median(seen, axis=0) / 255.0 / np.asarray(light.rgb)
            return np.maximum(level, _FAINT)
    bright = np.percentile(image.reshape(-1, 3), 97, axis=0) / 255.0
    return np.full(3, max(float(bright.max()), 0.3))


@dataclass(frozen=True, eq=False)
class TableLook:
    """The colours of the table: those between two, as a line in rgb (0 to 255).

    Attributes:
        start, end: the two, shape (3,).
        tolerance: how far from the line the table's own pixels are at most.
    """

    start: FloatArray
    end: FloatArray
    tolerance: float = 0.0

    def distance(self, image: ImageArray | FloatArray) -> npt.NDArray[np.float32]:
        """Return how far each pixel is from the table's colours, shape (H, W)."""
        along = (self.end - self.start).astype(np.float32)
        offset = image.astype(np.float32) - self.start.astype(np.float32)
        share = np.clip(offset @ along / max(float(along @ along), 1e-6), 0.0, 1.0)
        rest = offset - share[..., None] * along
        distance: npt.NDArray[np.float32] = np.sqrt((rest * rest).sum(-1))
        return distance


def find_table(image: ImageArray, region: Mask, tolerance: float) -> TableLook:
    """Return the line in rgb on which most pixels of a region lie.

    A printed or woven table mixes two colours, so that its pixels lie between them.
    """
    pixels = image[region > 0].astype(np.float64)
    rng = np.random.default_rng(_SEED)
    pixels = pixels[rng.integers(len(pixels), size=min(_SAMPLES, len(pixels)))]
    best, best_score = TableLook(pixels[0], pixels[0]), -1.0
    for _ in range(_TRIES):
        start, end = pixels[rng.integers(len(pixels), size=2)]
        near = TableLook(start, end).distance(pixels[None, ::4])[0] < tolerance / 2
        # Between two lines that hold as much, the shorter: a long one runs through objects.
        score = float(near.mean()) - _LENGTH_PRICE * float(np.linalg.norm(end - start))
        if score > best_score:
            best, best_score = TableLook(start, end), score
    return _refined(best, pixels, tolerance)


def _refined(look: TableLook, pixels: FloatArray, tolerance: float) -> TableLook:
    """Return the line through the middle of the pixels near a rough one."""
    near = pixels[look.distance(pixels[None])[0] < tolerance / 2]
    if len(near) < 10:
        return replace(look, tolerance=tolerance)
    middle = near.mean(axis=0)
    direction = np.linalg.svd(near - middle, full_matrices=False)[2][0]
    low, high = np.percentile((near - middle) @ direction, [1, 99])
    line = TableLook(middle + low * direction, middle + high * direction)
    spread = float(np.percentile(line.distance(near[None]), 90))
    return replace(line, tolerance=float(np.clip(_SPREADS * spread, _LEAST_TOLERANCE, tolerance)))


def greyish(image: ImageArray, light: FloatArray) -> Mask:
    """Return what has hardly a colour of its own in a given light, shape (H, W)."""
    plain = image.astype(np.float32) / (255.0 * light.astype(np.float32))
    spread = plain.max(axis=-1) - plain.min(axis=-1)
    return np.where(spread < _GREY_SPREAD * plain.mean(axis=-1) + _GREY_NOISE, 255, 0).astype(
        np.uint8
    )


class Palette:
    """Tells colours by name in a given light."""

    def __init__(self, colors: Mapping[str, tuple[float, float, float]]) -> None:
        """Take over the nominal colours, name -> rgb between 0 and 1."""
        self.names = tuple(colors)
        self._rgb = np.array([colors[name] for name in self.names])

    def shades(self, light: FloatArray, levels: FloatArray = _SHADES) -> FloatArray:
        """Return what each colour looks like in each of S shades, 0 to 255, shape (C, S, 3)."""
        lit = self._rgb[:, None] * light * levels[None, :, None]
        return np.clip(lit, 0.0, 1.0) * 255.0

    def brighter(self, image: ImageArray, light: FloatArray, dark: str, pale: str) -> Mask:
        """Return where a picture is nearer to a pale colour than to a dark one, both well lit.

        Shape (H, W); the colours differ by brightness alone.  Nowhere if one is not known.
        """
        if dark not in self.names or pale not in self.names:
            return np.zeros(image.shape[:2], np.uint8)
        darkest, brightest = (
            float(self._rgb[self.names.index(name)].mean()) for name in (dark, pale)
        )
        limit = (_LIT.max() * darkest + _LIT.min() * brightest) / 2
        level = (image.astype(np.float32) / (255.0 * light.astype(np.float32))).mean(-1)
        return np.where(level > limit, 255, 0).astype(np.uint8)

    def label(self, image: ImageArray, light: FloatArray, where: Mask) -> Labels:
        """Return the nearest colour of each pixel where a mask says so, -1 elsewhere."""
        chosen = where > 0
        coarse = (image[chosen] >> _DROPPED_BITS).astype(np.int32)
        codes = (coarse[:, 0] << 16) | (coarse[:, 1] << 8) | coarse[:, 2]
        unique, index = np.unique(codes, return_inverse=True)
        cells = np.stack([unique >> 16, (unique >> 8) & 255, unique & 255], axis=1)
        middle = cells.astype(np.float64) * (1 << _DROPPED_BITS) + ((1 << _DROPPED_BITS) - 1) / 2
        labels: Labels = np.full(image.shape[:2], -1, np.int8)
        if len(unique):
            labels[chosen] = self.nearest(middle, light).astype(np.int8)[index]
        return labels

    def nearest(self, pixels: FloatArray, light: FloatArray) -> npt.NDArray[np.intp]:
        """Return the index of the colour nearest to each pixel (0 to 255), shape (N,)."""
        return self.distances(pixels, light).argmin(axis=1)

    def distances(
        self, pixels: FloatArray, light: FloatArray, levels: FloatArray = _SHADES
    ) -> npt.NDArray[np.float32]:
        """Return how far each pixel is from each colour in its nearest shade, shape (N, C).

        Differences count relative to the brightness, so that shaded sides keep their hue.
        """
        shades = self.shades(light, levels).astype(np.float32)
        found = np.empty((len(pixels), len(self.names)), np.float32)
        points = pixels.astype(np.float32)
        for index, shade in enumerate(shades):
            gap = np.linalg.norm(points[:, None] - shade[None], axis=-1)
            found[:, index] = (gap / (np.linalg.norm(shade, axis=-1) + 20.0)).min(axis=1)
        return found

    def name_of(
        self, pixels: FloatArray, light: FloatArray, allowed: tuple[str, ...], surface: Surface
    ) -> str:
        """Return the colour of a whole surface by its lit part; pixels (0 to 255), shape (N, 3).

        Args:
            allowed: names to choose from.
            surface: how it lies to the light; the better known, the more brightness tells.
        """
        level = pixels.max(axis=1)
        lit = pixels[level >= np.percentile(level, 60)]
        distances = self.distances(np.median(lit, axis=0)[None], light, _LEVELS[surface])[0]
        return min(allowed, key=lambda name: float(distances[self.names.index(name)]))


def smooth(mask: Mask) -> Mask:
    """Return a mask without specks and pinholes."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, cross)
    closed: Mask = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, cross).astype(np.uint8)
    return closed
