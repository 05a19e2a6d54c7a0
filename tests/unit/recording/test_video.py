"""Pictures as H.264: one a message, each decodable from what came before it, gaps noticed."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.errors import DataError
from lam_ros.recording import cdr
from lam_ros.recording.definitions import decode_cdr, define, installed_types
from lam_ros.recording.format import VIDEO
from lam_ros.recording.h264 import Chain
from lam_ros.recording.video import VideoDecoder, VideoEncoder, VideoPool, pixel_format

SIZES = [(64, 48), (47, 33), (640, 480), (330, 250)]
BROKEN = "a picture of a video without those before it"


def picture(number: int, width_px: int, height_px: int) -> np.ndarray:
    """A ramp with a bright bar that moves on with the number, shape (H, W, 3)."""
    ramp = np.linspace(40, 120, width_px)[None, :, None]
    image = np.broadcast_to(ramp, (height_px, width_px, 3)).astype(np.uint8).copy()
    at = number % 20 * width_px // 20
    image[:, at : at + width_px // 20 + 1] = (230, 200, 60)
    return image


def film(count: int, width_px: int = 64, height_px: int = 48, rate_hz: float = 30.0) -> list[bytes]:
    encoder = VideoEncoder(width_px, height_px, rate_hz)
    return [encoder.encode(picture(k, width_px, height_px)) for k in range(count)]


@pytest.mark.parametrize(("width_px", "height_px"), SIZES)
def test_each_message_holds_one_picture_which_can_be_seen_at_once(width_px, height_px):
    chain, decoder = Chain(), VideoDecoder()
    for number, packet in enumerate(film(40, width_px, height_px)):
        assert chain.note(packet) == (height_px, width_px)
        error = decoder.decode(packet).astype(int) - picture(number, width_px, height_px)
        assert np.abs(error).mean() < 6, number


def test_small_pictures_keep_the_full_resolution_of_colours():
    assert [pixel_format(*size) for size in SIZES] == ["yuv444p", "yuv444p", "yuv420p", "yuv420p"]


def test_a_recording_can_be_seen_from_each_half_second_on():
    packets = film(60, rate_hz=30.0)
    for first in (15, 30, 45):
        chain, decoder = Chain(), VideoDecoder()
        for packet in packets[first:]:
            assert chain.note(packet) == (48, 64)
            decoder.decode(packet)


def test_pictures_behind_a_missing_one_are_of_no_use_until_the_next_key_picture():
    packets = film(40)
    chain = Chain()
    told = [chain.note(packet) for k, packet in enumerate(packets) if k != 20]
    assert told[:20] == [(48, 64)] * 20
    assert told[20:29] == [BROKEN] * 9
    assert told[29:] == [(48, 64)] * 10


def test_a_video_that_begins_in_the_middle_is_of_no_use_until_a_key_picture():
    chain = Chain()
    assert {chain.note(packet) for packet in film(20)[7:15]} == {BROKEN}


def test_a_number_that_wraps_around_is_no_gap():
    encoder = VideoEncoder(
        64, 48, 1000.0
    )  # 500 pictures from key to key, numbers of 4 bits and more
    chain = Chain()
    for number in range(400):
        assert chain.note(encoder.encode(picture(number, 64, 48))) == (48, 64), number


@pytest.mark.parametrize("cut", [0, 3, 5, 8])
def test_what_is_cut_off_is_told_not_raised(cut):
    assert isinstance(Chain().note(film(1)[0][:cut]), str)


def test_what_is_no_video_is_told():
    assert isinstance(Chain().note(b"\xff\xd8" + bytes(200)), str)
    with pytest.raises(DataError, match=r"H\.264 of 202 bytes"):
        VideoDecoder().decode(b"\xff\xd8" + bytes(200))


def test_the_message_has_the_layout_and_the_hash_that_foxglove_publishes():
    data = cdr.compressed_video(1_500_000_007, "front_optical_frame", b"\0\0\1packet", "h264")
    definition = define(VIDEO)
    message = decode_cdr(installed_types(), VIDEO, data)
    assert (message.timestamp.sec, message.timestamp.nanosec) == (1, 500_000_007)
    assert (message.frame_id, message.format) == ("front_optical_frame", "h264")
    assert bytes(message.data) == b"\0\0\1packet"
    assert definition.type_hash.startswith("RIHS01_")
    assert "MSG: builtin_interfaces/Time" in definition.text


def raw_image(number: int) -> cdr.RawImage:
    pixels = memoryview(picture(number, 64, 48).tobytes())
    return cdr.RawImage(1000 + number, "front", 48, 64, "rgb8", 3 * 64, pixels)


def packet_of(future: Future[bytes | str]) -> bytes:
    message = decode_cdr(installed_types(), VIDEO, future.result())
    return bytes(message.data)


@pytest.fixture
def pool():
    robot = load_robot("so101")
    cameras = tuple(replace(c, width_px=64, height_px=48, rate_hz=30.0) for c in robot.cameras)
    pool = VideoPool(replace(robot, cameras=cameras))
    yield pool
    pool.close()


def test_after_a_dropped_picture_the_next_one_stands_for_itself(pool):
    define(VIDEO)
    chain = Chain()
    for number in range(3):
        assert chain.note(packet_of(pool.encode("front", raw_image(number)))) == (48, 64)
    packet_of(pool.encode("front", raw_image(3)))  # there was no room for it
    pool.restart("front")
    for number in range(4, 7):
        assert chain.note(packet_of(pool.encode("front", raw_image(number)))) == (48, 64)


def test_each_episode_begins_with_a_key_picture(pool):
    define(VIDEO)
    for _ in range(3):
        pool.begin()
        assert Chain().note(packet_of(pool.encode("wrist", raw_image(0)))) == (48, 64)
        packet_of(pool.encode("wrist", raw_image(1)))


def test_a_picture_that_does_not_fit_the_video_is_told(pool):
    image = replace(raw_image(0), width_px=32)
    assert pool.encode("front", image).result() == "a picture of 32x48 does not fit the video"
