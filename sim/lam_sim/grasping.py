"""How to take hold of an object: from which side the fingers come."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lam_ros.core.scene import Scene, SceneObject
from lam_sim.arms import ArmModel, arm_model
from lam_sim.ik import roll_for_yaw

_FINGER_HALF_WIDTH_M = 0.010
_CROWDED_M = 0.006
QUARTERS = (0, 1, 2, 3)
KNOB_QUARTERS = (1, 3)
"""Sides from which the fingers come: any of a cube's, and those along a drawer's front."""

_CROWDING_COST_PER_M = 150.0


@dataclass(frozen=True)
class Grasp:
    """A way to hold an object: midpoint of the pads and direction from fixed to moving finger."""

    position_m: tuple[float, float, float]
    yaw_rad: float

    @property
    def opening_xy(self) -> tuple[float, float]:
        """Unit vector from the fixed to the moving finger."""
        return math.cos(self.yaw_rad), math.sin(self.yaw_rad)


def best_grasp(
    item: SceneObject,
    scene: Scene,
    below_center_m: float = 0.003,
    tool_yaw_rad: float | None = None,
    arm: ArmModel | None = None,
    *,
    other: bool = False,
    quarters: tuple[int, ...] = QUARTERS,
) -> Grasp:
    """Return the grasp with the least turn of the wrist that keeps clear of neighbours.

    Args:
        item: a cube, whose four sides are alike.
        scene: everything that the fingers may run into.
        below_center_m: how far below the cube's centre the pads' midpoint goes.
        tool_yaw_rad: how the tool is turned already; a turn begun is gone on with, so that
            between two equally good grasps nobody wavers.
        arm: which takes hold; the SO-101 if None.
        other: take it by the two sides that would not be chosen at first sight.
        quarters: from which sides, in quarter turns from the item's yaw.
    """
    arm = arm or arm_model()
    x, y, z = item.position_m
    position = (x, y, z - below_center_m)
    grasps = [Grasp(position, item.yaw_rad + quarter * math.pi / 2) for quarter in quarters]
    if other and len(grasps) == len(QUARTERS):
        first = min(range(4), key=lambda k: _cost(grasps[k], item, scene, None, arm))
        grasps = [grasps[(first + 1) % 4], grasps[(first + 3) % 4]]
    return min(grasps, key=lambda grasp: _cost(grasp, item, scene, tool_yaw_rad, arm))


def _cost(
    grasp: Grasp, item: SceneObject, scene: Scene, tool_yaw_rad: float | None, arm: ArmModel
) -> float:
    turned = roll_for_yaw(grasp.yaw_rad, grasp.position_m, arm.axis_m)
    roll = abs(_wrap(turned - arm.roll_neutral_rad) if arm.roll_neutral_rad else turned)
    beyond = max(0.0, roll - arm.roll_range_rad)
    room = _room_m(grasp, item, scene, arm)
    turn = 0.0 if tool_yaw_rad is None else abs(_wrap(grasp.yaw_rad - tool_yaw_rad))
    return roll + turn + 10.0 * beyond + _CROWDING_COST_PER_M * max(0.0, _CROWDED_M - room)


def _room_m(grasp: Grasp, item: SceneObject, scene: Scene, arm: ArmModel) -> float:
    """Return the least gap between a finger and another object, negative if they overlap."""
    center, along = np.array(grasp.position_m[:2]), np.array(grasp.opening_xy)
    hand = arm.hand
    fingers = (center - hand.fixed_finger_m * along, center + hand.moving_finger_m * along)
    gaps = [
        float(np.hypot(*(finger - other.position_m[:2]))) - other.radius_m - _FINGER_HALF_WIDTH_M
        for other in scene.objects
        if other.id != item.id and other.top_m > grasp.position_m[2] - 0.008
        for finger in fingers
    ]
    return min(gaps, default=1.0)


def _wrap(angle_rad: float) -> float:
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi
