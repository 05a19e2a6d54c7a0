"""metadata.yaml of a rosbag2 folder, in the version that ROS 2 Jazzy reads and writes (9)."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml import CSafeLoader

from lam_ros.core.errors import DataError
from lam_ros.recording.counting import Span
from lam_ros.recording.disk import sync_folder
from lam_ros.recording.format import META_RECORD, METADATA_FILE, OUTCOME_RECORD

ROSBAG2_VERSION = 9
CHECK_KEY = "lam_check"
"""Key of `Topic.check` in a channel's metadata."""

_INFINITE = {"sec": 9223372036, "nsec": 854775807}


@dataclass(frozen=True)
class Topic:
    """One topic as metadata.yaml lists it."""

    name: str
    type_name: str
    type_hash: str
    offered_qos: str
    """QoS profiles of its publishers, as YAML (`qos_profiles`)."""

    @property
    def check(self) -> str:
        """Checksum over all of it, kept in the channel: a chunk's own goes with any of its bytes."""
        parts = (self.name, self.type_name, self.type_hash, self.offered_qos)
        return f"{zlib.crc32(chr(0).join(parts).encode()):08x}"


@dataclass(frozen=True)
class Contents:
    """What one MCAP file of a bag holds.

    Attributes:
        counts: messages by topic; every topic has an entry.
        span: of the times of receipt.
    """

    file_name: str
    topics: Sequence[Topic]
    counts: Mapping[str, int]
    span: Span

    @property
    def count(self) -> int:
        """Messages in all."""
        return sum(self.counts.values())


def qos_profiles(*, latched: bool) -> str:
    """Return the QoS with which a player should offer a topic, as YAML."""
    profile = {
        "history": "keep_last",
        "depth": 10,
        "reliability": "reliable",
        "durability": "transient_local" if latched else "volatile",
        "deadline": dict(_INFINITE),
        "lifespan": dict(_INFINITE),
        "liveliness": "automatic",
        "liveliness_lease_duration": dict(_INFINITE),
        "avoid_ros_namespace_conventions": False,
    }
    return str(yaml.safe_dump([profile], sort_keys=False))


def sound_qos(text: str) -> str:
    """Return QoS profiles as YAML: the text, or none of them if it is malformed.

    They must be those of the MCAP file: readers match topics by them, too.
    """
    try:
        profiles = yaml.safe_load(text)
    except yaml.YAMLError:
        profiles = None
    is_sound = isinstance(profiles, list) and all(isinstance(one, dict) for one in profiles)
    return text if is_sound else "[]"


def write_metadata(folder: Path, files: Sequence[Contents], custom_data: Mapping[str, str]) -> None:
    """Write metadata.yaml at once: a reader sees all of it or what was there before.

    Raises:
        OSError: if the disk is full or fails.
    """
    text = yaml.safe_dump(_information(files, custom_data), sort_keys=False, allow_unicode=True)
    partial = folder / f"{METADATA_FILE}.tmp"
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / METADATA_FILE)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def read_metadata(folder: Path) -> dict[str, Any] | None:
    """Return what stands under `rosbag2_bagfile_information`; None without metadata.yaml.

    Raises:
        DataError: if the file cannot be read or is malformed.
    """
    path = folder / METADATA_FILE
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), CSafeLoader)
        information = data["rosbag2_bagfile_information"]
        if not isinstance(information["relative_file_paths"], list):
            raise TypeError("relative_file_paths is not a list")
        return dict(information)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        what = str(error).splitlines()[0]
        raise DataError(
            f"'{path}' is malformed ({what}); repair it: lam episodes recover {folder}"
        ) from None


def custom_records(folder: Path) -> dict[str, Mapping[str, str]]:
    """Return `lam` and `lam.outcome` as metadata.yaml has them.

    Raises:
        DataError: if metadata.yaml is malformed.
    """
    custom = (read_metadata(folder) or {}).get("custom_data") or {}
    try:
        return {
            key: dict(json.loads(custom[key]))
            for key in (META_RECORD, OUTCOME_RECORD)
            if key in custom
        }
    except (TypeError, ValueError) as error:
        raise DataError(
            f"custom_data in '{folder / METADATA_FILE}' is malformed ({error}); repair it: "
            f"lam episodes recover {folder}"
        ) from None


def _information(files: Sequence[Contents], custom_data: Mapping[str, str]) -> dict[str, Any]:
    span = Span()
    for file in files:
        if file.span.start_ns is not None:
            span.note(file.span.start_ns)
            span.note(file.span.end_ns)
    topics = {topic.name: topic for file in files for topic in file.topics}
    return {
        "rosbag2_bagfile_information": {
            "version": ROSBAG2_VERSION,
            "storage_identifier": "mcap",
            "duration": {"nanoseconds": span.duration_ns},
            "starting_time": {"nanoseconds_since_epoch": span.start_ns or 0},
            "message_count": sum(file.count for file in files),
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": topic.name,
                        "type": topic.type_name,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": yaml.safe_load(topic.offered_qos) or [],
                        "type_description_hash": topic.type_hash,
                    },
                    "message_count": sum(file.counts.get(topic.name, 0) for file in files),
                }
                for topic in topics.values()
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [file.file_name for file in files],
            "files": [_file(file) for file in files],
            "custom_data": dict(custom_data),
            "ros_distro": "jazzy",
        }
    }


def _file(file: Contents) -> dict[str, Any]:
    return {
        "path": file.file_name,
        "starting_time": {"nanoseconds_since_epoch": file.span.start_ns or 0},
        "duration": {"nanoseconds": file.span.duration_ns},
        "message_count": file.count,
    }
