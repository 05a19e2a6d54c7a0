"""A bag that was cut off becomes a closed one with everything that is intact."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer
from rosbags.highlevel import AnyReader

from lam_ros.core.errors import BusyError, DataError
from lam_ros.recording.format import Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover

CUTS = 60


@pytest.fixture(scope="module")
def whole(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed episode; not to be changed."""
    return kit.record(tmp_path_factory.mktemp("whole") / "episode_000000")


def bag_path(folder: Path) -> Path:
    return folder / "episode_000000_0.mcap"


def cut(whole: Path, folder: Path, size: int, *, closed: bool = False) -> Path:
    """Return a copy of an episode whose file ends after `size` bytes."""
    shutil.copytree(whole, folder)
    if not closed:
        (folder / "metadata.yaml").unlink()
    with bag_path(folder).open("r+b") as file:
        file.truncate(size)
    return folder


def whole_messages(kit: Any, data: bytes, size: int) -> list[Any]:
    """Return what was sent and lies before `size` with its last byte, found by its bytes."""
    found, at = [], 0
    for one in kit.stream:
        at = data.index(one.cdr, at) + len(one.cdr)
        if at <= size:
            found.append(one)
    return found


def read_all(kit: Any, folder: Path) -> list[Any]:
    return [
        kit.Sent(one.topic, one.message, one.log_time_ns, one.publish_time_ns)
        for one in EpisodeReader(folder).messages(decode=False)
    ]


def in_order(sent: list[Any]) -> list[Any]:
    return sorted(sent, key=lambda one: one.log_time_ns)


@pytest.mark.parametrize("tenth", range(10))
def test_a_cut_anywhere_keeps_every_message_that_is_whole(
    kit: Any, whole: Path, tmp_path: Path, tenth: int
) -> None:
    data = bag_path(whole).read_bytes()
    step = len(data) // CUTS
    for number in range(tenth, CUTS, 10):
        size = number * step + number  # no multiple of anything
        folder = cut(whole, tmp_path / str(number) / "episode_000000", size)
        expected = whole_messages(kit, data, size)

        before = EpisodeReader(folder)
        assert before.cut_off
        assert sum(info.count for info in before.topics.values()) == len(expected)
        assert read_all(kit, folder) == expected
        found = recover(folder)

        assert found.changed
        assert found.kept == len(expected)
        assert read_all(kit, folder) == in_order(expected)
        with AnyReader([folder]) as reader:
            assert reader.message_count == len(expected)
        assert recover(folder).changed is False


@pytest.mark.parametrize("size", [0, 1, 8, 9, 30, 60])
def test_a_file_without_any_message_becomes_an_empty_bag(
    whole: Path, tmp_path: Path, size: int
) -> None:
    folder = cut(whole, tmp_path / "episode_000000", size)

    assert recover(folder).kept == 0

    read = EpisodeReader(folder)
    assert list(read.messages()) == []
    assert not recover(folder).changed


