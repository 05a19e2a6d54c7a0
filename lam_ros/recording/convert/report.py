"""What became of the recordings, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table

_GAPS_SHOWN = 3


class Fate(StrEnum):
    """What became of one recording."""

    CONVERTED = "converted"
    REJECTED = "rejected"
    LEFT_OUT = "left_out"
    KNOWN = "known"


@dataclass(frozen=True)
class RecordingReport:
    """One recording.

    Attributes:
        reason: why it was rejected or left out.
        gaps, faults: as the data set keeps them.
    """

    name: str
    fate: Fate
    episodes: int = 0
    frames: int = 0
    reason: str = ""
    gaps: Sequence[Mapping[str, Any]] = ()
    faults: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ConvertReport:
    """All of them.

    Attributes:
        total_episodes, total_frames: of the data set now.
        seconds: how long it took.
        recorded_s: time on the grid that was converted now.
    """

    out: str
    recordings: Sequence[RecordingReport]
    total_episodes: int
    total_frames: int
    seconds: float
    recorded_s: float

    def count(self, fate: Fate) -> int:
        """Return how many recordings had that fate."""
        return sum(entry.fate is fate for entry in self.recordings)

    def to_json(self) -> str:
        """Return one line of JSON."""
        counts = {str(fate): self.count(fate) for fate in Fate}
        rate = round(self.recorded_s / self.seconds, 2) if self.seconds else 0.0
        return json.dumps({**asdict(self), **counts, "times_realtime": rate})

    def print(self, console: Console) -> None:
        """Print a table, each gap and each reason for people."""
        table = Table(title=f"{self.out}: {self.total_episodes} episodes", title_justify="left")
        for name in ("recording", "became"):
            table.add_column(name)
        for name in ("episodes", "frames", "gaps", "faults"):
            table.add_column(name, justify="right")
        for entry in self.recordings:
            counts = (entry.episodes, entry.frames, len(entry.gaps), sum(entry.faults.values()))
            table.add_row(entry.name, str(entry.fate), *(str(n or "") for n in counts))
        console.print(table)
        for entry in self.recordings:
            _print_why(entry, console)
        console.print(
            f"{self.recorded_s:.0f} s of recording in {self.seconds:.1f} s; the data set has "
            f"{self.total_episodes} episodes, {self.total_frames} frames",
            highlight=False,
        )


def _print_why(entry: RecordingReport, console: Console) -> None:
    if entry.reason:
        console.print(
            f"{entry.name}: {entry.fate}: {entry.reason}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    for gap in entry.gaps[:_GAPS_SHOWN]:
        text = f"{entry.name}: gap of {gap['seconds']:.2f} s at {gap['after_s']:.2f} s: "
        console.print(text + gap["detail"], highlight=False, markup=False, soft_wrap=True)
    if len(entry.gaps) > _GAPS_SHOWN:
        rest = len(entry.gaps) - _GAPS_SHOWN
        console.print(f"{entry.name}: {rest} more gaps; meta/lam/recordings.json has them all")
    for fault, count in entry.faults.items():
        console.print(
            f"{entry.name}: {count} x {fault}", highlight=False, markup=False, soft_wrap=True
        )
