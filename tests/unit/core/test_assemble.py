"""An observation, or the stream to blame."""

import numpy as np
import pytest

from lam_ros.core.assemble import JOINTS, Assembler, Put
from lam_ros.core.types import CameraFrame, JointState, NotReady, NotReadyReason, Observation

MS = 1_000_000
NOW = 10_000 * MS


SHAPES = {"front": (80, 128, 3), "wrist": (96, 96, 3)}


def frame(camera, stamp_ns, shape=None):
    return CameraFrame(
        camera, stamp_ns, np.full(shape or SHAPES.get(camera, (96, 96, 3)), 90, np.uint8)
    )


@pytest.fixture
def full(robot, home):
    """An assembler with fresh items of NOW."""
    assembler = Assembler(robot)
    for camera in robot.camera_names:
        assembler.put_frame(frame(camera, NOW))
    assembler.put_joints(JointState(NOW, home))
    return assembler


def blame(assembler, now_ns=NOW):
    answer = assembler.assemble(now_ns)
    assert isinstance(answer, NotReady)
    assert answer.detail
    return answer.stream, answer.reason


def test_all_fresh_gives_an_observation(full, robot, home):
    full.put_frame(frame("front", NOW + 10 * MS))
    observation = full.assemble(NOW + 20 * MS)
    assert isinstance(observation, Observation)
    assert observation.stamp_ns == NOW  # the oldest picture
    assert observation.age_ns == {"front": 10 * MS, "wrist": 20 * MS, JOINTS: 20 * MS}
    assert set(observation.images) == set(robot.camera_names)
    np.testing.assert_array_equal(observation.state_rad, home)


def test_nothing_yet_names_the_first_missing_stream(robot, home):
    assembler = Assembler(robot)
    assert blame(assembler) == ("front", NotReadyReason.MISSING)
    assembler.put_frame(frame("front", NOW))
    assert blame(assembler) == ("wrist", NotReadyReason.MISSING)
    assembler.put_frame(frame("wrist", NOW))
    assert blame(assembler) == (JOINTS, NotReadyReason.MISSING)
    assembler.put_joints(JointState(NOW, home))
    assert isinstance(assembler.assemble(NOW), Observation)


def test_stale_streams_are_named(full, home):
    later = NOW + 150 * MS  # above the joints' limit of 100 ms, below the cameras' of 250 ms
    assert blame(full, later) == (JOINTS, NotReadyReason.STALE)
    full.put_joints(JointState(NOW + 300 * MS, home))
    assert blame(full, NOW + 300 * MS)[1] is NotReadyReason.STALE


def test_a_stamp_ahead_of_the_clock_is_named(full):
    full.put_frame(frame("wrist", NOW + 60 * MS))
    assert blame(full) == ("wrist", NotReadyReason.FUTURE)
    assert isinstance(full.assemble(NOW + 20 * MS), Observation)


def test_streams_of_different_times_are_skewed(full, home):
    full.put_frame(frame("wrist", NOW + 120 * MS))
    full.put_joints(JointState(NOW + 120 * MS, home))
    assert blame(full, NOW + 120 * MS) == ("front", NotReadyReason.SKEWED)


@pytest.mark.parametrize("shape", [(96, 97, 3), (48, 48, 3), (0, 0, 3)])
def test_a_picture_of_the_wrong_size_is_named(full, shape):
    full.put_frame(frame("front", NOW + MS, shape))
    assert blame(full, NOW + MS) == ("front", NotReadyReason.WRONG_SIZE)


def test_a_joint_state_of_the_wrong_length_is_named(full):
    full.put_joints(JointState(NOW + MS, np.zeros(3)))
    assert blame(full, NOW + MS) == (JOINTS, NotReadyReason.WRONG_SIZE)


