"""Streams on a fixed grid: the last value not newer than the grid time, or a gap.

What was heard is fed, in the order of receipt, to the same `Assembler` that a live
policy looks through, and at each grid time the assembler says what is seen or why
nothing is.  Nothing is filled: rows without an observation or a command are a gap, and a
gap ends a segment.

Row k at time t_k holds what was seen at t_k, and as its action the command in force at
t_k+1: where the joints are to be one frame later, as in the data that the simulator makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lam_ros.core.assemble import JOINTS, Assembler, Put
from lam_ros.core.clock import NS_PER_MS, NS_PER_S, period_ns
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import (
    CameraFrame,
    FloatArray,
    ImageArray,
    JointState,
    NotReady,
    NotReadyReason,
    Observation,
    Source,
    Verdict,
)

ACTION = "action"
"""The command stream's name in ages, stamps and gaps."""

SHORT = "short"
"""The reason of a gap that is a piece too short to be an episode."""

Ints = npt.NDArray[np.int64]


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


@dataclass(frozen=True)
class Gap:
    """Rows that could not be made: `stream` is to blame for `reason`."""

    stream: str
    reason: str
    detail: str
    start_ns: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows without a gap between them, T of them, S streams (cameras, joints, action).

    Attributes:
        stamp_ns: the grid times, shape (T,).
        state_rad, action_rad, passed_rad: shape (T, J).
        verdict, intervention: shape (T,).
        tasks: what was to be done, one a row.
        stream_stamp_ns, stream_age_s: real stamp of what each row holds, and how old it
            was at the time it stands for, shape (T, S).
        picture: camera -> number of the message with the row's picture, shape (T,).
    """

    stamp_ns: Ints
    state_rad: FloatArray
    action_rad: FloatArray
    passed_rad: FloatArray
    verdict: Ints
    intervention: npt.NDArray[np.bool_]
    tasks: tuple[str, ...]
    stream_stamp_ns: Ints
    stream_age_s: FloatArray
    picture: Mapping[str, Ints]

    def __len__(self) -> int:
        """Return the number of rows T."""
        return len(self.stamp_ns)

    def cut(self, first: int, end: int) -> Segment:
        """Return the rows from `first` to before `end`."""
        rows = slice(first, end)
        return Segment(
            stamp_ns=self.stamp_ns[rows],
            state_rad=self.state_rad[rows],
            action_rad=self.action_rad[rows],
            passed_rad=self.passed_rad[rows],
            verdict=self.verdict[rows],
            intervention=self.intervention[rows],
            tasks=self.tasks[rows],
            stream_stamp_ns=self.stream_stamp_ns[rows],
            stream_age_s=self.stream_age_s[rows],
            picture={name: numbers[rows] for name, numbers in self.picture.items()},
        )


@dataclass(frozen=True)
class GridConfig:
    """How rows are laid.

    Attributes:
        fps: rows a second.
        command_stale_after_s: age above which a command no longer counts; None for that
            of the joint states.
        min_frames: shorter segments are left out, and listed.
    """

    fps: int = 25
    command_stale_after_s: float | None = None
    min_frames: int = 25


@dataclass(frozen=True, eq=False)
class Plan:
    """What becomes of a recording: segments, and what lies between them."""

    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]


def stream_names(robot: RobotDescription) -> tuple[str, ...]:
    """Return the streams in the order of the columns: cameras, joints, action."""
    return (*robot.camera_names, JOINTS, ACTION)


def lay_grid(robot: RobotDescription, tracks: Tracks, config: GridConfig) -> Plan:
    """Lay a recording on the grid; every stream must have come at least once."""
    firsts, lasts = _ends(tracks)
    period = period_ns(config.fps)
    start_ns = max(firsts.values())
    count = (max(lasts.values()) - start_ns) // period + 1
    times_ns = start_ns + period * np.arange(count, dtype=np.int64)
    commands = _Commands(robot, tracks.commands, times_ns + period, config)
    rows: list[_Row] = []
    gaps = _late_start(robot, firsts)
    segments: list[Segment] = []

    def close() -> None:
        if len(rows) >= config.min_frames:
            segments.append(_segment(robot, tracks, rows, commands))
        elif rows:
            detail = f"{len(rows)} frames between two gaps, {config.min_frames} are needed"
            gaps.append(Gap("", SHORT, detail, rows[0].time_ns, len(rows) * period / NS_PER_S))
        rows.clear()

    gap = _OpenGap(period)
    for k, seen in enumerate(_observations(robot, tracks, times_ns)):
        row = commands.trouble(k) or seen if isinstance(seen, _Row) else seen
        if isinstance(row, NotReady):
            close()
            gap.add(row, int(times_ns[k]))
        else:
            gaps.extend(gap.close())
            rows.append(row)
    close()
    gaps.extend(gap.close())
    return Plan(tuple(segments), tuple(sorted(gaps, key=lambda g: g.start_ns)))


def by_task(plan: Plan, config: GridConfig) -> Plan:
    """Return the plan with segments that end where another text begins."""
    segments: list[Segment] = []
    gaps = list(plan.gaps)
    for segment in plan.segments:
        edges = [k for k in range(1, len(segment)) if segment.tasks[k] != segment.tasks[k - 1]]
        for piece in (segment.cut(a, b) for a, b in pairwise([0, *edges, len(segment)])):
            if len(piece) >= config.min_frames:
                segments.append(piece)
                continue
            seconds = len(piece) / config.fps
            detail = f"{len(piece)} frames of '{piece.tasks[0]}', {config.min_frames} are needed"
            gaps.append(Gap("", SHORT, detail, int(piece.stamp_ns[0]), seconds))
    return Plan(tuple(segments), tuple(sorted(gaps, key=lambda gap: gap.start_ns)))


# -- inside ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Row:
    index: int
    time_ns: int
    observation: Observation
    pictures: Mapping[str, Picture]


class _OpenGap:
    """Collects rows that are not ready until one is."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._first: NotReady | None = None
        self._start_ns = self._rows = 0

    def add(self, why: NotReady, time_ns: int) -> None:
        if self._first is None:
            self._first, self._start_ns, self._rows = why, time_ns, 0
        self._rows += 1

    def close(self) -> list[Gap]:
        first, self._first = self._first, None
        if first is None:
            return []
        seconds = self._rows * self._period / NS_PER_S
        return [Gap(first.stream, str(first.reason), first.detail, self._start_ns, seconds)]


