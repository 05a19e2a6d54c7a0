"""The picture of a soak: each process's memory over time, and the deadlines missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lam_ros.run.canvas import GREY, WHITE, Color, blank, paste, text_line

WIDTH_PX, ROW_PX, LEFT_PX, TOP_PX = 1000, 130, 320, 44
COLORS: tuple[Color, ...] = (
    (90, 170, 240),
    (240, 160, 70),
    (120, 200, 120),
    (220, 120, 190),
    (200, 200, 90),
)


def draw(samples: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture; one row a process, one for missed commands, one for chains."""
    if not samples:
        return
    seconds = np.array([sample["seconds"] for sample in samples])
    rows: list[tuple[str, np.ndarray]] = [
        (f"{name} [MiB]", np.array([sample["own_mib"].get(name, 0.0) for sample in samples]))
        for name in samples[0]["own_mib"]
    ]
    for name in ("missed_commands", "missed_observations", "load_1min"):
        rows.append((name.replace("_", " "), np.array([sample[name] for sample in samples])))
    canvas = blank(WIDTH_PX, TOP_PX + ROW_PX * len(rows))
    title = f"{seconds[-1] / 60:.0f} minutes, {samples[-1]['succeeded']} of "
    title += f"{samples[-1]['instructions']} instructions done"
    paste(canvas, text_line(title, WIDTH_PX - 20, 30), 8, 6)
    for number, (name, values) in enumerate(rows):
        top = TOP_PX + ROW_PX * number
        _row(canvas, top, name, seconds, values, COLORS[number % len(COLORS)])
    cv2.imwrite(str(path), canvas[:, :, ::-1])


def _row(
    canvas: np.ndarray,
    top_px: int,
    name: str,
    seconds: np.ndarray,
    values: np.ndarray,
    color: Color,
) -> None:
    height, right = ROW_PX - 40, WIDTH_PX - 20
    high = max(float(values.max()) * 1.1, 1.0)
    x = LEFT_PX + (right - LEFT_PX) * seconds / max(float(seconds[-1]), 1e-9)
    y = top_px + height - height * values / high
    cv2.line(canvas, (LEFT_PX, top_px + height), (right, top_px + height), GREY, 1)
    points = np.stack([x, y], axis=1).round().astype(np.int32)
    cv2.polylines(canvas, [points], False, color, 2, cv2.LINE_AA)
    words = (
        name,
        f"{values[0]:g} at first",
        f"{values[-1]:g} at the end, {values.max():g} at most",
    )
    for line, text in enumerate(words):
        color = GREY if line else WHITE
        paste(canvas, text_line(text, LEFT_PX - 16, 26, color), 8, top_px + 26 * line)
