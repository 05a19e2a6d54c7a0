"""What LeRobot's processors normalise by: a data set's own statistics, or those of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.datasets.compute_stats import aggregate_stats
from lerobot.datasets.io_utils import load_stats
from lerobot.utils.constants import ACTION, IMAGENET_STATS, OBS_STATE

from lam_policies.training.frames import Floats, Frames

_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


def statistics(
    folders: Sequence[str], parts: Sequence[Frames], pictures: Sequence[str]
) -> dict[str, Any]:
    """Return LeRobot's statistics of the data; pictures by ImageNet's, as LeRobot does.

    Args:
        folders: of the data sets; decoded data tell no statistics, and their rows are taken.
        parts: what was opened of the folders.
        pictures: names of the policy's pictures.
    """
    found = [load_stats(Path(folder)) for folder in folders]
    told = [one for one in found if one is not None]
    merged: dict[str, Any] = aggregate_stats(told) if len(told) == len(found) else _of_rows(parts)
    for name in pictures:
        for key, values in IMAGENET_STATS.items():
            merged.setdefault(name, {})[key] = np.array(values, np.float32)
    return merged


def _of_rows(parts: Sequence[Frames]) -> dict[str, Any]:
    return {
        OBS_STATE: _of(np.concatenate([part.state_rad for part in parts])),
        ACTION: _of(np.concatenate([part.action_rad for part in parts])),
    }


def _of(rows: Floats) -> dict[str, Any]:
    """Return the statistics of rows, shape (R, J)."""
    return {
        "min": rows.min(0),
        "max": rows.max(0),
        "mean": rows.mean(0, dtype=np.float64).astype(np.float32),
        "std": rows.std(0, dtype=np.float64).astype(np.float32),
        "count": np.array([len(rows)]),
        **{name: np.quantile(rows, share, axis=0) for name, share in _QUANTILES.items()},
    }
