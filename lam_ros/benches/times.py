"""Times as every bench reports them, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.types import FloatArray


def percentiles(values: npt.ArrayLike, digits: int = 3) -> dict[str, float]:
    """Return p50, p95, p99, max and the number n of values; n alone if there are none."""
    values = np.asarray(values, dtype=np.float64)
    if not values.size:
        return {"n": 0}
    named = zip(("p50", "p95", "p99"), np.percentile(values, (50, 95, 99)), strict=True)
    figures = {name: round(float(value), digits) for name, value in named}
    return {**figures, "max": round(float(values.max()), digits), "n": values.size}


def percentiles_ms(times_ms: npt.ArrayLike) -> dict[str, float]:
    """Return the `percentiles` of times [ms]."""
    return percentiles(times_ms)


def jitter_ms(stamps_ns: Sequence[int], period_ns: int) -> FloatArray:
    """Return how far each time between two stamps is from the period [ms]."""
    between = np.diff(np.asarray(stamps_ns, dtype=np.int64))
    result: FloatArray = np.abs(between - period_ns) / NS_PER_MS
    return result


def first_effects_ms(stamps_ns: Sequence[int], obs_stamps_ns: Sequence[int]) -> FloatArray:
    """Return, for each observation, the time until the first command computed from it [ms].

    Args:
        stamps_ns: when each command was made.
        obs_stamps_ns: the observation behind it, 0 for none.
    """
    waits, last_ns = [], 0
    for stamp_ns, obs_ns in zip(stamps_ns, obs_stamps_ns, strict=True):
        if obs_ns > last_ns:
            waits.append((stamp_ns - obs_ns) / NS_PER_MS)
            last_ns = obs_ns
    return np.array(waits, dtype=np.float64)
