"""Three ways to the messages of a bag, all as bytes: by an index, by a walk, through rosbags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import apsw
from backports.zstd import ZstdError
from mcap.reader import SeekingReader
from mcap.records import Channel, Message, Schema
from mcap.summary import Summary
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2 import ReaderError
from rosbags.typesys.store import Typestore

from lam_ros.core.errors import DataError
from lam_ros.recording.contents import Tally
from lam_ros.recording.definitions import installed_types, types_in
from lam_ros.recording.scan import DAMAGED, Scanner


@dataclass(frozen=True)
class TopicInfo:
    """One topic of a bag."""

    type_name: str
    """As `sensor_msgs/msg/Image`."""

    count: int
    """Messages in the bag."""


@dataclass(frozen=True)
class Raw:
    """One serialised message; `publish_time_ns` is None where the bag has none."""

    topic: str
    type_name: str
    log_time_ns: int
    publish_time_ns: int | None
    cdr: bytes


class Source(Protocol):
    """A bag that is open for reading."""

    @property
    def topics(self) -> Mapping[str, TopicInfo]:
        """Every topic by its name."""

    @property
    def records(self) -> Mapping[str, Mapping[str, str]]:
        """Metadata records by name."""

    @property
    def start_ns(self) -> int:
        """Time of the first message's receipt, 0 without any."""

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Yield the messages of these topics."""

    def types(self, type_names: Collection[str]) -> Typestore:
        """Return the definitions of these types, as the bag has them."""


@contextmanager
def _reading(path: Path, remedy: str = "lam episodes recover {}") -> Iterator[None]:
    """Say of whatever goes wrong which bag it is, and what to do."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror or error}") from None
    except (*DAMAGED, AnyReaderError, ReaderError, ZstdError, apsw.Error, AssertionError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"bag '{path}' is damaged ({what}); repair it: {remedy.format(path)}"
        ) from None


def _types(
    folder: Path, definitions: Mapping[int, Schema], type_names: Collection[str]
) -> Typestore:
    with _reading(folder):
        texts = {schema.name: schema.data.decode() for schema in definitions.values()}
    return types_in({name: texts[name] for name in type_names if name in texts})


class IndexedFile:
    """A closed MCAP file, through the mcap library."""

    def __init__(self, folder: Path, path: Path) -> None:
        """Read its summary.

        Raises:
            DataError: if it is damaged.
        """
        self._folder, self._path = folder, path
        with _reading(folder), path.open("rb") as file:
            reader = SeekingReader(file)
            self._summary = reader.get_summary() or Summary()
            self.records = {record.name: record.metadata for record in reader.iter_metadata()}
            self.topics = self._topics()

    @property
    def has_text_definitions(self) -> bool:
        """Whether every type is defined as `ros2msg` and every message is CDR."""
        return all(s.encoding == "ros2msg" for s in self._summary.schemas.values()) and all(
            c.message_encoding == "cdr" for c in self._summary.channels.values()
        )

    @property
    def start_ns(self) -> int:
        """Time of the first message's receipt, 0 without any."""
        statistics = self._summary.statistics
        return statistics.message_start_time if statistics else 0

    def _topics(self) -> dict[str, TopicInfo]:
        statistics = self._summary.statistics
        if statistics is None:
            raise ValueError("the file has no statistics")
        found: dict[str, TopicInfo] = {}
        for channel in self._summary.channels.values():
            count = statistics.channel_message_counts.get(channel.id, 0)
            if channel.topic in found:
                count += found[channel.topic].count
            schema = self._summary.schemas.get(channel.schema_id)
            found[channel.topic] = TopicInfo(schema.name if schema else "", count)
        return found

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Yield messages in order of receipt."""
        with _reading(self._folder), self._path.open("rb") as file:
            reader = SeekingReader(file, validate_crcs=True)
            for schema, channel, message in reader.iter_messages(topics):
                yield _raw(message, channel, schema)

    def types(self, type_names: Collection[str]) -> Typestore:
        """Return the definitions of these types."""
        return _types(self._folder, self._summary.schemas, type_names)


class CutOffFile:
    """An MCAP file without its end: what is intact, in the order in which it was written."""

    def __init__(self, folder: Path, path: Path) -> None:
        """Walk over the file once."""
        self._folder, self._path = folder, path
        self._tally = Tally(path.name)
        with _reading(folder):
            for record in Scanner(path).records():
                self._tally.add(record)
        contents = self._tally.contents()
        self.records = self._tally.records
        self.start_ns = contents.span.start_ns or 0
        self.topics = {
            topic.name: TopicInfo(topic.type_name, contents.counts[topic.name])
            for topic in contents.topics
        }

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Yield messages in the order of writing."""
        channels = {
            key: channel for key, channel in self._tally.channels.items() if channel.topic in topics
        }
        schemas = self._tally.schemas
        with _reading(self._folder):
            for record in Scanner(self._path).records():
                if isinstance(record, Message) and record.channel_id in channels:
                    channel = channels[record.channel_id]
                    yield _raw(record, channel, schemas.get(channel.schema_id))

    def types(self, type_names: Collection[str]) -> Typestore:
        """Return the definitions of these types."""
        return _types(self._folder, self._tally.schemas, type_names)


class RosbagsFolder:
    """Any other rosbag2 folder: sqlite3, several files, compressed, IDL; through rosbags."""

    records: Mapping[str, Mapping[str, str]] = {}
    _remedy = "ros2 bag reindex {}, or record it again"

    def __init__(self, folder: Path) -> None:
        """Open it, and close it again.

        Raises:
            DataError: if it is damaged or of an unknown kind.
        """
        self._folder = folder
        with self._open() as reader:
            self.start_ns = reader.start_time if reader.message_count else 0
            self.topics: dict[str, TopicInfo] = {}
            for connection in reader.connections:
                before = self.topics.get(connection.topic, TopicInfo("", 0))
                count = before.count + connection.msgcount
                self.topics[connection.topic] = TopicInfo(connection.msgtype, count)

    @contextmanager
    def _open(self) -> Iterator[AnyReader]:
        with (
            _reading(self._folder, self._remedy),
            AnyReader([self._folder], default_typestore=installed_types()) as reader,
        ):
            yield reader

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Yield messages in order of receipt."""
        with self._open() as reader:
            wanted = [entry for entry in reader.connections if entry.topic in topics]
            if not wanted:
                return
            for connection, log_ns, cdr in reader.messages(wanted):
                yield Raw(connection.topic, connection.msgtype, log_ns, None, cdr)

    def types(self, type_names: Collection[str]) -> Typestore:
        """Return the definitions of these types."""
        with self._open() as reader:
            return reader.typestore


def _raw(message: Message, channel: Channel, schema: Schema | None) -> Raw:
    return Raw(
        channel.topic,
        schema.name if schema else "",
        message.log_time,
        message.publish_time,
        message.data,
    )
