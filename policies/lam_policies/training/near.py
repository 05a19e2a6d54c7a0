"""Where things are as the tool sees them: what the wrist's camera can tell best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lam_ros.core.robot import RobotDescription

if TYPE_CHECKING:
    from lam_sim.ik import CartesianTeleop

Floats = npt.NDArray[np.float32]

_ALIKE_SIDES = 4


class HandFrame:
    """The frame of a hand that slides along the axes: its first three positions are its place."""

    def see(self, state_rad: Floats, places_m: Floats, yaw_rad: Floats) -> tuple[Floats, Floats]:
        """Return what `ToolFrame.see` does, of a hand that never turns."""
        offsets = places_m - state_rad[:, None, :3]
        turn = _ALIKE_SIDES * yaw_rad
        return (
            offsets.reshape(len(offsets), 6).astype(np.float32),
            np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32),
        )


class ToolFrame:
    """The frame of the tool: its point between the pads, the base's axes turned by its yaw."""

    def __init__(self, kinematics: CartesianTeleop) -> None:
        """Use an arm's kinematics."""
        self._kinematics = kinematics

    @classmethod
    def of(cls, robot: RobotDescription) -> ToolFrame | HandFrame | None:
        """Return the frame of a robot's tool, or None if the simulator is not installed."""
        if all(joint.slides for joint in robot.joints):
            return HandFrame()
        try:
            from lam_sim.ik import CartesianTeleop
        except ImportError:
            return None
        return cls(CartesianTeleop(robot))

    def see(self, state_rad: Floats, places_m: Floats, yaw_rad: Floats) -> tuple[Floats, Floats]:
        """Return offsets [m] of object and target, and how the object is turned.

        Args:
            state_rad: joint positions, shape (B, J).
            places_m: of the object and the target in the base frame, shape (B, 2, 3).
            yaw_rad: the object's rotation about z, shape (B,).

        Returns:
            Offsets in the tool's frame, shape (B, 6), and cosine and sine of the turn times
            the number of a cube's sides that are alike, shape (B, 2); NaN where not known.
        """
        poses = [self._kinematics.tool_pose(joints.astype(float)) for joints in state_rad]
        tool_m = np.array([pose.position_m for pose in poses], np.float32)
        tool_yaw = np.array([pose.yaw_rad for pose in poses], np.float32)
        x, y, z = np.moveaxis(places_m - tool_m[:, None], 2, 0)
        cos, sin = np.cos(tool_yaw)[:, None], np.sin(tool_yaw)[:, None]
        offsets = np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=2)
        turn = _ALIKE_SIDES * (yaw_rad - tool_yaw)
        return (
            offsets.reshape(len(offsets), 6).astype(np.float32),
            np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32),
        )