def test_the_newest_wins_and_older_items_are_refused(full, home):
    assert full.put_frame(frame("front", NOW - MS)) is Put.OUT_OF_ORDER
    assert full.put_frame(frame("front", NOW)) is Put.OUT_OF_ORDER
    assert full.put_joints(JointState(NOW - MS, home)) is Put.OUT_OF_ORDER
    assert full.put_frame(frame("front", NOW + MS)) is Put.HELD
    assert full.assemble(NOW + MS).age_ns["front"] == 0


def test_an_unknown_camera_is_refused(full):
    assert full.put_frame(frame("side", NOW)) is Put.UNKNOWN
    assert isinstance(full.assemble(NOW), Observation)


def test_after_a_clock_reset_the_two_times_are_not_mixed(full, home):
    assert full.put_frame(frame("front", 40 * MS)) is Put.RESTARTED
    assert blame(full, 40 * MS) == ("wrist", NotReadyReason.MISSING)
    assert full.put_frame(frame("wrist", 40 * MS)) is Put.HELD
    assert full.put_joints(JointState(40 * MS, home)) is Put.HELD
    assert full.assemble(40 * MS).stamp_ns == 40 * MS


def test_one_very_old_frame_blinds_only_until_the_next(full, home):
    assert full.put_frame(frame("front", NOW - 5000 * MS)) is Put.RESTARTED
    assert isinstance(full.assemble(NOW), NotReady)
    for camera in ("front", "wrist"):
        full.put_frame(frame(camera, NOW + MS))
    full.put_joints(JointState(NOW + MS, home))
    assert isinstance(full.assemble(NOW + MS), Observation)


def test_cleared_it_holds_nothing(full):
    full.clear()
    assert blame(full) == ("front", NotReadyReason.MISSING)


def test_pictures_are_not_copied(robot, home):
    assembler = Assembler(robot)
    images = {name: np.full(SHAPES[name], 90, np.uint8) for name in robot.camera_names}
    for name, image in images.items():
        assembler.put_frame(CameraFrame(name, NOW, image))
    assembler.put_joints(JointState(NOW, home))
    observation = assembler.assemble(NOW)
    assert all(np.shares_memory(observation.images[name], images[name]) for name in images)


def test_a_black_picture_is_named_until_a_lit_one_comes(full, home):
    noise = np.random.default_rng(1).integers(0, 10, SHAPES["front"], dtype=np.uint8)
    full.put_frame(CameraFrame("front", NOW + 20 * MS, noise))
    assert blame(full, NOW + 20 * MS) == ("front", NotReadyReason.BLACK)
    full.put_frame(frame("front", NOW + 40 * MS))
    assert isinstance(full.assemble(NOW + 40 * MS), Observation)


def show_the_same(assembler, home, joint, moved_rad, count=4):
    """Pictures of the wrist stay the same while one joint moves; the front camera's change."""
    for k in range(1, count + 1):
        stamp = NOW + 40 * MS * k
        position = home.copy()
        position[joint] += moved_rad * k / count
        assembler.put_joints(JointState(stamp, position))
        assembler.put_frame(frame("wrist", stamp))
        image = np.full(SHAPES["front"], 90 + k, np.uint8)
        assembler.put_frame(CameraFrame("front", stamp, image))
    return NOW + 40 * MS * count


def test_the_same_picture_of_an_arm_that_has_moved_is_frozen(full, home):
    now = show_the_same(full, home, joint=0, moved_rad=0.3)
    assert blame(full, now) == ("wrist", NotReadyReason.FROZEN)
    assert "5 pictures are the same, though the arm has moved" in full.assemble(now).detail
    another = np.full(SHAPES["wrist"], 91, np.uint8)
    full.put_frame(CameraFrame("wrist", now + MS, another))
    assert isinstance(full.assemble(now + MS), Observation)


@pytest.mark.parametrize(("joint", "moved_rad"), [(0, 0.0), (0, 0.02), (5, 1.0)])
def test_the_same_picture_of_a_resting_arm_is_none_the_worse(full, home, joint, moved_rad):
    now = show_the_same(full, home, joint, moved_rad)
    assert isinstance(full.assemble(now), Observation)
