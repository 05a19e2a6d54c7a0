"""The arm's shape against table, boxes and itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lam_ros.config import build, load_group, load_robot
from lam_ros.core.errors import ConfigError
from lam_ros.core.geometry import Box, GeometryConfig
from lam_ros.core.limits import SafetyConfig
from lam_ros.core.safety import SafetyRoom
from lam_ros.core.types import JointState, Source, Target
from lam_sim.guard import ArmGuard, guard_for

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
SHIPPED = build(SafetyConfig, load_group("safety", "default"), "safety")
DOWN = np.array([0.0, 0.9, 0.3, 0.4, 0.0, 0.3])
MS = 1_000_000


def rules(guard: ArmGuard, pose: np.ndarray) -> list[str]:
    return [intrusion.rule for intrusion in guard.intrusions(pose)]


@pytest.mark.parametrize("name", ["so101", "franka"])
@pytest.mark.parametrize("pose", ["home_rad", "rest_rad"])
def test_the_named_poses_break_nothing(name: str, pose: str) -> None:
    robot = load_robot(name)
    guard = guard_for(robot, SHIPPED.geometry)
    assert guard is not None
    assert rules(guard, np.array(getattr(robot.poses, pose))) == []


def test_a_gripper_with_two_fingers_is_known_with_both() -> None:
    robot = load_robot("franka")
    model = ArmGuard(robot, GeometryConfig())
    wide, closed = (np.array(robot.poses.home_rad) for _ in range(2))
    wide[-1], closed[-1] = 0.04, 0.0
    finger = model._model.geom("fixed_pad").id
    places = []
    for pose in (wide, closed):
        model.intrusions(pose)
        places.append(model._data.geom_xpos[finger].copy())
    assert np.linalg.norm(places[0] - places[1]) == pytest.approx(0.04)


def test_an_arm_in_the_table_is_told_from_one_in_a_lower_table() -> None:
    assert "table" in rules(ArmGuard(ROBOT, GeometryConfig()), DOWN)
    assert rules(ArmGuard(ROBOT, GeometryConfig(table_height_m=-0.5)), DOWN) == []
    assert rules(ArmGuard(ROBOT, GeometryConfig(table_height_m=None)), DOWN) == []


def test_a_hand_folded_into_the_base_meets_it() -> None:
    folded = np.array([0.0, -1.7, 1.69, 1.65, 0.0, 0.0])
    deep = folded.copy()
    deep[1:4] = (0.6, 1.69, 1.65)
    config = GeometryConfig(table_height_m=None)
    found = ArmGuard(ROBOT, config).intrusions(deep)
    assert [intrusion.rule for intrusion in found] == ["self_collision"]
    assert " meets " in found[0].detail
    assert rules(ArmGuard(ROBOT, replace(config, self_collision=False)), deep) == []


def test_a_box_is_entered_by_whatever_part_of_the_arm_and_named() -> None:
    guard = ArmGuard(ROBOT, GeometryConfig())
    x, y, z = guard.tool_m(HOME)
    around = Box((x - 0.02, y - 0.02, z - 0.02), (x + 0.02, y + 0.02, z + 0.02), "lamp")
    (found,) = ArmGuard(ROBOT, GeometryConfig(keep_out=(around,))).intrusions(HOME)
    assert found.rule == "keep_out"
    assert "enters lamp" in found.detail
    elsewhere = Box((x, y + 0.3, z), (x + 0.1, y + 0.4, z + 0.1), "shelf")
    assert rules(ArmGuard(ROBOT, GeometryConfig(keep_out=(elsewhere,))), HOME) == []


def test_the_workspace_bounds_the_fingers_and_says_along_which_axis() -> None:
    x, _, _ = ArmGuard(ROBOT, GeometryConfig()).tool_m(HOME)
    box = Box((-1, -1, -1), (x - 0.01, 1, 1))
    (found,) = ArmGuard(ROBOT, GeometryConfig(workspace=box)).intrusions(HOME)
    assert found.rule == "workspace"
    assert found.depth_m == pytest.approx(0.01)
    assert "10 mm along x" in found.detail


def test_a_robot_of_unknown_shape_or_a_switched_off_guard_is_none() -> None:
    joints = tuple(replace(joint, name=f"x_{joint.name}") for joint in ROBOT.joints)
    other = replace(ROBOT, joints=joints, gripper=replace(ROBOT.gripper, joint="x_gripper"))
    assert guard_for(other, GeometryConfig()) is None
    assert guard_for(ROBOT, GeometryConfig(enabled=False)) is None


def test_an_unknown_key_of_a_box_is_refused_with_the_nearest() -> None:
    data = load_group("safety", "default")
    data["geometry"]["keep_out"] = [{"name": "a", "lower_m": [0, 0, 0], "uper_m": [1, 1, 1]}]
    with pytest.raises(ConfigError, match=r"keep_out\[0\]': unknown key 'uper_m'.*'upper_m'"):
        build(SafetyConfig, data, "safety")


def hostile(rng: np.random.Generator, at: np.ndarray, now_ns: int) -> object:
    """Return a request that somebody may send: mostly wrong, sometimes sound."""
    count = len(at)
    wild = 10.0 ** rng.integers(-320, 308)
    positions = (
        rng.uniform(ROBOT.lower_rad - 1, ROBOT.upper_rad + 1),
        rng.permutation(at),
        at + rng.choice([-1, 1], count) * rng.choice([1e-12, 0.1, 1.0, np.pi, 1e3]),
        np.where(rng.random(count) < 0.3, rng.choice([np.nan, np.inf, -np.inf]), at),
        rng.choice([-1, 1], count) * wild,
        at[: rng.integers(0, count)],
        np.tile(at, (2, 1)),
        at.astype(np.float16),
        np.sign(at).astype(np.int8),
        at > 0,
    )
    choice = int(rng.integers(0, len(positions) + 3))
    if choice == len(positions):
        return rng.choice([None, "up", {"position_rad": 1}])  # type: ignore[arg-type]
    position = positions[choice % len(positions)]
    late_ns = int(rng.choice([0, 0, 0, 0, 0, 0, -(10**10), 10**10, 10**18]))
    return Target(position, now_ns - late_ns, rng.choice([*Source]))  # type: ignore[arg-type]


def test_ten_thousand_hostile_commands_pass_no_limit_and_enter_nothing() -> None:
    box = Box((0.16, 0.05, 0.0), (0.30, 0.20, 0.30), "shelf")
    geometry = replace(SHIPPED.geometry, keep_out=(box,))
    config = replace(SHIPPED, geometry=geometry)
    room, judge = SafetyRoom(ROBOT, config, ArmGuard(ROBOT, geometry)), ArmGuard(ROBOT, geometry)
    rng, now_ns, arm, rules_seen = np.random.default_rng(20261128), 0, HOME, set()
    room.judge(None, JointState(0, arm), 0)
    step_rad = ROBOT.velocity_rad_s * 0.02 + 1e-9
    for index in range(10_000):
        now_ns += 20 * MS
        if index % 50 == 0:  # somewhere, held to, so that the arm gets about
            goal = rng.uniform(ROBOT.lower_rad - 0.5, ROBOT.upper_rad + 0.5)
        request = hostile(rng, arm, now_ns)
        if rng.random() < 0.7:
            request = Target(goal, now_ns, Source.POLICY)
        report = room.judge(request, JointState(now_ns, arm), now_ns)  # type: ignore[arg-type]
        sent = report.sent_rad
        rules_seen.add(report.rule)
        assert report.rule
        assert sent is not None
        assert ((ROBOT.lower_rad <= sent) & (sent <= ROBOT.upper_rad)).all()
        assert (np.abs(sent - arm) <= step_rad).all()
        if sent is not arm and (sent != arm).any():
            assert judge.intrusions(sent) == []
        arm = sent
    assert {"keep_out", "self_collision", "table"} <= rules_seen
    assert {"position", "acceleration", "not_finite", "length", "stale"} <= rules_seen
