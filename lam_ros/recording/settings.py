"""What the recorder is told, and what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from lam_ros.core.errors import ConfigError
from lam_ros.recording import jpeg
from lam_ros.recording.format import EpisodeResult, Outcome
from lam_ros.recording.gate import GateConfig

IMAGE_FORMS = ("jpeg", "video", "raw")

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class RecorderConfig:
    """How episodes are recorded.

    Attributes:
        root: folder of the sessions.
        images: `jpeg`, `video` for H.264, or `raw` for pictures as they come.
        jpeg_quality: 1 to 100.
        jpeg_threads: that encode.
        delete_discarded: whether a discarded episode's folder goes; else it stays, marked.
        reserve_bytes: room on the disk that a recording leaves.
    """

    root: str = "recordings"
    images: str = "jpeg"
    jpeg_quality: int = jpeg.DEFAULT_QUALITY
    jpeg_threads: int = 2
    delete_discarded: bool = False
    reserve_bytes: int = 1_000_000_000
    gate: GateConfig = field(default_factory=GateConfig)

    def __post_init__(self) -> None:
        """Refuse a form of pictures that there is not."""
        if self.images not in IMAGE_FORMS:
            allowed = ", ".join(IMAGE_FORMS)
            raise ConfigError(f"images: '{self.images}' came, allowed is {allowed}")


@dataclass(frozen=True)
class EpisodeRequest:
    """What is to be recorded.

    Attributes:
        session: folder below the root; empty for one named after the time.
        fingerprint: that the robot must have; empty for any.
        max_duration_ns: after which the episode ends by itself; 0 for no limit.
    """

    instruction: str
    session: str = ""
    operator: str = ""
    policy_id: str = ""
    fingerprint: str = ""
    max_duration_ns: int = 0


@dataclass(frozen=True)
class Ending:
    """How a running episode is to end, and why."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Finished:
    """An episode that has ended; `folder` is None if nothing is left of it."""

    folder: Path | None
    result: EpisodeResult


def session_problem(name: str) -> str:
    """Return why a session cannot have this name, or an empty string."""
    if not name or (_NAME.fullmatch(name) and name not in (".", "..")):
        return ""
    return f"'{name:.60}' came, allowed are letters, digits and . _ - up to 100"
