"""Chunks that fit each other: told the rest, averaged, or left to the player."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.core.stitching import Stitch, Stitcher, find_stitch
from lam_ros.core.types import ActionChunk, Observation

DT_NS = 40_000_000
NAMES = ("a", "b")


def _seen(step: int) -> Observation:
    return Observation(step * DT_NS, np.zeros(2), {})


@dataclass
class _Rising:
    """Answers with rows that begin at the number of the answer, times 0.1 rad."""

    can_go_on: bool = False
    followed: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        rows = np.full((4, 2), 0.1 * self.count)
        chunk = ActionChunk(observation.stamp_ns, DT_NS, NAMES, rows, "p", self.count)
        self.count += 1
        return chunk

    def go_on_from(self, chunk: ActionChunk, late_ns: int) -> None:
        self.followed.append((chunk.sequence, late_ns))


def _drive(policy: _Rising, stitch: Stitch, steps: tuple[int, ...]) -> list[ActionChunk]:
    stitcher = Stitcher(policy, stitch)
    chunks = []
    for step in steps:
        chunks.append(stitcher.infer(_seen(step), "go"))
        stitcher.sent(chunks[-1], DT_NS)
    return chunks


@pytest.mark.parametrize("stitch", [Stitch.AUTO, Stitch.RTC])
def test_a_policy_that_can_goes_on_from_what_was_sent(stitch: Stitch) -> None:
    policy = _Rising(can_go_on=True)
    _drive(policy, stitch, (0, 2))
    assert policy.followed == [(0, DT_NS), (1, DT_NS)]


@pytest.mark.parametrize("stitch", [Stitch.BLEND, Stitch.ENSEMBLE])
def test_it_does_not_where_another_way_is_chosen(stitch: Stitch) -> None:
    policy = _Rising(can_go_on=True)
    _drive(policy, stitch, (0, 2))
    assert policy.followed == []


def test_a_policy_that_cannot_answers_as_it_is_and_is_refused_for_rtc() -> None:
    _, second = _drive(_Rising(), Stitch.AUTO, (0, 2))
    np.testing.assert_array_equal(second.targets_rad, np.full((4, 2), 0.1))
    with pytest.raises(ConfigError, match="stitch=rtc: this policy cannot") as caught:
        Stitcher(_Rising(), Stitch.RTC)
    assert "\n" not in str(caught.value)


def test_averaged_are_rows_of_the_same_time_and_a_chunk_beyond_the_others_stays() -> None:
    _, second = _drive(_Rising(), Stitch.ENSEMBLE, (0, 2))
    share = np.exp(-0.01) / (1 + np.exp(-0.01))
    np.testing.assert_allclose(second.targets_rad[:, 0], [0.1 * share, 0.1 * share, 0.1, 0.1])


def test_what_was_not_sent_is_not_averaged_and_a_new_task_begins_afresh() -> None:
    policy = _Rising()
    stitcher = Stitcher(policy, Stitch.ENSEMBLE)
    stitcher.infer(_seen(0), "go")  # refused by somebody: not sent
    stitcher.sent(stitcher.infer(_seen(1), "go"), DT_NS)
    np.testing.assert_allclose(stitcher.infer(_seen(5), "go").targets_rad, 0.2)
    stitcher.reset()
    np.testing.assert_allclose(stitcher.infer(_seen(2), "go").targets_rad, 0.3)


def test_an_unknown_way_is_answered_with_those_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown stitch 'rtk'.*Did you mean 'rtc'"):
        find_stitch("rtk")
