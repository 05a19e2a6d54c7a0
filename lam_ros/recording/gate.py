"""The start gate: an episode begins only if everything that it needs is there and right.

Each answer names one stream and what to do; no answer means go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lam_ros.core.clock import NS_PER_MS, NS_PER_S
from lam_ros.core.errors import ConfigError, did_you_mean
from lam_ros.core.robot import RobotDescription
from lam_ros.recording.monitor import StreamState

MOST_AGE_NS = NS_PER_S
"""A message this much older than its receipt was stamped by a clock that is not ours."""

_FEW_MESSAGES = 2
_ROBOT = "robot"
_DISK = "disk"


@dataclass(frozen=True)
class GateConfig:
    """What the gate asks for.

    Attributes:
        rate_tolerance: how far a rate may be from the expected one, as a share of it.
        free_bytes: room on the disk that an episode must find.
    """

    rate_tolerance: float = 0.2
    free_bytes: int = 2_000_000_000

    def __post_init__(self) -> None:
        """Refuse a tolerance that allows everything or nothing."""
        if not 0.0 < self.rate_tolerance < 1.0:
            raise ConfigError(
                f"rate_tolerance: {self.rate_tolerance} came, between 0 and 1 is allowed"
            )


@dataclass(frozen=True)
class Blame:
    """What keeps an episode from beginning: which stream, and one line on why."""

    stream: str
    detail: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.stream}: {self.detail}"


@dataclass(frozen=True)
class Scenery:
    """Everything that the gate looks at.

    Attributes:
        states: of all streams.
        joint_names: of the newest joint state; None if none has come.
        foreign_types: stream -> another type that is published on its topic.
        free_bytes: on the disk of the recordings.
        fingerprint: that the robot must have; empty for any.
        recorded: fingerprint of the episodes that the session has; empty for none.
    """

    states: Sequence[StreamState]
    joint_names: tuple[str, ...] | None
    free_bytes: int
    foreign_types: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    recorded: str = ""


def check_gate(
    robot: RobotDescription, scenery: Scenery, config: GateConfig | None = None
) -> tuple[Blame, ...]:
    """Return what keeps an episode from beginning; nothing means go."""
    config = config or GateConfig()
    found = [_fingerprint_blame(robot, scenery), _disk_blame(scenery, config)]
    for state in scenery.states:
        foreign = scenery.foreign_types.get(state.stream.name)
        if foreign is not None:
            found.append(_type_blame(state, foreign))
        elif state.stream.is_required:
            found.append(_stream_blame(state, config))
    found.append(_joints_blame(robot, scenery.joint_names))
    return tuple(blame for blame in found if blame is not None)


def _stream_blame(state: StreamState, config: GateConfig) -> Blame | None:
    """Return the first thing that is wrong with a stream."""
    stream, name = state.stream, state.stream.name
    if state.silence_ns is None:
        return Blame(name, f"nothing comes on {stream.topic}: does its node run?")
    if state.is_stale:
        silent_s = state.silence_ns / NS_PER_S
        return Blame(name, f"silent for {silent_s:.1f} s: is it plugged in, does its driver run?")
    if stream.size_px and state.size_px is None:
        return Blame(name, "its pictures cannot be read")
    if stream.size_px and state.size_px != stream.size_px and state.size_px:
        came, need = ("{}x{}".format(*size) for size in (state.size_px, stream.size_px))
        return Blame(name, f"{came} pixels come, {need} are needed: set the camera")
    return _age_blame(state) or _rate_blame(state, config)


def _age_blame(state: StreamState) -> Blame | None:
    if not state.stream.has_stamp or state.age_ns is None:
        return None
    if state.age_ns > MOST_AGE_NS or state.age_ns < -MOST_AGE_NS:
        age = f"{state.age_ns / NS_PER_MS:.0f} ms"
        return Blame(
            state.stream.name,
            f"stamps are {age} from our clock: its driver must stamp with the time of capture",
        )
    return None


def _rate_blame(state: StreamState, config: GateConfig) -> Blame | None:
    wanted = state.stream.rate_hz
    low = wanted * (1.0 - config.rate_tolerance)
    high = wanted * (1.0 + config.rate_tolerance)
    if not wanted or low <= state.rate_hz <= high:
        return None
    if state.count < _FEW_MESSAGES:
        return Blame(state.stream.name, "too few messages yet to know its rate")
    return Blame(
        state.stream.name,
        f"{state.rate_hz:.1f} Hz come, {wanted:g} are needed ({low:.1f} to {high:.1f} is allowed)",
    )


def _type_blame(state: StreamState, foreign: str) -> Blame:
    stream = state.stream
    return Blame(
        stream.name,
        f"{stream.topic} carries {foreign}, needed is {stream.type_name}: remap one of them",
    )


def _joints_blame(robot: RobotDescription, names: tuple[str, ...] | None) -> Blame | None:
    if names is None:
        return None  # the stream itself is to blame already
    missing = [name for name in robot.joint_names if name not in names]
    if not missing:
        return None
    hint = did_you_mean(missing[0], names)
    return Blame("joints", f"joint state lacks {', '.join(missing)} of robot '{robot.name}'.{hint}")


def _fingerprint_blame(robot: RobotDescription, scenery: Scenery) -> Blame | None:
    ours = robot.fingerprint()
    if scenery.fingerprint and scenery.fingerprint != ours:
        return Blame(
            _ROBOT,
            f"the recorder's robot '{robot.name}' has fingerprint {ours}, asked for is "
            f"{scenery.fingerprint}: start both with the same robot",
        )
    if scenery.recorded and scenery.recorded != ours:
        return Blame(
            _ROBOT,
            f"the session holds episodes of a robot with fingerprint {scenery.recorded}, this "
            f"one has {ours}: record into another session",
        )
    return None


def _disk_blame(scenery: Scenery, config: GateConfig) -> Blame | None:
    if scenery.free_bytes >= config.free_bytes:
        return None
    return Blame(
        _DISK,
        f"{_size_text(scenery.free_bytes)} are free, {_size_text(config.free_bytes)} are needed: "
        "make room, or record elsewhere",
    )


def _size_text(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.0f} MB"
