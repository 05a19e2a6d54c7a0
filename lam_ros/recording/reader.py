"""Reads an episode, or any rosbag2 folder that was made elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys.store import Typestore

from lam_ros.core.errors import DataError, unknown_name
from lam_ros.recording import cdr
from lam_ros.recording.contents import bag_files
from lam_ros.recording.definitions import decode_cdr
from lam_ros.recording.format import (
    META_RECORD,
    METADATA_FILE,
    OUTCOME_RECORD,
    VIDEO,
    EpisodeMeta,
    EpisodeResult,
    read_meta,
    read_result,
    unknown_meta,
)
from lam_ros.recording.metadata import custom_records, read_metadata
from lam_ros.recording.scan import DAMAGED
from lam_ros.recording.sources import (
    CutOffFile,
    IndexedFile,
    Raw,
    RosbagsFolder,
    Source,
    TopicInfo,
)

__all__ = ["EpisodeReader", "Recorded", "TopicInfo"]


@dataclass(frozen=True, eq=False)
class Recorded:
    """One message as it was recorded.

    Attributes:
        log_time_ns: when it was received.
        publish_time_ns: its header's stamp (may be 0 or less); for a type without header
            what the bag says, else `log_time_ns`.
        message: its fields as attributes (numeric arrays are numpy arrays), or its bytes
            (CDR) where `decode=False`.
    """

    topic: str
    type_name: str
    log_time_ns: int
    publish_time_ns: int
    message: Any


class EpisodeReader:
    """One bag; MCAP or sqlite3, compressed or not, closed or cut off.

    Attributes:
        folder: the bag's folder.
        meta: what was known when it began; for a bag made elsewhere without instruction
            and robot.
        result: how it ended; None if it is open, was cut off, or was made elsewhere.
        cut_off: whether it lacks its end; what is intact is read.
        topics: by name.
    """

    def __init__(self, folder: Path) -> None:
        """Open a bag.

        Raises:
            DataError: if there is no bag, or it is damaged.
        """
        self.folder = folder
        self.cut_off = not (folder / METADATA_FILE).exists()
        self._source = self._open()
        self.topics: Mapping[str, TopicInfo] = self._source.topics
        records = {**self._source.records, **custom_records(folder)}
        self.meta: EpisodeMeta = (
            read_meta(records[META_RECORD])
            if META_RECORD in records
            else unknown_meta(self._source.start_ns)
        )
        self.result: EpisodeResult | None = None
        if OUTCOME_RECORD in records and not self.cut_off:
            self.result = read_result(records[OUTCOME_RECORD])

    def _open(self) -> Source:
        files = bag_files(self.folder)
        if not self.cut_off:
            return _open_closed(self.folder)
        if len(files) != 1:
            raise DataError(
                f"folder '{self.folder}' holds no bag ({METADATA_FILE} is missing, and there are "
                f"{len(files)} MCAP files): name the folder of an episode"
            )
        return CutOffFile(self.folder, files[0])

    def messages(
        self, topics: Iterable[str] | None = None, *, decode: bool = True
    ) -> Iterator[Recorded]:
        """Yield the messages of some topics (None: of all) in order of `log_time_ns`.

        Raises:
            DataError: if a topic is not in the bag, or a message cannot be read.
        """
        wanted = set(self.topics) if topics is None else set(topics)
        for topic in wanted:
            if topic not in self.topics:
                raise DataError(f"bag '{self.folder}': {unknown_name('topic', topic, self.topics)}")
        types = {self.topics[topic].type_name for topic in wanted}
        if self._is_ours and not decode:
            return self._messages(wanted, None, decode=False)
        return self._messages(wanted, self._source.types(types), decode=decode)

    @property
    def _is_ours(self) -> bool:
        return self.meta.format_version > 0

    def _messages(
        self, topics: Collection[str], types: Typestore | None, *, decode: bool
    ) -> Iterator[Recorded]:
        headed = frozenset() if self._is_ours or types is None else _with_header(types)
        count = 0
        for raw in self._source.messages(topics):
            count += 1
            stamp_ns = cdr.stamp_ns(raw.cdr) if raw.type_name in headed else raw.publish_time_ns
            yield Recorded(
                raw.topic,
                raw.type_name,
                raw.log_time_ns,
                raw.log_time_ns if stamp_ns is None else stamp_ns,
                self._decode(raw, types) if types is not None and decode else raw.cdr,
            )
        expected = sum(self.topics[topic].count for topic in topics)
        if count < expected:  # an open bag may have grown
            raise DataError(
                f"bag '{self.folder}': {count} of {expected} messages can be read: its "
                f"{METADATA_FILE} does not fit it; make it anew with ros2 bag reindex"
            )

    def _decode(self, raw: Raw, types: Typestore) -> Any:
        try:
            return decode_cdr(types, raw.type_name, raw.cdr)
        except (*DAMAGED, SerdeError) as error:
            raise DataError(
                f"bag '{self.folder}': a message on '{raw.topic}' at {raw.log_time_ns} ns is no "
                f"{raw.type_name} ({error or type(error).__name__})"
            ) from None


def _open_closed(folder: Path) -> Source:
    """Choose the way to a bag that has its metadata.yaml."""
    information = read_metadata(folder) or {}
    names = information["relative_file_paths"]
    plain = information.get("storage_identifier") == "mcap" and not information.get(
        "compression_mode"
    )
    if plain and len(names) == 1:
        file = IndexedFile(folder, folder / Path(names[0]).name)
        if file.has_text_definitions:
            return file
    return RosbagsFolder(folder)


def _with_header(types: Typestore) -> frozenset[str]:
    """Return the types that begin with a stamp: those with a header, and videos."""
    header = (Nodetype.NAME, "std_msgs/msg/Header")
    return frozenset(
        name
        for name, (_, fields) in types.fielddefs.items()
        if name == VIDEO or (fields and fields[0][1] == header)
    )
