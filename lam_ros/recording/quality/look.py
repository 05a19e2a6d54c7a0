"""One recording looked at: its figures, and the series and pictures that a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from lam_ros.core.assemble import JOINTS
from lam_ros.core.errors import LamError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.recording.convert.content import Doubt, Pixels
from lam_ros.recording.convert.grid import GridConfig, lay_grid, stream_names
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.convert.pictures import Decoder
from lam_ros.recording.convert.segments import Plan, Segment
from lam_ros.recording.convert.streams import Sources, find_sources, read_tracks
from lam_ros.recording.convert.tracks import ACTION, Tracks
from lam_ros.recording.quality.figures import Figures, StreamFigures
from lam_ros.recording.quality.skew import (
    NoSkew,
    SkewCurve,
    change_between,
    find_skew,
    skew_curve,
    thumbnail,
)
from lam_ros.recording.reader import EpisodeReader

STRIP = 8
"""Pictures of each camera that are kept for the page."""

_STILL_RAD_S = 0.02
_SAME_RAD = 1e-4
_NEAR_LIMIT = 0.01
_SMOOTH_S = 0.2


@dataclass(frozen=True, eq=False)
class Look:
    """One recording.

    Attributes:
        trouble: why it cannot be looked at; then there is nothing but name and outcome.
        segments: its rows, as `lam convert` would make them.
        strip: camera -> (time since the first row [s], picture) of some rows.
        latency_ms: stream -> receipt minus stamp of each message.
    """

    folder: Path
    instruction: str
    outcome: str
    robot: RobotDescription | None
    figures: Figures | None
    segments: Sequence[Segment]
    strip: Mapping[str, Sequence[tuple[float, ImageArray]]]
    latency_ms: Mapping[str, FloatArray]
    trouble: str = ""


def look_at(folder: Path, robot: RobotDescription | None, naming: Naming, fps: int = 25) -> Look:
    """Look at one recording; one that cannot be read is told by `trouble`."""
    try:
        reader = EpisodeReader(folder)
        return _look(reader, robot or reader.meta.robot, naming, fps)
    except LamError as error:
        return Look(folder, "", "", robot, None, (), {}, {}, trouble=str(error))


def _look(reader: EpisodeReader, robot: RobotDescription | None, naming: Naming, fps: int) -> Look:
    instruction = reader.meta.instruction
    outcome = str(reader.result.outcome) if reader.result else ""
    if robot is None:
        why = "it does not say which robot it is of; name a robot YAML with --robot"
        return Look(reader.folder, instruction, outcome, None, None, (), {}, {}, why)
    sources = find_sources(reader, robot, naming)
    tracks = read_tracks(reader, robot, naming, sources, instruction or "-")
    grid = GridConfig(fps, naming.command_stale_after_s, min_frames=2)
    plan = lay_grid(robot, tracks, grid)
    strip, curves, in_doubt = {}, {}, False
    for camera in robot.camera_names:
        doubt = Doubt(robot.gripper_index)
        strip[camera], curves[camera] = _watch(reader, sources, camera, tracks, plan, doubt)
        in_doubt = in_doubt or doubt.is_raised
    if in_doubt:
        plan = lay_grid(robot, tracks, grid, Pixels(reader, sources).of)
    return Look(
        folder=reader.folder,
        instruction=instruction,
        outcome=outcome,
        robot=robot,
        figures=_figures(robot, tracks, plan, curves, fps),
        segments=plan.segments,
        strip=strip,
        latency_ms=_latency(tracks),
    )


def changed_by_safety(segment: Segment) -> npt.NDArray[np.bool_]:
    """Return in which rows not what was asked for was let pass, shape (T,)."""
    apart = np.abs(segment.action_rad - segment.passed_rad).max(1)
    result: npt.NDArray[np.bool_] = apart > _SAME_RAD
    return result


# -- pictures --------------------------------------------------------------------------


def _watch(
    reader: EpisodeReader,
    sources: Sources,
    camera: str,
    tracks: Tracks,
    plan: Plan,
    doubt: Doubt,
) -> tuple[list[tuple[float, ImageArray]], SkewCurve | NoSkew]:
    """Go through a camera's pictures once: for the strip, the skew, and what they show."""
    topic, kind = sources.cameras[camera]
    usable = {picture.number: picture for picture in tracks.pictures[camera]}
    shown = _strip_numbers(plan, camera)
    strip: list[tuple[float, ImageArray]] = []
    stamps, changes, before = [], [], None
    decoder = Decoder(kind, camera)
    heard_ns = np.array([item.received_ns for item in tracks.joints], dtype=np.int64)
    for number, item in enumerate(reader.messages([topic])):
        if number not in usable:
            decoder.skip(item.message)
            continue
        image = decoder.decode(item.message)
        at = int(np.searchsorted(heard_ns, usable[number].received_ns, side="right")) - 1
        doubt.see(image, tracks.joints[max(0, at)].state.position_rad)
        small = thumbnail(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        stamps.append(usable[number].stamp_ns)
        if before is not None:
            same = before.shape == small.shape
            changes.append(change_between(before, small) if same else 0.0)
        before = small
        if number in shown:
            strip.append((shown[number], image))
    joints = [item for item in tracks.joints if item.state.stamp_ns > 0]
    joints.sort(key=lambda item: item.state.stamp_ns)
    curve = skew_curve(
        np.array(stamps, dtype=np.int64),
        np.array(changes),
        np.array([item.state.stamp_ns for item in joints], dtype=np.int64),
        np.array([item.state.position_rad for item in joints]),
    )
    return strip, curve


def _strip_numbers(plan: Plan, camera: str) -> dict[int, float]:
    """Return which messages are shown, with their time since the first row [s]."""
    if not plan.segments:
        return {}
    numbers = np.concatenate([segment.picture[camera] for segment in plan.segments])
    times_ns = np.concatenate([segment.stamp_ns for segment in plan.segments])
    picked = np.linspace(0, len(numbers) - 1, STRIP).round().astype(int)
    return {int(numbers[k]): float(times_ns[k] - times_ns[0]) / 1e9 for k in picked}


# -- figures ---------------------------------------------------------------------------


def _figures(
    robot: RobotDescription,
    tracks: Tracks,
    plan: Plan,
    curves: Mapping[str, SkewCurve | NoSkew],
    fps: int,
) -> Figures:
    segments = plan.segments
    rows = sum(len(segment) for segment in segments)
    ends = [segments[0].stamp_ns[0], segments[-1].stamp_ns[-1]] if segments else [0, 0]
    start_ns = int(ends[0])
    changed = [
        float(np.abs(command.asked_rad - command.passed_rad).max()) > _SAME_RAD
        for command in tracks.commands
    ]
    return Figures(
        seconds=float(ends[1] - ends[0]) / 1e9,
        rows=rows,
        gaps=[{**asdict(g), "after_s": (g.start_ns - start_ns) / 1e9} for g in plan.gaps],
        streams=_streams(robot, tracks, segments),
        jerk_rad_s3=_jerk(segments, fps),
        idle_share=_idle(segments, fps),
        limits=_limits(robot, segments),
        clamped_share=float(np.mean(changed)) if changed else 0.0,
        skew={camera: find_skew([curve]) for camera, curve in curves.items()},
        faults=tracks.faults,
        curves=curves,
    )


def _streams(
    robot: RobotDescription, tracks: Tracks, segments: Sequence[Segment]
) -> dict[str, StreamFigures]:
    limits = {camera.name: camera.stale_after_s for camera in robot.cameras}
    rates = {camera.name: camera.rate_hz for camera in robot.cameras}
    limits[JOINTS] = limits[ACTION] = robot.joint_state.stale_after_s
    rates[JOINTS], rates[ACTION] = robot.joint_state.rate_hz, 0.0
    received = {name: [p.received_ns for p in track] for name, track in tracks.pictures.items()}
    received[JOINTS] = [item.received_ns for item in tracks.joints]
    received[ACTION] = [item.received_ns for item in tracks.commands]
    found = {}
    for k, name in enumerate(stream_names(robot)):
        steps_s = np.diff(np.array(received[name], dtype=np.int64)) / 1e9
        ages = [segment.stream_age_s[:, k].max() for segment in segments]
        total_s = float(steps_s.sum())
        found[name] = StreamFigures(
            count=len(received[name]),
            rate_hz=len(steps_s) / total_s if total_s else 0.0,
            nominal_hz=rates[name],
            worst_age_s=float(max(ages, default=0.0)),
            limit_s=limits[name],
            worst_step_s=float(steps_s.max(initial=0.0)),
        )
    return found


def _jerk(segments: Sequence[Segment], fps: int) -> float:
    """Return the root mean square of the third derivative of the smoothed state."""
    width = max(1, round(_SMOOTH_S * fps))
    box = np.ones(width) / width
    parts = []
    for segment in segments:
        if len(segment) > width + 3:
            smooth = np.column_stack([np.convolve(q, box, "valid") for q in segment.state_rad.T])
            parts.append(np.diff(smooth, 3, axis=0) * fps**3)
    return float(np.sqrt(np.mean(np.concatenate(parts) ** 2))) if parts else 0.0


def _idle(segments: Sequence[Segment], fps: int) -> float:
    speeds = [np.abs(np.diff(s.state_rad, axis=0)).max(1) * fps for s in segments if len(s) > 1]
    return float((np.concatenate(speeds) < _STILL_RAD_S).mean()) if speeds else 0.0


def _limits(robot: RobotDescription, segments: Sequence[Segment]) -> dict[str, float]:
    """Return the joints that touch a limit, with the share of rows in which they do."""
    if not segments:
        return {}
    state = np.concatenate([segment.state_rad for segment in segments])
    margin = _NEAR_LIMIT * (robot.upper_rad - robot.lower_rad)
    near = (state < robot.lower_rad + margin) | (state > robot.upper_rad - margin)
    shares = near.mean(0)
    return {name: float(s) for name, s in zip(robot.joint_names, shares, strict=True) if s > 0}


def _latency(tracks: Tracks) -> dict[str, FloatArray]:
    found = {
        name: [p.received_ns - p.stamp_ns for p in track] for name, track in tracks.pictures.items()
    }
    found[JOINTS] = [item.received_ns - item.state.stamp_ns for item in tracks.joints]
    found[ACTION] = [item.received_ns - item.stamp_ns for item in tracks.commands]
    return {name: np.array(values) / 1e6 for name, values in found.items()}
