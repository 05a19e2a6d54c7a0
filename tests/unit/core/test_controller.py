"""Policy, person and safety room together: who moves the arm, and how it ends at rest."""

import numpy as np
import pytest

from lam_ros.core.chunking import Accepted, ChunkConfig
from lam_ros.core.controller import ControlConfig, Controller
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.types import ActionChunk, JointState, Source, Target, Verdict

MS = 1_000_000
TICK = 20 * MS
DT = 40 * MS
T0 = 5_000 * MS


class Loop:
    """The controller, a perfect arm and a clock, as the lockstep loop has them."""

    def __init__(self, robot, config=None):
        self.robot, self.control = robot, Controller(robot, config)
        self.now, self.arm, self.sequence = T0, np.array(robot.poses.home_rad), 0
        self.sent, self.report = [], None

    def tick(self, *, joints=True):
        self.now += TICK
        if joints:
            self.control.on_joints(JointState(self.now, self.arm), self.now)
        self.report = self.control.tick(self.now)
        if self.report.sent_rad is not None:
            self.arm = self.report.sent_rad
        self.sent.append(self.arm[0])
        return self.report

    def chunk(self, slope=0.01, *, rows=12, age=0):
        self.sequence += 1
        targets = self.arm + slope * np.arange(1, rows + 1)[:, None]
        chunk = ActionChunk(
            self.now - age, DT, self.robot.joint_names, targets, "test", self.sequence
        )
        return self.control.on_chunk(chunk, self.now)

    def person(self, pan=0.0):
        wanted = np.array(self.robot.poses.home_rad)
        wanted[0] += pan
        return self.control.on_teleop(Target(wanted, self.now, Source.TELEOP), self.now)

    def steps(self):
        return np.abs(np.diff(self.sent))


@pytest.fixture
def loop(robot):
    return Loop(robot)


def said(report):
    return report.verdict, report.rule


def test_from_the_start_it_holds_until_someone_speaks(loop):
    assert said(loop.tick(joints=False)) == (Verdict.HOLD, "joints_missing")
    assert loop.report.sent_rad is None
    assert said(loop.tick()) == (Verdict.HOLD, "nothing_yet")
    assert isinstance(loop.chunk(), Accepted)
    assert said(loop.tick()) == (Verdict.PASS, "ok")
    assert loop.report.source is Source.POLICY


def test_a_chunk_before_any_joint_state_is_refused(loop):
    assert loop.chunk().rule is RejectRule.NO_JOINTS


def test_a_policy_that_falls_silent_leaves_the_arm_where_its_chunk_ended(loop):
    loop.tick()
    loop.chunk(0.01)
    for _ in range(24):
        loop.tick()
    assert loop.report.verdict is Verdict.PASS
    end = loop.arm
    for _ in range(50):
        assert said(loop.tick()) == (Verdict.HOLD, "chunk_ended")
    np.testing.assert_array_equal(loop.arm, end)


def test_a_long_chunk_is_not_played_beyond_the_policys_silence(robot):
    loop = Loop(robot, ControlConfig(policy_silent_after_s=0.2))
    loop.tick()
    loop.chunk(0.001, rows=100)
    for _ in range(10):
        assert loop.tick().verdict is Verdict.PASS
    assert said(loop.tick()) == (Verdict.HOLD, "policy_silent")


def test_cancel_holds_at_the_next_tick(loop):
    loop.tick()
    loop.chunk(0.02)
    loop.tick()
    before = loop.tick().sent_rad
    loop.control.cancel(loop.now, "goal cancelled")
    assert loop.chunk(age=1).rule is RejectRule.CANCELLED
    assert said(loop.tick()) == (Verdict.HOLD, "cancelled")
    assert loop.report.detail == "goal cancelled"
    np.testing.assert_array_equal(loop.report.sent_rad, before)


# -- stop and reset -------------------------------------------------------------------


def test_an_estop_stops_both_sources_until_reset_and_resumes_only_by_new_observations(loop):
    loop.tick()
    loop.chunk(0.02)
    before = loop.tick().sent_rad
    loop.control.on_estop("button", loop.now)
    assert said(loop.tick()) == (Verdict.STOP, "estop")
    assert loop.chunk().rule is RejectRule.STOPPED
    assert loop.person().rule is RejectRule.STOPPED
    np.testing.assert_array_equal(loop.tick().sent_rad, before)
    assert loop.control.reset(loop.now) is None
    assert loop.chunk(age=1).rule is RejectRule.CANCELLED
    assert loop.tick().verdict is Verdict.HOLD
    assert isinstance(loop.chunk(), Accepted)
    assert loop.tick().verdict is Verdict.PASS


def test_a_reset_without_fresh_joints_is_refused_with_the_reason(loop):
    loop.tick()
    loop.control.on_estop("button", loop.now)
    loop.now += 1000 * MS
    assert "old" in loop.control.reset(loop.now)
    assert said(loop.tick()) == (Verdict.STOP, "estop")


# -- the joint states -------------------------------------------------------------------


