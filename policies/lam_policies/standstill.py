"""Noticing that the arm stands still though the step it was given is still on."""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.types import FloatArray, Observation

STILL_S = 1.2
"""How long the arm stands before the step is said again; a demonstration never waits so long."""

MOVED_RAD = 0.03
TRIES = 4
"""How often a step is said again; after that the arm is left in peace."""


class Standstill:
    """Watches one step; whoever gives the next one begins anew.

    Whoever gave a step takes it back when it is done.  An arm that stands before a step that
    nobody has taken back has either been forgotten or is mistaken: what it takes for done is not.
    """

    def __init__(self) -> None:
        """Begin with the next observation."""
        self.begin()

    def begin(self) -> None:
        """Watch a new step."""
        self._where_rad: FloatArray | None = None
        self._since_ns = 0
        self._times = 0

    def must_say_again(self, observation: Observation) -> bool:
        """Take in an observation; return whether the step is to be said again with it."""
        now_ns, state_rad = observation.stamp_ns, observation.state_rad
        if self._where_rad is None or np.abs(state_rad - self._where_rad).max() > MOVED_RAD:
            self._where_rad, self._since_ns = state_rad, now_ns
        elif now_ns - self._since_ns >= seconds_to_ns(STILL_S):
            self._times += 1
            self._since_ns = now_ns
        return 0 < self._times <= TRIES
