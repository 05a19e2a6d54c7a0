"""Demonstrations as a LeRobot data set (version 3), with ground truth beside it.

What a robot records is in the data set proper: joint positions and targets in radians,
pictures, and the sentence.  What only a simulator knows is under `meta/lam`, for training
alone: `episodes.parquet` (seed, task, words) and `positions.npz` (object and target in the
base frame, one row a frame).  `meta/lam/robot.json` is the robot description.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lam_ros.core import language
from lam_ros.core.robot import RobotDescription
from lam_ros.core.skills import words
from lam_sim.rollout import Demonstration
from lam_sim.tasks import initial_scene
from lam_sim.video import CODEC_OPTIONS, PIXEL_FORMAT, EpisodeEncoder, silence_codec

REPO_ID = "lam/pick_place"
EPISODES_FILE = "meta/lam/episodes.parquet"
POSITIONS_FILE = "meta/lam/positions.npz"
ROBOT_FILE = "meta/lam/robot.json"


@dataclass(frozen=True)
class EpisodeRow:
    """One row of `meta/lam/episodes.parquet`."""

    episode_index: int
    seed: int
    attempt: int
    task_type: str
    skill: str
    object_id: str
    target_id: str
    object_color: str
    object_kind: str
    target_color: str
    target_kind: str
    task: str
    length: int
    seconds: float


def quiet_libraries() -> None:
    """Keep LeRobot's libraries from printing; call before any of them is imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("lerobot").setLevel(logging.ERROR)
    silence_codec()


class DatasetWriter:
    """Writes demonstrations to a new data set; call `finish` at the end."""

    def __init__(self, root: Path, robot: RobotDescription) -> None:
        """Create the data set in a folder that does not exist yet."""
        quiet_libraries()
        from lerobot.configs.video import RGBEncoderConfig
        from lerobot.datasets import LeRobotDataset

        self._root = root
        self._robot = robot
        self._rows: list[EpisodeRow] = []
        self._object_m: list[npt.NDArray[np.float32]] = []
        self._target_m: list[npt.NDArray[np.float32]] = []
        self._dataset = LeRobotDataset.create(
            REPO_ID,
            fps=round(robot.cameras[0].rate_hz),
            features=features_of(robot),
            root=root,
            robot_type=robot.name,
            streaming_encoding=True,
            rgb_encoder=RGBEncoderConfig(
                vcodec="h264",
                pix_fmt=PIXEL_FORMAT,
                g=int(CODEC_OPTIONS["g"]),
                crf=int(CODEC_OPTIONS["crf"]),
                preset=CODEC_OPTIONS["preset"],
            ),
        )
        # The one place that reaches into LeRobot's writer (0.6.1 takes no encoder).
        self._dataset.writer._streaming_encoder = EpisodeEncoder(self._dataset.fps)

    def add(self, demonstration: Demonstration, attempt: int) -> None:
        """Write one episode, said in a wording drawn from its seed."""
        row = _row(demonstration, len(self._rows), attempt)
        for frame in _frames(demonstration, self._robot, row.task):
            self._dataset.add_frame(frame)
        self._dataset.save_episode()
        self._rows.append(row)
        self._object_m.append(demonstration.object_position_m)
        self._target_m.append(demonstration.target_position_m)

    def finish(self) -> None:
        """Close all files and write what lies beside the data set."""
        self._dataset.finalize()
        write_truth(self._root, self._rows, self._object_m, self._target_m)
        write_robot(self._root, self._robot)


def features_of(robot: RobotDescription) -> dict[str, dict[str, Any]]:
    """Return LeRobot's description of the features; joints are in radians."""
    joints = {
        "dtype": "float32",
        "shape": (len(robot.joints),),
        "names": [f"{name}.pos" for name in robot.joint_names],
    }
    pictures = {
        robot.image_feature(camera.name): {
            "dtype": "video",
            "shape": (camera.height_px, camera.width_px, 3),
            "names": ["height", "width", "channels"],
        }
        for camera in robot.cameras
    }
    return {robot.features.state: dict(joints), robot.features.action: dict(joints), **pictures}


def merge(parts: Sequence[Path], root: Path, robot: RobotDescription) -> None:
    """Join finished data sets, in order, into a new one."""
    quiet_libraries()
    from lerobot.datasets.aggregate import aggregate_datasets

    aggregate_datasets([REPO_ID] * len(parts), REPO_ID, roots=list(parts), aggr_root=root)
    rows: list[EpisodeRow] = []
    for part in parts:
        found = read_episodes(part)
        first = len(rows)
        rows += [
            EpisodeRow(**{**asdict(r), "episode_index": first + i}) for i, r in enumerate(found)
        ]
    truths = [np.load(part / POSITIONS_FILE) for part in parts]
    write_truth(
        root,
        rows,
        [truth["object_position_m"] for truth in truths],
        [truth["target_position_m"] for truth in truths],
    )
    write_robot(root, robot)


def read_episodes(root: Path) -> list[EpisodeRow]:
    """Return the rows of `meta/lam/episodes.parquet`."""
    return [EpisodeRow(**row) for row in pq.read_table(root / EPISODES_FILE).to_pylist()]


def _stacked(parts: Iterable[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Return positions one below the other, shape (N, 3); of no episode, none."""
    return np.concatenate([np.zeros((0, 3), np.float32), *parts])


def write_truth(
    root: Path,
    rows: Sequence[EpisodeRow],
    object_m: Iterable[npt.NDArray[np.float32]],
    target_m: Iterable[npt.NDArray[np.float32]],
) -> None:
    """Write what only the simulator knows."""
    (root / EPISODES_FILE).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows]), root / EPISODES_FILE)
    np.savez(
        root / POSITIONS_FILE,
        object_position_m=_stacked(object_m),
        target_position_m=_stacked(target_m),
    )


def write_robot(root: Path, robot: RobotDescription) -> None:
    """Write the robot description with its fingerprint and the units of the data."""
    content = {
        "robot": robot.to_dict(),
        "fingerprint": robot.fingerprint(),
        "units": {robot.features.state: "rad", robot.features.action: "rad"},
    }
    (root / ROBOT_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _row(demonstration: Demonstration, episode_index: int, attempt: int) -> EpisodeRow:
    episode = demonstration.episode
    said = words(episode.step, initial_scene(episode.scene))
    rng = np.random.default_rng([episode.scene.seed, 0x3A1D])
    return EpisodeRow(
        episode_index=episode_index,
        seed=episode.scene.seed,
        attempt=attempt,
        task_type=str(episode.task_type),
        skill=str(episode.step.skill),
        object_id=episode.step.object_id,
        target_id=episode.step.target_id,
        object_color=said.object_color,
        object_kind=said.object_kind,
        target_color=said.target_color,
        target_kind=said.target_kind,
        task=language.sample(said, rng, "train"),
        length=len(demonstration),
        seconds=demonstration.outcome.duration_s,
    )


def _frames(
    demonstration: Demonstration, robot: RobotDescription, task: str
) -> Iterable[dict[str, Any]]:
    for index in range(len(demonstration)):
        yield {
            robot.features.state: demonstration.state_rad[index],
            robot.features.action: demonstration.action_rad[index],
            **{
                robot.image_feature(name): pictures[index]
                for name, pictures in demonstration.images.items()
            },
            "task": task,
        }
