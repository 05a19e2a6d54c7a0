"""What a joint trajectory controller does: follows points in time, joint by joint by name.

The same rules as ros2_control's joint_trajectory_controller with partial goals allowed: a
new trajectory replaces the old one for the joints that it names, from where their targets
are; between points the targets move linearly; after the last point they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lam_ros.core.errors import unknown_name
from lam_ros.core.types import FloatArray


@dataclass(frozen=True)
class _Way:
    """One joint's way: times [ns] and positions, both shape (P,)."""

    times_ns: npt.NDArray[np.int64]
    position: FloatArray

    def at(self, now_ns: int) -> float:
        return float(
            np.interp(now_ns - self.times_ns[0], self.times_ns - self.times_ns[0], self.position)
        )


class TrajectoryFollower:
    """Holds one target a joint; what is sent to it is taken whole, or not at all."""

    def __init__(self, names: Sequence[str], start: FloatArray) -> None:
        """Stand at joint positions, shape (J,)."""
        self._names = tuple(names)
        self._ways = [_Way(np.zeros(1, np.int64), np.array([value])) for value in start]

    def target(self, now_ns: int) -> FloatArray:
        """Return where the joints should be now, shape (J,)."""
        return np.array([way.at(now_ns) for way in self._ways])

    def accept(
        self,
        names: Sequence[str],
        times_ns: Sequence[int],
        positions: npt.ArrayLike,
        begin_ns: int,
        now_ns: int,
    ) -> str:
        """Take a trajectory; return why not, or nothing.

        Args:
            names: the joints, J' of them.
            times_ns: of the points, since `begin_ns`, shape (P,).
            positions: shape (P, J').
            begin_ns: when it begins.
            now_ns: the present.
        """
        why = self._trouble(names, times_ns, positions)
        if why:
            return why
        points = np.asarray(positions, float)
        now = self.target(now_ns)
        times = np.array([begin_ns + time for time in times_ns], np.int64)
        start_ns = max(now_ns, begin_ns)
        if times[-1] < now_ns:
            return "all its points lie in the past"
        later = times > start_ns
        for column, name in enumerate(names):
            index = self._names.index(name)
            if not later.any():  # due at once
                way = _Way(times[-1:], points[-1:, column])
            else:
                way = _Way(
                    np.concatenate([[start_ns], times[later]]),
                    np.concatenate([[now[index]], points[later, column]]),
                )
            self._ways[index] = way
        return ""

    def _trouble(
        self, names: Sequence[str], times_ns: Sequence[int], positions: npt.ArrayLike
    ) -> str:
        for name in names:
            if name not in self._names:
                return unknown_name("joint", name, self._names)
        if not names or len(set(names)) != len(names):
            return "joints must be named, and each only once"
        points = np.asarray(positions, float) if _is_even(positions) else np.empty(0)
        if not len(times_ns) or points.shape != (len(times_ns), len(names)):
            return f"{len(names)} positions are needed in each point, and at least one point"
        if not np.isfinite(points).all():
            return "a position is not finite"
        if times_ns[0] < 0 or any(b <= a for a, b in pairwise(times_ns)):
            return "the points' times must rise"
        return ""


def _is_even(positions: npt.ArrayLike) -> bool:
    try:
        np.asarray(positions, float)
    except ValueError:  # rows of different lengths
        return False
    return True
