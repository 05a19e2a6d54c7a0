"""Procedural table textures: a grey pattern between 0 and 1, blended between two colours."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.types import ImageArray

Pattern = npt.NDArray[np.floating]

_GRAINS = 4
"""How many different grains of each pattern are kept."""


def paint(
    pattern: str,
    first_rgb: tuple[float, float, float],
    second_rgb: tuple[float, float, float],
    grain_seed: int,
    size_px: int,
) -> ImageArray:
    """Return a texture: rgb8, shape (size_px, size_px, 3).

    Raises:
        ConfigError: if there is no such pattern.
    """
    if pattern not in PATTERNS:
        raise ConfigError(unknown_name("table pattern", pattern, PATTERNS))
    blend = _pattern(pattern, grain_seed % _GRAINS, size_px)
    turned = np.roll(np.rot90(blend, grain_seed % 4), grain_seed % size_px, axis=(0, 1))
    first, second = (np.asarray(rgb, dtype=np.float32) * 255 for rgb in (first_rgb, second_rgb))
    return (first + turned[..., None] * (second - first)).astype(np.uint8)


@lru_cache(maxsize=64)
def _pattern(name: str, grain: int, size_px: int) -> Pattern:
    rng = np.random.default_rng([grain, len(name)])
    return np.clip(PATTERNS[name](rng, size_px), 0.0, 1.0).astype(np.float32)


def _smooth_noise(rng: np.random.Generator, size_px: int, cells: int) -> Pattern:
    """Return periodic noise with about `cells` blobs a side, scaled to 0..1."""
    spectrum = np.fft.rfft2(rng.standard_normal((size_px, size_px)))
    frequency = np.hypot(np.fft.fftfreq(size_px)[:, None], np.fft.rfftfreq(size_px)[None, :])
    spectrum *= np.exp(-((frequency * size_px / cells) ** 2))
    noise = np.fft.irfft2(spectrum, s=(size_px, size_px))
    return ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)


def _plain(rng: np.random.Generator, size_px: int) -> Pattern:
    return 0.15 * _smooth_noise(rng, size_px, 6)


def _wood(rng: np.random.Generator, size_px: int) -> Pattern:
    along = np.linspace(0, 1, size_px, dtype=np.float32)[:, None]
    bend = 0.10 * _smooth_noise(rng, size_px, 3)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (14 * (along + bend)))
    planks = 0.25 * (np.floor(along * 6) % 2)
    return 0.6 * rings.astype(np.float32) + 0.25 * _smooth_noise(rng, size_px, 40) + planks


def _speckle(rng: np.random.Generator, size_px: int) -> Pattern:
    return (0.7 * _smooth_noise(rng, size_px, 60) + 0.3 * _smooth_noise(rng, size_px, 8)) ** 1.5


def _marble(rng: np.random.Generator, size_px: int) -> Pattern:
    return 1.0 - np.abs(2 * _smooth_noise(rng, size_px, 5) - 1) ** 0.5


def _checker(rng: np.random.Generator, size_px: int) -> Pattern:
    cell = size_px // int(rng.integers(8, 20))
    index = np.arange(size_px) // cell
    return ((index[:, None] + index[None, :]) % 2).astype(np.float32)


def _stripes(rng: np.random.Generator, size_px: int) -> Pattern:
    cell = size_px // int(rng.integers(10, 26))
    return np.repeat((np.arange(size_px) // cell % 2)[:, None], size_px, 1).astype(np.float32)


def _cloth(rng: np.random.Generator, size_px: int) -> Pattern:
    wave = np.sin(np.arange(size_px) * np.pi / 3)
    weave = 0.5 + 0.25 * (wave[:, None] + wave[None, :])
    return (0.6 * weave + 0.4 * _smooth_noise(rng, size_px, 10)).astype(np.float32)


PATTERNS: dict[str, Callable[[np.random.Generator, int], Pattern]] = {
    "plain": _plain,
    "wood": _wood,
    "speckle": _speckle,
    "marble": _marble,
    "checker": _checker,
    "stripes": _stripes,
    "cloth": _cloth,
}
