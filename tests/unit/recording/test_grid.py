"""The grid: causal, never filled, every gap named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.types import JointState, Source
from lam_ros.recording.convert.clocks import on_one_clock
from lam_ros.recording.convert.grid import GridConfig, lay_grid
from lam_ros.recording.convert.segments import by_task
from lam_ros.recording.convert.tracks import Command, Held, Joints, Picture, Said, Tracks

S = 1_000_000_000
MS = 1_000_000
ROBOT = load_robot("so101")
CONFIG = GridConfig(fps=25, min_frames=5)


def pictures(camera: str, seconds: float = 4.0, lag_ms: float = 10, rate_hz: float = 25):
    spec = ROBOT.camera(camera)
    return [
        Picture(
            camera,
            round(t * S) + round(lag_ms * MS),
            round(t * S),
            spec.height_px,
            spec.width_px,
            k,
        )
        for k, t in enumerate(np.arange(0, seconds, 1 / rate_hz))
    ]


def joints(seconds: float = 4.0):
    times = [round(t * S) for t in np.arange(0, seconds, 0.02)]
    return [Joints(t + MS, JointState(t, np.full(6, t / S / 10))) for t in times]


def commands(seconds: float = 4.0, source: Source = Source.TELEOP):
    times = [round(t * S) for t in np.arange(0, seconds, 0.02)]
    values = [np.full(6, t / S / 10) for t in times]
    return [Command(t, t, v, v - 0.01, source) for t, v in zip(times, values, strict=True)]


def tracks(**changes) -> Tracks:
    whole = Tracks(
        pictures={camera: pictures(camera) for camera in ROBOT.camera_names},
        joints=joints(),
        commands=commands(),
        tasks=[Said(0, "do it")],
    )
    return replace(whole, **changes)


def test_no_row_holds_anything_received_after_its_time():
    plan = lay_grid(ROBOT, tracks(), CONFIG)
    [segment] = plan.segments
    assert plan.gaps == ()
    for camera in ROBOT.camera_names:
        received = np.array([p.received_ns for p in pictures(camera)])
        assert (received[segment.picture[camera]] <= segment.stamp_ns).all()
        following = np.minimum(segment.picture[camera] + 1, len(received) - 1)
        is_last = following == segment.picture[camera]
        assert ((received[following] > segment.stamp_ns) | is_last).all()


def test_a_stream_that_is_silent_shorter_than_its_limit_is_no_gap():
    kept = [p for p in pictures("front") if not 1.0 < p.stamp_ns / S < 1.07]
    plan = lay_grid(ROBOT, tracks(pictures={**tracks().pictures, "front": kept}), CONFIG)
    assert plan.gaps == ()
    assert len(plan.segments) == 1


def test_commands_that_stop_are_a_gap_of_the_action():
    kept = [c for c in commands() if not 1.0 < c.stamp_ns / S < 2.0]
    plan = lay_grid(ROBOT, tracks(commands=kept), CONFIG)
    [gap] = plan.gaps
    assert (gap.stream, gap.reason) == ("action", "stale")
    assert gap.seconds == pytest.approx(0.9, abs=0.1)
    assert len(plan.segments) == 2


def test_a_slow_command_may_be_allowed_its_age():
    kept = commands()[::25]
    assert lay_grid(ROBOT, tracks(commands=kept), CONFIG).gaps
    slow = replace(CONFIG, command_stale_after_s=0.6)
    assert not lay_grid(ROBOT, tracks(commands=kept), slow).gaps


def test_a_camera_that_comes_late_is_a_gap_at_the_beginning():
    late = [p for p in pictures("wrist") if p.stamp_ns > 1.5 * S]
    plan = lay_grid(ROBOT, tracks(pictures={**tracks().pictures, "wrist": late}), CONFIG)
    [gap] = plan.gaps
    assert gap.stream == "wrist"
    assert gap.seconds == pytest.approx(1.5, abs=0.1)
    assert plan.segments[0].stamp_ns[0] >= 1.5 * S


def test_stamps_ahead_of_the_clock_are_a_gap_that_says_so():
    ahead = [replace(p, stamp_ns=p.stamp_ns + S // 2) for p in pictures("front")]
    plan = lay_grid(ROBOT, tracks(pictures={**tracks().pictures, "front": ahead}), CONFIG)
    assert not plan.segments
    assert plan.gaps[0].reason == "future"


def test_a_clock_that_was_set_back_half_way_never_mixes_the_two_times():
    joint_track = joints()
    back = [
        item if item.received_ns < 2 * S
        else Joints(item.received_ns, replace(item.state, stamp_ns=item.state.stamp_ns - 30 * S))
        for item in joint_track
    ]  # fmt: skip
    plan = lay_grid(ROBOT, tracks(joints=back), CONFIG)
    assert plan.segments[0].stamp_ns[-1] <= 2 * S + 100 * MS
    assert all(segment.stream_age_s.max() <= 0.25 for segment in plan.segments)


def test_pictures_that_come_in_another_order_are_not_shown_backwards():
    track = pictures("front")
    swapped = [
        replace(p, received_ns=p.received_ns + (90 * MS if p.number % 7 == 3 else 0)) for p in track
    ]
    plan = lay_grid(ROBOT, tracks(pictures={**tracks().pictures, "front": swapped}), CONFIG)
    for segment in plan.segments:
        assert (np.diff(segment.picture["front"]) >= 0).all()


def test_pieces_too_short_to_be_an_episode_are_listed():
    kept = [p for p in pictures("front") if not (0.08 < p.stamp_ns / S < 1.0)]
    plan = lay_grid(
        ROBOT, tracks(pictures={**tracks().pictures, "front": kept}), replace(CONFIG, min_frames=20)
    )
    assert "short" in {gap.reason for gap in plan.gaps}
    assert all(len(segment) >= 20 for segment in plan.segments)


def test_an_episode_is_cut_where_the_task_changes():
    said = [Said(0, "one"), Said(S, "two"), Said(3 * S, "three")]
    plan = by_task(lay_grid(ROBOT, tracks(tasks=said), CONFIG), CONFIG.fps, CONFIG.min_frames)
    assert [set(segment.tasks) for segment in plan.segments] == [{"one"}, {"two"}, {"three"}]
    whole = np.concatenate([segment.stamp_ns for segment in plan.segments])
    assert (np.diff(whole) == 40 * MS).all()


@pytest.mark.parametrize("source", [Source.POLICY, Source.TELEOP])
def test_interventions_are_those_of_an_episode_that_a_policy_drives(source):
    held = [Held(0, False), Held(S, True), Held(2 * S, False)]
    plan = lay_grid(ROBOT, tracks(commands=commands(source=source), held=held), CONFIG)
    [segment] = plan.segments
    by_person = (segment.stamp_ns >= S) & (segment.stamp_ns < 2 * S)
    assert (segment.intervention == (by_person & (source is Source.POLICY))).all()


def test_zero_stamps_become_the_time_of_receipt_and_are_counted():
    zero = [replace(p, stamp_ns=0) for p in pictures("wrist")]
    found = on_one_clock(tracks(pictures={**tracks().pictures, "wrist": zero}))
    assert found.faults["wrist: no stamp"] == len(zero)
    plan = lay_grid(ROBOT, found, CONFIG)
    assert len(plan.segments) == 1
    assert plan.segments[0].stream_age_s[:, 1].max() < 0.041
