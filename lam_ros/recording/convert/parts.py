"""One recording made ready for a data set: a folder with rows, videos and what is known of it.

A part appears under its name only when it is complete, so that a killed conversion goes on
with the parts that are there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lam_ros.core.errors import DataError
from lam_ros.core.robot import RobotDescription
from lam_ros.recording.convert.columns import columns_of
from lam_ros.recording.convert.content import Doubt, Pixels, shows_nothing
from lam_ros.recording.convert.grid import GridConfig, lay_grid
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.convert.pictures import Shot, film
from lam_ros.recording.convert.segments import SHORT, Plan, Segment, by_task
from lam_ros.recording.convert.statistics import FeatureStatistics, of_column
from lam_ros.recording.convert.steps import step_words
from lam_ros.recording.convert.streams import Sources, find_sources, read_tracks
from lam_ros.recording.convert.tracks import Tracks
from lam_ros.recording.format import Outcome
from lam_ros.recording.reader import EpisodeReader

PART_FILE = "part.json"


@dataclass(frozen=True)
class PartConfig:
    """What is done with each recording.

    Attributes:
        gaps: whether a gap splits an episode or rejects it.
        by_task: whether an episode ends, too, where another subtask begins.
        task: the instruction of recordings that have none.
        outcomes: episodes that ended otherwise are left out; those made elsewhere have none.
    """

    grid: GridConfig = field(default_factory=GridConfig)
    gaps: str = "split"
    by_task: bool = False
    task: str = ""
    outcomes: tuple[Outcome, ...] = (Outcome.SUCCESS, Outcome.KEPT)

    def key(self) -> str:
        """Return a short text that changes with what a part would hold."""
        return hashlib.sha256(json.dumps(asdict(self), default=str).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class EpisodePart:
    """One segment of a recording, an episode of the data set to be.

    Attributes:
        rows: file name of its table; videos: camera -> file name.
        tasks: the distinct texts, in the order in which they begin.
        statistics: of each feature, as nested lists.
        words: how its one step is said, if that is known; see `steps`.
    """

    rows: str
    videos: Mapping[str, str]
    length: int
    tasks: tuple[str, ...]
    statistics: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, str] | None


@dataclass(frozen=True)
class Part:
    """A recording that is ready, as `part.json` holds it.

    Attributes:
        folder: where its files are.
        recording: what is known of the recording and of its gaps.
    """

    folder: Path
    episodes: tuple[EpisodePart, ...]
    recording: Mapping[str, Any]

    @property
    def frames(self) -> int:
        """Return the rows of all its episodes."""
        return sum(episode.length for episode in self.episodes)

    @classmethod
    def load(cls, folder: Path) -> Part:
        """Read a part that is complete."""
        data = json.loads((folder / PART_FILE).read_text(encoding="utf-8"))
        episodes = tuple(
            EpisodePart(**{**episode, "tasks": tuple(episode["tasks"])})
            for episode in data["episodes"]
        )
        return cls(folder, episodes, data["recording"])


def recording_id(reader: EpisodeReader) -> str:
    """Return what tells a recording from all others, wherever it lies.

    Ours have an id of their own; of others it is made of their topics, counts and size.
    """
    if reader.meta.episode_id and reader.meta.robot is not None:
        return reader.meta.episode_id
    files = sorted(p for p in reader.folder.iterdir() if p.suffix in (".mcap", ".db3", ".zstd"))
    facts: list[Any] = [
        sorted((topic, info.type_name, info.count) for topic, info in reader.topics.items()),
        [path.stat().st_size for path in files],
    ]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(file.read(1 << 20))
    return f"bag-{digest.hexdigest()[:24]}"


def check_outcome(reader: EpisodeReader, config: PartConfig) -> str:
    """Return why a recording is left out on purpose, or an empty string."""
    if reader.result is None or reader.result.outcome in config.outcomes:
        return ""
    wanted = ",".join(config.outcomes)
    return f"its outcome is {reader.result.outcome}; --outcomes {wanted} takes others"


def make_part(
    reader: EpisodeReader,
    folder: Path,
    robot: RobotDescription,
    naming: Naming,
    config: PartConfig,
    *,
    threads: int = 1,
) -> Part:
    """Convert one recording into a part.

    Args:
        folder: where the part will be; must not exist.
        threads: cameras that are encoded at a time.

    Raises:
        DataError: if nothing can be made of the recording, or a gap rejects it.
    """
    if reader.cut_off:
        raise DataError(
            f"it was cut off or is still being written; `lam episodes recover {reader.folder}`"
        )
    sources = find_sources(reader, robot, naming)
    said = reader.meta.instruction or config.task
    tracks = read_tracks(reader, robot, naming, sources, said)
    plan = _lay(robot, tracks, config, None)
    building = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        pictures, in_doubt = _film(building, reader, robot, sources, plan, config, threads)
        seen = _lay(robot, tracks, config, Pixels(reader, sources)) if in_doubt else plan
        if shows_nothing(seen):
            plan = seen
            for path in building.iterdir():
                path.unlink()
            pictures, _ = _film(building, reader, robot, sources, plan, config, threads)
        part = _write(building, reader, robot, plan, config, pictures)
        _add_facts(part, reader, tracks.faults, plan)
        (building / PART_FILE).write_text(json.dumps(part), encoding="utf-8")
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Part.load(folder)


# -- inside ------------------------------------------------------------------------------


def _lay(
    robot: RobotDescription, tracks: Tracks, config: PartConfig, pixels: Pixels | None
) -> Plan:
    plan = lay_grid(robot, tracks, config.grid, None if pixels is None else pixels.of)
    if config.by_task:
        plan = by_task(plan, config.grid.fps, config.grid.min_frames)
    _require_rows(plan, config)
    return plan


def _require_rows(plan: Plan, config: PartConfig) -> None:
    gaps = [gap for gap in plan.gaps if gap.reason != SHORT]
    if gaps and (config.gaps == "reject" or not plan.segments):
        worst = max(gaps, key=lambda gap: gap.seconds)
        what = (
            "no usable episode is left between gaps"
            if config.gaps != "reject"
            else "gaps are not allowed"
        )
        raise DataError(
            f"{what}: there are {len(gaps)}, the longest {worst.seconds:.2f} s ({worst.detail})"
        )
    if not plan.segments:
        raise DataError(
            f"the episode is empty or too short: fewer than {config.grid.min_frames} frames"
        )


def _write(
    folder: Path,
    reader: EpisodeReader,
    robot: RobotDescription,
    plan: Plan,
    config: PartConfig,
    pictures: Mapping[str, Sequence[FeatureStatistics]],
) -> dict[str, Any]:
    episodes = []
    for k, segment in enumerate(plan.segments):
        table, tasks = _table(segment, robot, config.grid.fps)
        pq.write_table(table, folder / f"{k:03d}.parquet")
        statistics = {
            **{name: of_column(table.column(name).to_pylist()) for name in table.column_names},
            **{robot.image_feature(name): found[k] for name, found in pictures.items()},
        }
        episodes.append(
            {
                "rows": f"{k:03d}.parquet",
                "videos": {name: _video(k, name) for name in robot.camera_names},
                "length": len(segment),
                "tasks": tasks,
                "statistics": _plain(statistics),
                "words": step_words(reader, tasks[0]) if len(tasks) == 1 else None,
            }
        )
    return {"episodes": episodes}


def _table(segment: Segment, robot: RobotDescription, fps: int) -> tuple[pa.Table, list[str]]:
    """Return the rows; `task_index` counts the distinct texts of this episode."""
    tasks = list(dict.fromkeys(segment.tasks))
    table = columns_of(segment, robot, fps)
    index = pa.array([tasks.index(text) for text in segment.tasks], pa.int64())
    return table.append_column("task_index", index), tasks


def _video(index: int, camera: str) -> str:
    return f"{index:03d}.{camera}.mp4"


def _film(
    folder: Path,
    reader: EpisodeReader,
    robot: RobotDescription,
    sources: Sources,
    plan: Plan,
    config: PartConfig,
    threads: int,
) -> tuple[dict[str, list[FeatureStatistics]], bool]:
    """Make the videos; returns their statistics, and whether a picture may show nothing."""
    doubts = {name: Doubt(robot.gripper_index) for name in robot.camera_names}

    def of_camera(name: str) -> list[FeatureStatistics]:
        topic, type_name = sources.cameras[name]
        own = EpisodeReader(reader.folder)
        shots = [
            Shot(folder / _video(k, name), segment.picture[name], segment.state_rad)
            for k, segment in enumerate(plan.segments)
        ]
        messages = (item.message for item in own.messages([topic]))
        fps, look = config.grid.fps, doubts[name].see
        return film(messages, type_name, robot.camera(name), shots, fps, look)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        found = list(pool.map(of_camera, robot.camera_names))
    in_doubt = any(doubt.is_raised for doubt in doubts.values())
    return dict(zip(robot.camera_names, found, strict=True)), in_doubt


def _plain(statistics: Mapping[str, FeatureStatistics]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: value.tolist() for key, value in found.items()}
        for name, found in statistics.items()
    }


def _add_facts(
    part: dict[str, Any], reader: EpisodeReader, faults: Mapping[str, int], plan: Plan
) -> None:
    meta, result = reader.meta, reader.result
    start_ns = plan.segments[0].stamp_ns[0]
    part["recording"] = {
        "recording_id": recording_id(reader),
        "name": f"{reader.folder.parent.name}/{reader.folder.name}",
        "instruction": meta.instruction,
        "outcome": str(result.outcome) if result else "",
        "policy_id": meta.policy_id,
        "operator": meta.operator,
        "versions": dict(meta.versions),
        "started_ns": meta.started_ns,
        "faults": dict(faults),
        "gaps": [
            {**asdict(gap), "after_s": round((gap.start_ns - int(start_ns)) / 1e9, 3)}
            for gap in plan.gaps
        ],
    }
