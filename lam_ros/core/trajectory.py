"""A path of joint positions over time, and how one path goes over into the next."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lam_ros.core.types import FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Joint positions, linear between knots and constant outside them.

    Attributes:
        times_ns: times of the knots, strictly increasing, length N.
        positions_rad: shape (N, J).
    """

    times_ns: tuple[int, ...]
    positions_rad: FloatArray

    @classmethod
    def constant(cls, position_rad: FloatArray, time_ns: int) -> Trajectory:
        """Return the path that stands still at `position_rad`, shape (J,)."""
        return cls((time_ns,), position_rad[np.newaxis])

    @property
    def end_ns(self) -> int:
        """The time of the last knot."""
        return self.times_ns[-1]

    def at(self, time_ns: int) -> FloatArray:
        """Return the position at a time, shape (J,)."""
        after = bisect_right(self.times_ns, time_ns)
        position: FloatArray
        if after in (0, len(self.times_ns)):
            position = self.positions_rad[0 if after == 0 else -1]
            return position
        start_ns, stop_ns = self.times_ns[after - 1], self.times_ns[after]
        part = (time_ns - start_ns) / (stop_ns - start_ns)
        # A weighted mean, which stays between its ends whatever their size.
        position = (1.0 - part) * self.positions_rad[after - 1] + part * self.positions_rad[after]
        return position


def share_of_new(since_ns: IntArray, over_ns: int) -> FloatArray:
    """Return how much of the new path counts, 0 to 1, after times since the seam, shape (N,).

    3 s^2 - 2 s^3 of the part s of `over_ns` that has passed: neither the position nor the
    speed jumps where one path goes over into another.
    """
    if over_ns <= 0:
        return np.ones(len(since_ns))
    part = np.clip(since_ns / over_ns, 0.0, 1.0)
    share: FloatArray = part * part * (3.0 - 2.0 * part)
    return share


def splice(
    past: Trajectory, new: Trajectory, now_ns: int, blend_ns: int, keep_ns: int, tick_ns: int = 0
) -> Trajectory:
    """Return the path that follows `past` until now and then goes over into `new`.

    From `now_ns` until `now_ns + blend_ns` (or the end of `new`, if that is sooner) it is a
    mean of both by `share_of_new`.  A `past` that ends before is followed in spirit: the step
    between the two at `now_ns` fades out in the same way.  Where the paths agree, `new` is
    followed exactly.

    Args:
        past: what has been played.
        new: what is to be played; ends after `now_ns`.
        now_ns: the time of the seam.
        blend_ns: time to go over; 0 jumps.
        keep_ns: knots of `past` older than this time are dropped.
        tick_ns: time between two knots while it goes over; 0 for the knots of `new` alone.
    """
    kept = past.times_ns[bisect_left(past.times_ns, keep_ns) : bisect_left(past.times_ns, now_ns)]
    first = bisect_right(new.times_ns, now_ns)
    over_ns = min(blend_ns, new.end_ns - now_ns)
    times = {now_ns, *new.times_ns[first:]}
    if over_ns > 0:
        times.add(now_ns + over_ns)
        times.update(range(now_ns, now_ns + over_ns, tick_ns or over_ns))
    ahead = sorted(times)
    goes_on = past.end_ns >= now_ns + over_ns
    step = past.at(now_ns) - new.at(now_ns)
    rows = [past.at(time) for time in kept]
    shares = share_of_new(np.array(ahead) - now_ns, over_ns)
    for time, share in zip(ahead, shares, strict=True):
        # Weighted means, which stay between their ends whatever their size.
        follow = past.at(time) if goes_on else new.at(time) + step
        rows.append((1.0 - share) * follow + share * new.at(time))
    return Trajectory((*kept, *ahead), np.array(rows))