def test_when_joint_states_stop_it_holds_and_does_not_run_on_when_they_come_back(loop):
    loop.tick()
    loop.chunk(0.01, rows=20)
    for _ in range(5):
        loop.tick()
    for _ in range(5):
        assert loop.tick(joints=False).verdict is Verdict.PASS  # up to 100 ms old
    held = loop.tick(joints=False)
    assert said(held) == (Verdict.HOLD, "joints_stale")
    assert said(loop.tick()) == (Verdict.HOLD, "cancelled")
    np.testing.assert_array_equal(loop.arm, held.sent_rad)


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        (lambda now, home: JointState(now - TICK, home), RejectRule.OUT_OF_ORDER),
        (lambda now, home: JointState(now, home), RejectRule.OUT_OF_ORDER),
        (lambda now, home: JointState(now + 60 * MS, home), RejectRule.FUTURE),
        (lambda now, home: JointState(now + MS, home[:2]), RejectRule.LENGTH),
    ],
)
def test_an_unsound_joint_state_never_replaces_the_one_held(loop, home, state, rule):
    loop.tick()
    held = loop.control.joints
    answer = loop.control.on_joints(state(loop.now, home), loop.now)
    assert isinstance(answer, Rejected)
    assert answer.rule is rule
    assert loop.control.joints is held


# -- policy and person -------------------------------------------------------------------


def test_a_person_takes_over_without_a_step_and_keeps_the_arm_when_silent(loop):
    loop.tick()
    loop.chunk(0.0)
    loop.tick()
    for _ in range(60):
        assert isinstance(loop.person(0.5), Accepted)
        assert loop.tick().verdict is Verdict.PASS
    assert loop.report.source is Source.TELEOP
    assert loop.arm[0] == pytest.approx(0.5)
    assert loop.steps().max() < 0.5 * 20 / 500 * 1.01
    assert loop.chunk().rule is RejectRule.NOT_ACTIVE
    for _ in range(30):
        loop.tick()
    assert said(loop.report) == (Verdict.HOLD, "teleop_silent")
    assert loop.chunk().rule is RejectRule.NOT_ACTIVE


def test_the_policy_gets_the_arm_back_on_purpose_and_from_where_it_is(loop):
    loop.tick()
    for _ in range(60):
        loop.person(0.5)
        loop.tick()
    loop.control.release_teleop(loop.now)
    assert loop.chunk(age=1).rule is RejectRule.CANCELLED
    assert said(loop.tick()) == (Verdict.HOLD, "cancelled")
    assert isinstance(loop.chunk(0.0), Accepted)
    assert said(loop.tick()) == (Verdict.PASS, "ok")
    assert loop.arm[0] == pytest.approx(0.5)


def test_a_command_that_was_on_its_way_does_not_take_the_arm_again(loop):
    loop.tick()
    loop.person()
    loop.tick()
    on_its_way = loop.now
    loop.tick()
    loop.control.release_teleop(loop.now)
    late = Target(np.array(loop.robot.poses.home_rad), on_its_way, Source.TELEOP)
    assert loop.control.on_teleop(late, loop.now).rule is RejectRule.OUT_OF_ORDER
    assert loop.control.active is Source.POLICY
    loop.tick()
    assert isinstance(loop.person(), Accepted)
    assert loop.control.active is Source.TELEOP


def test_cancel_leaves_a_person_in_charge(loop):
    loop.tick()
    for _ in range(3):
        loop.person()
        loop.control.cancel(loop.now)
        assert loop.tick().source is Source.TELEOP


def test_a_refused_command_takes_nothing_over(loop, home):
    loop.tick()
    loop.chunk()
    answer = loop.control.on_teleop(Target(home * np.nan, loop.now, Source.TELEOP), loop.now)
    assert answer.rule is RejectRule.NOT_FINITE
    assert loop.control.active is Source.POLICY
    assert loop.tick().verdict is Verdict.PASS


# -- time -------------------------------------------------------------------------------


def test_when_the_clock_starts_over_it_holds_and_then_works_in_the_new_time(loop):
    loop.tick()
    loop.chunk(0.02)
    before = loop.tick().sent_rad
    loop.now = 100 * MS
    report = loop.tick(joints=False)
    assert report.verdict is Verdict.HOLD
    np.testing.assert_array_equal(report.sent_rad, before)
    loop.tick()
    assert isinstance(loop.chunk(), Accepted)
    assert loop.tick().verdict is Verdict.PASS


def test_when_the_clock_leaps_ahead_it_holds(loop):
    loop.tick()
    loop.chunk(0.02)
    before = loop.tick().sent_rad
    loop.now += 3600 * 1000 * MS
    report = loop.tick()
    assert said(report) == (Verdict.HOLD, "clock_jumped")
    np.testing.assert_array_equal(report.sent_rad, before)


@pytest.mark.parametrize("leap_s", [-3, 3])
def test_a_leap_of_the_clock_is_held_and_said_though_a_chunk_comes_before_the_tick(loop, leap_s):
    loop.tick()
    loop.chunk(0.02)
    before = loop.tick().sent_rad
    loop.now += leap_s * 1000 * MS
    loop.control.on_joints(JointState(loop.now, loop.arm), loop.now)
    assert isinstance(loop.chunk(0.02), Accepted)
    report = loop.tick()
    assert said(report) == (Verdict.HOLD, "clock_jumped")
    assert f"{leap_s:+d}.000 s" in report.detail
    np.testing.assert_array_equal(report.sent_rad, before)
    assert loop.tick().verdict is Verdict.PASS


