"""What the tests of the core share: the robot, sound items, and one hostile table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ActionChunk, JointState

MS = 1_000_000


@pytest.fixture(scope="session")
def robot() -> RobotDescription:
    """The shipped robot, which gets up to speed at once: acceleration has tests of its own."""
    shipped = load_robot("so101")
    joints = tuple(replace(joint, acceleration_rad_s2=None) for joint in shipped.joints)
    return replace(shipped, joints=joints)


@pytest.fixture
def home(robot: RobotDescription) -> np.ndarray:
    return np.array(robot.poses.home_rad)


@pytest.fixture
def inward(robot: RobotDescription, home: np.ndarray) -> np.ndarray:
    """Sign by which each joint leaves home for the middle of its range."""
    return np.where(home > (robot.lower_rad + robot.upper_rad) / 2, -1.0, 1.0)


@pytest.fixture
def make_chunk(robot: RobotDescription) -> Callable[..., ActionChunk]:
    """Return a function that makes a sound chunk; keywords replace its fields."""

    def make(rows: Any = None, **changes: Any) -> ActionChunk:
        if rows is None:
            rows = np.tile(robot.poses.home_rad, (12, 1))
        chunk = ActionChunk(0, 40 * MS, robot.joint_names, rows, "test", 0)
        return replace(chunk, **changes)

    return make


@pytest.fixture
def joints(home: np.ndarray) -> Callable[..., JointState]:
    """Return a function that makes a joint state at a time."""

    def make(stamp_ns: int, position_rad: Any = None) -> JointState:
        return JointState(stamp_ns, home if position_rad is None else position_rad)

    return make


def hostile_arrays(count: int) -> dict[str, Any]:
    """Return what another process may send where `count` joint positions belong."""
    sound = np.zeros(count)

    def with_value(value: float) -> np.ndarray:
        array = sound.copy()
        array[-1] = value
        return array

    return {
        "nan": with_value(np.nan),
        "inf": with_value(np.inf),
        "minus_inf": with_value(-np.inf),
        "all_nan": np.full(count, np.nan),
        "huge": with_value(1e308),
        "short": sound[:-1],
        "long": np.zeros(count + 1),
        "empty": np.array([]),
        "scalar": np.float64(0.0),
        "matrix": np.zeros((count, count)),
    }


@pytest.fixture(params=sorted(hostile_arrays(1)))
def hostile_array(request: pytest.FixtureRequest, robot: RobotDescription) -> Any:
    return hostile_arrays(len(robot.joints))[request.param]
