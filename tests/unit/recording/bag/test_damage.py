"""Whatever bytes of a bag are wrong: an error that says what to do, and a bag after recovery."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lam_ros.core.errors import DataError
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover
from lam_ros.recording.session import list_episodes

ENDS_BYTES = 6000
"""Description and definitions are within so much of the ends."""


@pytest.fixture(scope="module")
def whole(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return kit.files(kit.record(tmp_path_factory.mktemp("whole") / "episode_000000"))


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return the data with one to twenty wrong bytes, most of them near the ends."""
    wrong = bytearray(data)
    size = len(data)
    ends = min(size, ENDS_BYTES)
    for _ in range(rng.choice([1, 1, 3, 20])):
        places = (rng.randrange(size), rng.randrange(ends), size - 1 - rng.randrange(ends))
        wrong[rng.choice(places)] = rng.randrange(256)
    return bytes(wrong)


def messages_in(kit: Any, folder: Path) -> set[Any]:
    return {
        kit.Sent(one.topic, one.message, one.log_time_ns, one.publish_time_ns)
        for one in EpisodeReader(folder).messages(decode=False)
    }


@pytest.mark.parametrize("seed", range(30))
def test_nothing_that_was_not_recorded_is_read_and_recovery_makes_a_bag(
    kit: Any, whole: dict[str, bytes], episode: Path, seed: int
) -> None:
    rng = random.Random(seed)
    episode.mkdir(parents=True)
    (episode / "episode_000000_0.mcap").write_bytes(damage(whole["episode_000000_0.mcap"], rng))
    if seed % 2:
        metadata = whole["metadata.yaml"]
        (episode / "metadata.yaml").write_bytes(
            damage(metadata, rng) if seed % 4 == 1 else metadata
        )
    (entry,) = list_episodes(episode)
    assert entry.folder == episode
    with suppress(DataError):
        list(EpisodeReader(episode).messages())

    found = recover(episode)

    kept = messages_in(kit, episode)
    assert kept <= set(kit.stream)
    assert len(kept) == found.kept
    list(EpisodeReader(episode).messages())
    assert not recover(episode).changed


def test_definitions_that_are_wrong_in_one_place_are_taken_from_the_other(
    kit: Any, whole: dict[str, bytes], episode: Path
) -> None:
    data = bytearray(whole["episode_000000_0.mcap"])
    name = b"sensor_msgs/msg/JointState"
    data[data.index(b"float64[] position")] ^= 1  # in the first chunk
    data[data.rindex(name)] ^= 1  # in the summary
    episode.mkdir(parents=True)
    (episode / "episode_000000_0.mcap").write_bytes(data)

    recover(episode)

    kept = messages_in(kit, episode)
    first_chunk = set(kit.stream[:25])
    pictures = {one for one in kit.stream if one.topic == kit.PICTURES}
    assert kept & pictures == pictures - first_chunk
    assert {one.topic for one in kept} >= {kit.PICTURES, kit.ENGAGED}
