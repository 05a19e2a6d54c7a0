"""Chunks become one continuous path; what has passed is skipped, what has ended expires."""

import numpy as np
import pytest

from lam_ros.core.chunking import Accepted, ChunkConfig, ChunkPlayer, ensemble
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.types import ActionChunk, Expired, ExpiredReason, Source, Target

MS = 1_000_000
DT = 40 * MS
T0 = 5_000 * MS


@pytest.fixture
def player(robot):
    return ChunkPlayer(robot)


def at(player, time_ns):
    """Return the first joint's target."""
    target = player.target(time_ns)
    assert isinstance(target, Target), target
    return float(target.position_rad[0])


def ramp(robot, start, slope, rows=12):
    """Rows in which every joint is start + slope * (k + 1)."""
    column = start + slope * np.arange(1, rows + 1)
    return np.tile(column[:, None], (1, len(robot.joints)))


def zeros(robot):
    return np.zeros(len(robot.joints))


# -- the time rule ------------------------------------------------------------------


def test_row_k_is_reached_at_its_time(player, robot, make_chunk):
    chunk = make_chunk(ramp(robot, 0.0, 0.01), obs_stamp_ns=T0)
    assert player.accept(chunk, T0, zeros(robot)) == Accepted(skipped=0, seam_rad=0.0)
    for k in range(12):
        assert at(player, T0 + (k + 1) * DT) == pytest.approx(0.01 * (k + 1))


