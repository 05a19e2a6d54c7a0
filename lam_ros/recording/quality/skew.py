"""How late a camera's pictures are against the joints, from what is seen in them.

How much changes from one picture to the next depends on how far the joints moved between
the two stamps, moved back by a lag; the lag that explains it best is the camera's delay: a
picture that is 80 ms older than its stamp shows the motion that the joint states had 80 ms
before.  How each joint shows in the picture is not known, so it is fitted anew for each lag:
the square of the change as a quadratic form in the joints' steps.

One episode of some seconds tells a delay to about 10 ms; the curves of several episodes of
one camera, pooled, to a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from lam_ros.core.clock import NS_PER_MS, NS_PER_S
from lam_ros.core.types import FloatArray

MAX_LAG_MS = 300.0
STEP_MS = 10.0
LAGS_MS = np.arange(-MAX_LAG_MS, MAX_LAG_MS + STEP_MS / 2, STEP_MS)
THUMBNAIL_PX = 64
"""Width to which pictures are reduced."""

LEAST_PICTURES = 60
LEAST_SHARE = 0.5
"""Share of the change of pictures that motion must explain for an answer."""

LEAST_PEAK = 0.08
"""By how much that share must fall away from the best lag."""

_PIXEL_NOISE = 2.0
"""Levels by which a reduced pixel changes of itself."""

_SATURATED = 0.1
_REACH = 4

Ints = npt.NDArray[np.int64]
Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SkewCurve:
    """How well each lag of `LAGS_MS` explains the pictures: a share, 1 is all.

    Attributes:
        count: from how many pictures.
    """

    shares: FloatArray
    count: int


@dataclass(frozen=True)
class Skew:
    """A camera's delay against the joints.

    Attributes:
        lag_ms: positive where pictures are older than their stamps say.
        explained: share of the change of the pictures that the joints explain, 0..1.
    """

    lag_ms: float
    explained: float


@dataclass(frozen=True)
class NoSkew:
    """It cannot be told."""

    why: str


def thumbnail(gray: Gray) -> FloatArray:
    """Return a picture, shape (H, W), in the size in which pictures are compared."""
    height_px = max(1, round(THUMBNAIL_PX * gray.shape[0] / gray.shape[1]))
    small = cv2.resize(gray, (THUMBNAIL_PX, height_px), interpolation=cv2.INTER_AREA)
    return small.astype(np.float64)


def change_between(before: FloatArray, after: FloatArray) -> float:
    """Return how much changed between two thumbnails, beyond their noise."""
    return float(np.maximum(np.abs(after - before) - _PIXEL_NOISE, 0.0).mean())


def skew_curve(
    picture_stamps_ns: Ints, change: FloatArray, joint_stamps_ns: Ints, position_rad: FloatArray
) -> SkewCurve | NoSkew:
    """Return how well each lag explains what changes in a camera's pictures.

    Args:
        picture_stamps_ns: when each picture is said to be of, shape (N,).
        change: `change_between` each picture and the next, shape (N - 1,).
        joint_stamps_ns: shape (M,), increasing.
        position_rad: shape (M, J).
    """
    if len(picture_stamps_ns) < LEAST_PICTURES or len(joint_stamps_ns) < LEAST_PICTURES:
        return NoSkew(f"fewer than {LEAST_PICTURES} pictures or joint states")
    inside = _comparable(picture_stamps_ns, joint_stamps_ns)
    if inside.sum() < LEAST_PICTURES:
        return NoSkew(f"{inside.sum()} pictures while joints came, {LEAST_PICTURES} are needed")
    changed = change[inside]
    spread = np.ptp(position_rad, axis=0)
    if changed.max() < _SATURATED or spread.max() < 1e-2:
        return NoSkew("nothing moves")
    origin_ns = joint_stamps_ns[0]
    starts_s = (picture_stamps_ns[:-1][inside] - origin_ns) / NS_PER_S
    ends_s = (picture_stamps_ns[1:][inside] - origin_ns) / NS_PER_S
    times_s = (joint_stamps_ns - origin_ns) / NS_PER_S
    moving = position_rad[:, spread > 1e-3]
    shares = [
        _explained(changed, _steps(starts_s - lag, ends_s - lag, times_s, moving))
        for lag in LAGS_MS / 1e3
    ]
    return SkewCurve(np.array(shares), int(inside.sum()))


def find_skew(curves: Sequence[SkewCurve | NoSkew]) -> Skew | NoSkew:
    """Return the delay that one or several curves of a camera, together, tell."""
    told = [curve for curve in curves if isinstance(curve, SkewCurve)]
    if not told:
        whys = [curve.why for curve in curves if isinstance(curve, NoSkew)]
        return NoSkew(whys[0] if whys else "no episode")
    weights = np.array([curve.count for curve in told], dtype=np.float64)
    shares = np.average([curve.shares for curve in told], axis=0, weights=weights)
    best = int(shares.argmax())
    if shares[best] < LEAST_SHARE:
        return NoSkew(f"the joints explain only {max(shares[best], 0):.0%} of what changes")
    if shares[best] - np.median(shares) < LEAST_PEAK:
        return NoSkew("every delay explains the pictures equally well; the motion is too even")
    if best in (0, len(shares) - 1):
        return NoSkew(f"the delay is {MAX_LAG_MS:.0f} ms or more")
    reach = slice(max(0, best - _REACH), best + _REACH + 1)
    a, b, _ = np.polyfit(LAGS_MS[reach], shares[reach], 2)
    top = -b / (2 * a) if a < 0 else LAGS_MS[best]
    lag_ms = float(np.clip(top, LAGS_MS[reach][0], LAGS_MS[reach][-1]))
    return Skew(lag_ms, float(shares[best]))


# -- inside ----------------------------------------------------------------------------


def _comparable(picture_stamps_ns: Ints, joint_stamps_ns: Ints) -> npt.NDArray[np.bool_]:
    """Return which neighbours can be compared at every lag, with none missing between them."""
    margin_ns = round(MAX_LAG_MS * NS_PER_MS)
    before, after = picture_stamps_ns[:-1], picture_stamps_ns[1:]
    step_ns = after - before
    result: npt.NDArray[np.bool_] = (
        (before - margin_ns >= joint_stamps_ns[0])
        & (after + margin_ns <= joint_stamps_ns[-1])
        & (step_ns > 0)
        & (step_ns < 1.7 * np.median(step_ns))
    )
    return result


def _steps(
    starts_s: FloatArray, ends_s: FloatArray, times_s: FloatArray, position_rad: FloatArray
) -> FloatArray:
    """Return the products of the joints' steps between two times, shape (N, J (J + 1) / 2)."""
    steps = np.column_stack(
        [np.interp(ends_s, times_s, q) - np.interp(starts_s, times_s, q) for q in position_rad.T]
    )
    rows, columns = np.triu_indices(steps.shape[1])
    result: FloatArray = steps[:, rows] * steps[:, columns]
    return result


def _explained(changed: FloatArray, products: FloatArray) -> float:
    """Return the share of the change's square that a quadratic form of the steps explains.

    Rows weigh less the larger the change, as its square is less certain there.
    """
    weights = 1.0 / (changed + 0.1 * changed.mean())
    squares = changed**2
    columns = np.column_stack([products / max(products.std(), 1e-12), np.ones(len(products))])
    solution, *_ = np.linalg.lstsq(columns * weights[:, None], squares * weights, rcond=1e-6)
    left = (squares - columns @ solution) * weights
    about_mean = (squares - np.average(squares, weights=weights**2)) * weights
    return float(1.0 - (left @ left) / max(about_mean @ about_mean, 1e-12))
