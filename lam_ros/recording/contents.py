"""What an MCAP file holds besides pictures and joints: collected in one walk over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mcap.records import Channel, McapRecord, Message, Metadata, Schema

from lam_ros.recording.counting import Span, StreamCount
from lam_ros.recording.format import StreamFaults
from lam_ros.recording.metadata import Contents, Topic, sound_qos


@dataclass
class Tally:
    """Counts what comes by.

    Attributes:
        records: metadata records by name.
        streams: by channel id.
    """

    file_name: str
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    records: dict[str, Mapping[str, str]] = field(default_factory=dict)
    streams: dict[int, StreamCount] = field(default_factory=dict)
    span: Span = field(default_factory=Span)

    def add(self, record: McapRecord) -> None:
        """Take note of a record; a message without a known channel does not count."""
        if isinstance(record, Message):
            if record.channel_id in self.channels:
                self.streams[record.channel_id].note(record.publish_time)
                self.span.note(record.log_time)
        elif isinstance(record, Schema):
            self.schemas.setdefault(record.id, record)
        elif isinstance(record, Channel):
            self.channels.setdefault(record.id, record)
            self.streams.setdefault(record.id, StreamCount())
        elif isinstance(record, Metadata):
            self.records[record.name] = record.metadata

    def contents(self) -> Contents:
        """Return the sum of what came."""
        counts: dict[str, int] = {}
        for channel_id, channel in self.channels.items():
            counts[channel.topic] = counts.get(channel.topic, 0) + self.streams[channel_id].count
        topics = {channel.topic: self._topic(channel) for channel in self.channels.values()}
        return Contents(self.file_name, list(topics.values()), counts, self.span)

    def faults(self) -> dict[str, StreamFaults]:
        """Return what is wrong with stamps, by topic."""
        found = {self.channels[key].topic: stream.faults for key, stream in self.streams.items()}
        return {topic: faults for topic, faults in found.items() if faults}

    def _topic(self, channel: Channel) -> Topic:
        schema = self.schemas.get(channel.schema_id)
        return Topic(
            channel.topic,
            schema.name if schema else "",
            channel.metadata.get("topic_type_hash", ""),
            sound_qos(channel.metadata.get("offered_qos_profiles", "")),
        )


def bag_files(folder: Path) -> list[Path]:
    """Return a bag's MCAP files in the order of their numbers."""
    return sorted(folder.glob("*.mcap"), key=lambda path: (len(path.name), path.name))
