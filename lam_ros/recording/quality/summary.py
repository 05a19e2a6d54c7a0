"""All looks together: a row each, what is flagged and why, and what holds of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lam_ros.recording.quality.figures import SKEW_LIMIT_MS, Figures, flags, outliers, skew_text
from lam_ros.recording.quality.look import Look
from lam_ros.recording.quality.skew import NoSkew, Skew, find_skew


@dataclass(frozen=True)
class Row:
    """One recording: its look, and what is flagged."""

    HEADINGS: ClassVar[Sequence[str]] = (
        "episode", "outcome", "length [s]", "least rate", "gaps", "worst age [ms]",
        "delay [ms]", "jerk", "idle", "at limit",
    )  # fmt: skip

    number: int
    look: Look
    flags: Sequence[str]
    with_session: bool = False

    @property
    def name(self) -> str:
        """Return the folder's name, with its session's if there are several."""
        folder = self.look.folder
        return f"{folder.parent.name}/{folder.name}" if self.with_session else folder.name

    def cells(self) -> list[str]:
        """Return the texts under the headings."""
        figures = self.look.figures
        outcome = self.look.outcome or "-"
        if figures is None:
            return [self.name, outcome, *["-"] * (len(self.HEADINGS) - 2)]
        rates = [s.rate_hz / s.nominal_hz for s in figures.streams.values() if s.nominal_hz]
        return [
            self.name,
            outcome,
            f"{figures.seconds:.1f}",
            f"{min(rates):.0%}" if rates else "-",
            str(len(figures.gaps) or "-"),
            f"{1e3 * figures.worst_age[1]:.0f}",
            " ".join(_lag(skew) for skew in figures.skew.values()) or "-",
            f"{figures.jerk_rad_s3:.1f}",
            f"{figures.idle_share:.0%}",
            str(len(figures.limits) or "-"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it for machines."""
        figures = self.look.figures
        return {
            "folder": str(self.look.folder),
            "outcome": self.look.outcome,
            "flags": list(self.flags),
            **(_plain(figures) if figures else {}),
        }


@dataclass(frozen=True)
class Summary:
    """All rows.

    Attributes:
        skew: camera -> its delay, from all episodes together.
        notes: what holds of all of them.
    """

    rows: Sequence[Row]
    skew: dict[str, Skew | NoSkew]
    notes: Sequence[str]

    def print(self, console: Console) -> None:
        """Print a table and what is flagged, for people."""
        table = Table(
            padding=(0, 0), pad_edge=False, title=f"{len(self.rows)} episodes", title_justify="left"
        )
        for k, heading in enumerate(Row.HEADINGS):
            table.add_column(
                heading,
                justify="left" if k < 2 else "right",
                no_wrap=k == 0 or heading in ("outcome", "gaps"),
            )
        for row in self.rows:
            table.add_row(
                *(Text(cell) for cell in row.cells()), style="yellow" if row.flags else None
            )
        console.print(table)
        for row in self.rows:
            for flag in row.flags:
                console.print(f"{row.name}: {flag}", markup=False, highlight=False, soft_wrap=True)
        for note in self.notes:
            console.print(note, markup=False, highlight=False, soft_wrap=True, style="bold")

    def to_dict(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "episodes": [row.to_dict() for row in self.rows],
            "skew_ms": {camera: _lag_ms(skew) for camera, skew in self.skew.items()},
            "notes": list(self.notes),
        }


def summarise(looks: Sequence[Look]) -> Summary:
    """Put looks together."""
    known = [look.figures for look in looks if look.figures is not None]
    apart = iter(outliers(known))
    several = len({look.folder.parent for look in looks}) > 1
    rows = []
    for k, look in enumerate(looks):
        if look.figures is None:
            rows.append(Row(k, look, [look.trouble], several))
        else:
            found = [*flags(look.figures, look.outcome), *next(apart)]
            rows.append(Row(k, look, found, several))
    cameras = list(dict.fromkeys(camera for figures in known for camera in figures.curves))
    skew = {
        camera: find_skew([f.curves[camera] for f in known if camera in f.curves])
        for camera in cameras
    }
    notes = [
        f"{skew_text(camera, found)}, from all episodes together; correct its stamps or its driver"
        for camera, found in skew.items()
        if isinstance(found, Skew) and abs(found.lag_ms) > SKEW_LIMIT_MS
    ]
    return Summary(rows, skew, notes)


def _lag(skew: Skew | NoSkew) -> str:
    return f"{skew.lag_ms:+.0f}" if isinstance(skew, Skew) else "?"


def _lag_ms(skew: Skew | NoSkew) -> float | None:
    return round(skew.lag_ms, 1) if isinstance(skew, Skew) else None


def _plain(figures: Figures) -> dict[str, Any]:
    return {
        "seconds": round(figures.seconds, 3),
        "frames": figures.rows,
        "gaps": list(figures.gaps),
        "streams": {
            name: {
                "count": stream.count,
                "rate_hz": round(stream.rate_hz, 2),
                "worst_age_ms": round(1e3 * stream.worst_age_s, 1),
                "worst_step_ms": round(1e3 * stream.worst_step_s, 1),
            }
            for name, stream in figures.streams.items()
        },
        "jerk_rad_s3": round(figures.jerk_rad_s3, 3),
        "idle_share": round(figures.idle_share, 4),
        "limits": {name: round(share, 4) for name, share in figures.limits.items()},
        "clamped_share": round(figures.clamped_share, 4),
        "skew_ms": {camera: _lag_ms(skew) for camera, skew in figures.skew.items()},
        "faults": dict(figures.faults),
    }
