"""An arm that stands before a step begins it again from home, and only so often."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.homing import is_home
from lam_ros.core.types import ActionChunk, FloatArray, Observation
from lam_ros.core.unsticking import RETRIES, STILL_S, TRY_S, Unsticking

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
AWAY = HOME + np.array([0.5, 0.6, 0.3, 0.2, 0.0, 0.0])
ASKED_EVERY_S = 0.16
ROWS_BETWEEN = 4


class _Arm:
    """Asks `Unsticking` as the graph does; moves along the way home, else to where it is told."""

    def __init__(self, retries: int = RETRIES) -> None:
        self.state_rad: FloatArray = AWAY
        self.now_s = 0.0
        self.by: list[str] = []
        self.states: list[FloatArray] = []
        self.unsticking = Unsticking(ROBOT, self._policy, retries)

    def _policy(self, observation: Observation, prompt: str) -> ActionChunk:
        rows = np.tile(observation.state_rad, (16, 1))
        return ActionChunk(observation.stamp_ns, 1, ROBOT.joint_names, rows, policy_id=prompt)

    def live(self, seconds: float, moves_rad: float = 0.0) -> None:
        """Go on for a time; where the policy is asked the first joint moves by so much."""
        for _ in range(round(seconds / ASKED_EVERY_S)):
            seen = Observation(seconds_to_ns(self.now_s), self.state_rad, {})
            chunk = self.unsticking.infer(seen, "put it there")
            self.by.append(chunk.policy_id)
            self.state_rad = chunk.targets_rad[ROWS_BETWEEN - 1].copy()
            if chunk.policy_id != "home":
                self.state_rad[0] += moves_rad
            self.states.append(self.state_rad)
            self.now_s += ASKED_EVERY_S


def test_an_arm_that_moves_is_left_to_its_policy_however_slowly() -> None:
    arm = _Arm()
    arm.live(TRY_S, moves_rad=0.008)
    assert "home" not in arm.by
    assert not arm.unsticking.times


def test_an_arm_that_is_busy_for_too_long_begins_again() -> None:
    arm = _Arm()
    arm.live(TRY_S + 0.4, moves_rad=0.04)
    assert arm.unsticking.times == 1
    arm.live(TRY_S - 1.0, moves_rad=0.04)
    assert arm.unsticking.times == 1
    arm.live(5.0, moves_rad=0.04)
    assert arm.unsticking.times == 2


def test_an_arm_that_stands_goes_home_and_its_policy_goes_on_from_there() -> None:
    arm = _Arm()
    arm.live(STILL_S)
    assert "home" not in arm.by
    arm.live(1.6)
    assert "home" in arm.by
    assert arm.by[-1] == "put it there", "home is not where it ends"
    assert arm.unsticking.times == 1
    apart_rad = np.abs(arm.state_rad - HOME)
    assert apart_rad[1:].max() < 0.1
    assert 0.1 < apart_rad[0] < 0.4, "beside home, from where the policy sees something else"


def test_an_arm_that_stands_at_home_begins_beside_it_now_on_one_side_now_on_the_other() -> None:
    arm = _Arm()
    arm.state_rad = HOME
    arm.live(12.0)
    pans_rad = np.array(arm.states)[:, 0] - HOME[0]
    assert pans_rad.max() > 0.15
    assert pans_rad.min() < -0.15
    assert not is_home(ROBOT, arm.states[int(pans_rad.argmax())])


@pytest.mark.parametrize("retries", [0, 2])
def test_after_so_many_retries_the_arm_is_left_in_peace(retries: int) -> None:
    arm = _Arm(retries)
    arm.live(40.0)
    assert arm.unsticking.times == retries
    assert "home" not in arm.by[-60:]


def test_a_new_step_begins_anew() -> None:
    arm = _Arm(retries=1)
    arm.live(20.0)
    arm.unsticking.reset()
    arm.live(0.6)
    assert arm.unsticking.times == 0
    arm.live(4.0)
    assert arm.unsticking.times == 1
