"""Decoded training data on disk: pictures as flat files of bytes, the rest in one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lam_policies.training.frames import Frames, Said
from lam_ros.core.errors import DataError
from lam_ros.core.skills import Skill, StepWords

ROWS = "rows.npz"
SAID = "said.json"
MADE = "made.json"
"""How the data were made; need not be there."""

ARRAYS = (
    "picture_row",
    "state_rad",
    "action_rad",
    "episode_end",
    "progress",
    "said_index",
    "places_m",
    "yaw_rad",
    "pixels",
)
"""Of `Frames`, what stands in the table."""


def picture_file(folder: Path, camera: str) -> Path:
    """Return the file of one camera's pictures."""
    return folder / f"{camera}.u8"


def save(folder: Path, arrays: Mapping[str, npt.NDArray[np.generic]], said: Sequence[Said]) -> None:
    """Write everything but the pictures; see `Frames` for the arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SAID).write_text(json.dumps(_plain(said)), encoding="utf-8")
    part = folder / ("part." + ROWS)
    kept: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
    np.savez(part, **kept)
    part.replace(folder / ROWS)


def _plain(said: Sequence[Said]) -> list[dict[str, Any] | str]:
    return [words if isinstance(words, str) else asdict(words) for words in said]


def is_there(folder: Path) -> bool:
    """Tell whether the folder holds decoded data."""
    return (folder / ROWS).is_file() and (folder / SAID).is_file()


def load(folder: Path, picture_shapes: Mapping[str, tuple[int, int, int]]) -> Frames:
    """Open decoded data; pictures stay on disk until they are read.

    Args:
        folder: where.
        picture_shapes: camera -> (3, H, W).

    Raises:
        DataError: if files are missing or disagree.
    """
    if not is_there(folder):
        raise DataError(f"decoded data {folder}: {ROWS} or {SAID} is missing; decode them again")
    rows = np.load(folder / ROWS)
    arrays = {name: rows[name] for name in ARRAYS}
    count = len(arrays["picture_row"])
    said = json.loads((folder / SAID).read_text(encoding="utf-8"))
    return Frames(
        pictures={
            camera: _map(picture_file(folder, camera), (count, *shape))
            for camera, shape in picture_shapes.items()
        },
        said=tuple(
            words
            if isinstance(words, str)
            else StepWords(**{**words, "skill": Skill(words["skill"])})
            for words in said
        ),
        made=read_made(folder),
        **arrays,
    )


def read_made(folder: Path) -> dict[str, Any]:
    """Return how the data in a folder were made: at least its name."""
    made: dict[str, Any] = {"name": folder.name}
    if (folder / MADE).is_file():
        made.update(json.loads((folder / MADE).read_text(encoding="utf-8")))
    return made


def _map(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    if not path.is_file() or path.stat().st_size < np.prod(shape):
        raise DataError(f"decoded data: {path.name} is missing or too short; decode them again")
    return np.memmap(path, np.uint8, "r", shape=shape)
