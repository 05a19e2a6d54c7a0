"""`meta/stats.json` over all tasks, which LeRobot's policies are normalised by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from lerobot.datasets.compute_stats import get_feature_stats
from lerobot.datasets.io_utils import write_stats

from lam_policies.training import store
from lam_ros.core.robot import RobotDescription

_PICTURES_OF_EACH = 40


def write_statistics(folder: Path, body: RobotDescription) -> None:
    """Write what LeRobot computes of a data set, of the tasks' folders that are there."""
    camera = body.cameras[0]
    shapes = {camera.name: (3, camera.height_px, camera.width_px)}
    parts = [store.load(path, shapes) for path in sorted(folder.glob("*")) if store.is_there(path)]
    vectors = {
        body.features.state: np.concatenate([part.state_rad for part in parts]),
        body.features.action: np.concatenate([part.action_rad for part in parts]),
    }
    statistics = {
        name: get_feature_stats(values, axis=0, keepdims=False) for name, values in vectors.items()
    }
    chosen = [
        part.pictures[camera.name][:: max(1, len(part) // _PICTURES_OF_EACH)] for part in parts
    ]
    pictures = get_feature_stats(np.concatenate(chosen), axis=(0, 2, 3), keepdims=True)
    statistics[body.image_feature(camera.name)] = {
        name: value if name == "count" else value[0] / 255 for name, value in pictures.items()
    }
    (folder / "meta").mkdir(exist_ok=True)
    write_stats(statistics, folder)
