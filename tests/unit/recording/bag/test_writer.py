"""What is written is a rosbag2 bag that others read too, and says what was wrong with it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader

from lam_ros.core.errors import DataError
from lam_ros.recording.format import Outcome, StreamFaults
from lam_ros.recording.reader import EpisodeReader

INTERFACES = Path(sys.prefix) / "share" / "lam_interfaces" / "msg"


def test_what_was_written_comes_back(kit: Any, episode: Path) -> None:
    kit.record(episode)

    read = EpisodeReader(episode)
    came = [
        kit.Sent(one.topic, one.message, one.log_time_ns, one.publish_time_ns)
        for one in read.messages(decode=False)
    ]

    assert came == sorted(kit.stream, key=lambda one: one.log_time_ns)
    assert {topic: info.type_name for topic, info in read.topics.items()} == kit.TYPES


def test_meta_and_result_come_back(kit: Any, episode: Path) -> None:
    meta = kit.meta()
    with kit.open(episode) as writer:
        kit.put(writer, kit.stream)
        result = writer.close(Outcome.FAILURE, "it fell; 'twice' {oddly}")

    read = EpisodeReader(episode)

    assert read.meta == writer.meta
    assert read.meta.robot == kit.robot
    assert read.meta.episode_id != meta.episode_id
    assert read.result == result
    assert result.frames == {kit.JOINTS: 100, kit.PICTURES: 50, kit.ENGAGED: 2}
    times = [one.log_time_ns for one in kit.stream]
    assert result.duration_ns == max(times) - min(times)
    assert not read.cut_off


def test_rosbags_reads_every_field(kit: Any, episode: Path) -> None:
    kit.record(episode)

    with AnyReader([episode]) as reader:
        joints = [one for one in reader.connections if one.topic == kit.JOINTS]
        came = [
            reader.deserialize(raw, connection.msgtype)
            for connection, _, raw in reader.messages(joints)
        ]

    assert [one.position.tolist() for one in came] == [[i / 100, -i / 100] for i in range(100)]


def test_the_mcap_library_decodes_by_the_definitions_inside(kit: Any, episode: Path) -> None:
    kit.record(episode)

    with (episode / "episode_000000_0.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        assert reader.get_header().profile == "ros2"
        came = [
            decoded.header.stamp.nanosec
            for _, _, _, decoded in reader.iter_decoded_messages([kit.JOINTS])
        ]
        names = [record.name for record in reader.iter_metadata()]

    assert came == [index * 20_000_000 % 1_000_000_000 for index in range(100)]
    assert names == ["lam", "lam.outcome"]


def test_metadata_yaml_is_what_jazzy_reads(kit: Any, episode: Path) -> None:
    kit.record(episode)

    data = yaml.safe_load((episode / "metadata.yaml").read_text())["rosbag2_bagfile_information"]

    assert data["version"] == 9
    assert data["storage_identifier"] == "mcap"
    assert data["relative_file_paths"] == ["episode_000000_0.mcap"]
    assert data["message_count"] == len(kit.stream)
    assert data["files"][0]["message_count"] == len(kit.stream)
    assert data["starting_time"]["nanoseconds_since_epoch"] == kit.stream[0].log_time_ns
    topic = data["topics_with_message_count"][0]
    assert topic["message_count"] == 100
    assert topic["topic_metadata"]["offered_qos_profiles"][0]["durability"] == "volatile"
    assert json.loads(data["custom_data"]["lam"])["instruction"] == "put the red cube in the bowl"
    assert json.loads(data["custom_data"]["lam.outcome"])["outcome"] == "success"


@pytest.mark.parametrize("name", ["Plan", "JointCommand", "EpisodeEvent", "Scene"])
def test_our_own_types_have_the_hash_that_ros_gives_them(
    kit: Any, episode: Path, name: str
) -> None:
    with kit.open(episode) as writer:
        writer.add_channel("/topic", f"lam_interfaces/msg/{name}")
        writer.close(Outcome.KEPT, "")

    data = yaml.safe_load((episode / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    (topic,) = (
        one["topic_metadata"]
        for one in data["topics_with_message_count"]
        if one["topic_metadata"]["name"] == "/topic"
    )
    generated = json.loads((INTERFACES / f"{name}.json").read_text())["type_hashes"]
    (expected,) = (one["hash_string"] for one in generated if one["type_name"] == topic["type"])
    assert topic["type_description_hash"] == expected


def test_a_latched_topic_is_offered_latched(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        writer.add_channel("/lam/plan", "lam_interfaces/msg/Plan", latched=True)
        writer.close(Outcome.KEPT, "")

    with AnyReader([episode]) as reader:
        (plan,) = (one for one in reader.connections if one.topic == "/lam/plan")
        assert [qos.durability.name for qos in plan.ext.offered_qos_profiles] == ["TRANSIENT_LOCAL"]


def test_zero_and_decreasing_stamps_are_written_as_they_are_and_counted(
    kit: Any, episode: Path
) -> None:
    stamps = [0, 5_000, 4_000, 0, 6_000, 6_000]
    with kit.open(episode) as writer:
        for index, stamp_ns in enumerate(stamps):
            writer.write(kit.JOINTS, kit.joints(stamp_ns), kit.START_NS + index, stamp_ns)
        writer.note_dropped(kit.PICTURES, 3)
        result = writer.close(Outcome.KEPT, "")

    read = EpisodeReader(episode)
    assert [one.publish_time_ns for one in read.messages()] == stamps
    assert result.faults == {
        kit.JOINTS: StreamFaults(zero_stamps=2, decreasing_stamps=1),
        kit.PICTURES: StreamFaults(dropped=3),
    }
    assert read.result == result


def test_a_stamp_before_1970_is_a_fault_and_stays_in_the_message(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        writer.write(kit.JOINTS, kit.joints(-1), kit.START_NS, -1)
        result = writer.close(Outcome.KEPT, "")

    (one,) = EpisodeReader(episode).messages()
    assert (one.message.header.stamp.sec, one.publish_time_ns) == (-1, 0)
    assert result.faults[kit.JOINTS].zero_stamps == 1


def test_an_episode_without_messages_is_a_bag(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        writer.close(Outcome.DISCARDED, "nothing came")

    read = EpisodeReader(episode)
    assert list(read.messages()) == []
    assert set(read.topics) == set(kit.TYPES)
    with AnyReader([episode]) as reader:
        assert reader.message_count == 0


def test_a_folder_that_exists_is_not_touched(kit: Any, episode: Path) -> None:
    kit.record(episode)
    before = kit.files(episode)

    with pytest.raises(DataError, match=r"exists: an episode is never written over"):
        kit.open(episode)

    assert kit.files(episode) == before


def test_a_topic_keeps_its_type(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        writer.add_channel(kit.JOINTS, kit.TYPES[kit.JOINTS])
        with pytest.raises(DataError, match=r"is recorded as sensor_msgs/msg/JointState and can"):
            writer.add_channel(kit.JOINTS, "sensor_msgs/msg/Image")


def test_a_topic_that_was_not_announced_is_named_with_the_nearest(kit: Any, episode: Path) -> None:
    with (
        kit.open(episode) as writer,
        pytest.raises(DataError, match=r"'/joint_stats'.*Did you mean '/joint_states'"),
    ):
        writer.write("/joint_stats", b"", 1, 1)


@pytest.mark.parametrize("name", ["no_such_msgs/msg/Thing", "sensor_msgs/msg/Pictur", "nonsense"])
def test_a_type_without_definition_is_refused(kit: Any, episode: Path, name: str) -> None:
    with kit.open(episode) as writer, pytest.raises(DataError, match=f"'{name}' is not installed"):
        writer.add_channel("/topic", name)


def test_a_package_of_another_work_space_is_found_with_what_it_needs(
    kit: Any, episode: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package, name, text in (
        ("far_msgs", "Leaf", "std_msgs/Header header\nfloat64[3] force_n\n"),
        ("near_msgs", "Branch", "far_msgs/Leaf[] leaves\nstring name\n"),
    ):
        folder = tmp_path / "install" / "share" / package / "msg"
        folder.mkdir(parents=True)
        (folder / f"{name}.msg").write_text(text)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))

    with kit.open(episode) as writer:
        writer.add_channel("/tree", "near_msgs/msg/Branch")
        leaf = kit.store.types["far_msgs/msg/Leaf"](kit.header(7), np.array([1.0, 2.0, 3.0]))
        branch = kit.store.types["near_msgs/msg/Branch"]([leaf], "oak")
        cdr = bytes(kit.store.serialize_cdr(branch, "near_msgs/msg/Branch"))
        writer.write("/tree", cdr, kit.START_NS, kit.START_NS)
        writer.close(Outcome.KEPT, "")

    (one,) = EpisodeReader(episode).messages(["/tree"])
    assert (one.message.name, list(one.message.leaves[0].force_n)) == ("oak", [1.0, 2.0, 3.0])


def test_a_closed_episode_takes_nothing_more_and_closes_once(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        result = writer.close(Outcome.KEPT, "first")
        before = kit.files(episode)
        assert writer.close(Outcome.FAILURE, "second") is result
        with pytest.raises(DataError, match=r"is closed"):
            writer.write(kit.JOINTS, kit.joints(1), 1, 1)
        with pytest.raises(DataError, match=r"is closed"):
            writer.flush()

    assert kit.files(episode) == before


def test_an_error_around_the_writer_closes_the_episode_as_aborted(kit: Any, episode: Path) -> None:
    def fail_while_recording() -> None:
        with kit.open(episode) as writer:
            writer.write(kit.JOINTS, kit.joints(1), 1, 1)
            raise ZeroDivisionError("over")

    with pytest.raises(ZeroDivisionError):
        fail_while_recording()

    result = EpisodeReader(episode).result
    assert result is not None
    assert (result.outcome, result.reason) == (Outcome.ABORTED, "ZeroDivisionError: over")


def test_the_last_messages_before_a_silence_reach_the_file_by_themselves(
    kit: Any, episode: Path
) -> None:
    with kit.open(episode) as writer:
        for one in kit.stream[:5]:
            writer.write(one.topic, one.cdr, one.log_time_ns, one.publish_time_ns)
        deadline = time.monotonic() + 20
        while sum(info.count for info in EpisodeReader(episode).topics.values()) < 5:
            assert time.monotonic() < deadline, "nothing reached the file"
            time.sleep(0.05)
        assert EpisodeReader(episode).cut_off
