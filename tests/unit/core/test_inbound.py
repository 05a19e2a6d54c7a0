"""What arrives from outside becomes an item or a named refusal, never an exception."""

import numpy as np
import pytest

from lam_ros.core.inbound import (
    MAX_HORIZON,
    Rejected,
    RejectRule,
    parse_chunk,
    parse_joint_state,
    parse_target,
)
from lam_ros.core.types import ActionChunk, JointState, Source, Target


def chunk_of(robot, **changes):
    count = len(robot.joints)
    raw = {
        "joint_names": robot.joint_names,
        "targets_rad": np.arange(2.0 * count) / 10,
        "obs_stamp_ns": 5,
        "dt_ns": 10,
    } | changes
    return parse_chunk(robot, **raw)


def test_a_sound_chunk_comes_through(robot):
    chunk = chunk_of(robot, policy_id="p", sequence=3)
    assert isinstance(chunk, ActionChunk)
    assert chunk.targets_rad.shape == (2, len(robot.joints))
    assert (chunk.obs_stamp_ns, chunk.dt_ns, chunk.policy_id, chunk.sequence) == (5, 10, "p", 3)


def test_permuted_names_are_put_in_order(robot):
    order = np.random.default_rng(1).permutation(len(robot.joints))
    names = [robot.joint_names[i] for i in order]
    rows = np.arange(2.0 * len(order)).reshape(2, -1) / 10
    chunk = chunk_of(robot, joint_names=names, targets_rad=rows[:, order].ravel())
    assert isinstance(chunk, ActionChunk)
    assert chunk.joint_names == robot.joint_names
    np.testing.assert_array_equal(chunk.targets_rad, rows)


NAMES = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"joint_names": (*NAMES[:5], "griper")}, RejectRule.UNKNOWN_NAME),
        ({"joint_names": (*NAMES[:5], "wrist_roll")}, RejectRule.DUPLICATE_NAME),
        ({"joint_names": NAMES[:5]}, RejectRule.MISSING_NAME),
        ({"joint_names": ()}, RejectRule.MISSING_NAME),
        ({"joint_names": (*NAMES, "extra")}, RejectRule.UNKNOWN_NAME),
        ({"targets_rad": []}, RejectRule.LENGTH),
        ({"targets_rad": np.zeros(7)}, RejectRule.LENGTH),
        ({"targets_rad": np.zeros((6, 2))}, RejectRule.LENGTH),
        ({"targets_rad": np.zeros((1, 2, 6))}, RejectRule.LENGTH),
        ({"targets_rad": np.zeros(6 * (MAX_HORIZON + 1))}, RejectRule.LENGTH),
        ({"targets_rad": ["a"] * 6}, RejectRule.LENGTH),
        ({"targets_rad": [0.0] * 5 + [np.nan]}, RejectRule.NOT_FINITE),
        ({"targets_rad": [0.0] * 5 + [-np.inf]}, RejectRule.NOT_FINITE),
        ({"targets_rad": [0.0] * 5 + [1e300]}, RejectRule.IMPLAUSIBLE),
        ({"dt_ns": 0}, RejectRule.STEP_TIME),
        ({"dt_ns": -1}, RejectRule.STEP_TIME),
    ],
)
def test_a_malformed_chunk_is_refused_by_rule(robot, changes, rule):
    answer = chunk_of(robot, **changes)
    assert isinstance(answer, Rejected)
    assert answer.rule is rule
    assert answer.detail


def test_a_wrong_name_is_answered_with_the_nearest(robot):
    answer = chunk_of(robot, joint_names=(*NAMES[:5], "griper"))
    assert "Did you mean 'gripper'?" in answer.detail


def test_a_hostile_target_is_refused(robot, hostile_array):
    answer = parse_target(
        robot, joint_names=NAMES, position_rad=hostile_array, stamp_ns=0, source=Source.TELEOP
    )
    assert isinstance(answer, Rejected)


def test_a_sound_target_comes_through(robot):
    answer = parse_target(
        robot,
        joint_names=NAMES[::-1],
        position_rad=[5, 4, 3, 2, 1, 0],
        stamp_ns=7,
        source=Source.TELEOP,
    )
    assert isinstance(answer, Target)
    assert answer.position_rad.tolist() == [0, 1, 2, 3, 4, 5]


def test_joint_states_may_carry_other_joints(robot):
    names = ("wheel", *NAMES[::-1])
    state = parse_joint_state(
        robot,
        joint_names=names,
        position_rad=[9, 5, 4, 3, 2, 1, 0],
        velocity_rad_s=[9, 50, 40, 30, 20, 10, 0],
        stamp_ns=3,
    )
    assert isinstance(state, JointState)
    assert state.position_rad.tolist() == [0, 1, 2, 3, 4, 5]
    assert state.velocity_rad_s is not None
    assert state.velocity_rad_s.tolist() == [0, 10, 20, 30, 40, 50]


def test_joint_states_without_speeds_are_sound(robot):
    state = parse_joint_state(robot, joint_names=NAMES, position_rad=np.zeros(6), stamp_ns=3)
    assert isinstance(state, JointState)
    assert state.velocity_rad_s is None


def test_a_hostile_joint_state_is_refused(robot, hostile_array):
    answer = parse_joint_state(robot, joint_names=NAMES, position_rad=hostile_array, stamp_ns=0)
    assert isinstance(answer, Rejected)
