"""The geometric rules in the safety room: a fence lets nobody deeper in, and everybody out."""

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.core.geometry import Box, Fence, GeometryConfig, Intrusion
from lam_ros.core.safety import Rule, SafetyConfig, SafetyRoom
from lam_ros.core.types import JointState, Source, Target, Verdict

MS = 1_000_000


class Wall:
    """Forbids the first joint what is beyond a position, up to another."""

    def __init__(self, begins_rad, ends_rad=np.inf):
        self.begins_rad, self.ends_rad, self.asked = begins_rad, ends_rad, 0

    def intrusions(self, position_rad):
        self.asked += 1
        depth = position_rad[0] - self.begins_rad
        if depth <= 0 or position_rad[0] > self.ends_rad:
            return []
        return [Intrusion("keep_out", depth, "the arm enters the wall")]


def play(robot, wall, start, wanted, ticks=200):
    room, now, arm, reports = SafetyRoom(robot, None, wall), 0, np.array(start), []
    for _ in range(ticks):
        now += 20 * MS
        report = room.judge(Target(wanted, now, Source.POLICY), JointState(now, arm), now)
        arm = report.sent_rad
        reports.append(report)
    return reports


def turned(home, by_rad):
    pose = np.array(home)
    pose[0] += by_rad
    return pose


def test_the_arm_stands_before_what_it_must_not_enter_and_the_report_says_what(robot, home):
    reports = play(robot, Wall(0.5), home, turned(home, 1.0))
    last = reports[-1]
    assert (last.verdict, last.rule) == (Verdict.HOLD, Rule.KEEP_OUT)
    assert last.detail == "the arm enters the wall"
    assert 0.4 < last.sent_rad[0] <= 0.5
    assert max(report.sent_rad[0] for report in reports) <= 0.5


def test_a_wall_too_thin_for_the_grid_of_ticks_is_not_jumped(robot, home):
    reports = play(robot, Wall(0.51, 0.545), home, turned(home, 1.0))
    assert max(report.sent_rad[0] for report in reports) <= 0.51


def test_an_arm_that_is_inside_may_leave_but_not_go_deeper(robot, home):
    inside = turned(home, 0.7)
    assert play(robot, Wall(0.5), inside, turned(home, 0.9))[-1].sent_rad[0] == inside[0]
    assert play(robot, Wall(0.5), inside, home)[-1].sent_rad[0] == pytest.approx(home[0])


def test_while_the_arm_stands_nothing_is_worked_out(robot, home):
    wall = Wall(0.5)
    play(robot, wall, home, home, ticks=50)
    assert wall.asked <= 1


def test_a_fence_without_a_guard_blocks_nothing(home):
    assert Fence(None).blocks(home, home + 1.0) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Box((0, 0, 0), (1, 0, 1)),
        lambda: Box((0, 0, float("nan")), (1, 1, 1)),
        lambda: GeometryConfig(keep_out=(Box((0, 0, 0), (1, 1, 1)),)),
        lambda: GeometryConfig(keep_out=(Box((0, 0, 0), (1, 1, 1), "a"),) * 2),
        lambda: GeometryConfig(table_tolerance_m=-0.1),
        lambda: GeometryConfig(table_height_m=float("inf")),
    ],
    ids=["flat", "nan", "unnamed", "twice", "tolerance", "table"],
)
def test_a_fence_that_makes_no_sense_is_refused(make):
    with pytest.raises(ConfigError):
        make()


# -- effort and the motors' health ------------------------------------------------------


def press(robot, home, effort_nm, ticks, config=None):
    """Ask for a place that the arm cannot reach while a joint exerts an effort."""
    room, now, reports = SafetyRoom(robot, config), 0, []
    wanted, arm = home + 0.3 * np.sign(-home - 0.01), home
    for _ in range(ticks):
        now += 20 * MS
        state = JointState(now, arm, None, np.full(len(home), effort_nm))
        reports.append(room.judge(Target(wanted, now, Source.POLICY), state, now))
    return reports


def test_a_joint_that_presses_for_too_long_is_let_give_in_with_its_grip_kept(robot, home):
    reports = press(robot, home, robot.joints[0].effort_nm, 100)
    assert (reports[-1].verdict, reports[-1].rule) == (Verdict.CLAMPED, Rule.EFFORT)
    assert "presses with 2.94 Nm, 2.85 is allowed" in reports[-1].detail
    arm = np.arange(len(home)) != robot.gripper_index
    np.testing.assert_allclose(reports[-1].sent_rad[arm], home[arm])
    assert reports[-1].sent_rad[robot.gripper_index] < home[robot.gripper_index]
    steps = np.abs(np.diff([report.sent_rad for report in reports], axis=0))
    assert (steps <= robot.velocity_rad_s * 0.020 + 1e-12).all()


def test_a_short_peak_of_effort_and_one_below_the_limit_change_nothing(robot, home):
    assert {r.rule for r in press(robot, home, 2.94, 20)} <= {Rule.OK, Rule.VELOCITY}
    assert {r.rule for r in press(robot, home, 2.0, 200)} <= {Rule.OK, Rule.VELOCITY}
    off = SafetyConfig(max_effort_share=None)
    assert {r.rule for r in press(robot, home, 2.94, 200, off)} <= {Rule.OK, Rule.VELOCITY}


def test_while_the_motors_are_not_well_the_arm_holds_and_the_report_says_which(robot, home):
    room, state = SafetyRoom(robot), JointState(0, home)
    room.judge(None, state, 0)
    room.set_fault("elbow_flex is at 66 C, 65 is allowed")
    report = room.judge(Target(home + 0.01, 0, Source.POLICY), state, 0)
    assert (report.verdict, report.rule) == (Verdict.HOLD, Rule.MOTORS)
    assert "66 C" in report.detail
    room.set_fault("")
    report = room.judge(
        Target(home + 0.01, 20 * MS, Source.POLICY), JointState(20 * MS, home), 20 * MS
    )
    assert report.verdict is Verdict.PASS


def test_the_robots_own_acceleration_limit_holds_and_a_lower_one_of_the_room_too(home):
    from lam_ros.config import load_robot

    robot = load_robot("so101")
    for config, limit in ((None, 38.96), (SafetyConfig(max_acceleration_rad_s2=10.0), 10.0)):
        room, now, last, speed = SafetyRoom(robot, config), 0, home, 0.0
        for _ in range(60):
            now += 20 * MS
            state = JointState(now, last)
            report = room.judge(Target(turned(home, 0.3), now, Source.POLICY), state, now)
            faster = abs(report.sent_rad[0] - last[0]) / 0.02
            assert faster - speed <= limit * 0.02 + 1e-9
            last, speed = report.sent_rad, faster
        assert last[0] == pytest.approx(home[0] + 0.3)
