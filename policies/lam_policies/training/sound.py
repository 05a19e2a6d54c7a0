"""Are the numbers in the data numbers?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lam_policies.training.frames import Floats, Frames
from lam_ros.core.errors import DataError


def require_finite(frames: Frames) -> None:
    """Check that joints and targets are numbers.

    Raises:
        DataError: with the first episode where one is not.
    """
    _refuse(frames, "state", ~_finite(frames.state_rad))
    _refuse(frames, "action", ~_finite(frames.action_rad))


def require_known(frames: Frames) -> None:
    """Check the same where somebody acts; rows of targets may be NaN as a whole where nobody does.

    Raises:
        DataError: with the first episode where a joint, or only a part of the targets, is not.
    """
    _refuse(frames, "state", ~_finite(frames.state_rad))
    nobody = np.all(np.isnan(frames.action_rad), axis=1)
    in_part = ~_finite(frames.action_rad) & ~nobody
    _refuse(frames, "action", in_part)


def _finite(values: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(np.all(np.isfinite(values), axis=1))


def _refuse(frames: Frames, name: str, is_bad: npt.NDArray[np.bool_]) -> None:
    bad = np.flatnonzero(is_bad)
    if len(bad):
        episode = int(np.searchsorted(np.unique(frames.episode_end), bad[0], side="right"))
        raise DataError(
            f"data: {name} is not finite in {len(bad)} rows, first in episode {episode}; "
            "leave that episode out (`lam episodes`), or convert it again"
        )
