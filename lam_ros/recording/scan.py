"""Walks an MCAP file from its beginning, as far as it is intact; needs no index.

The library's own stream reader takes a short read at the end of a file for a whole
record.  Here a record counts only if all its bytes are there: also one inside a chunk
that was cut off, but nothing of a chunk with a wrong checksum.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Header, McapRecord, Message, Metadata, Schema
from mcap.writer import MCAP0_MAGIC

from lam_ros.core.errors import DataError
from lam_ros.recording.definitions import hash_of
from lam_ros.recording.metadata import CHECK_KEY, Topic

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
_FOOTER = struct.Struct("<QQI")
_END_BYTES = _FRAME.size + _FOOTER.size + len(MCAP0_MAGIC)
_CRC_BYTES = 4
_DATA_LENGTH = struct.Struct("<Q")
_DEFINITIONS = (Opcode.SCHEMA, Opcode.CHANNEL)
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

        Schemas and channels of a closed file come from its summary, and then again.

        Raises:
            OSError: if the file cannot be read.
        """
        with self.path.open("rb") as file:
            summary = _read_summary(file)
            yield from self._definitions(summary or b"")
            file.seek(0)
            if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                return
            has_chunks = False
            for opcode, body, is_whole in _frames(file):
                if opcode == Opcode.CHUNK:
                    has_chunks = True
                    yield from self._chunk(body, is_whole)
                elif opcode == Opcode.DATA_END:
                    self.is_complete = summary is not None and not self.damaged
                    return
                elif has_chunks and opcode in _DEFINITIONS:
                    self.damaged += 1  # inside a chunk whose length is wrong
                elif is_whole:
                    yield from self._record(opcode, body)

    def _chunk(self, body: bytes, is_whole: bool) -> Iterator[McapRecord]:
        try:
            start_ns, end_ns, size, crc = _CHUNK_HEAD.unpack_from(body)
            self.compression, packed = _compressed(body)
            data = _unpack(self.compression, packed)
        except (MemoryError, *DAMAGED):
            self.damaged += is_whole
            return
        if is_whole and (len(data) != size or (crc and crc != zlib.crc32(data))):
            self.damaged += 1
            self.lost_ns += max(0, end_ns - start_ns)
            yield from self._definitions(data, is_doubtful=True)
            return
        last_ns = start_ns
        for opcode, part, part_is_whole in _frames(io.BytesIO(data)):
            for record in self._record(opcode, part) if part_is_whole else ():
                if isinstance(record, Message):
                    last_ns = max(last_ns, record.log_time)
                yield record
        if not is_whole:
            self.lost_ns += max(0, end_ns - last_ns)

    def _definitions(self, data: bytes, *, is_doubtful: bool = False) -> Iterator[McapRecord]:
        """Yield schemas and channels; doubtful ones only if their hash is that of their type."""
        schemas: dict[int, Schema] = {}
        for opcode, body, is_whole in _frames(io.BytesIO(data)):
            if not is_whole or opcode not in _DEFINITIONS:
                continue
            for record in self._record(opcode, body):
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel) and record.schema_id in schemas:
                    schema = schemas[record.schema_id]
                    if is_doubtful and not _is_intact(schema, record):
                        continue
                    yield from (schema, record)

    def _record(self, opcode: int, body: bytes) -> Iterator[McapRecord]:
        """Yield the record if it is of a kind that matters and makes sense."""
        try:
            if opcode == Opcode.MESSAGE:
                channel_id, sequence, log_ns, publish_ns = _MESSAGE_HEAD.unpack_from(body)
                data = body[_MESSAGE_HEAD.size :]
                record: McapRecord = Message(channel_id, log_ns, data, publish_ns, sequence)
            elif opcode in _PLAIN:
                record = _PLAIN[opcode](ReadDataStream(_Exact(body)))
            else:
                return
        except DAMAGED:
            self.damaged += 1
            return
        yield record


