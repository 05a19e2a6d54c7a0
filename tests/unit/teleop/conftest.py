"""One robot and one solver for all tests of teleoperation."""

from __future__ import annotations

import pytest

from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription
from lam_sim.ik import CartesianTeleop


@pytest.fixture(scope="session")
def robot() -> RobotDescription:
    """The arm of the simulator."""
    return load_robot("so101")


@pytest.fixture(scope="session")
def kinematics(robot: RobotDescription) -> CartesianTeleop:
    """The arm's inverse kinematics."""
    return CartesianTeleop(robot)
