"""Where the figures of a run go beside its own log: TensorBoard, W&B, or nowhere.

Both are the libraries that LeRobot's users know: `torch.utils.tensorboard`, and `wandb`, which
LeRobot brings.  W&B is written offline unless somebody has logged in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from lam_ros.core.errors import MachineError

TrackerName = Literal["none", "tensorboard", "wandb"]
TRACKERS = ("none", "tensorboard", "wandb")
_PROJECT = "lam"
_ID_FILE = "wandb_id"


class Tracker(Protocol):
    """Takes figures by step."""

    def add(self, step: int, values: Mapping[str, Any]) -> None:
        """Take the numbers among some values."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


def open_tracker(
    name: TrackerName, folder: Path, settings: Mapping[str, Any], step: int
) -> Tracker:
    """Return a tracker for the run in `folder`, which goes on from `step`.

    Raises:
        MachineError: if its library is not installed.
    """
    if name == "tensorboard":
        return _TensorBoard(folder, step)
    if name == "wandb":
        return _WandB(folder, settings)
    return _Nowhere()


class _Nowhere:
    def add(self, step: int, values: Mapping[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class _TensorBoard:
    def __init__(self, folder: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise _missing("tensorboard") from None
        # What a run that was killed had written after its last state is taken back.
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, values: Mapping[str, Any]) -> None:
        """Write the numbers as scalars."""
        for key, value in _numbers(values).items():
            self._writer.add_scalar(key, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class _WandB:
    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        try:
            import wandb
        except ImportError:
            raise _missing("wandb") from None
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / _ID_FILE
        if not kept.is_file():
            kept.write_text(wandb.util.generate_id(), encoding="utf-8")
        chosen: Any = os.environ.get("WANDB_MODE")
        if not chosen:
            chosen = "online" if wandb.api.api_key else "offline"
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=folder.name,
            id=kept.read_text(encoding="utf-8").strip(),
            dir=str(folder),
            config=dict(settings),
            mode=chosen,
            resume="allow",
            settings=wandb.Settings(silent=True),
        )

    def add(self, step: int, values: Mapping[str, Any]) -> None:
        """Log the numbers."""
        self._run.log(_numbers(values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, (int, float)) and key != "step"
    }


def _missing(library: str) -> MachineError:
    return MachineError(
        f"train: tracker={library}: {library} is not installed; pip install {library}, "
        "or leave tracker=none: the figures are in log.jsonl"
    )
