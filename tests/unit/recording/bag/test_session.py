"""Folders of episodes: numbers, lists, and the room that is left."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lam_ros.core.errors import DataError
from lam_ros.recording.format import Outcome
from lam_ros.recording.session import DiskGuard, list_episodes, next_episode_folder


def test_numbers_go_on_above_the_highest_and_are_never_used_again(tmp_path: Path) -> None:
    session = tmp_path / "monday"
    assert next_episode_folder(session) == session / "episode_000000"
    for name in ("episode_000000", "episode_000007", "episode_7", "notes", "episode_000003.old"):
        (session / name).mkdir(parents=True)

    assert next_episode_folder(session) == session / "episode_000008"


def test_all_episodes_are_listed_in_order_with_how_they_stand(kit: Any, tmp_path: Path) -> None:
    closed = kit.record(tmp_path / "b" / "episode_000000", Outcome.FAILURE)
    cut_off = kit.record(tmp_path / "b" / "episode_000001")
    (cut_off / "metadata.yaml").unlink()
    cut_short = kit.record(tmp_path / "b" / "episode_000002")
    with (cut_short / "episode_000002_0.mcap").open("r+b") as file:
        file.truncate(100_000)
    open_folder = tmp_path / "a" / "episode_000000"

    with kit.open(open_folder) as writer:
        entries = list_episodes(tmp_path)
        writer.close(Outcome.KEPT, "")

    assert [entry.folder for entry in entries] == [open_folder, closed, cut_off, cut_short]
    assert [entry.is_open for entry in entries] == [True, False, False, False]
    assert [entry.result and entry.result.outcome for entry in entries[:3]] == [
        None,
        Outcome.FAILURE,
        None,
    ]
    assert [entry.trouble for entry in entries] == [
        "",
        "",
        f"cut off; repair it: lam episodes recover {cut_off}",
        f"cut off; repair it: lam episodes recover {cut_short}",
    ]
    for entry in entries:
        assert entry.meta is not None
        assert entry.meta.instruction == "put the red cube in the bowl"
        assert entry.size_bytes == sum(p.stat().st_size for p in entry.folder.iterdir()) or (
            entry.is_open
        )


def test_an_episode_can_be_listed_itself(kit: Any, episode: Path) -> None:
    kit.record(episode)

    assert [entry.folder for entry in list_episodes(episode)] == [episode]
    assert [entry.folder for entry in list_episodes(episode.parent)] == [episode]


def test_what_cannot_be_read_is_in_the_list_with_the_reason(kit: Any, tmp_path: Path) -> None:
    malformed = kit.record(tmp_path / "episode_000000")
    (malformed / "metadata.yaml").write_text("{")
    empty = kit.record(tmp_path / "episode_000001")
    (empty / "metadata.yaml").unlink()
    (empty / "episode_000001_0.mcap").write_bytes(b"")

    first, second = list_episodes(tmp_path)

    assert "metadata.yaml' is malformed" in first.trouble
    assert f"lam episodes recover {malformed}" in first.trouble
    assert "cut off" in second.trouble


def test_a_root_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"folder '{tmp_path}/no' of recordings does not exist"):
        list_episodes(tmp_path / "no")


def test_the_room_left_is_told_in_seconds_of_the_present_rate(tmp_path: Path) -> None:
    guard = DiskGuard(tmp_path / "not" / "there" / "yet", reserve_bytes=1_000_000)

    state = guard.check(bytes_written=50_000_000, elapsed_s=10.0)

    assert not state.is_low
    assert state.seconds_left == pytest.approx((state.free_bytes - 1_000_000) / 5_000_000)
    assert guard.check(bytes_written=0, elapsed_s=0.0).seconds_left is None


def test_a_disk_with_less_than_the_reserve_is_low(tmp_path: Path) -> None:
    guard = DiskGuard(tmp_path, reserve_bytes=shutil.disk_usage(tmp_path).total + 1)

    state = guard.check(bytes_written=50_000_000, elapsed_s=10.0)

    assert state.is_low
    assert state.seconds_left == 0.0
