"""An arm that gets nowhere with a step that nobody has ended begins it again from home.

Whoever gave a step ends it when it is done.  So an arm that stands before one that still runs, or
moves to and fro for long, is stuck: on something, or in what its policy makes of the picture.
From where it stands a policy does the same again; from home, or beside it, it sees and does
something else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.homing import Homing
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ActionChunk, FloatArray, Observation

STILL_S = 0.8
"""How long the arm stands before it begins again; a demonstration never waits so long."""

TRY_S = 8.0
"""How long a try lasts at most; most demonstrations of a step are shorter."""

MOVED_RAD = 0.03
RETRIES = 6
"""How often a step is begun again; after that the arm is left in peace."""


class Unsticking:
    """Asks a policy, and brings the arm home where it stands still."""

    def __init__(
        self,
        robot: RobotDescription,
        infer: Callable[[Observation, str], ActionChunk],
        retries: int = RETRIES,
    ) -> None:
        """Ask `infer`; begin a step again `retries` times at most, 0 for never."""
        self._robot = robot
        self._ask = infer
        self._retries = retries
        self.reset()

    def reset(self) -> None:
        """Begin a new step."""
        self._where_rad: FloatArray | None = None
        self._since_ns = self._began_ns = 0
        self._times = 0
        self._homing: Homing | None = None

    @property
    def times(self) -> int:
        """How often the step has been begun again."""
        return self._times

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return the policy's chunk for what is seen and said, or the way home."""
        if self._homing is None and self._is_stuck(observation) and self._times < self._retries:
            self._times += 1
            self._homing = Homing(self._robot, self._times)
        if self._homing is not None:
            if not self._homing.is_over(observation):
                return self._homing.infer(observation)
            self._homing = self._where_rad = None
        return self._ask(observation, prompt)

    def _is_stuck(self, observation: Observation) -> bool:
        """Take in where the arm is; return whether it gets nowhere."""
        now_ns, state_rad = observation.stamp_ns, observation.state_rad
        if self._where_rad is None:
            self._began_ns = now_ns
        if self._where_rad is None or np.abs(state_rad - self._where_rad).max() > MOVED_RAD:
            self._where_rad, self._since_ns = state_rad, now_ns
        stands = now_ns - self._since_ns >= seconds_to_ns(STILL_S)
        return stands or now_ns - self._began_ns >= seconds_to_ns(TRY_S)
