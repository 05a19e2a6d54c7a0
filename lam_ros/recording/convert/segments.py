"""What becomes of a recording: rows without a gap between them, and the gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lam_ros.core.types import FloatArray

SHORT = "short"
"""The reason of a gap that is a piece too short to be an episode."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gap:
    """Rows that could not be made: `stream` is to blame for `reason`."""

    stream: str
    reason: str
    detail: str
    start_ns: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows without a gap between them, T of them, S streams (cameras, joints, action).

    Attributes:
        stamp_ns: the grid times, shape (T,).
        state_rad, action_rad, passed_rad: shape (T, J).
        verdict, intervention: shape (T,).
        tasks: what was to be done, one a row.
        stream_stamp_ns, stream_age_s: real stamp of what each row holds, and how old it
            was at the time it stands for, shape (T, S).
        picture: camera -> number of the message with the row's picture, shape (T,).
    """

    stamp_ns: Ints
    state_rad: FloatArray
    action_rad: FloatArray
    passed_rad: FloatArray
    verdict: Ints
    intervention: npt.NDArray[np.bool_]
    tasks: tuple[str, ...]
    stream_stamp_ns: Ints
    stream_age_s: FloatArray
    picture: Mapping[str, Ints]

    def __len__(self) -> int:
        """Return the number of rows T."""
        return len(self.stamp_ns)

    def cut(self, first: int, end: int) -> Segment:
        """Return the rows from `first` to before `end`."""
        rows = slice(first, end)
        return Segment(
            stamp_ns=self.stamp_ns[rows],
            state_rad=self.state_rad[rows],
            action_rad=self.action_rad[rows],
            passed_rad=self.passed_rad[rows],
            verdict=self.verdict[rows],
            intervention=self.intervention[rows],
            tasks=self.tasks[rows],
            stream_stamp_ns=self.stream_stamp_ns[rows],
            stream_age_s=self.stream_age_s[rows],
            picture={name: numbers[rows] for name, numbers in self.picture.items()},
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """What becomes of a recording: segments, and what lies between them."""

    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]


def by_task(plan: Plan, fps: int, min_frames: int) -> Plan:
    """Return the plan with segments that end where another text begins."""
    segments: list[Segment] = []
    gaps = list(plan.gaps)
    for segment in plan.segments:
        edges = [k for k in range(1, len(segment)) if segment.tasks[k] != segment.tasks[k - 1]]
        for piece in (segment.cut(a, b) for a, b in pairwise([0, *edges, len(segment)])):
            if len(piece) >= min_frames:
                segments.append(piece)
                continue
            seconds = len(piece) / fps
            detail = f"{len(piece)} frames of '{piece.tasks[0]}', {min_frames} are needed"
            gaps.append(Gap("", SHORT, detail, int(piece.stamp_ns[0]), seconds))
    return Plan(tuple(segments), tuple(sorted(gaps, key=lambda gap: gap.start_ns)))
