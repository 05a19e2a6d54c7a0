"""Streams on a fixed grid: the last value not newer than the grid time, or a gap.

What was heard is fed, in the order of receipt, to the same `Assembler` that a live
policy looks through, and at each grid time the assembler says what is seen or why
nothing is.  Nothing is filled: rows without an observation or a command are a gap, and a
gap ends a segment.

Row k at time t_k holds what was seen at t_k, and as its action the command in force at
t_k+1: where the joints are to be one frame later, as in the data that the simulator makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lam_ros.core.assemble import JOINTS, Assembler, Put
from lam_ros.core.clock import NS_PER_MS, NS_PER_S, period_ns
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import (
    CameraFrame,
    ImageArray,
    NotReady,
    NotReadyReason,
    Observation,
    Source,
)
from lam_ros.recording.convert.segments import SHORT, Gap, Ints, Plan, Segment
from lam_ros.recording.convert.tracks import ACTION, Command, Joints, Picture, Said, Tracks


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


def stream_names(robot: RobotDescription) -> tuple[str, ...]:
    """Return the streams in the order of the columns: cameras, joints, action."""
    return (*robot.camera_names, JOINTS, ACTION)


def lay_grid(
    robot: RobotDescription,
    tracks: Tracks,
    config: GridConfig,
    pixels: Callable[[Picture], ImageArray] | None = None,
) -> Plan:
    """Lay a recording on the grid; every stream must have come at least once.

    Args:
        robot: whose recording it is.
        tracks: what was heard.
        config: of the grid.
        pixels: decodes a picture, each camera's in their order; None where pictures stand
            for their sizes, so that black and frozen ones pass.
    """
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
    for k, seen in enumerate(_observations(robot, tracks, times_ns, pixels or _blank)):
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


def _observations(
    robot: RobotDescription,
    tracks: Tracks,
    times_ns: Ints,
    pixels: Callable[[Picture], ImageArray],
) -> list[_Row | NotReady]:
    """Feed the assembler in the order of receipt, and look at each grid time."""
    heard: list[Picture | Joints] = [
        *tracks.joints, *(picture for track in tracks.pictures.values() for picture in track)
    ]  # fmt: skip
    heard.sort(key=lambda item: item.received_ns)
    assembler = Assembler(robot, sees_pixels=pixels is not _blank)
    held: dict[str, Picture] = {}
    found: list[_Row | NotReady] = []
    upcoming = 0
    for k, time_ns in enumerate(times_ns.tolist()):
        while upcoming < len(heard) and heard[upcoming].received_ns <= time_ns:
            _put(assembler, heard[upcoming], held, pixels)
            upcoming += 1
        seen = assembler.assemble(time_ns)
        found.append(seen if isinstance(seen, NotReady) else _Row(k, time_ns, seen, dict(held)))
    return found


def _put(
    assembler: Assembler,
    item: Picture | Joints,
    held: dict[str, Picture],
    pixels: Callable[[Picture], ImageArray],
) -> None:
    if isinstance(item, Joints):
        assembler.put_joints(item.state)
        return
    answer = assembler.put_frame(CameraFrame(item.camera, item.stamp_ns, pixels(item)))
    if answer in (Put.HELD, Put.RESTARTED):
        held[item.camera] = item


def _blank(picture: Picture) -> ImageArray:
    """Return a picture of the size that takes no memory."""
    return np.broadcast_to(np.uint8(0), (picture.height_px, picture.width_px, 3))


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