def test_the_same_inputs_give_the_same_decisions(robot):
    def run():
        loop, rng, reports = (
            Loop(robot, ControlConfig(ChunkConfig(blend_s=0.06))),
            np.random.default_rng(3),
            [],
        )
        for _ in range(500):
            if rng.random() < 0.2:
                loop.chunk(rng.normal(0, 0.02), age=int(rng.integers(0, 80 * MS)))
            if rng.random() < 0.02:
                loop.person(rng.normal(0, 0.1))
            if rng.random() < 0.02:
                loop.control.release_teleop(loop.now)
            if rng.random() < 0.01:
                loop.control.on_estop("x", loop.now)
            if rng.random() < 0.1:
                loop.control.reset(loop.now)
            report = loop.tick(joints=rng.random() < 0.95)
            reports.append(
                (said(report), None if report.sent_rad is None else report.sent_rad.tobytes())
            )
        return reports

    first = run()
    assert first == run()
    assert len({verdict for (verdict, _), _ in first}) >= 3


# -- what makes no sense ----------------------------------------------------------------


def beat(loop, trouble=""):
    loop.control.on_beat(trouble, loop.now)


def test_a_policy_that_dies_in_mid_chunk_is_not_played_on(loop):
    loop.tick()
    beat(loop)
    loop.chunk(rows=16)
    verdicts = []
    for _ in range(5):  # 100 ms of silence
        verdicts.append(loop.tick().verdict)
    assert verdicts == [Verdict.PASS] * 4 + [Verdict.HOLD]
    assert said(loop.report) == (Verdict.HOLD, "policy_silent")
    at = loop.arm
    loop.tick()
    np.testing.assert_array_equal(loop.arm, at)


def test_a_policy_that_beats_is_played_to_the_end_of_its_chunk(loop):
    loop.tick()
    loop.chunk(rows=16)
    for _ in range(30):
        beat(loop)
        assert loop.tick().verdict is Verdict.PASS


def test_a_policy_that_has_never_beaten_is_played_to_the_end_of_its_chunk(loop):
    loop.tick()
    loop.chunk(rows=16)
    assert all(loop.tick().verdict is Verdict.PASS for _ in range(30))


def test_after_a_cancel_another_that_does_not_beat_may_drive(loop):
    loop.tick()
    beat(loop)
    loop.control.cancel(loop.now)
    for _ in range(10):
        loop.tick()
    loop.chunk(rows=16)
    assert all(loop.tick().verdict is Verdict.PASS for _ in range(20))


def test_a_policy_that_says_it_is_in_trouble_is_not_played_on(loop):
    loop.tick()
    loop.chunk(rows=16)
    beat(loop)
    loop.tick()
    beat(loop, "front: 120 ms old")
    assert said(loop.tick()) == (Verdict.HOLD, "cancelled")
    assert "front: 120 ms old" in loop.report.detail
    beat(loop)
    loop.chunk(rows=16)
    assert loop.tick().verdict is Verdict.PASS


def test_nonsense_from_the_policy_ends_what_it_had_sent_before(loop):
    loop.tick()
    loop.chunk(rows=16)
    loop.tick()
    answer = loop.chunk(slope=1.0)  # a radian a row
    assert answer.rule is RejectRule.IMPLAUSIBLE
    assert answer.detail.endswith(" 1.00 rad on in 0.04 s")
    assert loop.tick().verdict is Verdict.HOLD
    assert "nonsense" in loop.report.detail
    loop.chunk()
    assert loop.tick().verdict is Verdict.PASS


def test_a_joint_state_that_jumps_makes_the_arm_hold_and_is_not_believed(loop):
    loop.tick()
    loop.chunk(rows=16)
    before = loop.tick().sent_rad
    far = loop.arm.copy()
    far[1] += 1.0
    answer = loop.control.on_joints(JointState(loop.now + MS, far), loop.now + MS)
    assert answer.rule is RejectRule.IMPLAUSIBLE
    assert "shoulder_lift has jumped 1.0" in answer.detail
    report = loop.tick()
    assert report.verdict is Verdict.HOLD
    np.testing.assert_array_equal(report.sent_rad, before)
    assert loop.chunk().rule is RejectRule.NOT_ACTIVE  # what it was doing is over
    loop.control.cancel(loop.now)
    loop.tick()
    assert isinstance(loop.chunk(), Accepted)
    assert loop.tick().verdict is Verdict.PASS


def test_an_arm_that_really_is_elsewhere_is_believed_when_the_old_state_is_stale(loop):
    loop.tick()
    far = loop.arm.copy()
    far[0] += 1.0
    answers = []
    for _ in range(8):
        loop.now += TICK
        answers.append(loop.control.on_joints(JointState(loop.now, far), loop.now))
    assert isinstance(answers[0], Rejected)
    assert isinstance(answers[-1], Accepted)
