"""What failed, in pictures: the episode again, and some of its moments side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.pacing import Every
from lam_ros.core.types import ImageArray
from lam_sim.world import LockstepSim

WIDTH_PX, HEIGHT_PX = 256, 192
COLUMNS = 5
_EVERY_S = 0.4
_MOST = 10


class Filming:
    """Keeps pictures of one attempt; give its `look` to the evaluator."""

    def __init__(self) -> None:
        """Start with none."""
        self._every = Every(seconds_to_ns(_EVERY_S))
        self.pictures: list[ImageArray] = []

    def look(self, sim: LockstepSim) -> None:
        """Take a picture when it is time for one."""
        if self._every.is_due(sim.now_ns):
            self.pictures.append(sim.render("viewer", WIDTH_PX, HEIGHT_PX))


def sheet(pictures: Sequence[ImageArray]) -> Image.Image:
    """Return moments of an attempt on one sheet, evenly chosen, in the order of time."""
    count = min(_MOST, len(pictures))
    chosen = [pictures[k] for k in np.linspace(0, len(pictures) - 1, count).astype(int)]
    rows = -(-count // COLUMNS)
    page = Image.new("RGB", (COLUMNS * WIDTH_PX, rows * HEIGHT_PX), "white")
    for k, picture in enumerate(chosen):
        at = (k % COLUMNS * WIDTH_PX, k // COLUMNS * HEIGHT_PX)
        page.paste(Image.fromarray(picture), at)
    return page
