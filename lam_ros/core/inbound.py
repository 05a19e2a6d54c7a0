"""What arrives from outside, checked by value before it becomes an item.

A message from another process may hold anything.  Here its raw arrays are matched
to the robot by joint name and turned into an item of `core.types`, or into a
`Rejected` that names the rule; nothing here raises on bad input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from lam_ros.core.errors import did_you_mean
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ActionChunk, FloatArray, JointState, Source, Target

MAX_HORIZON = 4096
"""Rows above which a chunk is refused before anything is computed from it."""

PLAUSIBLE_RAD = 1000.0
"""Positions above this are no joint positions; they are refused before arithmetic overflows."""


class RejectRule(StrEnum):
    """The rule by which something was not accepted."""

    DUPLICATE_NAME = "duplicate_name"
    UNKNOWN_NAME = "unknown_name"
    MISSING_NAME = "missing_name"
    LENGTH = "length"
    NOT_FINITE = "not_finite"
    IMPLAUSIBLE = "implausible"
    MALFORMED = "malformed"
    STEP_TIME = "step_time"
    STALE = "stale"
    FUTURE = "future"
    PASSED = "passed"
    OUT_OF_ORDER = "out_of_order"
    CANCELLED = "cancelled"
    NOT_ACTIVE = "not_active"
    NO_JOINTS = "no_joints"
    STOPPED = "stopped"
    RIVALS = "rivals"


@dataclass(frozen=True)
class Rejected:
    """It was not accepted: by which rule, and one line for people."""

    rule: RejectRule
    detail: str


def match_names(names: Sequence[str], robot: RobotDescription) -> list[int] | Rejected:
    """Return, for each joint of the robot, its index in `names`."""
    wanted = robot.joint_names
    if tuple(names) == wanted:
        return list(range(len(wanted)))
    duplicates = sorted({str(name) for name in names if list(names).count(name) > 1})
    if duplicates:
        return Rejected(RejectRule.DUPLICATE_NAME, f"joint '{duplicates[0]}' comes more than once")
    for name in names:
        if name not in wanted:
            hint = did_you_mean(str(name), wanted)
            return Rejected(RejectRule.UNKNOWN_NAME, f"robot has no joint '{name!s:.40}'.{hint}")
    missing = [name for name in wanted if name not in names]
    if missing:
        return Rejected(RejectRule.MISSING_NAME, f"joints missing: {', '.join(missing)}")
    return [list(names).index(name) for name in wanted]


def parse_chunk(
    robot: RobotDescription,
    *,
    joint_names: Sequence[str],
    targets_rad: npt.ArrayLike,
    obs_stamp_ns: int,
    dt_ns: int,
    policy_id: str = "",
    sequence: int = 0,
) -> ActionChunk | Rejected:
    """Make a chunk, its joints in the robot's order, from raw arrays.

    Args:
        robot: whose joints they must be, in any order.
        joint_names: one name a column, length J.
        targets_rad: row-major, shape (H * J,) or (H, J).
        obs_stamp_ns, dt_ns, policy_id, sequence: as in `ActionChunk`.
    """
    order = match_names(joint_names, robot)
    if isinstance(order, Rejected):
        return order
    values = _floats(targets_rad)
    columns = len(order)
    if values is None or not values.size or values.size % columns or values.ndim > 2:
        size = "no numbers" if values is None else f"{values.size} values"
        return Rejected(
            RejectRule.LENGTH, f"{size} came, a positive multiple of {columns} is needed"
        )
    if values.ndim == 2 and values.shape[1] != columns:
        return Rejected(RejectRule.LENGTH, f"shape {values.shape} came, (H, {columns}) is needed")
    if values.size // columns > MAX_HORIZON:
        return Rejected(RejectRule.LENGTH, f"more than {MAX_HORIZON} rows came")
    trouble = check_numbers(values)
    if trouble:
        return trouble
    if dt_ns <= 0:
        return Rejected(RejectRule.STEP_TIME, f"dt_ns {dt_ns} came, a positive time is needed")
    targets = values.reshape(-1, columns)[:, order]
    return ActionChunk(obs_stamp_ns, int(dt_ns), robot.joint_names, targets, policy_id, sequence)


def parse_target(
    robot: RobotDescription,
    *,
    joint_names: Sequence[str],
    position_rad: npt.ArrayLike,
    stamp_ns: int,
    source: Source,
) -> Target | Rejected:
    """Make a target, its joints in the robot's order, from raw arrays of length J."""
    values = _by_name(robot, joint_names, position_rad)
    return values if isinstance(values, Rejected) else Target(values, stamp_ns, source)


def parse_joint_state(
    robot: RobotDescription,
    *,
    joint_names: Sequence[str],
    position_rad: npt.ArrayLike,
    velocity_rad_s: npt.ArrayLike = (),
    effort_nm: npt.ArrayLike = (),
    stamp_ns: int,
) -> JointState | Rejected:
    """Make a joint state from raw arrays; joints that are not the robot's are left out.

    A joint-state message may carry more joints than the arm's (a mobile base, a second
    arm), so unknown names are allowed here and only here.
    """
    keep = [i for i, name in enumerate(joint_names) if name in robot.joint_names]
    names = [joint_names[i] for i in keep]
    position = _floats(position_rad)
    if position is None or position.shape != (len(joint_names),):
        return Rejected(RejectRule.LENGTH, f"{len(joint_names)} names came with other positions")
    values = _by_name(robot, names, position[keep])
    if isinstance(values, Rejected):
        return values
    also = []
    for more in (_floats(velocity_rad_s), _floats(effort_nm)):
        matched = None
        if more is not None and more.shape == position.shape:
            matched = _by_name(robot, names, more[keep])
        also.append(None if isinstance(matched, Rejected) else matched)
    return JointState(stamp_ns, values, *also)


def check_numbers(values: FloatArray) -> Rejected | None:
    """Return why these are no joint positions, or None."""
    if not np.isfinite(values).all():
        return Rejected(RejectRule.NOT_FINITE, "a position is NaN or infinite")
    if np.abs(values).max() > PLAUSIBLE_RAD:
        return Rejected(RejectRule.IMPLAUSIBLE, f"a position is beyond {PLAUSIBLE_RAD:g} rad")
    return None


def _by_name(
    robot: RobotDescription, names: Sequence[str], values: npt.ArrayLike
) -> FloatArray | Rejected:
    order = match_names(names, robot)
    if isinstance(order, Rejected):
        return order
    array = _floats(values)
    if array is None or array.shape != (len(order),):
        got = "no numbers" if array is None else f"{math.prod(array.shape)} values"
        return Rejected(RejectRule.LENGTH, f"{got} came, {len(order)} are needed")
    return check_numbers(array) or array[order]


def _floats(values: npt.ArrayLike) -> FloatArray | None:
    """Return the values as float64, or None if they are no numbers."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
