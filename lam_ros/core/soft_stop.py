"""The soft stop: after a long silence the arm goes to its rest pose, slowly.

Off unless configured.  Silence makes the arm hold at once; only when nobody has spoken for
`after_s` does it begin to move, through the safety room like everything else, with its grip
kept.  Whoever speaks has the arm; hold, e-stop, joint states that make no sense and a way
that the safety room does not allow end it, until somebody has moved the arm again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_ros.core.clock import ns_to_seconds, seconds_to_ns
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, JointState, Source, Target

ARRIVED_RAD = 1e-3


@dataclass(frozen=True)
class SoftStopConfig:
    """When and how the arm goes to rest.

    Attributes:
        after_s: of silence; None for never.
        speed_share: of the joints' velocity limits.
    """

    after_s: float | None = None
    speed_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what is no time and no share."""
        if self.after_s is not None and not 0.0 < self.after_s < float("inf"):
            raise ConfigError(
                f"soft_stop: after_s {self.after_s} came, give a time above 0, or null for never"
            )
        if not 0.0 < self.speed_share <= 1.0:
            raise ConfigError(
                f"soft_stop: speed_share {self.speed_share} came, give a share above 0, at most 1"
            )


class SoftStop:
    """Says where a silent arm should go."""

    def __init__(self, robot: RobotDescription, config: SoftStopConfig) -> None:
        """Begin with an arm that nobody has moved yet, which stays where it is."""
        self._robot = robot
        self._after_ns = None if config.after_s is None else seconds_to_ns(config.after_s)
        self._rest_rad = np.array(robot.poses.rest_rad)
        self._step_rad = (
            config.speed_share * robot.velocity_rad_s * ns_to_seconds(robot.control_period_ns)
        )
        self._since_ns: int | None = None
        self._may = False
        self.is_moving = False

    def spoken(self) -> None:
        """Note that somebody moves the arm."""
        self._may, self._since_ns, self.is_moving = True, None, False

    def forbid(self) -> None:
        """Stay where the arm is, until somebody has moved it again."""
        self._may, self._since_ns, self.is_moving = False, None, False

    def target(
        self, command_rad: FloatArray | None, joints: JointState | None, now_ns: int
    ) -> Target | None:
        """Return the next step to rest while nobody speaks; None to hold.

        Args:
            command_rad: the command in force, shape (J,).
            joints: as measured last.
            now_ns: the present time.
        """
        if self._after_ns is None or not self._may or command_rad is None or joints is None:
            return None
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns < self._after_ns:
            return None
        goal = self._rest_rad.copy()
        goal[self._robot.gripper_index] = command_rad[self._robot.gripper_index]
        way = goal - command_rad
        if np.abs(way).max() < ARRIVED_RAD:
            self.forbid()
            return None
        self.is_moving = True
        steps = max(1.0, float((np.abs(way) / self._step_rad).max()))
        return Target(command_rad + way / steps, joints.stamp_ns, Source.REST)
