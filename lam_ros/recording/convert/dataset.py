"""A LeRobotDataset (version 3) that grows by whole episodes.

LeRobot's own writer loses a session that is killed before its end.  Here everything that an
append changes is first written beside the data set and then moved into place, file by file,
the file that counts the episodes last; an append that was interrupted is completed by the
next one to open the data set.  Beside LeRobot's files there are, below `meta/lam`:

    robot.json        the robot description, its fingerprint, units
    recordings.json   what was converted: recording, its gaps and faults, its episodes
    episodes.parquet  how each episode's step is said, if that is known of all
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lam_ros.core.errors import BusyError, DataError
from lam_ros.core.robot import RobotDescription
from lam_ros.locks import Lock
from lam_ros.recording.convert.columns import features_of
from lam_ros.recording.convert.layout import (
    CHUNK_SIZE,
    DATA,
    EPISODES,
    INFO,
    PANDAS_TASKS,
    RECORDINGS,
    ROBOT,
    SAID,
    STATS,
    TASKS,
    VERSION,
    VIDEO,
    WORK,
    in_order,
    require_same,
    sync,
    write_json,
    write_table,
)
from lam_ros.recording.convert.parts import Part
from lam_ros.recording.convert.pictures import join_videos
from lam_ros.recording.convert.placed import (
    Placed,
    numbered,
    plain,
    robot_file,
    said_row,
    statistics_of,
)
from lam_ros.recording.convert.statistics import combine

_READY = "ready"
_UNSAID = "the steps of some episodes are not known"


class DatasetFolder:
    """One data set; `opened` makes one or completes what was interrupted."""

    def __init__(self, root: Path, robot: RobotDescription, fps: int) -> None:
        """Use `opened` instead, which holds the lock."""
        self.root = root
        self.robot = robot
        self.fps = fps
        self._finish_append()
        self.info = self._read_info()
        self.recordings: list[dict[str, Any]] = self._read_json(RECORDINGS, [])

    @property
    def parts(self) -> Path:
        """Return the folder of parts that wait to be appended."""
        return self.root / WORK / "parts"

    @property
    def known(self) -> set[str]:
        """Return the ids of the recordings that are in the data set."""
        return {entry["recording_id"] for entry in self.recordings}

    @property
    def episodes(self) -> int:
        """Return how many episodes there are."""
        return int(self.info["total_episodes"])

    @property
    def frames(self) -> int:
        """Return how many rows there are."""
        return int(self.info["total_frames"])

    def append(self, parts: Sequence[Part]) -> None:
        """Add the episodes of parts, all of them or none, and remove the parts."""
        placed = self._place(parts)
        stage = self.root / WORK / "append"
        shutil.rmtree(stage, ignore_errors=True)
        number = self._next_file()
        chunk, file = divmod(number, CHUNK_SIZE)
        tasks = self._stage_tasks(stage, placed)
        self._stage_data(stage / DATA.format(chunk_index=chunk, file_index=file), placed, tasks)
        videos = self._stage_videos(stage, placed, chunk, file)
        self._stage_episodes(stage, placed, chunk, file, videos)
        self._stage_rest(stage, placed, parts, len(tasks))
        is_said = self._stage_said(stage, placed)
        (stage / _READY).write_text("" if is_said else _UNSAID, encoding="utf-8")
        sync(stage)
        self._finish_append()
        self.info = self._read_info()
        self.recordings = self._read_json(RECORDINGS, [])
        for part in parts:
            shutil.rmtree(part.folder, ignore_errors=True)

    def clean(self) -> None:
        """Remove the work folder, with parts that wait, and the data set's if nothing is in it."""
        shutil.rmtree(self.root / WORK, ignore_errors=True)
        if not any(self.root.iterdir()):
            self.root.rmdir()

    # -- reading -------------------------------------------------------------------------

    def _read_json(self, name: str, default: Any) -> Any:
        path = self.root / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else default

    def _read_info(self) -> dict[str, Any]:
        features = features_of(self.robot, self.fps)
        info: dict[str, Any] | None = self._read_json(INFO, None)
        if info is not None:
            require_same(self.root, info, features, self.fps)
            self._require_same_robot()
            return info
        return {
            "codebase_version": VERSION,
            "fps": self.fps,
            "features": features,
            "total_episodes": 0,
            "total_frames": 0,
            "total_tasks": 0,
            "chunks_size": CHUNK_SIZE,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "data_path": DATA,
            "video_path": VIDEO,
            "robot_type": self.robot.name,
            "splits": {},
        }

    def _require_same_robot(self) -> None:
        made_for = self._read_json(ROBOT, None)
        if made_for is None:
            raise DataError(
                f"data set {self.root}: {ROBOT} is missing, so it was not made by `lam convert` "
                "or `lam data`; give another folder"
            )
        self.robot.require_match(
            RobotDescription.from_dict(made_for["robot"]), f"data set {self.root}"
        )

    def _next_file(self) -> int:
        """Return the number of the next file, counted through all chunks."""
        found = [
            int(path.parent.name.removeprefix("chunk-")) * CHUNK_SIZE
            + int(path.stem.removeprefix("file-"))
            for folder in ("data", "meta/episodes", "videos")
            for path in (self.root / folder).rglob("chunk-*/file-*.*")
        ]
        return max(found, default=-1) + 1

    def _place(self, parts: Sequence[Part]) -> list[Placed]:
        placed: list[Placed] = []
        index, row, frame = self.episodes, self.frames, 0
        for part in parts:
            for episode in part.episodes:
                placed.append(Placed(part, episode, index, row, frame))
                index, row, frame = index + 1, row + episode.length, frame + episode.length
        return placed

    # -- staging -------------------------------------------------------------------------

    def _stage_tasks(self, stage: Path, placed: Sequence[Placed]) -> list[str]:
        """Write all texts, in the order in which they came, and return them."""
        path = self.root / TASKS
        known = pq.read_table(path).to_pylist() if path.is_file() else []
        texts = [row["task"] for row in sorted(known, key=lambda row: row["task_index"])]
        texts = list(dict.fromkeys([*texts, *(t for item in placed for t in item.episode.tasks)]))
        table = pa.table({"task_index": pa.array(range(len(texts)), pa.int64()), "task": texts})
        write_table(table.replace_schema_metadata(PANDAS_TASKS), stage / TASKS)
        return texts

    def _stage_data(self, path: Path, placed: Sequence[Placed], tasks: list[str]) -> None:
        """Write all rows, one row group an episode."""
        path.parent.mkdir(parents=True, exist_ok=True)
        writer: pq.ParquetWriter | None = None
        for item in placed:
            table = numbered(pq.read_table(item.part.folder / item.episode.rows), item, tasks)
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, compression="snappy")
            writer.write_table(table)
        if writer is not None:
            writer.close()

    def _stage_videos(
        self, stage: Path, placed: Sequence[Placed], chunk: int, file: int
    ) -> dict[str, Any]:
        keys = {}
        for camera in self.robot.camera_names:
            key = self.robot.image_feature(camera)
            path = stage / VIDEO.format(video_key=key, chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            join_videos(
                [item.part.folder / item.episode.videos[camera] for item in placed],
                path,
                [item.episode.length for item in placed],
                self.fps,
            )
            keys[key] = (chunk, file)
        return keys

    def _stage_episodes(
        self,
        stage: Path,
        placed: Sequence[Placed],
        chunk: int,
        file: int,
        videos: Mapping[str, tuple[int, int]],
    ) -> None:
        rows = [self._episode_row(item, chunk, file, videos) for item in placed]
        path = stage / EPISODES.format(chunk_index=chunk, file_index=file)
        write_table(pa.Table.from_pylist(rows), path)

    def _episode_row(
        self, item: Placed, chunk: int, file: int, videos: Mapping[str, tuple[int, int]]
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "episode_index": item.index,
            "tasks": list(item.episode.tasks),
            "length": item.episode.length,
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": item.first_row,
            "dataset_to_index": item.first_row + item.episode.length,
        }
        for key in videos:
            row[f"videos/{key}/chunk_index"] = chunk
            row[f"videos/{key}/file_index"] = file
            row[f"videos/{key}/from_timestamp"] = item.first_frame / self.fps
            row[f"videos/{key}/to_timestamp"] = (item.first_frame + item.episode.length) / self.fps
        for name, found in statistics_of(item).items():
            for key, value in found.items():
                row[f"stats/{name}/{key}"] = value
        row["meta/episodes/chunk_index"] = chunk
        row["meta/episodes/file_index"] = file
        return row

    def _stage_rest(
        self, stage: Path, placed: Sequence[Placed], parts: Sequence[Part], n_tasks: int
    ) -> None:
        kept = self._read_json(STATS, None)
        new = [statistics_of(item) for item in placed]
        write_json(plain(combine([kept, *new] if kept else new)), stage / STATS)
        first = self.episodes
        entries = list(self.recordings)
        for part in parts:
            indices = list(range(first, first + len(part.episodes)))
            entries.append({**part.recording, "episodes": indices, "frames": part.frames})
            first += len(part.episodes)
        write_json(entries, stage / RECORDINGS)
        write_json(robot_file(self.robot), stage / ROBOT)
        episodes = self.episodes + len(placed)
        info = {
            **self.info,
            "total_episodes": episodes,
            "total_frames": self.frames + sum(item.episode.length for item in placed),
            "total_tasks": n_tasks,
            "splits": {"train": f"0:{episodes}"},
        }
        write_json(info, stage / INFO)

    def _stage_said(self, stage: Path, placed: Sequence[Placed]) -> bool:
        """Write how each episode's step is said, if it is known of every one."""
        path = self.root / SAID
        kept = pq.read_table(path).to_pylist() if path.is_file() else []
        new = [said_row(item, self.fps) for item in placed if item.episode.words]
        is_said = len(kept) == self.episodes and len(new) == len(placed)
        if is_said:
            write_table(pa.Table.from_pylist([*kept, *new]), stage / SAID)
        return is_said

    # -- moving --------------------------------------------------------------------------

    def _finish_append(self) -> None:
        """Move what is staged into place, if it is complete; else remove it."""
        stage = self.root / WORK / "append"
        if not (stage / _READY).is_file():
            shutil.rmtree(stage, ignore_errors=True)
            return
        if (stage / _READY).read_text(encoding="utf-8") == _UNSAID:
            (self.root / SAID).unlink(missing_ok=True)
        for path in in_order(stage):
            target = self.root / path.relative_to(stage)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        (stage / _READY).unlink()
        shutil.rmtree(stage)


@contextmanager
def opened(root: Path, robot: RobotDescription, fps: int) -> Iterator[DatasetFolder]:
    """Hold a data set open for appending; no other process may.

    Raises:
        BusyError: if another process does.
        DataError: if the folder holds something else, or a data set with other features.
        FingerprintMismatch: if it was made for another robot.
    """
    if root.exists() and not root.is_dir():
        raise DataError(f"data set {root}: is a file; give a folder")
    there = {path.name for path in root.iterdir()} if root.exists() else set()
    if there - {WORK} and not (root / INFO).is_file() and not (root / WORK / "append").is_dir():
        raise DataError(f"data set {root}: the folder holds something else; give another one")
    (root / WORK).mkdir(parents=True, exist_ok=True)
    lock = Lock(root / WORK / "lock")
    if not lock.try_acquire():
        raise BusyError(f"data set {root}: another `lam convert` is appending to it; wait for it")
    try:
        yield DatasetFolder(root, robot, fps)
    finally:
        lock.release()
