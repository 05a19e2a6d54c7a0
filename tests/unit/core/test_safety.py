"""Every request gets a verdict and a rule; nothing passes a limit."""

from types import SimpleNamespace

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.core.safety import GEOMETRIC, Rule, SafetyConfig, SafetyRoom
from lam_ros.core.types import (
    Expired,
    ExpiredReason,
    JointState,
    SafetyReport,
    Source,
    Target,
    Verdict,
)

MS = 1_000_000
TICK = 20 * MS
T0 = 5_000 * MS


class Rig:
    """A room, a perfect arm that is where it was sent, and a clock."""

    def __init__(self, robot, config=None, start=None):
        self.robot = robot
        self.room = SafetyRoom(robot, config)
        self.now = T0
        self.arm = np.array(robot.poses.home_rad if start is None else start)
        self.ask(None)

    def ask(self, position, *, stamp=None, measured="arm", after=TICK) -> SafetyReport:
        self.now += after
        request = position
        if isinstance(position, np.ndarray | list):
            request = Target(position, self.now if stamp is None else stamp, Source.POLICY)
        joints = JointState(self.now, self.arm) if isinstance(measured, str) else measured
        report = self.room.judge(request, joints, self.now)
        if report.sent_rad is not None and isinstance(measured, str):
            self.arm = report.sent_rad
        return report


@pytest.fixture
def rig(robot):
    return Rig(robot)


def verdict(report):
    assert report.rule
    return report.verdict, report.rule


# -- passing and clamping -----------------------------------------------------------


def test_a_sound_request_passes_unchanged(rig, home):
    report = rig.ask(home + 0.01)
    assert verdict(report) == (Verdict.PASS, Rule.OK)
    np.testing.assert_array_equal(report.sent_rad, home + 0.01)
    np.testing.assert_array_equal(report.requested_rad, home + 0.01)
    assert (report.source, report.obs_stamp_ns) == (Source.POLICY, rig.now)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("joint", range(6))
def test_a_request_beyond_a_position_limit_ends_at_the_limit(robot, joint, sign):
    rig = Rig(robot)
    wanted = rig.arm.copy()
    wanted[joint] = sign * 9.0
    for _ in range(200):
        report = rig.ask(wanted)
        assert verdict(report) == (Verdict.CLAMPED, Rule.POSITION)
        assert robot.joints[joint].name in report.detail
    limit = (robot.lower_rad, robot.upper_rad)[sign > 0][joint]
    assert report.sent_rad[joint] == limit


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_jump_is_spread_over_the_time_that_the_speed_limit_needs(rig, robot, home, sign):
    wanted = home.copy()
    wanted[0] += sign * 1.0
    before, ticks = home, 0
    while not np.allclose(before, wanted):
        report = rig.ask(wanted)
        step = np.abs(report.sent_rad - before)
        assert (step <= robot.velocity_rad_s * 0.020 + 1e-12).all()
        before, ticks = report.sent_rad, ticks + 1
    assert ticks == 20  # 1 rad at 2.5 rad/s


def test_the_velocity_scale_slows_down(robot, home, inward):
    rig = Rig(robot, SafetyConfig(velocity_scale=0.1))
    report = rig.ask(home + 0.4 * inward)
    assert verdict(report) == (Verdict.CLAMPED, Rule.VELOCITY)
    moved = inward * (report.sent_rad - home)
    np.testing.assert_allclose(moved, robot.velocity_rad_s * 0.1 * 0.020)


def test_a_late_tick_allows_no_more_than_two_periods(rig, robot, home, inward):
    report = rig.ask(home + 0.4 * inward, after=10_000 * MS)
    assert verdict(report) == (Verdict.CLAMPED, Rule.VELOCITY)
    moved = inward * (report.sent_rad - home)
    np.testing.assert_allclose(moved, robot.velocity_rad_s * 0.040)


@pytest.mark.parametrize("back", [0, -TICK, -(10**12)])
def test_without_time_passing_nothing_moves(rig, home, back):
    report = rig.ask(home + 0.1, after=back)
    np.testing.assert_array_equal(report.sent_rad, home)


