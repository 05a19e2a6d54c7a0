"""Statistics of success counts and of times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest


def wilson_95(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval (Wilson 1927) of a success rate.

    With no trials nothing is known: (0, 1).
    """
    if trials == 0:
        return (0.0, 1.0)
    interval = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return (float(interval.low), float(interval.high))


def percentiles_ms(samples_ms: Sequence[float]) -> dict[str, float]:
    """Return `{p50, p95, p99, max, n}` of times [ms], as every bench prints them."""
    if not len(samples_ms):
        return {"p50": math.nan, "p95": math.nan, "p99": math.nan, "max": math.nan, "n": 0}
    p50, p95, p99 = np.percentile(samples_ms, [50, 95, 99])
    values = {"p50": p50, "p95": p95, "p99": p99, "max": max(samples_ms)}
    return {name: round(float(value), 4) for name, value in values.items()} | {"n": len(samples_ms)}


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test (McNemar 1947).

    Args:
        only_first: pairs in which the first alone succeeded.
        only_second: pairs in which the second alone did.
    """
    uneven = only_first + only_second
    if uneven == 0:
        return 1.0
    return float(binomtest(only_first, uneven, 0.5).pvalue)
