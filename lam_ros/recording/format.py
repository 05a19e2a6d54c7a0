"""What a recorded episode holds beside its messages, and the names under which it is found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from lam_ros.core.errors import DataError, RobotError
from lam_ros.core.robot import RobotDescription

FORMAT_VERSION = 1
METADATA_FILE = "metadata.yaml"
PROFILE = "ros2"
"""Of the MCAP file."""

# Names of MCAP metadata records, and keys of `custom_data` in metadata.yaml.
META_RECORD = "lam"
OUTCOME_RECORD = "lam.outcome"

# Topics below the robot's name space that every episode may have.
EPISODE_EVENT = "lam/episode_event"
TELEOP_ENGAGED = "teleop/engaged"

VIDEO = "foxglove_msgs/msg/CompressedVideo"
VIDEO_FORMAT = "h264"
VIDEO_SUFFIX = "/video"
"""Of a camera's topic, as `/compressed` is for JPEG."""

EPISODE_EVENT_TYPE = "lam_interfaces/msg/EpisodeEvent"


class NewerFormatError(DataError):
    """An episode was written by a newer LAM."""


class Outcome(StrEnum):
    """How an episode ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    KEPT = "kept"
    DISCARDED = "discarded"
    ABORTED = "aborted"


class EventKind(StrEnum):
    """Kinds of lam_interfaces/msg/EpisodeEvent."""

    START = "start"
    SUBTASK = "subtask"
    INTERVENTION = "intervention"
    OUTCOME = "outcome"
    FAULT = "fault"


@dataclass(frozen=True)
class EpisodeMeta:
    """What is known of an episode when it begins.

    Attributes:
        robot: the robot that it was recorded with; None in a bag that was made elsewhere.
        fingerprint: of that robot (`RobotDescription.fingerprint`), empty without one.
        policy_id: which policy drove; empty if none did.
        operator: who operated the arm; may be empty.
        versions: of the software, by distribution name.
        started_ns: wall clock at the beginning.
    """

    episode_id: str
    instruction: str
    robot: RobotDescription | None
    fingerprint: str
    policy_id: str
    operator: str
    versions: Mapping[str, str]
    started_ns: int
    format_version: int = FORMAT_VERSION

    @classmethod
    def begin(
        cls,
        instruction: str,
        robot: RobotDescription,
        *,
        started_ns: int,
        policy_id: str = "",
        operator: str = "",
        versions: Mapping[str, str] | None = None,
    ) -> EpisodeMeta:
        """Return the description of a new episode, with an id of its own."""
        return cls(
            episode_id=str(uuid.uuid4()),
            instruction=instruction,
            robot=robot,
            fingerprint=robot.fingerprint(),
            policy_id=policy_id,
            operator=operator,
            versions=dict(versions or {}),
            started_ns=started_ns,
        )


@dataclass(frozen=True)
class StreamFaults:
    """What was wrong with the messages of one stream; they are recorded all the same.

    Attributes:
        zero_stamps: messages with a publish time of zero or less.
        decreasing_stamps: messages with an earlier publish time than the one before.
        dropped: messages known to be missing (`EpisodeWriter.note_dropped`).
    """

    zero_stamps: int = 0
    decreasing_stamps: int = 0
    dropped: int = 0

    def __bool__(self) -> bool:
        """Return whether anything was wrong."""
        return bool(self.zero_stamps or self.decreasing_stamps or self.dropped)


@dataclass(frozen=True)
class EpisodeResult:
    """What is known of an episode when it has ended.

    Attributes:
        duration_ns: from the first receipt to the last.
        frames: messages by topic.
        faults: by topic; only of topics that have any.
    """

    outcome: Outcome
    reason: str
    duration_ns: int
    frames: Mapping[str, int]
    faults: Mapping[str, StreamFaults] = field(default_factory=dict)


def meta_record(meta: EpisodeMeta) -> dict[str, str]:
    """Return the record `lam` as MCAP and metadata.yaml hold it: text by text."""
    robot = json.dumps(meta.robot.to_dict()) if meta.robot else ""
    return {
        "format_version": str(meta.format_version),
        "episode_id": meta.episode_id,
        "instruction": meta.instruction,
        "robot": robot,
        "fingerprint": meta.fingerprint,
        "policy_id": meta.policy_id,
        "operator": meta.operator,
        "versions": json.dumps(dict(meta.versions)),
        "started_ns": str(meta.started_ns),
    }


def read_meta(record: Mapping[str, str]) -> EpisodeMeta:
    """Return what `meta_record` made.

    Raises:
        DataError: if a key is missing or malformed, or a newer LAM wrote it.
    """
    try:
        version = int(record["format_version"])
        if version > FORMAT_VERSION:
            raise NewerFormatError(
                f"the episode has format version {version}, this LAM reads up to "
                f"{FORMAT_VERSION}: update LAM"
            )
        robot = json.loads(record["robot"]) if record["robot"] else None
        return EpisodeMeta(
            episode_id=record["episode_id"],
            instruction=record["instruction"],
            robot=RobotDescription.from_dict(robot) if robot else None,
            fingerprint=record["fingerprint"],
            policy_id=record["policy_id"],
            operator=record["operator"],
            versions=json.loads(record["versions"]),
            started_ns=int(record["started_ns"]),
            format_version=version,
        )
    except KeyError as error:
        raise DataError(f"record '{META_RECORD}' of the episode lacks {error}") from None
    except (TypeError, ValueError, AttributeError, RobotError) as error:
        raise DataError(f"record '{META_RECORD}' of the episode is malformed: {error}") from None


def unknown_meta(started_ns: int) -> EpisodeMeta:
    """Return the meta of a bag that was made elsewhere."""
    return EpisodeMeta("", "", None, "", "", "", {}, started_ns, format_version=0)


def outcome_record(result: EpisodeResult) -> dict[str, str]:
    """Return the record `lam.outcome` as MCAP and metadata.yaml hold it: text by text."""
    faults = {topic: asdict(found) for topic, found in result.faults.items()}
    return {
        "outcome": str(result.outcome),
        "reason": result.reason,
        "duration_ns": str(result.duration_ns),
        "frames": json.dumps(dict(result.frames)),
        "faults": json.dumps(faults),
    }


def read_result(record: Mapping[str, str]) -> EpisodeResult:
    """Return what `outcome_record` made.

    Raises:
        DataError: if a key is missing or malformed.
    """
    try:
        return EpisodeResult(
            outcome=Outcome(record["outcome"]),
            reason=record["reason"],
            duration_ns=int(record["duration_ns"]),
            frames={topic: int(n) for topic, n in json.loads(record["frames"]).items()},
            faults={
                topic: StreamFaults(**found)
                for topic, found in json.loads(record["faults"]).items()
            },
        )
    except KeyError as error:
        raise DataError(f"record '{OUTCOME_RECORD}' of the episode lacks {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"record '{OUTCOME_RECORD}' of the episode is malformed: {error}") from None
