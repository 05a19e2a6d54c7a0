"""What was heard of a recording: every stream but the pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lam_ros.core.types import FloatArray, JointState, Source, Verdict

ACTION = "action"
"""The command stream's name in ages, stamps and gaps."""


@dataclass(frozen=True)
class Picture:
    """One picture of a camera as it was received, without its pixels.

    Attributes:
        number: which message of its topic it is, from 0.
    """

    camera: str
    received_ns: int
    stamp_ns: int
    height_px: int
    width_px: int
    number: int


@dataclass(frozen=True, eq=False)
class Joints:
    """One joint state as it was received."""

    received_ns: int
    state: JointState


@dataclass(frozen=True, eq=False)
class Command:
    """What was asked of the arm at one instant and what safety let pass, shape (J,)."""

    received_ns: int
    stamp_ns: int
    asked_rad: FloatArray
    passed_rad: FloatArray
    source: Source = Source.NONE
    verdict: Verdict = Verdict.PASS


@dataclass(frozen=True)
class Said:
    """A text that holds from a time on."""

    since_ns: int
    text: str


@dataclass(frozen=True)
class Held:
    """Whether a person holds the arm, from a time on."""

    since_ns: int
    by_person: bool


@dataclass(frozen=True, eq=False)
class Tracks:
    """Everything of a recording but the pixels, each stream in the order of receipt.

    Attributes:
        pictures: camera -> its pictures.
        faults: what was wrong with single messages, and how often.
    """

    pictures: Mapping[str, Sequence[Picture]]
    joints: Sequence[Joints]
    commands: Sequence[Command]
    tasks: Sequence[Said] = ()
    held: Sequence[Held] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
