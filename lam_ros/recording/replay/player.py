"""A recording as a teleoperator: what was asked for then is what the arm is asked for now.

It takes hold of the arm, has it go slowly to the first pose (the pilot follows slowly until
the arm is where it is asked to be), plays, and lets go.
"""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import NS_PER_S, seconds_to_ns
from lam_ros.core.errors import MachineError
from lam_ros.core.types import FloatArray
from lam_ros.recording.replay.tape import Tape
from lam_ros.teleop.port import Control, JointTarget, Reading, View

AT_START_RAD = 0.06
START_TIMEOUT_NS = 20 * NS_PER_S
JOINTS_TIMEOUT_NS = 5 * NS_PER_S
LINGER_NS = seconds_to_ns(0.3)
"""How long the last pose is asked for before the arm is let go."""


class TapePlayer:
    """Plays one recording, once."""

    def __init__(self, tape: Tape, speed: float) -> None:
        """Be ready to play at a speed, 1 as it was recorded."""
        self._tape = tape
        self._speed = speed
        self._first_ns: int | None = None
        self._start_ns: int | None = None
        self._arm = np.arange(len(tape.robot.joints)) != tape.robot.gripper_index
        self.finished = False

    @property
    def controls(self) -> tuple[Control, ...]:
        """Nothing is pressed."""
        return ()

    def open(self) -> None:
        """Take nothing."""

    def close(self) -> None:
        """Give back nothing."""

    @property
    def is_playing(self) -> bool:
        """True from when the arm is at the first pose until the end."""
        return self._start_ns is not None and not self.finished

    def read(self, view: View) -> Reading:
        """Return where the arm should be now.

        Raises:
            MachineError: if no joint states come, or the arm does not reach the first pose.
        """
        if self._first_ns is None:
            self._first_ns = view.now_ns
        if self.finished:
            return Reading(status="played", finished=True)
        waited_ns = view.now_ns - self._first_ns
        if view.joints is None:
            if waited_ns > JOINTS_TIMEOUT_NS:
                raise MachineError("replay: no joint states come; start the arm's graph first")
            return Reading(status="waiting for joint states")
        if self._start_ns is None:
            self._begin(view.now_ns, view.joints.position_rad, waited_ns)
        if self._start_ns is None:
            return Reading(JointTarget(self._tape.asked_rad[0]), True, "going to the first pose")
        return self._play(view.now_ns - self._start_ns)

    def _begin(self, now_ns: int, position_rad: FloatArray, waited_ns: int) -> None:
        apart = np.abs(position_rad - self._tape.asked_rad[0])[self._arm].max()
        if apart < AT_START_RAD:
            self._start_ns = now_ns
        elif waited_ns > START_TIMEOUT_NS:
            raise MachineError(
                f"replay: the arm is still {apart:.2f} rad from the first pose after "
                f"{START_TIMEOUT_NS // NS_PER_S} s; look at the safety reports"
            )

    def _play(self, elapsed_ns: int) -> Reading:
        tape, at_ns = self._tape, round(elapsed_ns * self._speed)
        self.finished = at_ns > tape.length_ns + round(LINGER_NS * self._speed)
        if self.finished:
            return Reading(status="played", finished=True)
        position = np.array([np.interp(at_ns, tape.command_ns, q) for q in tape.asked_rad.T])
        status = f"{at_ns / NS_PER_S:.1f} of {tape.length_ns / NS_PER_S:.1f} s"
        return Reading(JointTarget(position), True, status)