def test_a_command_does_not_run_away_from_a_stalled_arm(rig, home):
    wanted = home.copy()
    wanted[0] += 1.5
    for _ in range(100):
        report = rig.ask(wanted, measured=JointState(rig.now + TICK, home))
    assert verdict(report) == (Verdict.CLAMPED, Rule.LEAD)
    assert report.sent_rad[0] == pytest.approx(home[0] + 0.5)


def test_the_gripper_may_lead_to_grip(rig, robot, home):
    wanted = home.copy()
    wanted[robot.gripper_index] = 1.5
    for _ in range(100):
        report = rig.ask(wanted, measured=JointState(rig.now + TICK, home))
    assert report.sent_rad[robot.gripper_index] == pytest.approx(1.5)


def test_acceleration_limits_speeding_up_but_never_braking(robot, home):
    limit = 10.0
    rig = Rig(robot, SafetyConfig(max_acceleration_rad_s2=limit))
    wanted, before, speed = home.copy(), home, 0.0
    wanted[0] += 0.3
    peak = 0.0
    for _ in range(40):
        report = rig.ask(wanted)
        new_speed = (report.sent_rad[0] - before[0]) / 0.020
        assert abs(new_speed) - abs(speed) <= limit * 0.020 + 1e-9
        before, speed = report.sent_rad, new_speed
        peak = max(peak, speed)
    assert report.sent_rad[0] == pytest.approx(wanted[0])
    assert peak > 1.0
    assert verdict(report) == (Verdict.PASS, Rule.OK)


# -- holding ------------------------------------------------------------------------


def test_at_first_it_holds_where_the_arm_is(robot, home):
    room = SafetyRoom(robot)
    report = room.judge(None, JointState(T0, home + 0.01), T0)
    assert report.verdict is Verdict.HOLD
    np.testing.assert_array_equal(report.sent_rad, home + 0.01)


def test_with_nothing_measured_nothing_is_sent(robot, home):
    room = SafetyRoom(robot)
    report = room.judge(Target(home, T0, Source.POLICY), None, T0)
    assert verdict(report) == (Verdict.HOLD, Rule.JOINTS_MISSING)
    assert report.sent_rad is None


def test_an_arm_that_starts_outside_its_limits_is_brought_inside(robot):
    start = robot.upper_rad + 0.05
    report = SafetyRoom(robot).judge(None, JointState(T0, start), T0)
    np.testing.assert_array_equal(report.sent_rad, robot.upper_rad)


@pytest.mark.parametrize("reason", list(ExpiredReason))
def test_when_nothing_is_asked_for_it_holds_and_says_why(rig, reason):
    before = rig.arm
    report = rig.ask(Expired(reason, "because"))
    assert verdict(report) == (Verdict.HOLD, reason.value)
    assert report.detail == "because"
    assert report.requested_rad is None
    np.testing.assert_array_equal(report.sent_rad, before)


def test_a_hostile_position_holds(rig, hostile_array):
    before = rig.arm
    report = rig.ask(Target(hostile_array, rig.now, Source.POLICY))
    if report.verdict is Verdict.HOLD:
        np.testing.assert_array_equal(report.sent_rad, before)
        assert report.rule in (Rule.LENGTH, Rule.NOT_FINITE)
        assert report.requested_rad is None
    else:  # 1e308 is a number, and beyond a limit
        assert verdict(report) == (Verdict.CLAMPED, Rule.POSITION)


@pytest.mark.parametrize("request_", ["text", 3, {}, object(), SimpleNamespace(position_rad=[0])])
def test_what_is_no_target_holds(rig, request_):
    assert verdict(rig.ask(request_)) == (Verdict.HOLD, Rule.MALFORMED)


@pytest.mark.parametrize("stamp", [float("nan"), None, "now", 1.5])
def test_a_stamp_that_is_no_time_holds(rig, home, stamp):
    report = rig.ask(Target(home, stamp, Source.POLICY))
    assert verdict(report) == (Verdict.HOLD, Rule.MALFORMED)


