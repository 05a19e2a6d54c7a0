"""Recordings made elsewhere convert with a robot YAML that names their topics and joints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from rosbags.rosbag2 import StoragePlugin

from lam_ros.recording.convert.command import ConvertConfig, convert
from lam_ros.recording.convert.parts import PartConfig
from lam_ros.recording.convert.report import Fate

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS


@pytest.fixture
def run(tmp_path):
    def convert_all(robot, **options):
        options = {"task": "fold the towel", **options}
        config = ConvertConfig(
            (tmp_path / "recordings",), tmp_path / "data", robot, 1, PartConfig(**options)
        )
        return convert(config, Console(stderr=True, quiet=True))

    return convert_all


@pytest.fixture
def rows(tmp_path):
    def read():
        [path] = (tmp_path / "data/data").glob("*/*.parquet")
        table = pq.read_table(path)
        return {name: np.array(table.column(name).to_pylist()) for name in table.column_names}

    return read


def expected(stamp_ns, joints=6):
    return 0.4 * np.sin(np.pi * (stamp_ns - START_NS)[:, None] / NS + np.arange(joints))


@pytest.mark.parametrize("images", ["jpeg", "png", "raw"])
@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_mcap_and_sqlite_with_raw_and_compressed_pictures_convert(
    tmp_path, bag, run, robot_yaml, images, storage, rows
):
    replace(bag, seconds=2.0, images=images, storage=storage, subtasks=()).write(
        tmp_path / "recordings/a"
    )
    report = run(robot_yaml())
    assert (report.recordings[0].fate, report.total_frames) == (Fate.CONVERTED, 50)
    tasks = pq.read_table(tmp_path / "data/meta/tasks.parquet").to_pydict()
    assert tasks["task"] == ["fold the towel"]


@pytest.mark.parametrize("zstd", ["FILE", "MESSAGE"])
def test_a_compressed_bag_converts(tmp_path, bag, run, robot_yaml, zstd):
    replace(bag, seconds=2.0, storage=StoragePlugin.SQLITE3, zstd=zstd, subtasks=()).write(
        tmp_path / "recordings/a"
    )
    assert run(robot_yaml()).total_frames == 50


def test_other_topics_joint_names_joint_order_and_extra_joints(
    tmp_path, bag, run, robot_yaml, robot_data, rows
):
    theirs = tuple(f"joint_{k}" for k in range(1, 7))
    replace(
        bag,
        joint_names=theirs, rotated=2, extra_joints=("wheel_left", "lift"), command="trajectory",
        image_topic="/cam_{camera}/color", joint_topic="/arm/joint_states", subtasks=(),
    ).write(tmp_path / "recordings/a")  # fmt: skip
    ours = [joint["name"] for joint in robot_data["joints"]]
    robot = robot_yaml(
        topics={**robot_data["topics"], "joint_state": "arm/joint_states"},
        recording={
            "camera_topics": {c: f"/cam_{c}/color/compressed" for c in ("front", "wrist")},
            "joint_names": dict(zip(ours, theirs, strict=True)),
            "command_topic": "/arm_controller/joint_trajectory",
        },
    )
    report = run(robot)
    assert report.recordings[0].fate is Fate.CONVERTED, report.recordings[0].reason
    data = rows()
    stamps = data["stream_stamp_ns"]
    assert np.allclose(data["observation.state"], expected(stamps[:, 2]), atol=1e-6)
    assert np.allclose(data["action"], expected(stamps[:, 3]) + 0.1, atol=1e-6)


def test_commands_without_names_and_stamps_take_the_order_of_the_yaml(
    tmp_path, bag, run, robot_yaml, robot_data, rows
):
    replace(bag, command="array", rotated=1, subtasks=()).write(tmp_path / "recordings/a")
    ours = [joint["name"] for joint in robot_data["joints"]]
    robot = robot_yaml(
        recording={
            "command_topic": "/forward_position_controller/commands",
            "command_joints": [*ours[1:], *ours[:1]],
        }
    )
    report = run(robot)
    data = rows()
    sent_ns = data["stream_stamp_ns"][:, 3] - 1_000_000  # stamped at receipt
    assert np.allclose(data["action"], expected(sent_ns) + 0.1, atol=1e-6)
    assert report.recordings[0].faults["action: no stamp"] == 200


def test_without_commands_the_action_may_be_the_state_one_frame_later(
    tmp_path, bag, run, robot_yaml, rows
):
    replace(bag, command="none", subtasks=()).write(tmp_path / "recordings/a")
    run(robot_yaml(recording={"action": "state"}))
    data = rows()
    assert np.allclose(data["action"][:-1], data["observation.state"][1:], atol=1e-6)


def test_stamps_of_another_clock_are_used_and_that_is_said(tmp_path, bag, run, robot_yaml, rows):
    """Simulated time: stamps begin at ten seconds, receipts are of the wall clock."""
    offset_s = 10.0 - START_NS / NS
    replace(bag, stamp_offset_s=offset_s, subtasks=()).write(tmp_path / "recordings/a")
    report = run(robot_yaml())
    data = rows()
    assert "stamps are of another clock than the receipts" in report.recordings[0].faults
    assert 10 * NS <= data["stamp_ns"][0] < 10.1 * NS
    assert data["stream_age_s"].max() < 0.06
    assert np.diff(data["stamp_ns"]).max() == 40_000_000
