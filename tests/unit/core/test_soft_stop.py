"""After a long silence the arm goes to rest: slowly, with its grip, and not against anybody's will."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.controller import ControlConfig, Controller
from lam_ros.core.errors import ConfigError
from lam_ros.core.soft_stop import SoftStopConfig
from lam_ros.core.types import ActionChunk, JointState, Source, Verdict

MS = 1_000_000
TICK = 20 * MS


class Loop:
    """Controller, perfect arm and clock."""

    def __init__(self, robot, after_s=0.5):
        self.robot, self.now = robot, 5_000 * MS
        self.arm = np.array(robot.poses.home_rad)
        config = ControlConfig(soft_stop=SoftStopConfig(after_s, 0.1))
        self.control, self.report = Controller(robot, config), None

    def ticks(self, count, joints=True):
        for _ in range(count):
            self.now += TICK
            if joints:
                self.control.on_joints(JointState(self.now, self.arm), self.now)
            before, self.report = self.arm, self.control.tick(self.now)
            if self.report.sent_rad is not None:
                self.arm = self.report.sent_rad
            assert (np.abs(self.arm - before) <= self.robot.velocity_rad_s * 0.021).all()
        return self

    def move(self):
        """Have the policy move the arm a little, and then fall silent."""
        self.ticks(1)
        rows = self.arm + 0.005 * np.arange(1, 7)[:, None]
        self.control.on_chunk(
            ActionChunk(self.now, 40 * MS, self.robot.joint_names, rows), self.now
        )
        return self.ticks(15)

    @property
    def is_resting(self):
        away = np.abs(self.arm - np.array(self.robot.poses.rest_rad))
        away[self.robot.gripper_index] = 0.0
        return away.max() < 0.01


@pytest.fixture
def loop(robot):
    return Loop(robot)


def test_a_silent_arm_goes_to_rest_slowly_with_its_grip_kept_and_then_holds(loop):
    loop.move()
    held, grip = loop.arm.copy(), loop.arm[loop.robot.gripper_index]
    loop.ticks(15)
    np.testing.assert_array_equal(loop.arm, held)  # first it holds
    loop.ticks(20)
    step = np.abs(loop.arm - loop.ticks(1).arm).max()
    assert 0 < step <= 0.1 * loop.robot.velocity_rad_s.max() * 0.02 + 1e-9
    assert loop.report.source is Source.REST
    loop.ticks(400)
    assert loop.is_resting
    assert loop.arm[loop.robot.gripper_index] == grip
    assert loop.report.verdict is Verdict.HOLD


def test_it_is_off_unless_it_is_configured(robot):
    loop = Loop(robot, after_s=None).move()
    held = loop.arm.copy()
    np.testing.assert_array_equal(loop.ticks(500).arm, held)


def test_an_arm_that_nobody_has_moved_stays_where_it_is(loop):
    held = loop.arm.copy()
    np.testing.assert_array_equal(loop.ticks(200).arm, held)


@pytest.mark.parametrize("end", ["cancel", "estop", "estop and reset", "nonsense", "stale"])
def test_it_is_ended_for_good(loop, end):
    loop.move().ticks(60)
    assert loop.report.source is Source.REST
    if end == "cancel":
        loop.control.cancel(loop.now)
    elif end == "nonsense":
        loop.control.distrust("a joint state is NaN")
    elif end == "stale":
        loop.ticks(10, joints=False)
    else:
        loop.control.on_estop("test", loop.now)
    if end == "estop and reset":
        assert loop.control.reset(loop.now) is None
    held = loop.ticks(1).arm.copy()
    np.testing.assert_array_equal(loop.ticks(300).arm, held)
    if end != "estop":
        loop.move().ticks(400)
        assert loop.is_resting  # somebody has moved it: it may go to rest again


def test_whoever_speaks_has_the_arm_at_once(loop):
    loop.move().ticks(60)
    assert loop.report.source is Source.REST
    rows = loop.arm + 0.005 * np.arange(1, 7)[:, None]
    chunk = ActionChunk(loop.now, 40 * MS, loop.robot.joint_names, rows)
    loop.control.on_chunk(chunk, loop.now)
    assert loop.ticks(1).report.source is Source.POLICY


@pytest.mark.parametrize(("after_s", "share"), [(0.0, 0.1), (-1.0, 0.1), (1.0, 0.0), (1.0, 2.0)])
def test_what_is_no_time_or_no_share_is_refused(after_s, share):
    with pytest.raises(ConfigError, match="soft_stop"):
        SoftStopConfig(after_s, share)