def test_a_stale_and_a_future_request_hold(rig, home):
    assert verdict(rig.ask(home, stamp=rig.now - 5_001 * MS)) == (Verdict.HOLD, Rule.STALE)
    assert verdict(rig.ask(home, stamp=rig.now + 100 * MS)) == (Verdict.HOLD, Rule.FUTURE)


@pytest.mark.parametrize(
    ("measured", "rule"),
    [
        (lambda now, home: None, Rule.JOINTS_MISSING),
        (lambda now, home: JointState(now - 101 * MS, home), Rule.JOINTS_STALE),
        (lambda now, home: JointState(now + 51 * MS, home), Rule.JOINTS_FUTURE),
        (lambda now, home: JointState(now, home[:3]), Rule.JOINTS_LENGTH),
    ],
)
def test_without_sound_joint_states_it_holds(rig, home, measured, rule):
    report = rig.ask(home + 0.01, measured=measured(rig.now + TICK, home))
    assert verdict(report) == (Verdict.HOLD, rule)
    np.testing.assert_array_equal(report.sent_rad, home)


# -- stopping -----------------------------------------------------------------------


def test_an_estop_is_latched_until_reset(rig, home):
    rig.room.estop("red button")
    for _ in range(3):
        report = rig.ask(home + 0.01)
        assert verdict(report) == (Verdict.STOP, Rule.ESTOP)
        assert report.detail == "red button"
        np.testing.assert_array_equal(report.sent_rad, home)
    assert rig.room.reset(JointState(rig.now, home), rig.now) is None
    assert rig.ask(home + 0.01).verdict is Verdict.PASS


def test_after_a_reset_it_resumes_from_where_the_arm_is_but_keeps_its_grip(rig, robot, home):
    rig.room.estop("power cut")
    rig.ask(None)
    sagged = home - 0.2
    assert rig.room.reset(JointState(rig.now, sagged), rig.now) is None
    report = rig.ask(None, measured=JointState(rig.now + TICK, sagged))
    arm = np.arange(len(home)) != robot.gripper_index
    np.testing.assert_allclose(report.sent_rad[arm], sagged[arm])
    assert report.sent_rad[robot.gripper_index] == home[robot.gripper_index]


def test_it_is_not_reset_without_a_fresh_joint_state(rig, home):
    rig.room.estop("x")
    assert "no joint state" in rig.room.reset(None, rig.now)
    assert "old" in rig.room.reset(JointState(rig.now - 1000 * MS, home), rig.now)
    assert rig.room.stopped


def test_a_double_stop_and_a_double_reset_change_nothing(rig, home):
    rig.room.estop("a")
    rig.room.estop("b")
    joints = JointState(rig.now, home)
    assert rig.room.reset(joints, rig.now) is None
    assert rig.room.reset(joints, rig.now) is None
    assert not rig.room.stopped


def test_a_stop_before_anything_was_measured_sends_nothing(robot):
    room = SafetyRoom(robot)
    room.estop("x")
    report = room.judge(None, None, T0)
    assert report.verdict is Verdict.STOP
    assert report.sent_rad is None


# -- limits that are none -------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"velocity_scale": 0.0},
        {"velocity_scale": 1.1},
        {"velocity_scale": float("nan")},
        {"max_lead_rad": 0.0},
        {"max_lead_rad": float("inf")},
        {"max_step_periods": -1.0},
        {"max_age_s": float("nan")},
    ],
)
def test_settings_that_would_switch_a_limit_off_are_refused(changes):
    with pytest.raises(ConfigError):
        SafetyConfig(**changes)


ELSEWHERE = {"acceleration", *GEOMETRIC, "effort", "motors"}
"""Rules whose tests are in test_geometry.py and tests/unit/sim/test_guard.py."""

# -- the property ---------------------------------------------------------------------


