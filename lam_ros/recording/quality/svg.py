"""Small plots as SVG text, for a page without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from lam_ros.core.types import FloatArray

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Distinct also to the colour-blind (Okabe and Ito)."""

_MOST_POINTS = 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 18, 18


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a plot: x and y of shape (N,); NaN breaks it."""

    x: FloatArray
    y: FloatArray
    color: str = COLORS[0]
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class Plot:
    """One plot.

    Attributes:
        bands: (from x, to x, colour), behind the lines.
        levels: (y, colour), thin lines across.
        least_span: of the y axis, so that what stands still is not shown as noise.
    """

    title: str
    x_range: tuple[float, float]
    lines: Sequence[Line] = ()
    bars: Sequence[tuple[float, float, float, str]] = ()
    """(from x, to x, height, colour)."""

    bands: Sequence[tuple[float, float, str]] = ()
    levels: Sequence[tuple[float, str]] = ()
    from_zero: bool = False
    least_span: float = 0.0
    unit: str = ""
    size_px: tuple[int, int] = (390, 110)
    legend: Sequence[tuple[str, str]] = field(default=())
    """(text, colour)."""

    def svg(self) -> str:
        """Return the plot as an SVG element."""
        width, height = self.size_px
        low, high = self._y_range()
        parts = [
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{escape(self.title)}">',
            f'<text x="{_LEFT}" y="12" class="t">{escape(self.title)}</text>',
        ]
        parts += [self._band(*band) for band in self.bands]
        parts += self._axes(low, high)
        for x0, x1, value, color in self.bars:
            left, right, top = self._x(x0), self._x(x1), self._y(value, low, high)
            parts.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(0.5, right - left - 0.5):.1f}" '
                f'height="{height - _BOTTOM - top:.1f}" fill="{color}" fill-opacity="0.75"/>'
            )
        for level, color in self.levels:
            y = self._y(level, low, high)
            parts.append(
                f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{color}" stroke-dasharray="2 3"/>'
            )
        parts += [self._path(line, low, high) for line in self.lines]
        at = width - _RIGHT
        for text, color in reversed(self.legend):
            parts.append(f'<text x="{at}" y="12" class="l" fill="{color}">{escape(text)}</text>')
            at -= 7 * len(text) + 8
        return "".join([*parts, "</svg>"])

    def _y_range(self) -> tuple[float, float]:
        values = [line.y[np.isfinite(line.y)] for line in self.lines]
        found = [float(edge) for v in values if v.size for edge in (v.min(), v.max())]
        found += [bar[2] for bar in self.bars] + [level for level, _ in self.levels]
        if self.from_zero or not found:
            found.append(0.0)
        low, high = min(found), max(found)
        missing = max(0.0, self.least_span - (high - low)) / 2
        low, high = low - missing, high + missing
        room = 0.06 * (high - low) or 0.5
        return (low if self.from_zero and low >= 0 else low - room), high + room

    def _x(self, x: float) -> float:
        first, last = self.x_range
        share = (x - first) / (last - first or 1.0)
        return _LEFT + min(1.0, max(0.0, share)) * (self.size_px[0] - _LEFT - _RIGHT)

    def _y(self, y: float, low: float, high: float) -> float:
        share = (y - low) / (high - low)
        return self.size_px[1] - _BOTTOM - share * (self.size_px[1] - _TOP - _BOTTOM)

    def _band(self, first: float, last: float, color: str) -> str:
        left, right = self._x(first), self._x(last)
        height = self.size_px[1] - _TOP - _BOTTOM
        return (
            f'<rect x="{left:.1f}" y="{_TOP}" width="{max(1.0, right - left):.1f}" '
            f'height="{height}" fill="{color}" fill-opacity="0.25"/>'
        )

    def _axes(self, low: float, high: float) -> list[str]:
        width, height = self.size_px
        bottom = height - _BOTTOM
        parts = [
            f'<path d="M{_LEFT} {_TOP}V{bottom}H{width - _RIGHT}" class="a"/>',
            f'<text x="{_LEFT - 4}" y="{_TOP + 8}" class="y">{high:.3g}</text>',
            f'<text x="{_LEFT - 4}" y="{bottom}" class="y">{low:.3g}</text>',
        ]
        ticks = _ticks(*self.x_range)
        for k, value in enumerate(ticks):
            unit = self.unit if k == len(ticks) - 1 else ""
            parts.append(
                f'<text x="{self._x(value):.1f}" y="{height - 5}" class="x" '
                f'text-anchor="middle">{value:.6g}{unit}</text>'
            )
        return parts

    def _path(self, line: Line, low: float, high: float) -> str:
        every = max(1, len(line.x) // _MOST_POINTS)
        steps, pen = [], "M"
        for x, y in zip(line.x[::every], line.y[::every], strict=True):
            if not np.isfinite(y):
                pen = "M"
                continue
            steps.append(f"{pen}{self._x(x):.1f} {self._y(y, low, high):.1f}")
            pen = "L"
        dash = ' stroke-dasharray="4 3"' if line.dashed else ""
        return (
            f'<path d="{"".join(steps)}" fill="none" stroke="{line.color}" '
            f'stroke-width="1.3"{dash}/>'
        )


def histogram(values: FloatArray, edges: FloatArray) -> list[tuple[float, float, float]]:
    """Return (from, to, count) of each bin; what lies beyond counts in the last."""
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return [
        (float(a), float(b), float(n)) for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Return three to seven round numbers in a range."""
    rough = (high - low) / 5 or 1.0
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
    first = np.ceil(low / step)
    return [float(step * k) for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]
