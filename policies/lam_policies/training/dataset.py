"""From a folder to `Frames`: a LeRobot data set, or data that are decoded already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from lam_policies.training import store
from lam_policies.training.decode import DataSet, decode_camera, read_tables
from lam_policies.training.frames import Frames
from lam_policies.training.pixels import find_pixels
from lam_ros.core.errors import DataError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.skills import Skill, StepWords

Arrays = dict[str, npt.NDArray[Any]]

_EPISODES = "meta/lam/episodes.parquet"
_POSITIONS = "meta/lam/positions.npz"
_CACHE = "decoded"


def open_data(
    folder: Path, robot: RobotDescription, *, cache: Path | None, stride: int, max_episodes: int
) -> list[Frames]:
    """Open the training data in a folder, decoding them first if they are not.

    Args:
        folder: a LeRobot data set, decoded data, or a folder of folders of the latter.
        robot: whose cameras and features are read.
        cache: where decoded pictures go; None for beside the data.
        stride: every how many rows a picture is kept.
        max_episodes: use only the first ones of a LeRobot data set; 0 for all.

    Raises:
        DataError: if there are no data, or they cannot be read.
    """
    shapes = {camera.name: (3, camera.height_px, camera.width_px) for camera in robot.cameras}
    if (folder / "meta" / "info.json").is_file():
        kept = (cache / folder.name) if cache else folder.with_name(f"{folder.name}.{_CACHE}")
        decode(read_tables(folder, max_episodes), robot, kept, stride)
        return [store.load(kept, shapes)]
    inside = [path for path in (folder, *sorted(folder.glob("*"))) if store.is_there(path)]
    if not inside:
        raise DataError(f"data {folder}: neither a LeRobot data set nor decoded data are there")
    return [store.load(path, shapes) for path in inside]


def decode(data: DataSet, robot: RobotDescription, folder: Path, stride: int) -> None:
    """Write a LeRobot data set as decoded data; what is decoded already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    lengths = data.episodes.column("length").to_numpy()
    ends = np.cumsum(lengths)
    starts = ends - lengths
    for camera in robot.camera_names:
        decode_camera(data, robot.image_feature(camera), stride, store.picture_file(folder, camera))
    picture_row = np.concatenate(
        [np.arange(start, end, stride) for start, end in zip(starts, ends, strict=True)]
    )
    said, said_index = _said(data, lengths)
    arrays: Arrays = {
        "picture_row": picture_row,
        "state_rad": data.column(robot.features.state).astype(np.float32),
        "action_rad": data.column(robot.features.action).astype(np.float32),
        "episode_end": np.repeat(ends, lengths),
        "progress": np.concatenate([np.arange(n) / n for n in lengths]).astype(np.float32),
        "said_index": said_index,
        "places_m": _places(data, int(ends[-1])),
        "yaw_rad": np.full(int(ends[-1]), np.nan, np.float32),
    }
    arrays["pixels"] = _pixels(data, robot, arrays)
    store.save(folder, arrays, said)


def _said(
    data: DataSet, lengths: npt.NDArray[np.int64]
) -> tuple[list[StepWords], npt.NDArray[np.int64]]:
    """Return the distinct steps and, for each row, which one is said."""
    path = data.root / _EPISODES
    if not path.is_file():
        raise DataError(
            f"data set {data.root.name}: {_EPISODES} is missing, so its sentences cannot be "
            "varied; make the data with `lam data`, or train with lerobot-train --policy.type=lam"
        )
    table = pq.read_table(path).slice(0, len(lengths)).to_pylist()
    steps = [
        StepWords(
            Skill(row["skill"]), row["object_color"], row["object_kind"], row["target_color"],
            row["target_kind"],
        )
        for row in table
    ]  # fmt: skip
    distinct = list(dict.fromkeys(steps))
    index = {step: i for i, step in enumerate(distinct)}
    return distinct, np.repeat([index[step] for step in steps], lengths)


def _places(data: DataSet, n_rows: int) -> npt.NDArray[np.float32]:
    path = data.root / _POSITIONS
    if not path.is_file():
        return np.full((n_rows, 2, 3), np.nan, np.float32)
    truth: Mapping[str, npt.NDArray[np.float32]] = np.load(path)
    both = [truth["object_position_m"][:n_rows], truth["target_position_m"][:n_rows]]
    return np.stack(both, axis=1)


def _pixels(data: DataSet, robot: RobotDescription, arrays: Arrays) -> npt.NDArray[np.float32]:
    """Return where object and target are seen, if the scenes can be drawn again."""
    rows = arrays["picture_row"]
    nowhere = np.zeros((len(rows), len(robot.cameras), 2, 3), np.float32)
    path = data.root / _EPISODES
    seeds = pq.read_table(path, columns=["seed"]).column("seed").to_pylist()
    found = find_pixels(
        robot,
        seeds[: len(data.episodes)],
        arrays["episode_end"][rows],
        arrays["state_rad"][rows],
        arrays["places_m"][rows],
    )
    return nowhere if found is None else found
