"""What a recorded episode holds beside its messages, and the names under which it is found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from lam_ros.core.errors import DataError, LamError
from lam_ros.core.robot import RobotDescription

FORMAT_VERSION = 1
METADATA_FILE = "metadata.yaml"

# Names of MCAP metadata records, and keys of `custom_data` in metadata.yaml.
META_RECORD = "lam"
OUTCOME_RECORD = "lam.outcome"

# Topics below the robot's name space that every episode may have.
EPISODE_EVENT = "lam/episode_event"
TELEOP_ENGAGED = "teleop/engaged"

EPISODE_EVENT_TYPE = "lam_interfaces/msg/EpisodeEvent"


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
