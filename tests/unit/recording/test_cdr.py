"""What is read of serialised messages agrees with ROS's own serialisation, and nothing raises."""

from __future__ import annotations

import numpy as np
import pytest
import sensor_msgs.msg
from rclpy.serialization import deserialize_message, serialize_message

from lam_ros.recording import cdr, jpeg

STAMP_NS = 1_795_000_000_123_456_789


def image(encoding: str = "rgb8", size: int = 3, padding: int = 0) -> tuple[bytes, np.ndarray]:
    """Return a serialised picture of 6x4, and its pixels."""
    pixels = np.random.default_rng(0).integers(0, 255, (4, 6, size), dtype=np.uint8)
    rows = np.pad(pixels.reshape(4, 6 * size), ((0, 0), (0, padding)))
    message = sensor_msgs.msg.Image(height=4, width=6, encoding=encoding, step=6 * size + padding)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(STAMP_NS, 10**9)
    message.header.frame_id = "front_optical_frame"
    message.data.frombytes(rows.tobytes())
    return bytes(serialize_message(message)), pixels


def test_an_image_is_read_where_it_lies() -> None:
    data, pixels = image()
    found = cdr.read_image(data)
    assert found is not None
    assert (found.stamp_ns, found.frame_id) == (STAMP_NS, "front_optical_frame")
    assert (found.size_px, found.encoding, found.step) == ((6, 4), "rgb8", 18)
    assert found.data.obj is data
    np.testing.assert_array_equal(found.rgb(), pixels)


@pytest.mark.parametrize(
    ("encoding", "size", "order"),
    [
        ("bgr8", 3, [2, 1, 0]),
        ("rgba8", 4, [0, 1, 2]),
        ("bgra8", 4, [2, 1, 0]),
        ("mono8", 1, [0] * 3),
    ],
)
def test_every_encoding_becomes_rgb_also_with_padded_rows(
    encoding: str, size: int, order: list[int]
) -> None:
    data, pixels = image(encoding, size, padding=5)
    found = cdr.read_image(data)
    assert found is not None
    rgb = found.rgb()
    np.testing.assert_array_equal(rgb, pixels[..., order])
    assert isinstance(rgb, np.ndarray)
    assert rgb.flags.c_contiguous


def test_an_encoding_that_cannot_become_jpeg_says_which_can() -> None:
    found = cdr.read_image(image("32FC1", 4)[0])
    assert found is not None
    assert found.rgb() == (
        "encoding '32FC1' cannot become JPEG; can: rgb8, bgr8, rgba8, bgra8, mono8"
    )


@pytest.mark.parametrize("frame_id", ["", "a", "abcd", "front_optical_frame"])
def test_a_compressed_image_is_what_ros_reads(frame_id: str) -> None:
    picture = jpeg.encode(image()[1])
    data = cdr.compressed_image(STAMP_NS, frame_id, picture)
    message = deserialize_message(data, sensor_msgs.msg.CompressedImage)
    assert (message.header.frame_id, message.format) == (frame_id, "jpeg")
    assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == STAMP_NS
    assert bytes(message.data) == picture
    assert cdr.stamp_ns(data) == STAMP_NS
    inside = cdr.read_compressed(data)
    assert inside is not None
    assert cdr.jpeg_size_px(inside) == (6, 4)


def test_the_size_of_what_is_no_jpeg_is_not_known() -> None:
    assert cdr.jpeg_size_px(memoryview(b"\x89PNG....")) is None
    assert cdr.jpeg_size_px(memoryview(b"\xff\xd8\xff")) is None
    assert cdr.jpeg_size_px(memoryview(b"")) is None


def test_joint_names_are_read_in_order() -> None:
    message = sensor_msgs.msg.JointState(name=["pan", "lift", "a_longer_name"])
    message.header.frame_id = "base"
    assert cdr.joint_names(bytes(serialize_message(message))) == ("pan", "lift", "a_longer_name")


@pytest.mark.parametrize(
    "read", [cdr.stamp_ns, cdr.read_image, cdr.read_compressed, cdr.joint_names]
)
def test_a_message_cut_anywhere_is_none_and_never_raises(read: object) -> None:
    data = image()[0]
    for length in range(len(data)):
        result = read(data[:length])  # type: ignore[operator]
        assert result is None or length > 11  # the stamp is all that a short one can tell
    assert read(b"\x07\x07garbage") is None  # type: ignore[operator]
    assert read(b"\x00\x01\x00\x00" + b"\xff" * 40) in (
        None,
        cdr.stamp_ns(b"\x00\x01\x00\x00" + b"\xff" * 40),
    )  # type: ignore[operator]
