"""Episodes with their numbers in a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lam_ros.core.robot import RobotDescription
from lam_ros.recording.convert.parts import EpisodePart, Part
from lam_ros.recording.convert.statistics import of_column


@dataclass(frozen=True)
class Placed:
    """Where an episode comes to lie: its numbers in the data set and in its files."""

    part: Part
    episode: EpisodePart
    index: int
    first_row: int
    first_frame: int
    """Of its videos, in the file they share with the episodes of the same append."""


def numbered(table: pa.Table, item: Placed, tasks: list[str]) -> pa.Table:
    """Return an episode's rows with its numbers in the data set, in LeRobot's order."""
    count = table.num_rows
    own = table.column("task_index").to_pylist()
    index = [tasks.index(text) for text in item.episode.tasks]
    table = table.drop_columns(["task_index"])
    for name, values in (
        ("episode_index", [item.index] * count),
        ("index", range(item.first_row, item.first_row + count)),
        ("task_index", [index[k] for k in own]),
    ):
        table = table.append_column(name, pa.array(values, pa.int64()))
    return table


def statistics_of(item: Placed) -> dict[str, dict[str, Any]]:
    """Return an episode's statistics, with those of its numbers in the data set."""
    length = item.episode.length
    rows = range(item.first_row, item.first_row + length)
    numbers = {"episode_index": of_column([item.index] * length), "index": of_column(rows)}
    return {**{k: dict(v) for k, v in item.episode.statistics.items()}, **plain(numbers)}


def plain(statistics: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: value.tolist() for key, value in found.items()}
        for name, found in statistics.items()
    }


def said_row(item: Placed, fps: int) -> dict[str, Any]:
    """Return a row as the simulator's data sets have them; the seed is not known."""
    return {
        "episode_index": item.index,
        "seed": 0,
        **dict(item.episode.words or {}),
        "task": item.episode.tasks[0],
        "length": item.episode.length,
        "seconds": item.episode.length / fps,
    }


def robot_file(robot: RobotDescription) -> dict[str, Any]:
    return {
        "robot": robot.to_dict(),
        "fingerprint": robot.fingerprint(),
        "units": {robot.features.state: "rad", robot.features.action: "rad"},
    }
