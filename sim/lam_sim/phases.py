"""What the scripted teleoperator sees and decides, in every skill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.types import FloatArray, JointState
from lam_sim.ik import ToolPose, ToolTarget


class Phase(StrEnum):
    """What the expert is about to do; follows from the state alone."""

    APPROACH = "approach"
    DESCEND = "descend"
    CLOSE = "close"
    REOPEN = "reopen"
    LIFT = "lift"
    CARRY = "carry"
    LOWER = "lower"
    OPEN = "open"
    PULL = "pull"
    PUSH = "push"
    PRESS = "press"
    RETREAT = "retreat"
    RETURN = "return"
    DONE = "done"


@dataclass(frozen=True)
class Decision:
    """What to do for the next moment: a phase, and the joint target, shape (J,)."""

    phase: Phase
    target_rad: FloatArray


@dataclass(frozen=True)
class View:
    """The present state, as the phases look at it."""

    scene: Scene
    item: SceneObject
    tool: ToolPose
    tool_speed_m_s: float
    joints: JointState

    @property
    def xy(self) -> FloatArray:
        """Where the tool is on the table, shape (2,)."""
        return np.array(self.tool.position_m[:2])

    @property
    def z(self) -> float:
        """Height of the tool."""
        return self.tool.position_m[2]

    @property
    def holds_item(self) -> bool:
        """Whether the gripper holds the item."""
        return self.scene.held == self.item.id


Aim = tuple[Phase, ToolTarget | None, float]
"""A phase, where the tool should go (None: the arm home), and how fast [m/s]."""
