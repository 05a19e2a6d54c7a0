"""Looking ahead: what would come of a chunk, before it is released.

Values, configuration and the port; `lam_sim.twin` does it, by MuJoCo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.trajectory import share_of_new
from lam_ros.core.types import ActionChunk, FloatArray, ImageArray, JointState


@dataclass(frozen=True)
class PreviewConfig:
    """What a chunk must not come to.

    Attributes:
        enabled: whether chunks are looked ahead into at all.
        max_table_n: force with which the arm may press on the table.
        max_object_n: force with which it may press on an object that it is not to take.
        max_target_n: the same for the object that it is to put something in or on.
        max_tilt_rad: tilt of such an object above which it topples.
        max_shift_m: how far such an object may be pushed.
        horizon_s: how far ahead; more than the control node plays without another chunk
            (`policy_silent_after_s`) is not worth looking at.
        share: of the limits that the twin lets be used, since it is coarser than the world.
        rejections: after so many in a row the skill ends, and the planner is told.
    """

    enabled: bool = False
    max_table_n: float = 15.0
    max_object_n: float = 15.0
    max_target_n: float = 25.0
    max_tilt_rad: float = 0.5
    max_shift_m: float = 0.03
    horizon_s: float = 1.0
    share: float = 0.8
    rejections: int = 5

    def __post_init__(self) -> None:
        """Refuse limits that are none."""
        for name in (
            "max_table_n", "max_object_n", "max_target_n", "max_tilt_rad", "max_shift_m",
            "horizon_s", "share", "rejections",
        ):  # fmt: skip
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise ConfigError(f"preview: {name} {value} came, give a positive number")


@dataclass(frozen=True)
class Hazard:
    """What a chunk would come to.

    Attributes:
        kind: `table`, `object`, `topple`, `shift`, `self_collision`, `keep_out`, `workspace`.
        after_s: when, from now.
        detail: one line for people.
    """

    kind: str
    after_s: float
    detail: str


@dataclass(frozen=True, eq=False)
class Situation:
    """Where a chunk would be released.

    Attributes:
        joints: as measured last.
        command_rad: the command in force, shape (J,).
        scene: what is seen; None if nothing is.
        wanted: id of the object to take; it may be touched and moved.
        target: id of the object to put it in, on or beside.
    """

    joints: JointState
    command_rad: FloatArray
    scene: Scene | None = None
    wanted: str = ""
    target: str = ""


class Shot(Protocol):
    """One instant, kept to be drawn when there is time."""

    def draw(self) -> ImageArray:
        """Return a picture for people, rgb8."""
        ...


class Twin(Protocol):
    """Runs a chunk ahead of time."""

    def prepare(self, scene: Scene | None) -> None:
        """Do what a scene needs once, before a chunk waits for it."""
        ...

    def preview(self, situation: Situation, path_rad: FloatArray) -> Hazard | None:
        """Return what a path of commands, a row a control period, shape (T, J), would come to."""
        ...

    def shot(self) -> Shot:
        """Return where the last path ended."""
        ...


def commanded(
    robot: RobotDescription,
    chunk: ActionChunk,
    command_rad: FloatArray,
    now_ns: int,
    *,
    blend_s: float,
    horizon_s: float,
) -> FloatArray:
    """Return the commands that a chunk will come to, one a control period, shape (T, J).

    As the control node plays it: rows whose time has passed are skipped, the step from
    the command in force fades out over `blend_s` by the same `share_of_new`, and no joint
    goes faster than it may.

    Args:
        robot: whose limits hold.
        chunk: what is to be released.
        command_rad: the command in force, shape (J,).
        now_ns: the time of release.
        blend_s: as in `ChunkConfig`.
        horizon_s: longest path.
    """
    period_ns = robot.control_period_ns
    count = max(1, -(-min(chunk.end_ns - now_ns, seconds_to_ns(horizon_s)) // period_ns))
    times_ns = now_ns + period_ns * np.arange(0, count + 1)
    row_times_ns = chunk.obs_stamp_ns + chunk.dt_ns * np.arange(1, len(chunk.targets_rad) + 1)
    since_s = (times_ns - now_ns) * 1e-9
    rows_s = (row_times_ns - now_ns) * 1e-9
    wanted = np.column_stack([np.interp(since_s, rows_s, row) for row in chunk.targets_rad.T])
    over_ns = min(seconds_to_ns(blend_s), chunk.end_ns - now_ns)
    fade = 1.0 - share_of_new(times_ns - now_ns, over_ns)
    wanted += fade[:, None] * (command_rad - wanted[0])
    wanted = np.clip(wanted[1:], robot.lower_rad, robot.upper_rad)
    step = robot.velocity_rad_s * ns_to_seconds(period_ns)
    last = command_rad
    for row in wanted:
        np.clip(row, last - step, last + step, out=row)
        last = row
    return wanted