def test_between_rows_it_is_linear_and_row_0_starts_from_the_command_in_force(
    player, robot, make_chunk
):
    player.accept(make_chunk(ramp(robot, 0.5, 0.1), obs_stamp_ns=T0), T0, zeros(robot))
    assert at(player, T0) == 0.0
    assert at(player, T0 + DT // 2) == pytest.approx(0.3)
    assert at(player, T0 + DT + DT // 4) == pytest.approx(0.625)


def test_rows_whose_time_has_passed_are_skipped(player, robot, make_chunk):
    now = T0 + 2 * DT + DT // 2
    answer = player.accept(make_chunk(ramp(robot, 0.0, 0.01), obs_stamp_ns=T0), now, zeros(robot))
    assert answer.skipped == 2
    assert answer.seam_rad == pytest.approx(0.025)
    assert at(player, now) == 0.0  # where the arm is, and from there
    assert at(player, T0 + 7 * DT) == pytest.approx(0.07)  # on the chunk again


def test_a_target_carries_the_stamp_of_its_observation(player, robot, make_chunk):
    player.accept(make_chunk(obs_stamp_ns=T0), T0 + 10 * MS, zeros(robot))
    target = player.target(T0 + 20 * MS)
    assert (target.obs_stamp_ns, target.source) == (T0, Source.POLICY)


def test_a_demonstration_is_replayed_exactly_when_looking_ahead_one_period(robot, make_chunk):
    """The demonstrator reaches each action in two steps of 20 ms; so does the arm that plays it."""
    player = ChunkPlayer(robot, ChunkConfig(lookahead_s=0.02))
    actions = np.random.default_rng(5).normal(0, 0.02, (60, len(robot.joints))).cumsum(axis=0)
    in_force, sent = zeros(robot), []
    for frame in range(0, 48, 4):  # a chunk of 12, of which 4 are played
        now = T0 + frame * DT
        chunk = make_chunk(actions[frame : frame + 12], obs_stamp_ns=now, sequence=frame)
        player.accept(chunk, now, in_force)
        for tick in range(8):
            in_force = player.target(now + tick * 20 * MS).position_rad
            sent.append(in_force)
    before = np.vstack((zeros(robot), actions[:47]))
    halfway = (before + actions[:48]) / 2
    np.testing.assert_allclose(sent[0::2], halfway, atol=1e-12)
    np.testing.assert_allclose(sent[1::2], actions[:48], atol=1e-12)


# -- the end ------------------------------------------------------------------------


def test_before_the_first_chunk_there_is_nothing(player):
    answer = player.target(T0)
    assert isinstance(answer, Expired)
    assert answer.reason is ExpiredReason.NOTHING_YET


def test_the_last_row_is_reached_and_then_the_chunk_has_expired(player, robot, make_chunk):
    chunk = make_chunk(ramp(robot, 0.0, 0.01), obs_stamp_ns=T0)
    player.accept(chunk, T0, zeros(robot))
    assert at(player, chunk.end_ns) == pytest.approx(0.12)
    assert at(player, chunk.end_ns + 19 * MS) == pytest.approx(0.12)  # a tick that comes between
    answer = player.target(chunk.end_ns + 20 * MS)
    assert answer.reason is ExpiredReason.CHUNK_ENDED


def test_nothing_is_padded_a_short_chunk_is_never_pulled_to_zero(player, robot, make_chunk):
    player.accept(make_chunk(ramp(robot, 0.5, 0.0), obs_stamp_ns=T0), T0, zeros(robot) + 0.5)
    now = T0 + DT
    player.accept(
        make_chunk(ramp(robot, 0.5, 0.0, rows=2), obs_stamp_ns=now, sequence=1), now, zeros(robot)
    )
    for time in range(now, now + 2 * DT, MS):
        assert at(player, time) == pytest.approx(0.5)
    assert isinstance(player.target(now + 2 * DT + 20 * MS), Expired)


def test_after_an_expired_chunk_the_next_begins_at_the_command_in_force(player, robot, make_chunk):
    player.accept(make_chunk(ramp(robot, 0.0, 0.01), obs_stamp_ns=T0), T0, zeros(robot))
    now = T0 + 20 * DT
    player.accept(
        make_chunk(ramp(robot, 0.5, 0.0), obs_stamp_ns=now, sequence=1), now, zeros(robot) + 0.12
    )
    assert at(player, now) == pytest.approx(0.12)


# -- seams --------------------------------------------------------------------------


def path_steps(player, robot, make_chunk, error, *, every=3, latency=70 * MS, config=None):
    """Play chunks cut from one sine, each off by `error(i)`; return steps in and at seams."""
    tick, largest = 20 * MS, {"seam": 0.0, "inside": 0.0}
    last, pending = None, []
    for i in range(400):
        now = T0 + i * tick
        if i % (2 * every) == 0:
            times = (now + DT * np.arange(1, 13)) / 1e9
            rows = np.tile((0.3 * np.sin(times) + error(i))[:, None], (1, len(robot.joints)))
            pending.append((now + latency, make_chunk(rows, obs_stamp_ns=now, sequence=i)))
        fresh = False
        while pending and pending[0][0] <= now:
            start = zeros(robot) + (last if last is not None else 0.3 * np.sin(now / 1e9))
            assert isinstance(player.accept(pending.pop(0)[1], now, start), Accepted)
            fresh = True
        target = player.target(now)
        if isinstance(target, Target):
            here = float(target.position_rad[0])
            if last is not None:
                kind = "seam" if fresh else "inside"
                largest[kind] = max(largest[kind], abs(here - last))
            last = here
    return largest["seam"], largest["inside"]


def test_at_a_seam_of_consistent_chunks_the_step_is_no_larger_than_inside(
    player, robot, make_chunk
):
    seam, inside = path_steps(player, robot, make_chunk, lambda i: 0.0)
    assert seam <= inside * 1.01
    assert inside <= 0.3 * 0.020 * 1.5  # the sine's own step in a tick, and a little


@pytest.mark.parametrize("latency", [0, 40 * MS, 70 * MS])
def test_at_a_seam_of_consistent_chunks_the_jerk_is_no_larger_than_inside(
    player, robot, make_chunk, latency
):
    tick, every, targets, seams, pending = 20 * MS, 8, [], [], []
    for i in range(300):
        now = T0 + i * tick
        if i % every == 0:
            times = (now + DT * np.arange(1, 13)) / 1e9
            rows = np.tile(0.3 * np.sin(3 * times)[:, None], (1, len(robot.joints)))
            pending.append((now + latency, make_chunk(rows, obs_stamp_ns=now, sequence=i)))
        while pending and pending[0][0] <= now:
            start = zeros(robot) + 0.3 * np.sin(3 * now / 1e9)
            assert isinstance(player.accept(pending.pop(0)[1], now, start), Accepted)
            seams.append(len(targets))
        if isinstance(player.target(now), Target):
            targets.append(at(player, now))
    jerk = np.abs(np.diff(targets, n=3))
    at_seam = np.zeros(len(jerk), bool)
    for k in seams[1:]:
        at_seam[max(0, k - 3) : k + 1] = True  # every third difference that spans the seam
    at_seam[:3] = jerk[:3] = 0  # the start from standing
    assert at_seam.sum() > 50
    assert jerk[at_seam].max() <= jerk[~at_seam].max() * 1.01


def test_at_a_seam_of_chunks_that_disagree_the_step_is_spread_over_the_blend(
    player, robot, make_chunk
):
    rng = np.random.default_rng(0)
    errors = rng.uniform(-0.05, 0.05, 400)
    seam, inside = path_steps(player, robot, make_chunk, lambda i: errors[i])
    sine_step = 0.3 * 0.020
    assert max(seam, inside) <= sine_step + 2 * 0.1 * 20 / 100  # disagreement * tick / blend


def test_without_blending_the_step_is_the_disagreement(robot, make_chunk):
    player = ChunkPlayer(robot, ChunkConfig(blend_s=0.0))
    rng = np.random.default_rng(0)
    errors = rng.uniform(-0.05, 0.05, 400)
    seam, _ = path_steps(player, robot, make_chunk, lambda i: errors[i])
    assert seam > 0.05


def test_the_newest_chunk_wins(player, robot, make_chunk):
    player.accept(make_chunk(ramp(robot, 0.0, 0.0), obs_stamp_ns=T0), T0, zeros(robot))
    now = T0 + DT
    player.accept(
        make_chunk(ramp(robot, 0.2, 0.0), obs_stamp_ns=now, sequence=1), now, zeros(robot)
    )
    assert player.target(now + DT).obs_stamp_ns == now
    assert at(player, now + 5 * DT) == pytest.approx(0.2)


# -- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"obs_stamp_ns": T0 - 1001 * MS}, RejectRule.STALE),
        ({"obs_stamp_ns": 0}, RejectRule.STALE),
        ({"obs_stamp_ns": T0 + 51 * MS}, RejectRule.FUTURE),
        ({"obs_stamp_ns": 2**62}, RejectRule.FUTURE),
        ({"obs_stamp_ns": T0 - 13 * DT}, RejectRule.PASSED),
        ({"dt_ns": 1}, RejectRule.STEP_TIME),
        ({"dt_ns": 10**10}, RejectRule.STEP_TIME),
        ({"rows": np.full((2, 6), 2000.0)}, RejectRule.IMPLAUSIBLE),
    ],
)
def test_a_chunk_that_cannot_be_played_is_refused_by_rule(player, robot, make_chunk, changes, rule):
    chunk = make_chunk(**({"obs_stamp_ns": T0} | changes))
    answer = player.accept(chunk, T0, zeros(robot))
    assert isinstance(answer, Rejected)
    assert answer.rule is rule
    assert isinstance(player.target(T0), Expired)


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        (("a", "b"), RejectRule.LENGTH),
        (("a", "b", "c", "d", "e", "f"), RejectRule.UNKNOWN_NAME),
        (
            ("shoulder_lift", "shoulder_pan", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"),
            RejectRule.UNKNOWN_NAME,
        ),
    ],
)
def test_a_chunk_of_other_joints_is_refused(player, robot, names, rule):
    chunk = ActionChunk(T0, DT, names, np.zeros((2, len(names))))
    assert player.accept(chunk, T0, zeros(robot)).rule is rule


