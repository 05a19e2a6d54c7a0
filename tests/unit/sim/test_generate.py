"""A small data set: it opens with LeRobot, and an interrupted run takes up where it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lam_ros.core.errors import DataError
from lam_ros.core.robot import RobotDescription
from lam_sim import generate
from lam_sim.dataset import (
    POSITIONS_FILE,
    ROBOT_FILE,
    DatasetWriter,
    features_of,
    read_episodes,
)
from lam_sim.generate import GenerateConfig

QUIET = Console(quiet=True)


def test_features_are_named_by_joint_and_camera(robot: RobotDescription) -> None:
    features = features_of(robot)
    assert features["observation.state"]["names"][0] == "shoulder_pan.pos"
    assert features["action"]["shape"] == (6,)
    assert features["observation.images.wrist"]["shape"] == (96, 96, 3)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_data_set_is_made_resumed_and_opened(
    tmp_path: Path, robot: RobotDescription, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lerobot.datasets import LeRobotDataset

    monkeypatch.setattr(generate, "EPISODES_PER_PART", 1)
    config = GenerateConfig(tmp_path / "data", episodes=2, first_seed=40, workers=1)
    parts = generate._plan(config)
    generate._start_worker(config)
    generate._make_part(parts[0])
    kept = (parts[0].folder / "done").stat().st_mtime_ns
    monkeypatch.setattr(generate, "_join", lambda *_: None)
    generate.generate(config, QUIET)
    assert (parts[0].folder / "done").stat().st_mtime_ns == kept
    monkeypatch.undo()
    generate._join(config, parts)

    data = LeRobotDataset("lam/pick_place", root=config.out, video_backend="pyav")
    rows = read_episodes(config.out)
    assert [row.seed for row in rows] == [40, 41]
    assert data.num_episodes == 2
    assert len(data) == sum(row.length for row in rows)
    assert data[0]["observation.images.front"].shape == (3, 80, 128)
    assert data[len(data) - 1]["task"] == rows[1].task
    assert len(np.load(config.out / POSITIONS_FILE)["object_position_m"]) == len(data)
    described = json.loads((config.out / ROBOT_FILE).read_text(encoding="utf-8"))
    assert described["fingerprint"] == robot.fingerprint()
    assert RobotDescription.from_dict(described["robot"]) == robot
    with pytest.raises(DataError, match="exists already"):
        generate.generate(config, QUIET)


def test_a_part_without_a_good_demonstration_is_an_empty_data_set(robot, tmp_path) -> None:
    writer = DatasetWriter(tmp_path / "part", robot)
    writer.finish()
    assert read_episodes(tmp_path / "part") == []
