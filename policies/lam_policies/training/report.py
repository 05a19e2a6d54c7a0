"""What people see of a run: a progress bar, a log of JSON lines, a curve, a tracker if wanted."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lam_policies.training.tracking import Tracker
from lam_ros.core.types import ImageArray

LOG_FILE = "log.jsonl"
CURVE_FILE = "curve.png"
_SIZE_PX = (480, 800)


class Report:
    """Shows and logs how a run is going."""

    def __init__(self, folder: Path, tracker: Tracker) -> None:
        """Append to the log in `folder`, and hand every figure to `tracker`, too."""
        folder.mkdir(parents=True, exist_ok=True)
        self._tracker = tracker
        self._success = ""
        self._log = (folder / LOG_FILE).open("a", encoding="utf-8")
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[line]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("training", total=1.0, line="")

    def __enter__(self) -> Self:
        """Start the bar."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop the bar and close the log."""
        self._progress.stop()
        self._log.close()
        self._tracker.close()

    def row(self, share: float, values: Mapping[str, Any]) -> None:
        """Show one row and append it to the log; `values` tell the step, `share` is done."""
        line = "  ".join(f"{key} {_short(value)}" for key, value in values.items())
        line += self._success
        self._keep(values)
        self._progress.update(self._task, completed=share, line=line)
        if not self._console.is_terminal:
            self._console.print(f"{share:6.1%}  {line}", soft_wrap=True)

    def judged(self, step: int, success: float, best: float) -> None:
        """Show how a checkpoint drove, beside all that follows, too; shares of its episodes."""
        self._keep({"step": step, "success": success, "best_success": best})
        self._success = f"  success {success:.0%} (best {best:.0%})"
        self.say(f"step {step}: success {success:.1%}, best {best:.1%}")

    def _keep(self, values: Mapping[str, Any]) -> None:
        self._log.write(json.dumps({"time": round(time.time(), 1), **values}) + "\n")
        self._log.flush()
        self._tracker.add(int(values["step"]), values)

    def say(self, text: str) -> None:
        """Show one line."""
        self._console.print(text, soft_wrap=True)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draw_curve(path: Path, losses: Sequence[float]) -> None:
    """Write a picture of the losses on a logarithmic scale."""
    if len(losses) >= 2:
        cv2.imwrite(str(path), _curve(np.log10(np.maximum(losses, 1e-6))))


def _curve(values: np.ndarray) -> ImageArray:
    height, width = _SIZE_PX
    picture = np.full((height, width, 3), 255, np.uint8)
    low, high = float(values.min()), float(values.max()) + 1e-6
    x = np.linspace(60, width - 20, len(values))
    y = height - 40 - (values - low) / (high - low) * (height - 70)
    points = np.column_stack([x, y]).astype(np.int32)
    cv2.polylines(picture, [points], False, (160, 70, 20), 2, cv2.LINE_AA)
    for value, row in ((low, height - 40), (high, 30)):
        cv2.putText(
            picture, f"{10**value:.3g}", (5, row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (60, 60, 60)
        )
    cv2.putText(
        picture, "loss", (width // 2, height - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60)
    )
    return picture
