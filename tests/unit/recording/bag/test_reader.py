"""Any rosbag2 folder is read; what is damaged is said, with what to do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from lam_ros.core.errors import DataError
from lam_ros.recording.reader import EpisodeReader, Recorded
from lam_ros.recording.recover import recover

MCAP, SQLITE3 = StoragePlugin.MCAP, StoragePlugin.SQLITE3
KINDS = {
    "mcap": (MCAP, CompressionMode.NONE),
    "mcap, chunks compressed": (MCAP, CompressionMode.STORAGE),
    "mcap, messages compressed": (MCAP, CompressionMode.MESSAGE),
    "mcap, file compressed": (MCAP, CompressionMode.FILE),
    "sqlite3": (SQLITE3, CompressionMode.NONE),
    "sqlite3, messages compressed": (SQLITE3, CompressionMode.MESSAGE),
    "sqlite3, file compressed": (SQLITE3, CompressionMode.FILE),
}


def made_elsewhere(kit: Any, folder: Path, kind: str, version: int = 9) -> Path:
    """Write the stream with another library; its stamps are half a second before receipt."""
    plugin, compression = KINDS[kind]
    types = get_typestore(Stores.ROS2_JAZZY)
    writer = Writer(folder, version=version, storage_plugin=plugin)
    writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        topics = {
            topic: writer.add_connection(topic, type_name, typestore=types)
            for topic, type_name in kit.TYPES.items()
        }
        for one in kit.stream:
            writer.write(topics[one.topic], one.log_time_ns + 500_000_000, one.cdr)
    return folder


@pytest.mark.parametrize("version", [8, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_a_bag_made_elsewhere_is_read(kit: Any, tmp_path: Path, kind: str, version: int) -> None:
    read = EpisodeReader(made_elsewhere(kit, tmp_path / "bag", kind, version))

    assert (read.meta.robot, read.meta.instruction, read.result) == (None, "", None)
    assert not read.cut_off
    assert {topic: info.count for topic, info in read.topics.items()} == {
        kit.JOINTS: 100,
        kit.PICTURES: 50,
        kit.ENGAGED: 2,
    }
    came = list(read.messages())
    times = [one.log_time_ns for one in came]
    assert times == sorted(one.log_time_ns + 500_000_000 for one in kit.stream)
    joints = [one for one in came if one.topic == kit.JOINTS]
    assert [one.message.position[0] for one in joints] == [index / 100 for index in range(100)]
    for one in joints:
        assert one.publish_time_ns == kit_stamp_ns(one)
    engaged = [one for one in came if one.topic == kit.ENGAGED]
    assert [one.message.data for one in engaged] == [False, True]
    assert all(one.publish_time_ns == one.log_time_ns for one in engaged)


def kit_stamp_ns(one: Recorded) -> int:
    stamp = one.message.header.stamp
    return int(stamp.sec * 1_000_000_000 + stamp.nanosec)


def test_some_topics_are_read_without_the_others_and_as_bytes(kit: Any, tmp_path: Path) -> None:
    for folder in (
        kit.record(tmp_path / "episode_000000"),
        made_elsewhere(kit, tmp_path / "bag", "sqlite3"),
    ):
        came = list(EpisodeReader(folder).messages([kit.PICTURES], decode=False))

        expected = [one for one in kit.stream if one.topic == kit.PICTURES]
        assert [one.message for one in came] == [one.cdr for one in expected]
        assert [one.publish_time_ns for one in came] == [one.publish_time_ns for one in expected]


def test_a_topic_that_is_not_there_is_named_with_the_nearest(kit: Any, episode: Path) -> None:
    read = EpisodeReader(kit.record(episode))

    with pytest.raises(DataError, match=r"'/teleop/engage'.*Did you mean '/teleop/engaged'"):
        read.messages(["/teleop/engage"])


def test_messages_that_came_out_of_order_are_read_in_order(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        kit.put(writer, list(reversed(kit.stream)))

    times = [one.log_time_ns for one in EpisodeReader(episode).messages(decode=False)]

    assert times == sorted(one.log_time_ns for one in kit.stream)


def test_a_bag_of_several_files_is_read_and_recovered(kit: Any, tmp_path: Path) -> None:
    folder = made_elsewhere(kit, tmp_path / "bag", "mcap")
    shutil.copy(folder / "bag.mcap", folder / "bag_1.mcap")
    with (folder / "bag_1.mcap").open("r+b") as file:
        file.truncate(100_000)

    kept = recover(folder).kept

    assert len(kit.stream) < kept < 2 * len(kit.stream)
    assert len(list(EpisodeReader(folder).messages(decode=False))) == kept
    assert not recover(folder).changed


def test_messages_that_metadata_yaml_promises_are_not_silently_missing(
    kit: Any, tmp_path: Path
) -> None:
    folder = made_elsewhere(kit, tmp_path / "bag", "sqlite3")
    path = folder / "metadata.yaml"
    path.write_text(path.read_text().replace("message_count: 100", "message_count: 107"))
    read = EpisodeReader(folder)

    assert len(list(read.messages([kit.PICTURES]))) == 50
    with pytest.raises(DataError, match=r"100 of 107 messages can be read"):
        list(read.messages([kit.JOINTS]))


@pytest.mark.parametrize("kind", ["mcap", "sqlite3"])
@pytest.mark.parametrize("damage", ["empty", "half", "noise"])
def test_a_damaged_bag_is_said_with_the_remedy(
    kit: Any, tmp_path: Path, kind: str, damage: str
) -> None:
    folder = made_elsewhere(kit, tmp_path / "bag", kind)
    (path,) = (path for path in folder.iterdir() if path.suffix in (".mcap", ".db3"))
    data = path.read_bytes()
    noise = bytes(index * 7 % 256 for index in range(len(data)))
    path.write_bytes({"empty": b"", "half": data[: len(data) // 2], "noise": noise}[damage])

    remedy = f"lam episodes recover {folder}" if kind == "mcap" else "ros2 bag reindex"
    with pytest.raises(DataError, match=rf"bag '{folder}' is damaged \(.+\).*{remedy}"):
        list(EpisodeReader(folder).messages())


@pytest.mark.parametrize("points", [0, 1, 30])
def test_what_rclpy_serialised_is_read_in_spite_of_its_spare_bytes(
    kit: Any, episode: Path, points: int
) -> None:
    point = JointTrajectoryPoint(positions=[1.0, 2.0])  # three sequences in it stay empty
    cdr = serialize_message(JointTrajectory(joint_names=["pan"], points=[point] * points))
    with kit.open(episode) as writer:
        writer.add_channel("/trajectory", "trajectory_msgs/msg/JointTrajectory")
        writer.write("/trajectory", cdr, 1, 1)

    (one,) = EpisodeReader(episode).messages(["/trajectory"])

    assert one.message.joint_names == ["pan"]
    assert [list(came.positions) for came in one.message.points] == [[1.0, 2.0]] * points


def test_a_message_that_is_not_of_its_type_is_said(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        writer.write(kit.JOINTS, kit.joints(5)[:30], 5, 5)

    with pytest.raises(DataError, match=r"a message on '/joint_states' at 5 ns is no sensor_msgs"):
        list(EpisodeReader(episode).messages())
    assert len(list(EpisodeReader(episode).messages(decode=False))) == 1


def test_a_missing_file_is_said(kit: Any, episode: Path) -> None:
    kit.record(episode)
    (episode / "episode_000000_0.mcap").unlink()

    with pytest.raises(DataError, match=rf"cannot read '{episode}': No such file or directory"):
        EpisodeReader(episode)


def test_a_folder_without_bag_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no bag .*name the folder of an episode"):
        EpisodeReader(tmp_path)


def test_an_episode_of_a_newer_format_is_refused(kit: Any, episode: Path) -> None:
    kit.record(episode)
    path = episode / "metadata.yaml"
    path.write_text(path.read_text().replace('"format_version": "1"', '"format_version": "2"'))

    with pytest.raises(DataError, match=r"format version 2, this LAM reads up to 1: update LAM"):
        EpisodeReader(episode)
