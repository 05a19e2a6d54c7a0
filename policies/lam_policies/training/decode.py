"""Pictures of a LeRobot data set (version 3), decoded once into flat files of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lam_ros.core.errors import DataError

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class DataSet:
    """The tables of a data set.

    Attributes:
        root: its folder.
        info: content of `meta/info.json`.
        episodes: one row an episode, in order.
        rows: one row a frame, in order, without pictures.
    """

    root: Path
    info: Mapping[str, Any]
    episodes: pa.Table
    rows: pa.Table

    @property
    def fps(self) -> int:
        """Frames in a second."""
        return int(self.info["fps"])

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column of the frames, shape (R,) or (R, J).

        Raises:
            DataError: if there is no such column.
        """
        if name not in self.rows.column_names:
            raise DataError(f"data set {self.root.name}: no column '{name}'")
        column = self.rows.column(name).combine_chunks()
        if pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type):
            flat = column.flatten().to_numpy(zero_copy_only=False)
            return flat.reshape(len(column), -1)
        return column.to_numpy(zero_copy_only=False)


def read_tables(root: Path, max_episodes: int = 0) -> DataSet:
    """Read everything but the pictures.

    Raises:
        DataError: if the folder holds no data set of version 3.
    """
    info_path = root / "meta" / "info.json"
    if not info_path.is_file():
        raise DataError(f"data set {root}: meta/info.json is missing; make one with `lam data`")
    info = json.loads(info_path.read_text(encoding="utf-8"))
    if not str(info.get("codebase_version", "")).startswith("v3"):
        raise DataError(f"data set {root}: version {info.get('codebase_version')}, v3 is needed")
    episodes = _read_all(root / "meta" / "episodes").sort_by("episode_index")
    rows = _read_all(root / "data").sort_by("index")
    if max_episodes:
        episodes = episodes.slice(0, max_episodes)
    if not len(episodes):
        raise DataError(f"data set {root.name}: it has no episodes")
    last = episodes.column("dataset_to_index")[-1].as_py()
    return DataSet(root, info, episodes, rows.slice(0, last))


def _read_all(folder: Path) -> pa.Table:
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise DataError(f"data set: no table in {folder}; was it finalized?")
    tables = [pq.read_table(file) for file in files]
    return pa.concat_tables(tables, promote_options="permissive")


def decode_camera(data: DataSet, feature: str, stride: int, out: Path) -> Pictures:
    """Return every `stride`-th picture of each episode, shape (N, 3, H, W).

    They are kept in the file `out`; a data set that has grown only adds to it.
    """
    height, width, _ = _hwc(data, feature)
    lengths = data.episodes.column("length").to_numpy()
    counts = -(-lengths // stride)
    starts = np.concatenate([[0], np.cumsum(counts)])
    size = 3 * height * width
    n_kept = out.stat().st_size // size if out.exists() else 0
    n_done = int(np.searchsorted(starts, n_kept, side="right")) - 1
    with out.open("ab") as file:
        file.truncate(int(starts[n_done]) * size)
    with out.open("ab") as file:
        for _, episode in _decoded(data, feature, n_done, stride):
            file.write(episode.tobytes())
    return np.memmap(out, np.uint8, "r", shape=(int(starts[-1]), 3, height, width))


def _hwc(data: DataSet, feature: str) -> tuple[int, int, int]:
    try:
        described = data.info["features"][feature]
    except KeyError:
        raise DataError(f"data set {data.root.name}: no camera feature '{feature}'") from None
    if described["dtype"] != "video":
        raise DataError(f"data set {data.root.name}: '{feature}' is not stored as video")
    height, width, channels = described["shape"]
    if described.get("names", [""])[0] == "channels":
        channels, height, width = described["shape"]
    return int(height), int(width), int(channels)


def _decoded(
    data: DataSet, feature: str, first: int, stride: int
) -> Iterator[tuple[int, Pictures]]:
    """Yield (episode, pictures of shape (n, 3, H, W)) from episode `first` on."""
    template = data.info["video_path"]
    columns = {
        key: data.episodes.column(f"videos/{feature}/{key}").to_numpy()
        for key in ("chunk_index", "file_index", "from_timestamp")
    }
    lengths = data.episodes.column("length").to_numpy()
    reader: _Video | None = None
    for episode in range(first, len(lengths)):
        path = data.root / template.format(
            video_key=feature,
            chunk_index=columns["chunk_index"][episode],
            file_index=columns["file_index"][episode],
        )
        if reader is None or reader.path != path:
            reader = _Video(path)
        start = round(float(columns["from_timestamp"][episode]) * data.fps)
        yield episode, reader.take(start, int(lengths[episode]), stride)


class _Video:
    """One file, read forwards."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self.path = path
        self._container = av.open(str(path))
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self._frames = self._container.decode(stream)
        self._next = 0

    def take(self, start: int, count: int, stride: int) -> Pictures:
        """Return every `stride`-th of `count` frames from number `start` on.

        Raises:
            DataError: if the file ends before.
        """
        kept = []
        while self._next < start + count:
            frame = next(self._frames, None)
            if frame is None:
                raise DataError(
                    f"video {self.path.name}: {self._next} frames are there, {start + count} needed"
                )
            offset = self._next - start
            if offset >= 0 and offset % stride == 0:
                kept.append(frame.to_ndarray(format="rgb24"))
            self._next += 1
        return np.ascontiguousarray(np.stack(kept).transpose(0, 3, 1, 2))