class _Commands:
    """The command in force at each time, shape (T,), or why there is none."""

    def __init__(
        self,
        robot: RobotDescription,
        commands: Sequence[Command],
        times_ns: Ints,
        config: GridConfig,
    ) -> None:
        limit_s = config.command_stale_after_s or robot.joint_state.stale_after_s
        received = np.array([command.received_ns for command in commands], dtype=np.int64)
        self._commands = commands
        self._last = np.searchsorted(received, times_ns, side="right") - 1
        self._times_ns = times_ns
        self._limit_ms = limit_s * 1e3

    def at(self, row: int) -> Command:
        return self._commands[self._last[row]]

    def age_ns(self, row: int) -> int:
        return int(self._times_ns[row]) - self.at(row).stamp_ns

    def trouble(self, row: int) -> NotReady | None:
        if self._last[row] < 0:
            return NotReady(ACTION, NotReadyReason.MISSING, "action: none has come")
        age_ms = self.age_ns(row) / NS_PER_MS
        if age_ms > self._limit_ms:
            detail = f"action: {age_ms:.0f} ms old, allowed is {self._limit_ms:.0f} ms"
            return NotReady(ACTION, NotReadyReason.STALE, detail)
        return None


def _observations(robot: RobotDescription, tracks: Tracks, times_ns: Ints) -> list[_Row | NotReady]:
    """Feed the assembler in the order of receipt, and look at each grid time."""
    heard: list[Picture | Joints] = [
        *tracks.joints, *(picture for track in tracks.pictures.values() for picture in track)
    ]  # fmt: skip
    heard.sort(key=lambda item: item.received_ns)
    assembler = Assembler(robot)
    held: dict[str, Picture] = {}
    found: list[_Row | NotReady] = []
    upcoming = 0
    for k, time_ns in enumerate(times_ns.tolist()):
        while upcoming < len(heard) and heard[upcoming].received_ns <= time_ns:
            _put(assembler, heard[upcoming], held)
            upcoming += 1
        seen = assembler.assemble(time_ns)
        found.append(seen if isinstance(seen, NotReady) else _Row(k, time_ns, seen, dict(held)))
    return found


