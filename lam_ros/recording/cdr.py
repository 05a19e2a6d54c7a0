"""The few facts that a recorder needs of a serialised message, read without decoding it.

Messages stay as they came (CDR).  The stamp of a header, the size of a picture and the
names of joints stand at places that can be computed; a picture's bytes are looked at
where they lie.  Nothing here raises on a malformed message: `None` comes back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from lam_ros.core.clock import NS_PER_S
from lam_ros.core.types import ImageArray

_PREFIX = 4
"""Bytes before the first value; alignment counts from behind them."""

_CDR_LE = b"\x00\x01\x00\x00"

# Encoding -> bytes a pixel, and which of them are red, green, blue.
_ENCODINGS: dict[str, tuple[int, slice]] = {
    "rgb8": (3, slice(0, 3)),
    "bgr8": (3, slice(2, None, -1)),
    "rgba8": (4, slice(0, 3)),
    "bgra8": (4, slice(2, None, -1)),
    "mono8": (1, slice(0, 1)),
}


class _Malformed(Exception):
    """The message ends too early, or holds what it must not."""


class _Cursor:
    """Reads values one after the other; steps over padding."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _PREFIX or data[0] != 0 or data[1] not in (0, 1):
            raise _Malformed
        self._data = data
        self._order = "<" if data[1] else ">"
        self._at = _PREFIX

    def number(self, code: str) -> int:
        size = struct.calcsize(code)
        self._at += -(self._at - _PREFIX) % size
        end = self._at + size
        if end > len(self._data):
            raise _Malformed
        (value,) = struct.unpack_from(self._order + code, self._data, self._at)
        self._at = end
        return int(value)

    def text(self) -> str:
        return bytes(self.block()).rstrip(b"\0").decode("utf-8", errors="replace")

    def block(self) -> memoryview:
        length = self.number("I")
        end = self._at + length
        if end > len(self._data):
            raise _Malformed
        block = memoryview(self._data)[self._at : end]
        self._at = end
        return block

    def stamp_ns(self) -> int:
        return self.number("i") * NS_PER_S + self.number("I")


@dataclass(frozen=True, eq=False)
class RawImage:
    """A `sensor_msgs/Image` looked at where it lies.

    Attributes:
        stamp_ns: of its header.
        frame_id: of its header.
        encoding: as ROS names it.
        step: bytes of a row.
        data: the rows.
    """

    stamp_ns: int
    frame_id: str
    height_px: int
    width_px: int
    encoding: str
    step: int
    data: memoryview

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.width_px, self.height_px

    def rgb(self) -> ImageArray | str:
        """Return the picture as rgb8 without gaps, shape (H, W, 3), or why that cannot be."""
        if self.encoding not in _ENCODINGS:
            known = ", ".join(_ENCODINGS)
            return f"encoding '{self.encoding:.20}' cannot become JPEG; can: {known}"
        size, channels = _ENCODINGS[self.encoding]
        height, width, step = self.height_px, self.width_px, self.step
        if height < 1 or width < 1 or step < width * size or len(self.data) < step * height:
            return f"{len(self.data)} bytes came for {width}x{height} {self.encoding}"
        pixels: ImageArray = np.ndarray(
            (height, width, size), np.uint8, self.data, strides=(step, size, 1)
        )
        if size == 1:
            return np.repeat(pixels, 3, axis=2)
        return np.ascontiguousarray(pixels[..., channels])


def stamp_ns(data: bytes) -> int | None:
    """Return the stamp [ns] of a message that begins with a header, None if it is too short."""
    try:
        return _Cursor(data).stamp_ns()
    except _Malformed:
        return None


def read_image(data: bytes) -> RawImage | None:
    """Return a `sensor_msgs/Image` without a copy of its pixels."""
    try:
        cursor = _Cursor(data)
        stamp = cursor.stamp_ns()
        frame_id = cursor.text()
        height, width = cursor.number("I"), cursor.number("I")
        encoding = cursor.text()
        cursor.number("B")
        return RawImage(
            stamp, frame_id, height, width, encoding, cursor.number("I"), cursor.block()
        )
    except _Malformed:
        return None


def compressed_image(stamp: int, frame_id: str, picture: bytes, form: str = "jpeg") -> bytes:
    """Return a `sensor_msgs/CompressedImage` around an encoded picture, stamp in [ns]."""
    sec, nanosec = divmod(stamp, NS_PER_S)
    body = struct.pack("<iI", sec, nanosec)
    for text in (frame_id, form):
        raw = text.encode() + b"\0"
        body += struct.pack("<I", len(raw)) + raw
        body += b"\0" * (-len(body) % 4)
    return b"".join((_CDR_LE, body, struct.pack("<I", len(picture)), picture))


def compressed_video(stamp: int, frame_id: str, packet: bytes, form: str) -> bytes:
    """Return a `foxglove_msgs/CompressedVideo` around an encoded picture, stamp in [ns]."""
    sec, nanosec = divmod(stamp, NS_PER_S)
    frame = frame_id.encode() + b"\0"
    body = struct.pack("<iII", sec, nanosec, len(frame)) + frame
    body += b"\0" * (-len(body) % 4) + struct.pack("<I", len(packet)) + packet
    body += b"\0" * (-len(body) % 4)
    return _CDR_LE + body + struct.pack("<I", len(form) + 1) + form.encode() + b"\0"


def read_compressed(data: bytes) -> memoryview | None:
    """Return the encoded picture inside a `sensor_msgs/CompressedImage`."""
    try:
        cursor = _Cursor(data)
        cursor.stamp_ns()
        cursor.text()
        cursor.text()
        return cursor.block()
    except _Malformed:
        return None


def jpeg_size_px(picture: memoryview) -> tuple[int, int] | None:
    """Return width and height of a JPEG from its frame header, None if it is none."""
    if bytes(picture[:2]) != b"\xff\xd8":
        return None
    at = 2
    while at + 9 < len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", picture, at + 5)
            return width, height
        at += 2 + int(struct.unpack_from(">H", picture, at + 2)[0])
    return None


def joint_names(data: bytes) -> tuple[str, ...] | None:
    """Return the names in a `sensor_msgs/JointState` or another header followed by names."""
    try:
        cursor = _Cursor(data)
        cursor.stamp_ns()
        cursor.text()
        count = cursor.number("I")
        return tuple(cursor.text() for _ in range(count)) if count <= len(data) else None
    except _Malformed:
        return None
