"""Walks an MCAP file from its beginning, as far as it is intact; needs no index.

The library's own stream reader takes a short read at the end of a file for a whole
record.  Here a record counts only if all its bytes are there: also one inside a chunk
that was cut off, but none of a chunk with a wrong checksum.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Footer, Header, McapRecord, Message, Metadata, Schema
from mcap.writer import MCAP0_MAGIC

DAMAGED = (
    McapError,
    struct.error,
    zlib.error,
    zstandard.ZstdError,
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
)
"""What the libraries raise on data that make no sense."""

_LARGEST_RECORD_BYTES = 1 << 30
_FRAME = struct.Struct("<BQ")
_CHUNK_HEAD = struct.Struct("<QQQI")
_MESSAGE_HEAD = struct.Struct("<HIQQ")
_TEXT_LENGTH = struct.Struct("<I")
_CRC_BYTES = 4
_DATA_LENGTH_BYTES = 8
_PLAIN: dict[int, Callable[[ReadDataStream], McapRecord]] = {
    Opcode.HEADER: Header.read,
    Opcode.SCHEMA: Schema.read,
    Opcode.CHANNEL: Channel.read,
    Opcode.METADATA: Metadata.read,
    Opcode.ATTACHMENT: Attachment.read,
}


class Scanner:
    """One walk over one file.

    Attributes, final when `records` has ended:
        is_complete: whether the file was closed and nothing in it is damaged.
        lost_ns: time span of what is missing from chunks, as the heads of these say.
        damaged: records and chunks that are there but make no sense.
        compression: of the chunks ("", "zstd" or "lz4"), from the first of them on.
    """

    def __init__(self, path: Path) -> None:
        """Walk this file."""
        self.path = path
        self.is_complete = False
        self.lost_ns = 0
        self.damaged = 0
        self.compression = ""

    def records(self) -> Iterator[McapRecord]:
        """Yield what is whole: header, schemas, channels, messages, metadata, attachments.

        Schemas and channels come again from the summary of a closed file.

        Raises:
            OSError: if the file cannot be read.
        """
        with self.path.open("rb") as file:
            if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                return
            for opcode, body, is_whole in _frames(file):
                if opcode == Opcode.CHUNK:
                    yield from self._chunk(body, is_whole)
                elif opcode == Opcode.FOOTER and is_whole:
                    self.is_complete = not self.damaged and _is_closed(file, body)
                    return
                elif is_whole:
                    yield from self._record(opcode, body)

    def _chunk(self, body: bytes, is_whole: bool) -> Iterator[McapRecord]:
        try:
            start_ns, end_ns, size, crc = _CHUNK_HEAD.unpack_from(body)
            self.compression, packed = _compressed(body)
            data = _unpack(self.compression, packed)
        except DAMAGED:
            self.damaged += is_whole
            return
        is_intact = is_whole and len(data) == size and (not crc or crc == zlib.crc32(data))
        is_wrong = is_whole and not is_intact
        last_ns = start_ns
        for opcode, part, part_is_whole in _frames(io.BytesIO(data)):
            if not part_is_whole or (is_wrong and opcode == Opcode.MESSAGE):
                continue
            for record in self._record(opcode, part):
                if isinstance(record, Message):
                    last_ns = max(last_ns, record.log_time)
                yield record
        self.damaged += is_wrong
        if not is_intact:
            self.lost_ns += max(0, end_ns - last_ns)

    def _record(self, opcode: int, body: bytes) -> Iterator[McapRecord]:
        """Yield the record if it is of a kind that matters and makes sense."""
        try:
            if opcode == Opcode.MESSAGE:
                channel_id, sequence, log_ns, publish_ns = _MESSAGE_HEAD.unpack_from(body)
                data = body[_MESSAGE_HEAD.size :]
                record: McapRecord = Message(channel_id, log_ns, data, publish_ns, sequence)
            elif opcode in _PLAIN:
                record = _PLAIN[opcode](ReadDataStream(io.BytesIO(body)))
            else:
                return
        except DAMAGED:
            self.damaged += 1
            return
        yield record


def _frames(file: IO[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield opcode, body, and whether the body is whole; the last may not be."""
    while True:
        head = file.read(_FRAME.size)
        if len(head) < _FRAME.size:
            return
        opcode, length = _FRAME.unpack(head)
        if opcode == 0 or length > _LARGEST_RECORD_BYTES:
            return  # what a file system leaves behind after a loss of power
        body = file.read(length)
        yield opcode, body, len(body) == length
        if len(body) < length:
            return


def _compressed(body: bytes) -> tuple[str, bytes]:
    """Return a chunk's compression and its data, as far as they are there."""
    at = _CHUNK_HEAD.size
    (length,) = _TEXT_LENGTH.unpack_from(body, at)
    at += _TEXT_LENGTH.size
    name = body[at : at + length].decode()
    return name, body[at + length + _DATA_LENGTH_BYTES :]


def _unpack(compression: str, data: bytes) -> bytes:
    """Return the content of a chunk, as far as it can be had."""
    if not data or compression == "":
        return data
    if compression == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if compression == "lz4":
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data))
    raise ValueError(f"unknown compression '{compression}'")


def _is_closed(file: IO[bytes], footer: bytes) -> bool:
    """Return whether the end of the file, which is just behind its footer, is right."""
    if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
        return False
    found = Footer.read(ReadDataStream(io.BytesIO(footer)))
    if not found.summary_start or not found.summary_crc:
        return bool(found.summary_start)
    end = file.tell() - len(MCAP0_MAGIC) - _CRC_BYTES
    file.seek(found.summary_start)
    return bool(zlib.crc32(file.read(end - found.summary_start)) == found.summary_crc)


def has_end(path: Path) -> bool:
    """Return whether the file ends as one that was closed; nothing else of it is read."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - len(MCAP0_MAGIC)))
        return size > 2 * len(MCAP0_MAGIC) and file.read() == MCAP0_MAGIC


def first_metadata(path: Path) -> tuple[str, dict[str, str]]:
    """Return name and content of the metadata record right behind the header, or nothing."""
    for record in itertools.islice(Scanner(path).records(), 2):
        if isinstance(record, Metadata):
            return record.name, record.metadata
    return "", {}