def test_a_refused_chunk_leaves_the_playing_one_alone(player, robot, make_chunk):
    player.accept(make_chunk(ramp(robot, 0.0, 0.01), obs_stamp_ns=T0), T0, zeros(robot))
    player.accept(make_chunk(obs_stamp_ns=T0 + 1000 * MS, sequence=1), T0 + DT, zeros(robot))
    assert at(player, T0 + 2 * DT) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("stamp", "sequence", "accepted"),
    [
        (T0, 5, False),  # the same once more
        (T0, 4, False),
        (T0, 6, True),  # the same observation, thought over again
        (T0 - DT, 6, False),  # an older observation, whatever the sequence
        (T0 + MS, 0, True),  # a policy that was started again
    ],
)
def test_only_newer_chunks_replace_the_one_that_plays(
    player, robot, make_chunk, stamp, sequence, accepted
):
    player.accept(make_chunk(obs_stamp_ns=T0, sequence=5), T0, zeros(robot))
    answer = player.accept(
        make_chunk(obs_stamp_ns=stamp, sequence=sequence), T0 + 2 * MS, zeros(robot)
    )
    assert isinstance(answer, Accepted) is accepted
    if not accepted:
        assert answer.rule is RejectRule.OUT_OF_ORDER


# -- cancel, and a clock that jumps ---------------------------------------------------


