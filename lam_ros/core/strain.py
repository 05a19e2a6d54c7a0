"""Joints that press too hard for too long, by the effort that the arm measures."""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.limits import SafetyConfig
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, JointState

RELIEVED = 0.8
"""Share of the bound below which a joint that pressed counts as relieved."""


class Strain:
    """Watches one arm; one that measures no effort is never strained."""

    def __init__(self, robot: RobotDescription, config: SafetyConfig) -> None:
        """Read the limits."""
        self._names = robot.joint_names
        share = config.max_effort_share
        efforts = np.array([joint.effort_nm for joint in robot.joints])
        self._bound_nm: FloatArray = efforts * (np.inf if share is None else share)
        self._bound_nm[robot.gripper_index] = np.inf
        self._patience_ns = seconds_to_ns(config.effort_patience_s)
        self._since_ns: list[int | None] = [None] * len(robot.joints)
        self._giving_in: int | None = None

    def judge(self, measured: JointState, now_ns: int) -> str:
        """Return which joint presses too hard, for people; empty if none does."""
        if measured.effort_nm is None or len(measured.effort_nm) != len(self._names):
            self._giving_in = None
            return ""
        effort = np.abs(measured.effort_nm)
        for index in np.flatnonzero(effort < self._bound_nm):
            self._since_ns[index] = None
        for index in np.flatnonzero(effort >= self._bound_nm):
            since_ns = self._since_ns[index]
            if since_ns is None or now_ns < since_ns:
                self._since_ns[index] = now_ns
            elif now_ns - since_ns >= self._patience_ns:
                self._giving_in = int(index)
        index_ = self._giving_in
        if index_ is None or effort[index_] < RELIEVED * self._bound_nm[index_]:
            self._giving_in = None
            return ""
        return (
            f"{self._names[index_]} presses with {effort[index_]:.2f} Nm, "
            f"{self._bound_nm[index_]:.2f} is allowed"
        )
