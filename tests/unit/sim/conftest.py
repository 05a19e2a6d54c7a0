"""One simulator without pictures for all tests of the simulation; compiling takes a moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription
from lam_sim.ik import CartesianTeleop
from lam_sim.world import LockstepSim, SimConfig


@pytest.fixture(scope="session")
def robot() -> RobotDescription:
    """The arm that the simulator models."""
    return load_robot("so101")


@pytest.fixture(scope="session")
def sim(robot: RobotDescription) -> Iterator[LockstepSim]:
    """A simulator that draws nothing."""
    world = LockstepSim(robot, SimConfig(render=False))
    yield world
    world.close()


@pytest.fixture(scope="session")
def teleop(robot: RobotDescription) -> CartesianTeleop:
    """The arm's inverse kinematics."""
    return CartesianTeleop(robot)
