"""What the simulator remembers of a run, from which the film is made afterwards.

A picture for people costs more than the real-time loop can give.  So while the arm
moves only the state of the physics and the robot's own pictures are kept, and the
viewer's pictures are drawn from the states when the run is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lam_ros.core.errors import DataError
from lam_ros.core.types import FloatArray, ImageArray

RECORDING = "recording.npz"
"""Its name in the run's folder, while the film is not made yet."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One instant: the physics' positions, shape (nq,), and the newest pictures sent."""

    stamp_ns: int
    qpos: FloatArray
    images: dict[str, ImageArray]


@dataclass
class StateLog:
    """Collects moments in memory and writes them at once.

    `max_moments` bounds the memory; what is beyond is not kept.
    """

    max_moments: int = 6000
    _stamps: list[int] = field(default_factory=list)
    _qpos: list[FloatArray] = field(default_factory=list)
    _images: dict[str, list[ImageArray]] = field(default_factory=dict)

    def add(self, moment: Moment) -> None:
        """Keep a moment; its pictures are not copied."""
        if len(self._stamps) >= self.max_moments:
            return
        self._stamps.append(moment.stamp_ns)
        self._qpos.append(moment.qpos.copy())
        for camera, image in moment.images.items():
            self._images.setdefault(camera, []).append(image)

    def save(self, path: Path) -> None:
        """Write everything to an npz file; a reader never sees half of it."""
        arrays: dict[str, Any] = {
            f"image_{name}": np.array(images) for name, images in self._images.items()
        }
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, stamp_ns=np.array(self._stamps), qpos=np.array(self._qpos), **arrays)
        partial.rename(path)


def load_moments(path: Path) -> list[Moment]:
    """Read what `StateLog.save` wrote.

    Raises:
        DataError: if the file is missing or damaged.
    """
    try:
        with np.load(path) as data:
            arrays = dict(data)
    except (OSError, ValueError, BadZipFile) as error:
        raise DataError(f"recording '{path.name}' cannot be read: {error}") from None
    cameras = {key.removeprefix("image_"): key for key in arrays if key.startswith("image_")}
    return [
        Moment(
            int(stamp),
            arrays["qpos"][index],
            {camera: arrays[key][index] for camera, key in cameras.items()},
        )
        for index, stamp in enumerate(arrays["stamp_ns"])
    ]
