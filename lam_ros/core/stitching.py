"""How a policy's chunks are made to fit each other, before they are sent.

Whatever the way, the player goes over from one chunk into the next without a step in
position or speed (`chunking`).  Here is what the chunks themselves can do for it: a policy
that paints its chunks is told the rest of the one that plays and goes on from it (real-time
chunking; Black et al., 2025), or overlapping chunks are averaged (Zhao et al., 2023).
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from lam_ros.core.chunking import ensemble
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.types import ActionChunk, Observation

ENSEMBLE_DECAY = 0.01
"""ACT's: the oldest chunk weighs most, the next exp(-0.01) times as much."""
ENSEMBLE_SIZE = 8


class Stitch(StrEnum):
    """Ways to make chunks fit."""

    AUTO = "auto"
    """Real-time chunking where the policy can, else the player's blending alone."""
    RTC = "rtc"
    ENSEMBLE = "ensemble"
    BLEND = "blend"


class Infers(Protocol):
    """A policy, as far as it is needed here."""

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return joint targets for what is seen and said."""
        ...


@runtime_checkable
class GoesOn(Protocol):
    """A policy that may be able to go on from the rest of the chunk before."""

    @property
    def can_go_on(self) -> bool:
        """Whether it is."""
        ...

    def go_on_from(self, chunk: ActionChunk, late_ns: int) -> None:
        """Take the chunk that plays now, which came `late_ns` after its observation."""
        ...


def find_stitch(name: str) -> Stitch:
    """Return the way of a name.

    Raises:
        ConfigError: if there is none.
    """
    try:
        return Stitch(name)
    except ValueError:
        raise ConfigError(unknown_name("stitch", name, list(Stitch))) from None


class Stitcher:
    """Asks a policy for chunks that fit those sent before."""

    def __init__(self, policy: Infers, stitch: Stitch = Stitch.AUTO) -> None:
        """Stitch one policy's chunks.

        Raises:
            ConfigError: if real-time chunking is asked of a policy that cannot.
        """
        self._policy = policy
        self._goes_on = policy if isinstance(policy, GoesOn) and policy.can_go_on else None
        if stitch is Stitch.RTC and self._goes_on is None:
            raise ConfigError(
                "stitch=rtc: this policy cannot go on from a chunk (LeRobot's pi0, pi05 and "
                "smolvla can); give stitch=auto, ensemble or blend"
            )
        if stitch not in (Stitch.AUTO, Stitch.RTC):
            self._goes_on = None
        self._averages = stitch is Stitch.ENSEMBLE
        self._sent: deque[ActionChunk] = deque(maxlen=ENSEMBLE_SIZE - 1)
        self._newest: ActionChunk | None = None

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return the policy's chunk for what is seen and said, fitted to those sent."""
        chunk = self._newest = self._policy.infer(observation, prompt)
        if not self._averages:
            return chunk
        times = [chunk.obs_stamp_ns + (k + 1) * chunk.dt_ns for k in range(len(chunk.targets_rad))]
        rows = ensemble([*self._sent, chunk], times, ENSEMBLE_DECAY)
        return replace(chunk, targets_rad=rows)

    def sent(self, chunk: ActionChunk, late_ns: int) -> None:
        """Note that a chunk was sent, so long after its observation; it plays now."""
        newest = self._newest
        if self._averages and newest is not None and newest.obs_stamp_ns == chunk.obs_stamp_ns:
            self._sent.append(newest)
        if self._goes_on is not None:
            self._goes_on.go_on_from(chunk, late_ns)

    def reset(self) -> None:
        """Start a new task: nothing was sent."""
        self._sent.clear()
        self._newest = None
