"""From chunks to the target at *now*.

A chunk says where the joints should be at certain times.  The player turns the
chunks that arrive, always late and often overlapping, into one continuous path, and
says what it asks for at any instant, or that it asks for nothing any more.

Row k of a chunk is to be reached at `obs_stamp_ns + (k + 1) * dt_ns`, linearly from
the row before; row 0 from where the path was at `obs_stamp_ns`.  Rows whose time
has passed are skipped.  The path goes over from what was asked for before into a new
chunk within `blend_s`, without a step in position or speed.  Nothing is ever padded: after
its last row, which is asked for until one control period has passed so that it is
reached, a chunk has expired.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lam_ros.core.clock import NS_PER_MS, ns_to_seconds, seconds_to_ns
from lam_ros.core.inbound import Rejected, RejectRule, check_numbers, parse_chunk
from lam_ros.core.robot import RobotDescription
from lam_ros.core.trajectory import Trajectory, splice
from lam_ros.core.types import (
    ActionChunk,
    Expired,
    ExpiredReason,
    FloatArray,
    Source,
    Target,
)

__all__ = ["Accepted", "ChunkConfig", "ChunkPlayer", "Rejected", "parse_chunk"]


@dataclass(frozen=True)
class ChunkConfig:
    """How chunks are played.

    Attributes:
        max_obs_age_s: a chunk from an older observation is refused.
        future_tolerance_s: how far a stamp may lie ahead of the clock; the clock
            may go back by as much before what is playing is dropped.
        min_dt_s, max_dt_s: allowed time between rows.
        max_speed_scale: rows that ask a joint (the gripper excepted, which grips by
            leading) for more than so many times its greatest speed are nonsense.
        lookahead_s: a command is reached only some time after it is sent, so the path is
            asked for its place then; one control period where the arm goes from one
            command to the next in that time.
        blend_s: time over which one chunk goes over into the next.
        ensemble_decay: with a number m, overlapping chunks are averaged with
            weights exp(-m * i), i = 0 for the oldest; None plays the newest alone.
        ensemble_size: how many chunks are averaged at most.
    """

    max_obs_age_s: float = 1.0
    future_tolerance_s: float = 0.05
    min_dt_s: float = 0.001
    max_dt_s: float = 1.0
    max_speed_scale: float = 3.0
    lookahead_s: float = 0.0
    blend_s: float = 0.16
    ensemble_decay: float | None = None
    ensemble_size: int = 8


@dataclass(frozen=True)
class Accepted:
    """It is being played.

    Attributes:
        skipped: rows whose time had passed.
        seam_rad: largest step over all joints between the path and the chunk at the
            time of acceptance, which is faded out.
    """

    skipped: int = 0
    seam_rad: float = 0.0


class ChunkPlayer:
    """Plays the chunks of one policy.  Deterministic; asks nobody for the time."""

    def __init__(self, robot: RobotDescription, config: ChunkConfig | None = None) -> None:
        """Start with nothing to play."""
        config = config or ChunkConfig()
        self.config = config
        self._names = robot.joint_names
        self._speed_rad_s = robot.velocity_rad_s * config.max_speed_scale
        self._speed_rad_s[robot.gripper_index] = np.inf
        self._max_age_ns = seconds_to_ns(config.max_obs_age_s)
        self._tolerance_ns = seconds_to_ns(config.future_tolerance_s)
        self._period_ns = robot.control_period_ns
        self._lookahead_ns = seconds_to_ns(config.lookahead_s)
        self._blend_ns = seconds_to_ns(config.blend_s)
        self._dt_range_ns = (seconds_to_ns(config.min_dt_s), seconds_to_ns(config.max_dt_s))
        self._chunks: deque[ActionChunk] = deque(maxlen=max(1, config.ensemble_size))
        self._path: Trajectory | None = None
        self._asked_ns = 0
        self._nothing = Expired(ExpiredReason.NOTHING_YET, "no chunk has come yet")
        self._not_before_ns: int | None = None
        self._newest_ns = 0

    @property
    def chunk(self) -> ActionChunk | None:
        """The chunk that is being played, or was last."""
        return self._chunks[-1] if self._chunks else None

    def accept(
        self, chunk: ActionChunk, now_ns: int, in_force_rad: FloatArray
    ) -> Accepted | Rejected:
        """Go over into a chunk from now on, or say why not.

        Args:
            chunk: what the policy wants.
            now_ns: the present time.
            in_force_rad: the command in force, shape (J,): where the path begins if
                nothing is being played.
        """
        self._watch_clock(now_ns)
        trouble = self._trouble(chunk, now_ns)
        if trouble:
            return trouble
        # What was asked for so far has been sent, and stays as it was.
        past, seam_ns = self._path, max(now_ns, self._asked_ns)
        if past is None or seam_ns > past.end_ns:
            seam_ns = now_ns
            past = Trajectory.constant(np.asarray(in_force_rad, dtype=np.float64), seam_ns)
            self._chunks.clear()
        self._chunks.append(chunk)
        new = self._rows(chunk, past.at(chunk.obs_stamp_ns))
        seam = float(np.abs(new.at(seam_ns) - past.at(seam_ns)).max())
        keep_ns = now_ns - self._max_age_ns
        self._path = splice(past, new, seam_ns, self._blend_ns, keep_ns, self._period_ns)
        return Accepted(max(0, (seam_ns - chunk.obs_stamp_ns) // chunk.dt_ns), seam)

    def target(self, now_ns: int) -> Target | Expired:
        """Return where the joints should be now, or that nothing is asked for."""
        self._watch_clock(now_ns)
        chunk = self.chunk
        if self._path is None or chunk is None:
            return self._nothing
        reach_ns = now_ns + self._lookahead_ns
        if reach_ns >= self._path.end_ns + self._period_ns:
            late_ms = (reach_ns - self._path.end_ns) / NS_PER_MS
            return Expired(ExpiredReason.CHUNK_ENDED, f"the last chunk ended {late_ms:.0f} ms ago")
        self._asked_ns = reach_ns
        return Target(self._path.at(reach_ns), chunk.obs_stamp_ns, Source.POLICY)

    def cancel(self, now_ns: int, detail: str = "cancelled") -> None:
        """Stop playing, and refuse chunks from observations made before now."""
        self._watch_clock(now_ns)
        self.drop(detail)
        self._not_before_ns = now_ns

    def drop(self, detail: str) -> None:
        """Stop playing until the next chunk, whatever observation it is from."""
        self._path = None
        self._asked_ns = 0
        self._chunks.clear()
        self._nothing = Expired(ExpiredReason.CANCELLED, detail)

    def _watch_clock(self, now_ns: int) -> None:
        """Drop everything when the clock goes back: the path's times mean nothing then."""
        if now_ns < self._newest_ns - self._tolerance_ns:
            self.drop(f"the clock went back {ns_to_seconds(self._newest_ns - now_ns):.3f} s")
            self._not_before_ns = None
            self._newest_ns = now_ns
        self._newest_ns = max(self._newest_ns, now_ns)

    def _trouble(self, chunk: ActionChunk, now_ns: int) -> Rejected | None:
        if chunk.joint_names != self._names:
            rule = RejectRule.LENGTH
            if len(chunk.joint_names) == len(self._names):
                rule = RejectRule.UNKNOWN_NAME
            joints = ", ".join(chunk.joint_names)
            return Rejected(rule, f"joints {joints:.200} came, {', '.join(self._names)} are needed")
        low_ns, high_ns = self._dt_range_ns
        if not low_ns <= chunk.dt_ns <= high_ns:
            dt_s = ns_to_seconds(chunk.dt_ns)
            return Rejected(
                RejectRule.STEP_TIME,
                f"{dt_s:g} s between rows came, allowed is "
                f"{self.config.min_dt_s:g} to {self.config.max_dt_s:g} s",
            )
        return (
            check_numbers(chunk.targets_rad)
            or self._speed_trouble(chunk)
            or self._time_trouble(chunk, now_ns)
        )

    def _speed_trouble(self, chunk: ActionChunk) -> Rejected | None:
        """Look at the steps between rows; the first may be far away, and is gone to slowly."""
        steps = np.abs(np.diff(chunk.targets_rad, axis=0))
        excess = steps - self._speed_rad_s * ns_to_seconds(chunk.dt_ns)
        if not excess.size or excess.max() <= 0.0:
            return None
        row, joint = np.unravel_index(int(np.argmax(excess)), excess.shape)
        return Rejected(
            RejectRule.IMPLAUSIBLE,
            f"row {row + 1} takes {self._names[joint]} {steps[row, joint]:.2f} rad on in "
            f"{ns_to_seconds(chunk.dt_ns):g} s",
        )

    def _time_trouble(self, chunk: ActionChunk, now_ns: int) -> Rejected | None:
        stamp_ns, playing = chunk.obs_stamp_ns, self.chunk
        age_s = ns_to_seconds(now_ns - stamp_ns)
        if now_ns - stamp_ns > self._max_age_ns:
            limit_s = self.config.max_obs_age_s
            return Rejected(
                RejectRule.STALE, f"the observation is {age_s:.3f} s old, allowed is {limit_s:g} s"
            )
        if stamp_ns - now_ns > self._tolerance_ns:
            return Rejected(RejectRule.FUTURE, f"the observation lies {-age_s:.3f} s ahead")
        if chunk.end_ns <= now_ns + self._lookahead_ns:
            return Rejected(RejectRule.PASSED, "the time of its last row has passed")
        if self._not_before_ns is not None and stamp_ns < self._not_before_ns:
            return Rejected(RejectRule.CANCELLED, "its observation is from before the last cancel")
        if playing and (stamp_ns, chunk.sequence) <= (playing.obs_stamp_ns, playing.sequence):
            return Rejected(
                RejectRule.OUT_OF_ORDER,
                f"sequence {chunk.sequence} is not newer than {playing.sequence}, which plays",
            )
        return None

    def _rows(self, chunk: ActionChunk, start_rad: FloatArray) -> Trajectory:
        """Return the path that the chunk asks for, from the time of its observation on."""
        stamp_ns, horizon = chunk.obs_stamp_ns, len(chunk.targets_rad)
        times = tuple(stamp_ns + k * chunk.dt_ns for k in range(horizon + 1))
        rows = chunk.targets_rad
        if self.config.ensemble_decay is not None and len(self._chunks) > 1:
            rows = ensemble(self._chunks, times[1:], self.config.ensemble_decay)
        return Trajectory(times, np.vstack((start_rad, rows)))


def ensemble(chunks: Iterable[ActionChunk], times_ns: Iterable[int], decay: float) -> FloatArray:
    """Return the weighted mean of what chunks ask for at some times, shape (N, J).

    Args:
        chunks: the oldest first; a chunk counts at a time only between its first row
            and its last.
        times_ns: N times, each within at least one chunk.
        decay: weights are exp(-decay * i), i = 0 for the oldest chunk at that time.
    """
    paths = [
        Trajectory(
            tuple(
                chunk.obs_stamp_ns + (k + 1) * chunk.dt_ns for k in range(len(chunk.targets_rad))
            ),
            chunk.targets_rad,
        )
        for chunk in chunks
    ]
    means = []
    for time in times_ns:
        said = [path.at(time) for path in paths if path.times_ns[0] <= time <= path.end_ns]
        weights = np.exp(-decay * np.arange(len(said)))
        means.append(weights @ np.array(said) / weights.sum())
    return np.array(means)
