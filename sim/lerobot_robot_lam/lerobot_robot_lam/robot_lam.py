"""The robot that LeRobot's commands see: scalar `.pos` features and pictures."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from lerobot.robots import Robot
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from lam_ros.config import load_robot
from lam_ros.core.inbound import Rejected
from lam_ros.environment import START_ONLY, Installation, process_environment
from lam_ros.teleop.units import LeRobotUnits, Unit
from lerobot_robot_lam.arm import Arm, RosArm, SimulatedArm
from lerobot_robot_lam.configuration_lam import ROS, SIM, LamRobotConfig


class LamRobot(Robot):
    """LAM's arm, simulated or on a graph; the safety room stands between it and LeRobot."""

    config_class = LamRobotConfig
    name = "lam"

    def __init__(self, config: LamRobotConfig) -> None:
        """Read the robot description; nothing is connected yet.

        Raises:
            ValueError: if the backend or the unit does not exist.
            LamError: if the robot description does not exist or is wrong.
        """
        super().__init__(config)
        if config.backend not in (SIM, ROS):
            raise ValueError(f"robot.backend: '{config.backend}' came, '{SIM}' or '{ROS}' needed")
        if config.unit not in tuple(Unit):
            raise ValueError(f"robot.unit: '{config.unit}' came, allowed: {', '.join(Unit)}")
        self.config = config
        self._description = load_robot(config.robot)
        self._units = LeRobotUnits(self._description, Unit(config.unit))
        self._arm: Arm | None = None

    @property
    def cameras(self) -> dict[str, Any]:
        """Camera name -> its description; LeRobot counts them."""
        return {camera.name: camera for camera in self._description.cameras}

    @property
    def observation_features(self) -> dict[str, Any]:
        """Joint positions and pictures, by name."""
        pictures = {
            camera.name: (camera.height_px, camera.width_px, 3)
            for camera in self._description.cameras
        }
        return {**self.action_features, **pictures}

    @property
    def action_features(self) -> dict[str, type]:
        """Joint positions, by name."""
        return dict.fromkeys(self._units.names, float)

    @property
    def is_connected(self) -> bool:
        """Whether the arm is taken."""
        return self._arm is not None

    @property
    def is_calibrated(self) -> bool:
        """True: what there is to calibrate, the driver of the arm does."""
        return True

    def connect(self, calibrate: bool = True) -> None:
        """Take the arm.

        Raises:
            DeviceAlreadyConnectedError: if it is taken.
            ConnectionError: if it is not there.
        """
        if self._arm is not None:
            raise DeviceAlreadyConnectedError("the lam robot is already connected")
        _set_environment()
        arm: Arm
        if self.config.backend == ROS:
            arm = RosArm(self._description, self.config.timeout_s)
        else:
            arm = SimulatedArm(self._description, self.config.seed)
        arm.connect()
        self._arm = arm

    def calibrate(self) -> None:
        """There is nothing to calibrate here."""

    def configure(self) -> None:
        """There is nothing to configure here."""

    def get_observation(self) -> dict[str, Any]:
        """Return joint positions in the configured unit and pictures.

        Raises:
            ConnectionError: if the arm does not say.
        """
        seen = self._taken().observe()
        pictures = {name: np.array(image) for name, image in seen.images.items()}
        return {**self._units.from_rad(seen.position_rad), **pictures}

    def send_action(self, action: dict[str, Any]) -> dict[str, float]:
        """Ask for joint positions; returns what was last sent to the motors.

        Raises:
            ValueError: if a joint is missing or its number is none: such a row would spoil
                the data set.
        """
        arm = self._taken()
        target = self._units.to_rad(action)
        if isinstance(target, Rejected):
            raise ValueError(f"action: {target.detail}")
        return self._units.from_rad(arm.send(target))

    def disconnect(self) -> None:
        """Let the arm go; it holds still."""
        arm, self._arm = self._taken(), None
        arm.close()

    def _taken(self) -> Arm:
        if self._arm is None:
            raise DeviceNotConnectedError("the lam robot is not connected; call connect() first")
        return self._arm


def _set_environment() -> None:
    """Have the variables that rendering and ROS read when they begin."""
    wanted = process_environment(os.environ, Installation.here())
    os.environ.update({name: value for name, value in wanted.items() if name not in START_ONLY})