def _put(assembler: Assembler, item: Picture | Joints, held: dict[str, Picture]) -> None:
    if isinstance(item, Joints):
        assembler.put_joints(item.state)
        return
    answer = assembler.put_frame(
        CameraFrame(item.camera, item.stamp_ns, _blank(item.height_px, item.width_px))
    )
    if answer in (Put.HELD, Put.RESTARTED):
        held[item.camera] = item


def _blank(height_px: int, width_px: int) -> ImageArray:
    """Return a picture that takes no memory; the pixels are decoded when they are needed."""
    return np.broadcast_to(np.uint8(0), (height_px, width_px, 3))


def _ends(tracks: Tracks) -> tuple[dict[str, int], dict[str, int]]:
    """Return when each stream was first and last received."""
    streams: dict[str, Sequence[Picture | Joints | Command]] = {
        **tracks.pictures, JOINTS: tracks.joints, ACTION: tracks.commands
    }  # fmt: skip
    firsts = {name: track[0].received_ns for name, track in streams.items()}
    lasts = {name: track[-1].received_ns for name, track in streams.items()}
    return firsts, lasts


def _late_start(robot: RobotDescription, firsts: Mapping[str, int]) -> list[Gap]:
    """Return a gap where a stream of the observation came late; a command may come late."""
    seen = {name: first for name, first in firsts.items() if name != ACTION}
    begin_ns, last = min(seen.values()), max(seen, key=lambda name: seen[name])
    limit_s = max(
        [camera.stale_after_s for camera in robot.cameras], default=robot.joint_state.stale_after_s
    )
    late_s = (seen[last] - begin_ns) / NS_PER_S
    if late_s <= limit_s:
        return []
    detail = f"{last}: first came {late_s:.2f} s after the others"
    return [Gap(last, str(NotReadyReason.MISSING), detail, begin_ns, late_s)]


def _segment(
    robot: RobotDescription, tracks: Tracks, rows: Sequence[_Row], commands: _Commands
) -> Segment:
    picked = [commands.at(row.index) for row in rows]
    times_ns = np.array([row.time_ns for row in rows], dtype=np.int64)
    ages = np.array(
        [
            [
                *(row.observation.age_ns[name] for name in (*robot.camera_names, JOINTS)),
                commands.age_ns(row.index),
            ]
            for row in rows
        ],
        dtype=np.int64,
    )
    ends_ns = commands._times_ns[[row.index for row in rows]]
    asked_for = np.column_stack([times_ns] * (ages.shape[1] - 1) + [ends_ns])
    return Segment(
        stamp_ns=times_ns,
        state_rad=np.stack([row.observation.state_rad for row in rows]),
        action_rad=np.stack([command.asked_rad for command in picked]),
        passed_rad=np.stack([command.passed_rad for command in picked]),
        verdict=np.array([int(command.verdict) for command in picked], dtype=np.int64),
        intervention=_interventions(tracks, times_ns),
        tasks=tuple(_texts(tracks.tasks, times_ns)),
        stream_stamp_ns=asked_for - ages,
        stream_age_s=ages / NS_PER_S,
        picture={
            name: np.array([row.pictures[name].number for row in rows], dtype=np.int64)
            for name in robot.camera_names
        },
    )


def _texts(said: Sequence[Said], times_ns: Ints) -> list[str]:
    """Return the text that holds at each time; the first also holds before its time."""
    since = np.array([item.since_ns for item in said], dtype=np.int64)
    last = np.searchsorted(since, times_ns, side="right") - 1
    return [said[max(0, i)].text for i in last]


def _interventions(tracks: Tracks, times_ns: Ints) -> npt.NDArray[np.bool_]:
    """Return where a person holds the arm in an episode in which a policy drives, too."""
    if not any(command.source is Source.POLICY for command in tracks.commands):
        return np.zeros(len(times_ns), dtype=bool)
    if tracks.held:
        since = np.array([item.since_ns for item in tracks.held], dtype=np.int64)
        by_person = np.array([False, *(item.by_person for item in tracks.held)])
    else:
        since = np.array([command.received_ns for command in tracks.commands], dtype=np.int64)
        by_person = np.array(
            [False, *(command.source is Source.TELEOP for command in tracks.commands)]
        )
    result: npt.NDArray[np.bool_] = by_person[np.searchsorted(since, times_ns, side="right")]
    return result