def test_cancel_stops_at_once_and_refuses_what_was_under_way(player, robot, make_chunk):
    player.accept(make_chunk(obs_stamp_ns=T0), T0, zeros(robot))
    now = T0 + 3 * DT
    player.cancel(now, "told to")
    answer = player.target(now)
    assert (answer.reason, answer.detail) == (ExpiredReason.CANCELLED, "told to")
    late = player.accept(make_chunk(obs_stamp_ns=now - MS, sequence=1), now + MS, zeros(robot))
    assert late.rule is RejectRule.CANCELLED
    assert isinstance(player.target(now + MS), Expired)
    fresh = make_chunk(obs_stamp_ns=now + MS, sequence=2)
    assert isinstance(player.accept(fresh, now + 2 * MS, zeros(robot)), Accepted)


def test_when_the_clock_goes_back_nothing_is_played_until_a_chunk_of_the_new_time(
    player, robot, make_chunk
):
    player.accept(make_chunk(obs_stamp_ns=T0), T0, zeros(robot))
    player.cancel(T0)
    player.accept(make_chunk(obs_stamp_ns=T0, sequence=1), T0, zeros(robot))
    answer = player.target(100 * MS)
    assert answer.reason is ExpiredReason.CANCELLED
    assert "clock went back" in answer.detail
    assert isinstance(
        player.accept(make_chunk(obs_stamp_ns=100 * MS), 110 * MS, zeros(robot)), Accepted
    )


def test_a_small_step_back_of_the_clock_changes_nothing(player, robot, make_chunk):
    player.accept(make_chunk(ramp(robot, 0.0, 0.01), obs_stamp_ns=T0), T0 + DT, zeros(robot))
    assert isinstance(player.target(T0 + 30 * MS), Target)


def test_when_the_clock_leaps_ahead_the_chunk_has_expired(player, robot, make_chunk):
    player.accept(make_chunk(obs_stamp_ns=T0), T0, zeros(robot))
    assert player.target(T0 + 10**12).reason is ExpiredReason.CHUNK_ENDED


# -- ensembling ---------------------------------------------------------------------


def test_the_ensemble_is_the_weighted_mean_with_the_oldest_first(make_chunk, robot):
    chunks = [
        make_chunk(ramp(robot, x, 0.0), obs_stamp_ns=T0 + i * DT) for i, x in enumerate((0.0, 1.0))
    ]
    mean = ensemble(chunks, [T0 + 2 * DT], 0.5)[0, 0]
    assert mean == pytest.approx(np.exp(-0.5) / (1 + np.exp(-0.5)))


def test_a_chunk_counts_only_where_it_says_something(make_chunk, robot):
    old = make_chunk(ramp(robot, 0.0, 0.0, rows=2), obs_stamp_ns=T0)
    new = make_chunk(ramp(robot, 1.0, 0.0, rows=4), obs_stamp_ns=T0 + DT)
    means = ensemble([old, new], [T0 + 2 * DT, T0 + 3 * DT], 0.0)[:, 0]
    np.testing.assert_allclose(means, [0.5, 1.0])


def test_the_player_averages_overlapping_chunks_if_told_to(robot, make_chunk):
    player = ChunkPlayer(robot, ChunkConfig(ensemble_decay=0.0, blend_s=0.0))
    player.accept(make_chunk(ramp(robot, 0.0, 0.0), obs_stamp_ns=T0), T0, zeros(robot))
    player.accept(
        make_chunk(ramp(robot, 0.2, 0.0), obs_stamp_ns=T0 + DT, sequence=1), T0 + DT, zeros(robot)
    )
    assert at(player, T0 + 4 * DT) == pytest.approx(0.1)
    assert at(player, T0 + 13 * DT) == pytest.approx(0.2)  # the older one has ended
