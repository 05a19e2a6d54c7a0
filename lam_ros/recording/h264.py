"""What can be told of an H.264 picture without decoding it: its size, and whether it can be.

A picture of a video stands on the pictures before it, back to the last key picture.  Where
one of them is missing, a decoder shows something that no camera saw; here it is noticed.
After ITU-T H.264, 7.3.2.1 (sequence parameters), 7.3.3 (slice header) and 7.4.3 (frame_num).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SLICE, _KEY_SLICE, _SEQUENCE = 1, 5, 7
"""Types of units: of a picture, of a key picture, and parameters of a sequence."""

_HEAD_BYTES = 64
"""Of a slice, and of parameters without scaling lists: more than their fields need."""

_WITH_CHROMA = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""Profiles whose parameters say how colours are stored."""


@dataclass(frozen=True)
class Sequence:
    """Parameters of a sequence, as far as they are needed.

    Attributes:
        number_bits: length of a picture's number.
    """

    width_px: int
    height_px: int
    number_bits: int
    separate_planes: bool


class _Bits:
    """Reads bits from the most significant on, with the bytes that only mark starts left out."""

    def __init__(self, unit: bytes) -> None:
        self._data = unit.replace(b"\0\0\3", b"\0\0")
        self._at = 8  # behind the unit's type

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def number(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        value = self.number()
        return (value + 1) // 2 if value % 2 else -(value // 2)


class Chain:
    """Follows the pictures of one stream in their order."""

    def __init__(self) -> None:
        """Wait for a key picture."""
        self._sequence: Sequence | None = None
        self._last: int | None = None

    def note(self, data: bytes) -> tuple[int, int] | str:
        """Take the next picture (Annex B); return (height, width), or why it is of no use."""
        if not data:
            return "empty picture"
        try:
            fault = self._fault(data)
        except IndexError:
            fault = "truncated picture"
        if fault or self._sequence is None:
            self._last = None
            return fault
        return self._sequence.height_px, self._sequence.width_px

    def _fault(self, data: bytes) -> str:
        for unit in units(data):
            kind = unit[0] & 31
            if kind == _SEQUENCE:
                self._sequence = read_sequence(unit)
            elif kind in (_SLICE, _KEY_SLICE):
                return self._follow(unit, is_key=kind == _KEY_SLICE)
        return "no picture in a message"

    def _follow(self, unit: bytes, *, is_key: bool) -> str:
        sequence = self._sequence
        if sequence is None or (self._last is None and not is_key):
            return "a picture of a video without those before it"
        bits = _Bits(unit[:_HEAD_BYTES])
        for _ in range(3):  # its place in the picture, its kind, its parameters
            bits.number()
        if sequence.separate_planes:
            bits.take(2)
        number = bits.take(sequence.number_bits)
        last = self._last or 0
        if not is_key and number != (last + 1) % (1 << sequence.number_bits):
            return "a picture of a video without those before it"
        if unit[0] >> 5 & 3:  # others stand on it
            self._last = number
        return ""


def units(data: bytes) -> Iterator[bytes]:
    """Yield the units of a byte stream (Annex B), without what marks their start."""
    at = data.find(b"\0\0\1")
    while at >= 0:
        end = data.find(b"\0\0\1", at + 3)
        unit = data[at + 3 :] if end < 0 else data[at + 3 : end]
        if unit:
            yield unit
        at = end


def read_sequence(unit: bytes) -> Sequence:
    """Return the parameters of a sequence.

    Raises:
        IndexError: if they are cut off.
    """
    bits = _Bits(unit)
    profile = bits.take(8)
    bits.take(16)
    bits.number()
    chroma, separate = 1, False
    if profile in _WITH_CHROMA:
        chroma, separate = _read_chroma(bits)
    number_bits = bits.number() + 4
    _skip_order(bits)
    bits.number()
    bits.take(1)
    width, height = bits.number() + 1, bits.number() + 1
    whole_frames = bits.take(1)
    if not whole_frames:
        bits.take(1)
    bits.take(1)
    crop = [bits.number() for _ in range(4)] if bits.take(1) else [0] * 4
    across = 2 if chroma in (1, 2) and not separate else 1
    down = (2 if chroma == 1 and not separate else 1) * (2 - whole_frames)
    return Sequence(
        16 * width - across * (crop[0] + crop[1]),
        16 * height * (2 - whole_frames) - down * (crop[2] + crop[3]),
        number_bits,
        separate,
    )


def _read_chroma(bits: _Bits) -> tuple[int, bool]:
    """Return how colours are stored, and step over what follows about samples."""
    chroma = bits.number()
    separate = bool(bits.take(1)) if chroma == 3 else False
    bits.number()
    bits.number()
    bits.take(1)
    if bits.take(1):
        for k in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling(bits, 16 if k < 6 else 64)
    return chroma, separate


def _skip_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    """Step over how the order of display is told."""
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.take(1)
        bits.number()
        bits.number()
        for _ in range(bits.number()):
            bits.number()
