"""The figures of an episode's quality, and which of them stick out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lam_ros.recording.quality.skew import NoSkew, Skew, SkewCurve

SKEW_LIMIT_MS = 20.0
RATE_SHARE = 0.9
"""Share of a stream's nominal rate below which it is flagged."""

AGE_SHARE = 0.8
CLAMPED_SHARE = 0.1
IDLE_SHARE = 0.6
LEAST_TO_COMPARE = 5
"""Episodes below which none can stick out from the others."""

FAR = 3.5
"""Robust deviations from the others' median that stick out."""


@dataclass(frozen=True)
class StreamFigures:
    """One stream.

    Attributes:
        rate_hz: as it came; nominal_hz as the robot description says (0: not said).
        worst_age_s: of what a row of the data set would hold; limit_s allowed.
        worst_step_s: longest time between two messages.
    """

    count: int
    rate_hz: float
    nominal_hz: float
    worst_age_s: float
    limit_s: float
    worst_step_s: float


@dataclass(frozen=True)
class Figures:
    """One episode.

    Attributes:
        seconds: from the first row to the last, gaps included.
        gaps: as `lam convert` would list them.
        jerk_rad_s3: root mean square over joints of the third derivative of the state.
        idle_share: share of rows in which no joint moves.
        limits: joint -> share of rows within a hundredth of its range of a limit.
        clamped_share: share of commands that safety did not let pass as they were.
        skew: camera -> its delay against the joints.
        faults: what was wrong with single messages, and how often.
    """

    seconds: float
    rows: int
    gaps: Sequence[Mapping[str, Any]]
    streams: Mapping[str, StreamFigures]
    jerk_rad_s3: float
    idle_share: float
    limits: Mapping[str, float]
    clamped_share: float
    skew: Mapping[str, Skew | NoSkew]
    faults: Mapping[str, int]
    curves: Mapping[str, SkewCurve | NoSkew] = field(default_factory=dict, repr=False)

    @property
    def worst_age(self) -> tuple[str, float]:
        """Return the stream with the worst age against its limit, and that age [s]."""
        name = max(
            self.streams,
            key=lambda key: self.streams[key].worst_age_s / max(self.streams[key].limit_s, 1e-9),
        )
        return name, self.streams[name].worst_age_s


def flags(figures: Figures, outcome: str) -> list[str]:
    """Return what is wrong with an episode by itself, a line each."""
    found = []
    if figures.gaps:
        longest = max(figures.gaps, key=lambda gap: gap["seconds"])
        found.append(
            f"gaps: {len(figures.gaps)}, the longest {longest['seconds']:.2f} s: {longest['detail']}"
        )
    for name, stream in figures.streams.items():
        if stream.nominal_hz and stream.rate_hz < RATE_SHARE * stream.nominal_hz:
            found.append(f"{name}: {stream.rate_hz:.1f} Hz came, {stream.nominal_hz:g} Hz is meant")
        if stream.worst_age_s > AGE_SHARE * stream.limit_s and not figures.gaps:
            age_ms, limit_ms = 1e3 * stream.worst_age_s, 1e3 * stream.limit_s
            found.append(f"{name}: up to {age_ms:.0f} ms old, allowed is {limit_ms:.0f} ms")
    for camera, skew in figures.skew.items():
        if isinstance(skew, Skew) and abs(skew.lag_ms) > SKEW_LIMIT_MS:
            found.append(skew_text(camera, skew))
    if figures.clamped_share > CLAMPED_SHARE:
        found.append(f"safety changed {figures.clamped_share:.0%} of the commands")
    if figures.idle_share > IDLE_SHARE:
        found.append(f"the arm stands still for {figures.idle_share:.0%} of the time")
    found += [f"{count} x {fault}" for fault, count in figures.faults.items()]
    if outcome in ("failure", "discarded", "aborted"):
        found.append(f"outcome: {outcome}")
    return found


def skew_text(camera: str, skew: Skew) -> str:
    """Return a line on a camera's delay."""
    where = "behind" if skew.lag_ms > 0 else "ahead of"
    return f"camera {camera} is {abs(skew.lag_ms):.0f} ms {where} the joints"


_COMPARED: Mapping[str, tuple[Callable[[Figures], float], str]] = {
    "length": (lambda f: f.seconds, "{:.1f} s"),
    "jerk": (lambda f: f.jerk_rad_s3, "{:.1f} rad/s3"),
    "idle share": (lambda f: f.idle_share, "{:.0%}"),
    "clamped share": (lambda f: f.clamped_share, "{:.0%}"),
}


def outliers(episodes: Sequence[Figures]) -> list[list[str]]:
    """Return, for each episode, in what it sticks out from the others, a line each."""
    found: list[list[str]] = [[] for _ in episodes]
    if len(episodes) < LEAST_TO_COMPARE:
        return found
    for name, (read, form) in _COMPARED.items():
        values = np.array([read(figures) for figures in episodes])
        median = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - median)))
        spread = max(spread, 0.05 * abs(median), 0.01)
        for k, value in enumerate(values):
            if abs(value - median) > FAR * spread:
                text = f"{name} {form.format(value)}, the others about {form.format(median)}"
                found[k].append(text)
    return found