def random_position(rng, robot):
    """Return anything that may stand where J joint positions belong."""
    count = len(robot.joints)
    kind = rng.integers(0, 8)
    if kind == 0:
        return rng.uniform(robot.lower_rad, robot.upper_rad)
    if kind == 1:
        return rng.normal(0, 10.0 ** rng.integers(-3, 300), count)
    if kind == 2:
        return rng.normal(0, 1, rng.integers(0, 12))
    if kind == 3:
        return np.where(rng.random(count) < 0.3, rng.choice([np.nan, np.inf, -np.inf]), 0.1)
    if kind == 4:
        return rng.normal(0, 1, (rng.integers(0, 3), count))
    if kind == 5:
        return np.full(count, rng.choice([np.finfo(float).max, np.finfo(float).tiny, -0.0]))
    if kind == 6:
        return rng.choice([-1, 1]) * np.pi * np.ones(count)
    return rng.normal(0, 1)


def random_time(rng, now):
    choices = [0, -TICK, 20 * MS, -200 * MS, 10**18, -(10**18), int(rng.integers(-(10**9), 10**9))]
    return now + int(rng.choice(choices)) if rng.random() < 0.7 else rng.choice([np.nan, 0.5])


def random_request(rng, robot, now, arm):
    kind = rng.integers(0, 10)
    if kind == 0:
        return None
    if kind == 1:
        return Expired(rng.choice(list(ExpiredReason)), "x")
    if kind == 2:
        return rng.choice(["text", 7, np.nan])
    if kind == 3:
        return Target(arm + rng.normal(0, 1e-4, len(arm)), now, Source.POLICY)
    stamp = now if kind < 8 else random_time(rng, now)
    return Target(random_position(rng, robot), stamp, rng.choice([*Source]))


def random_measured(rng, robot, now, arm):
    kind = rng.integers(0, 10)
    if kind == 0:
        return None
    if kind == 1:
        return JointState(now + int(rng.integers(-(10**9), 10**9)), arm)
    if kind == 2:
        return JointState(now, rng.normal(0, 1, rng.integers(0, 9)))
    if kind == 3:
        return JointState(now, rng.uniform(-4, 4, len(robot.joints)))
    return JointState(now, arm)


def test_ten_thousand_hostile_requests_each_get_a_verdict_and_none_passes_a_limit(robot):
    rng = np.random.default_rng(20261122)
    verdicts = set()
    for config in (SafetyConfig(), SafetyConfig(max_acceleration_rad_s2=20.0, velocity_scale=0.5)):
        room, now, arm = SafetyRoom(robot, config), T0, np.array(robot.poses.home_rad)
        speed = robot.velocity_rad_s * config.velocity_scale
        last = None
        for _ in range(5_000):
            step_ns = int(rng.choice([TICK, TICK, TICK, 0, 10**9, -(10**9), MS]))
            now += step_ns
            if rng.random() < 0.01:
                room.estop("random")
            elif rng.random() < 0.05 and room.stopped:
                room.reset(JointState(now, arm), now)
                last = room.last_rad
            request = random_request(rng, robot, now, arm)
            report = room.judge(request, random_measured(rng, robot, now, arm), now)
            verdicts.add((report.verdict, report.rule))
            assert isinstance(report.verdict, Verdict)
            assert report.rule
            sent = report.sent_rad
            if sent is None:
                assert last is None
                continue
            assert np.isfinite(sent).all()
            assert (sent >= robot.lower_rad).all()
            assert (sent <= robot.upper_rad).all()
            if last is not None:
                allowed = speed * max(0, min(step_ns, 2 * TICK)) / 1e9
                assert (np.abs(sent - last) <= allowed + 1e-9).all()
                if report.verdict in (Verdict.HOLD, Verdict.STOP):
                    np.testing.assert_array_equal(sent, last)
            last = arm = sent
    assert {verdict for verdict, _ in verdicts} == set(Verdict)
    assert {rule for _, rule in verdicts} >= {str(rule) for rule in Rule} - ELSEWHERE
