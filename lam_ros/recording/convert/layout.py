"""Where a LeRobotDataset (version 3) keeps what, and how its files are written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lam_ros.core.errors import DataError
from lam_ros.recording.convert.columns import Feature

VERSION = "v3.0"
WORK = ".convert"
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
ROBOT = "meta/lam/robot.json"
RECORDINGS = "meta/lam/recordings.json"
SAID = "meta/lam/episodes.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNK_SIZE = 1000

PANDAS_TASKS = {
    "pandas": json.dumps(
        {
            "index_columns": ["task"],
            "column_indexes": [
                {
                    "name": None, "field_name": None, "pandas_type": "unicode",
                    "numpy_type": "object", "metadata": {"encoding": "UTF-8"},
                }
            ],
            "columns": [
                {
                    "name": "task_index", "field_name": "task_index", "pandas_type": "int64",
                    "numpy_type": "int64", "metadata": None,
                },
                {
                    "name": "task", "field_name": "task", "pandas_type": "unicode",
                    "numpy_type": "object", "metadata": None,
                },
            ],
            "creator": {"library": "pyarrow", "version": pa.__version__},
            "pandas_version": "2.2.3",
        }
    )
}  # fmt: skip
"""Tells pandas, and so LeRobot, that the text is the index."""


def require_same(
    root: Path, info: Mapping[str, Any], features: Mapping[str, Feature], fps: int
) -> None:
    """Refuse to append to a data set with another rate or other features."""
    differences = [] if info["fps"] == fps else [f"fps is {info['fps']} there, {fps} here"]
    for name in sorted(set(info["features"]) | set(features)):
        there, here = info["features"].get(name), features.get(name)
        if there is None or here is None:
            differences.append(f"'{name}' is only {'there' if here is None else 'here'}")
            continue
        differences += [
            f"{key} of '{name}' is {there.get(key)} there, {here.get(key)} here"
            for key in ("dtype", "shape", "names")
            if there.get(key) != here.get(key)
        ]
    if differences:
        raise DataError(
            f"data set {root}: does not fit what would be appended: {'; '.join(differences)}; "
            "give another folder, or the same --fps and robot"
        )


def write_table(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def write_json(content: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def sync(folder: Path) -> None:
    """Have the disk keep every file below a folder."""
    for path in (p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())


def in_order(stage: Path) -> list[Path]:
    """Return staged files in the order in which they may come into being.

    Whoever reads the data set between two of them sees the episodes before the append.
    """
    order = ("videos/*/*/*", "data/*/*", TASKS, "meta/episodes/*/*", "meta/lam/*")
    files = [path for pattern in order for path in sorted(stage.glob(pattern))]
    return [*files, *(stage / name for name in (STATS, INFO) if (stage / name).is_file())]
