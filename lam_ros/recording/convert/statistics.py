"""Statistics of features as LeRobot keeps them: an episode's, and those of many episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from lam_ros.core.types import ImageArray

Numbers = npt.NDArray[np.float64]
FeatureStatistics = dict[str, Numbers]
Statistics = dict[str, FeatureStatistics]
"""Feature -> min, max, mean, std, count, q01 ... q99."""

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_LEVELS = 256


def of_column(values: npt.ArrayLike) -> FeatureStatistics:
    """Return the statistics of a column, shape (T,) or (T, N); each has shape (N,)."""
    array = np.asarray(values, dtype=np.float64)
    array = array.reshape(len(array), -1)
    return {
        "min": array.min(0),
        "max": array.max(0),
        "mean": array.mean(0),
        "std": array.std(0),
        "count": np.array([len(array)]),
        **{name: np.quantile(array, share, axis=0) for name, share in QUANTILES.items()},
    }


class PictureStatistics:
    """Statistics of the pictures of a camera, each channel's in 0..1, shape (3, 1, 1)."""

    def __init__(self) -> None:
        """Start with no picture."""
        self._counts = np.zeros((3, _LEVELS))

    def add(self, image: ImageArray) -> None:
        """Take a picture into account: rgb8, shape (H, W, 3)."""
        for channel in range(3):
            histogram = cv2.calcHist([image], [channel], None, [_LEVELS], [0, _LEVELS])
            self._counts[channel] += histogram.ravel()

    def result(self) -> FeatureStatistics:
        """Return the statistics of all pictures so far; at least one must have come."""
        levels = np.arange(_LEVELS) / (_LEVELS - 1)
        shares = self._counts / self._counts.sum(1, keepdims=True)
        mean = shares @ levels
        variance = shares @ levels**2 - mean**2
        cumulative = np.cumsum(shares, axis=1)
        found = {
            "min": levels[(self._counts > 0).argmax(1)],
            "max": levels[_LEVELS - 1 - (self._counts[:, ::-1] > 0).argmax(1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(variance, 0.0)),
            **{
                name: levels[np.minimum((cumulative < share).sum(1), _LEVELS - 1)]
                for name, share in QUANTILES.items()
            },
        }
        shaped = {name: value.reshape(3, 1, 1) for name, value in found.items()}
        return {**shaped, "count": np.array([self._counts[0].sum()])}


def combine(parts: Iterable[Mapping[str, Mapping[str, Numbers]]]) -> Statistics:
    """Return the statistics of several episodes together, as LeRobot combines them."""
    listed = list(parts)
    return {name: _combine([part[name] for part in listed]) for name in listed[0]}


def _combine(parts: list[Mapping[str, Numbers]]) -> FeatureStatistics:
    def stacked(name: str) -> Numbers:
        return np.stack([np.asarray(part[name], dtype=np.float64) for part in parts])

    means = stacked("mean")
    counts = stacked("count").reshape(-1, *[1] * (means.ndim - 1))
    total = counts.sum()
    mean = (means * counts).sum(0) / total
    variance = ((stacked("std") ** 2 + (means - mean) ** 2) * counts).sum(0) / total
    return {
        "min": stacked("min").min(0),
        "max": stacked("max").max(0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": np.array([total]),
        **{name: (stacked(name) * counts).sum(0) / total for name in QUANTILES},
    }