def test_what_was_known_at_the_beginning_is_kept_and_the_outcome_is_aborted(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    folder = cut(whole, tmp_path / "episode_000000", bag_path(whole).stat().st_size // 2)

    found = recover(folder)

    read = EpisodeReader(folder)
    assert read.meta == EpisodeReader(whole).meta
    assert read.result is not None
    assert read.result.outcome is Outcome.ABORTED
    assert found.what in read.result.reason
    assert sum(read.result.frames.values()) == found.kept
    assert "up to a second that had not reached the file" in found.what


def test_the_head_of_a_chunk_that_was_cut_tells_how_much_is_lost(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    data = bag_path(whole).read_bytes()
    last = kit.stream[60]  # in the middle of the third chunk, which ends with number 74
    size = data.index(last.cdr) + len(last.cdr)

    found = recover(cut(whole, tmp_path / "episode_000000", size))

    chunk_end_ns = max(one.log_time_ns for one in kit.stream[50:75])
    kept_until_ns = max(one.log_time_ns for one in kit.stream[50:61])
    assert found.lost_ns == chunk_end_ns - kept_until_ns > 0


def test_an_episode_that_lost_only_its_index_ends_as_it_did(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    folder = cut(whole, tmp_path / "episode_000000", bag_path(whole).stat().st_size - 1)

    found = recover(folder)

    assert found.kept == len(kit.stream)
    assert EpisodeReader(folder).result == EpisodeReader(whole).result


def test_an_episode_that_lacks_only_metadata_yaml_gets_the_same_again(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    folder = cut(whole, tmp_path / "episode_000000", bag_path(whole).stat().st_size)

    assert recover(folder).changed

    assert kit.files(folder) == kit.files(whole)


def test_a_closed_bag_that_was_cut_is_refused_and_recovered_with_what_is_lost(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    size = bag_path(whole).stat().st_size // 3
    folder = cut(whole, tmp_path / "episode_000000", size, closed=True)
    with pytest.raises(DataError, match=rf"repair it: lam episodes recover {folder}"):
        EpisodeReader(folder)

    found = recover(folder)

    lost = len(kit.stream) - found.kept
    assert f"{lost} of {len(kit.stream)} messages" in found.what
    read = EpisodeReader(folder)
    times = [one.log_time_ns for one in kit.stream]
    assert found.lost_ns == max(times) - max(one.log_time_ns for one in read.messages())
    assert read.result is not None
    assert read.result.outcome is Outcome.ABORTED
    assert read.result.reason.endswith("it had ended as success")
    assert not recover(folder).changed


def test_a_closed_bag_of_which_nothing_is_left_keeps_its_description(
    whole: Path, tmp_path: Path
) -> None:
    folder = cut(whole, tmp_path / "episode_000000", 0, closed=True)

    recover(folder)

    assert EpisodeReader(folder).meta == EpisodeReader(whole).meta


def test_a_damaged_chunk_is_left_out_and_what_follows_is_kept(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    folder = cut(whole, tmp_path / "episode_000000", bag_path(whole).stat().st_size, closed=True)
    data = bytearray(bag_path(folder).read_bytes())
    data[data.index(kit.stream[60].cdr) + 60] ^= 1
    bag_path(folder).write_bytes(data)
    with pytest.raises(DataError, match=r"crc validation failed.*lam episodes recover"):
        list(EpisodeReader(folder).messages())

    found = recover(folder)

    assert "1 damaged chunks or records" in found.what
    assert read_all(kit, folder) == in_order([*kit.stream[:50], *kit.stream[75:]])


def test_a_tail_of_zeros_as_after_a_loss_of_power_is_dropped(
    kit: Any, whole: Path, tmp_path: Path
) -> None:
    data = bag_path(whole).read_bytes()
    size = data.index(kit.stream[60].cdr)
    folder = cut(whole, tmp_path / "episode_000000", size)
    with bag_path(folder).open("ab") as file:
        file.write(bytes(100_000))

    assert recover(folder).kept >= 50
    kept = read_all(kit, folder)
    assert kept[:50] == in_order(list(kit.stream[:50]))


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_compressed_bag_made_elsewhere_is_recovered_and_stays_compressed(
    tmp_path: Path, compression: CompressionType
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = folder / "bag_0.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=compression)
        writer.start("ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        channel = writer.register_channel("/text", "cdr", schema)
        for index in range(90):
            writer.add_message(channel, index, index.to_bytes(4) * 1000, index)
            if index % 30 == 29:
                writer.flush()
        writer.finish()
    third_chunk = path.read_bytes().rindex(b"\x06", 0, path.stat().st_size * 3 // 4)
    with path.open("r+b") as file:
        file.truncate(third_chunk)

    found = recover(folder)

    assert 30 <= found.kept < 90
    read = EpisodeReader(folder)
    assert (read.meta.robot, read.result) == (None, None)
    assert [one.log_time_ns for one in read.messages(decode=False)] == list(range(found.kept))
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert {one.compression for one in summary.chunk_indexes} == {compression.name.lower()}


def test_an_episode_that_is_being_recorded_is_left_alone(kit: Any, episode: Path) -> None:
    with kit.open(episode) as writer:
        kit.put(writer, kit.stream[:50])
        before = kit.files(episode)
        with pytest.raises(BusyError, match=r"is being recorded: end that first"):
            recover(episode)
        assert kit.files(episode) == before
        writer.close(Outcome.KEPT, "")

    assert not recover(episode).changed


def test_a_folder_without_bag_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no MCAP file: name the folder of an episode"):
        recover(tmp_path)


def test_malformed_metadata_is_made_anew(kit: Any, whole: Path, tmp_path: Path) -> None:
    folder = cut(whole, tmp_path / "episode_000000", bag_path(whole).stat().st_size)
    (folder / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    with pytest.raises(DataError, match=r"metadata.yaml' is malformed.*lam episodes recover"):
        EpisodeReader(folder)

    assert recover(folder).changed

    assert kit.files(folder) == kit.files(whole)
