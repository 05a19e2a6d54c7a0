"""Writes an MCAP file again, with an end and an index, from what is intact in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcap.records import Attachment, Channel, McapRecord, Message, Metadata, Schema
from mcap.writer import CompressionType, Writer

from lam_ros.core.errors import MachineError
from lam_ros.recording.disk import RecordFile, sync_folder
from lam_ros.recording.format import META_RECORD, OUTCOME_RECORD, PROFILE
from lam_ros.recording.scan import Scanner, read_head

_CHUNK_BYTES = 4 << 20
_COMPRESSIONS = {
    "": CompressionType.NONE,
    "zstd": CompressionType.ZSTD,
    "lz4": CompressionType.LZ4,
}
_SUFFIX = ".repair"


def rewrite(path: Path, records: Mapping[str, Mapping[str, str]]) -> None:
    """Put a complete file in the place of a damaged one, which stays until then.

    Args:
        path: of the file.
        records: `lam` and `lam.outcome` as they are to be.

    Raises:
        MachineError: if there is no room or no permission; the file is as it was.
        OSError: if the file cannot be read.
    """
    target = path.with_name(path.name + _SUFFIX)
    target.unlink(missing_ok=True)
    file = RecordFile(target)
    try:
        _copy(path, file, records)
        file.sync()
        target.replace(path)
    except (MachineError, OSError):
        target.unlink(missing_ok=True)
        raise
    finally:
        file.close()
    sync_folder(path.parent)


def _copy(path: Path, file: RecordFile, records: Mapping[str, Mapping[str, str]]) -> None:
    head = read_head(path)
    compression = _COMPRESSIONS.get(head.compression, CompressionType.NONE)
    writer = Writer(file, _CHUNK_BYTES, compression)  # type: ignore[arg-type]
    writer.start(profile=head.profile or PROFILE)
    if META_RECORD in records:
        writer.add_metadata(META_RECORD, dict(records[META_RECORD]))
    copy = _Copy(writer)
    for record in Scanner(path).records():
        copy.add(record)
    copy.finish()
    writer.flush()
    if OUTCOME_RECORD in records:
        writer.add_metadata(OUTCOME_RECORD, dict(records[OUTCOME_RECORD]))
    writer.finish()


class _Copy:
    """Adds records of one file to another, which numbers schemas and channels anew."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._new_schemas: dict[int, int] = {0: 0}
        self._new_channels: dict[int, int] = {}

    def add(self, record: McapRecord) -> None:
        if isinstance(record, Message):
            self._add_message(record)
        elif isinstance(record, Schema):
            self._schemas.setdefault(record.id, record)
        elif isinstance(record, Channel):
            self._channels.setdefault(record.id, record)
        elif isinstance(record, Metadata):
            if record.name not in (META_RECORD, OUTCOME_RECORD):
                self._writer.add_metadata(record.name, record.metadata)
        elif isinstance(record, Attachment):
            self._writer.add_attachment(
                record.create_time, record.log_time, record.name, record.media_type, record.data
            )

    def _add_message(self, message: Message) -> None:
        if message.channel_id in self._channels:
            self._writer.add_message(
                self._channel(message.channel_id),
                message.log_time,
                message.data,
                message.publish_time,
                message.sequence,
            )

    def finish(self) -> None:
        """Name the topics that had no message, too."""
        for channel_id in self._channels:
            self._channel(channel_id)

    def _channel(self, channel_id: int) -> int:
        if channel_id not in self._new_channels:
            old = self._channels[channel_id]
            self._new_channels[channel_id] = self._writer.register_channel(
                old.topic, old.message_encoding, self._schema(old.schema_id), old.metadata
            )
        return self._new_channels[channel_id]

    def _schema(self, schema_id: int) -> int:
        if schema_id not in self._new_schemas:
            old = self._schemas.get(schema_id)
            if old is None:
                return 0
            self._new_schemas[schema_id] = self._writer.register_schema(
                old.name, old.encoding, old.data
            )
        return self._new_schemas[schema_id]
