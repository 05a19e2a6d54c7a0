"""Reads an episode, or any rosbag2 folder that was made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_ros.recording.format import EpisodeMeta, EpisodeResult


@dataclass(frozen=True)
class TopicInfo:
    """One topic of a bag."""

    type_name: str
    """As `sensor_msgs/msg/Image`."""

    count: int
    """Messages in the bag."""


@dataclass(frozen=True)
class Recorded:
    """One message as it was recorded.

    Attributes:
        log_time_ns: when it was received.
        publish_time_ns: its header's stamp (may be 0); for a type without header what the
            bag says, else `log_time_ns`.
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

    folder: Path
    meta: EpisodeMeta
    result: EpisodeResult | None
    cut_off: bool
    topics: Mapping[str, TopicInfo]

    def __init__(self, folder: Path) -> None:
        """Open a bag.

        Raises:
            DataError: if there is no bag, or it is damaged.
        """
        raise NotImplementedError

    def messages(
        self, topics: Iterable[str] | None = None, *, decode: bool = True
    ) -> Iterator[Recorded]:
        """Yield the messages of some topics (None: of all) in order of `log_time_ns`.

        Raises:
            DataError: if a topic is not in the bag, or a message cannot be read.
        """
        raise NotImplementedError
