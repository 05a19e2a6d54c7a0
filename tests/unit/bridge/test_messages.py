"""Messages and core types: there and back unchanged, and malformed messages by value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sensor_msgs.msg import Image

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import messages
from lam_ros.bridge.images import ImageWriter, frame_from
from lam_ros.bridge.scenes import scene_from, scene_to
from lam_ros.config import load_robot
from lam_ros.core.inbound import Rejected, RejectRule
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.types import (
    ActionChunk,
    CameraFrame,
    JointState,
    SafetyReport,
    Source,
    Target,
    Verdict,
)

STAMP = 1_795_374_000_123_456_789
ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)


@pytest.mark.parametrize("time_ns", [0, 1, 999_999_999, 1_000_000_000, STAMP])
def test_stamps_go_there_and_back(time_ns):
    assert messages.stamp_to_ns(messages.ns_to_stamp(time_ns)) == time_ns


def test_joint_states_go_there_and_back():
    state = JointState(STAMP, HOME, HOME / 3)
    back = messages.joints_from(messages.joints_to(state, ROBOT), ROBOT)
    assert isinstance(back, JointState)
    assert back.stamp_ns == STAMP
    np.testing.assert_array_equal(back.position_rad, HOME)
    np.testing.assert_array_equal(back.velocity_rad_s, HOME / 3)


def test_chunks_go_there_and_back():
    rows = np.random.default_rng(0).normal(0, 0.5, (12, 6))
    chunk = ActionChunk(STAMP, 40_000_000, ROBOT.joint_names, rows, "lam-1234", 77)
    back = messages.chunk_from(messages.chunk_to(chunk), ROBOT)
    assert isinstance(back, ActionChunk)
    np.testing.assert_array_equal(back.targets_rad, rows)
    assert (back.obs_stamp_ns, back.dt_ns, back.policy_id, back.sequence) == (
        STAMP,
        40_000_000,
        "lam-1234",
        77,
    )


def test_an_empty_chunk_message_is_refused_by_value():
    assert isinstance(messages.chunk_from(lam_msg.ActionChunk(), ROBOT), Rejected)


def test_commands_go_there_and_back():
    message = messages.command_to(
        HOME, ROBOT, stamp_ns=STAMP, obs_stamp_ns=STAMP - 5, source=Source.POLICY
    )
    sent = messages.command_from(message, ROBOT)
    assert isinstance(sent, Target)
    assert (sent.obs_stamp_ns, sent.source) == (STAMP - 5, Source.POLICY)
    asked = messages.teleop_from(message, ROBOT)
    assert isinstance(asked, Target)
    assert (asked.obs_stamp_ns, asked.source) == (STAMP, Source.TELEOP)
    np.testing.assert_array_equal(asked.position_rad, HOME)


@pytest.mark.parametrize("nothing", [True, False])
def test_reports_go_there_and_back(nothing):
    report = SafetyReport(
        Verdict.CLAMPED,
        "velocity",
        "why",
        None if nothing else HOME,
        None if nothing else HOME + 1,
        STAMP,
        Source.TELEOP,
    )
    back = messages.report_from(messages.report_to(report, ROBOT, stamp_ns=STAMP))
    assert (back.verdict, back.rule, back.detail) == (Verdict.CLAMPED, "velocity", "why")
    assert (back.obs_stamp_ns, back.source) == (STAMP, Source.TELEOP)
    if nothing:
        assert back.sent_rad is None
        assert back.requested_rad is None
    else:
        np.testing.assert_array_equal(back.sent_rad, HOME)
        np.testing.assert_array_equal(back.requested_rad, HOME + 1)


# -- pictures -------------------------------------------------------------------------


def picture(encoding, pixels, step=None):
    """Make a message of pixels, shape (H, W, C), in rows of `step` bytes."""
    height, width, channels = pixels.shape
    step = step or width * channels
    rows = np.zeros((height, step), np.uint8)
    rows[:, : width * channels] = pixels.reshape(height, -1)
    message = Image(height=height, width=width, step=step, encoding=encoding)
    message.header.stamp = messages.ns_to_stamp(STAMP)
    message.data.frombytes(rows.tobytes())
    return message


RGB = np.random.default_rng(1).integers(0, 255, (4, 5, 3), dtype=np.uint8)
ALPHA = np.full((4, 5, 1), 9, np.uint8)


@pytest.mark.parametrize("padding", [0, 1, 17])
@pytest.mark.parametrize(
    ("encoding", "pixels"),
    [
        ("rgb8", RGB),
        ("bgr8", RGB[..., ::-1]),
        ("rgba8", np.concatenate((RGB, ALPHA), 2)),
        ("bgra8", np.concatenate((RGB[..., ::-1], ALPHA), 2)),
    ],
)
def test_pictures_of_each_encoding_come_as_rgb(encoding, pixels, padding):
    message = picture(encoding, pixels, pixels.shape[1] * pixels.shape[2] + padding)
    frame = frame_from(message, "front")
    assert isinstance(frame, CameraFrame)
    np.testing.assert_array_equal(frame.image, RGB)
    assert (frame.camera, frame.stamp_ns) == ("front", STAMP)


def test_a_picture_is_a_view_on_the_message():
    message = picture("rgb8", RGB)
    frame = frame_from(message, "front")
    message.data[0] = (message.data[0] + 1) % 256
    assert frame.image[0, 0, 0] == message.data[0]
    assert not frame.image.flags.writeable


@pytest.mark.parametrize(
    "changes",
    [
        {"encoding": "mono8"},
        {"encoding": ""},
        {"height": 5},
        {"width": 6},
        {"width": 0},
        {"height": 0},
        {"step": 14},
        {"step": 16},
        {"width": 2**31, "step": 2**32 - 1},
    ],
)
def test_a_malformed_picture_is_refused_by_value(changes):
    message = picture("rgb8", RGB)
    for name, value in changes.items():
        setattr(message, name, value)
    answer = frame_from(message, "front")
    assert isinstance(answer, Rejected)
    assert answer.rule is RejectRule.MALFORMED
    assert "front" in answer.detail


def test_a_writer_fills_one_message_again_and_again():
    writer = ImageWriter("front", 5, 4)
    first = writer.fill(RGB, STAMP)
    np.testing.assert_array_equal(frame_from(first, "front").image, RGB)
    second = writer.fill(255 - RGB, STAMP + 1)
    assert second is first
    np.testing.assert_array_equal(frame_from(second, "front").image, 255 - RGB)
    with pytest.raises(ValueError, match="shape"):
        writer.fill(RGB[:2], STAMP)


# -- scenes ---------------------------------------------------------------------------

CUBE = SceneObject(
    "red_cube_1", "cube", "red", (0.2, -0.1, 0.014), (0.028,) * 3, yaw_rad=-2.5, on="table"
)
DRAWER = SceneObject("drawer_1", "drawer", confidence=0.5, is_open=False, is_on=True)


def test_scenes_go_there_and_back():
    scene = Scene((CUBE, DRAWER), STAMP, "red_cube_1")
    back = scene_from(scene_to(scene))
    assert isinstance(back, Scene)
    assert back["drawer_1"] == DRAWER
    assert back["red_cube_1"].yaw_rad == pytest.approx(CUBE.yaw_rad)
    assert (back.stamp_ns, back.held, back.ids) == (STAMP, "red_cube_1", scene.ids)


def test_a_scene_with_an_object_nowhere_or_twice_is_refused():
    message = scene_to(Scene((CUBE,), STAMP))
    message.objects[0].pose.position.x = math.nan
    assert scene_from(message).rule is RejectRule.NOT_FINITE
    twice = scene_to(Scene((CUBE,), STAMP))
    twice.objects = [*twice.objects, *twice.objects]
    assert scene_from(twice).rule is RejectRule.MALFORMED