class _Exact(io.BytesIO):
    """Bytes that end where they end: the library takes what it gets for what it asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is not None and len(data) < size:
            raise EOFError("a record is shorter than what is in it")
        return data


def _frames(file: IO[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield opcode, body, and whether the body is whole; the last may not be."""
    here = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(here)
    while True:
        head = file.read(_FRAME.size)
        if len(head) < _FRAME.size:
            return
        opcode, length = _FRAME.unpack(head)
        if opcode == 0 or length > _LARGEST_RECORD_BYTES:
            return  # what a file system leaves behind after a loss of power
        body = file.read(min(length, size))  # room is made for as much as is asked for
        yield opcode, body, len(body) == length
        if len(body) < length:
            return


def _is_intact(schema: Schema, channel: Channel) -> bool:
    """Return whether a definition is the one whose hash the channel has, and the channel is whole.

    Channels of bags made elsewhere have no checksum of their own.
    """
    type_hash = channel.metadata.get("topic_type_hash", "")
    qos = channel.metadata.get("offered_qos_profiles", "")
    check = Topic(channel.topic, schema.name, type_hash, qos).check
    encodings = (schema.encoding, channel.message_encoding)
    if channel.metadata.get(CHECK_KEY, check) != check or encodings != ("ros2msg", "cdr"):
        return False
    try:
        return type_hash == hash_of(schema.name, schema.data.decode())
    except (DataError, *DAMAGED):
        return False


def _compressed(body: bytes) -> tuple[str, bytes]:
    """Return a chunk's compression and its data, as far as they are there."""
    at = _CHUNK_HEAD.size
    (length,) = _TEXT_LENGTH.unpack_from(body, at)
    at += _TEXT_LENGTH.size
    name = body[at : at + length].decode()
    at += length
    (size,) = _DATA_LENGTH.unpack_from(body, at)
    data = body[at + _DATA_LENGTH.size :]
    if size < len(data):
        raise ValueError(f"a chunk of {len(data)} bytes says that it has {size}")
    return name, data


def _unpack(compression: str, data: bytes) -> bytes:
    """Return the content of a chunk, as far as it can be had."""
    if not data or compression == "":
        return data
    if compression == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if compression == "lz4":
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data))
    raise ValueError(f"unknown compression '{compression}'")


def _read_summary(file: IO[bytes]) -> bytes | None:
    """Return the summary of a file that was closed; None if its end is missing or wrong."""
    size = file.seek(0, io.SEEK_END)
    if size < _END_BYTES + len(MCAP0_MAGIC):
        return None
    file.seek(size - _END_BYTES)
    end = file.read()
    start, _, crc = _FOOTER.unpack_from(end, _FRAME.size)
    is_footer = end.startswith(_FRAME.pack(Opcode.FOOTER, _FOOTER.size))
    if not is_footer or not end.endswith(MCAP0_MAGIC) or not 0 < start < size:
        return None
    file.seek(start)
    summary = file.read(max(0, size - _END_BYTES - start))
    protected = summary + end[: _FRAME.size + _FOOTER.size - _CRC_BYTES]
    return None if crc and crc != zlib.crc32(protected) else summary


def has_end(path: Path) -> bool:
    """Return whether the file ends as one that was closed; nothing else of it is read."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - len(MCAP0_MAGIC)))
        return size > 2 * len(MCAP0_MAGIC) and file.read() == MCAP0_MAGIC


@dataclass(frozen=True)
class Head:
    """How a file begins.

    Attributes:
        profile: empty if there is no header.
        compression: of its first chunk.
        records: metadata before the first chunk, by name.
    """

    profile: str = ""
    compression: str = ""
    records: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_head(path: Path) -> Head:
    """Read a file up to its first chunk.

    Raises:
        OSError: if the file cannot be read.
    """
    profile = ""
    records: dict[str, Mapping[str, str]] = {}
    with path.open("rb") as file:
        if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
            return Head()
        for opcode, body, is_whole in _frames(file):
            try:
                if opcode == Opcode.CHUNK:
                    return Head(profile, _compressed(body)[0], records)
                if opcode == Opcode.HEADER and is_whole:
                    profile = Header.read(ReadDataStream(_Exact(body))).profile
                if opcode == Opcode.METADATA and is_whole:
                    record = Metadata.read(ReadDataStream(_Exact(body)))
                    records[record.name] = record.metadata
            except DAMAGED:
                continue
    return Head(profile, "", records)
