"""The SO-101 through LeRobot's own follower driver."""

from __future__ import annotations

import io
import termios
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lam_ros.arm.port import Silence
from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_ros.core.vitals import Vitals
from lam_ros.teleop.units import LeRobotUnits

DRIVER = "so101_follower"
AMPERE_PER_COUNT = 0.0065
"""Of the STS3215's current register; bit 15 is the sign."""

_ALARMS = {1: "voltage", 2: "sensor", 4: "overheat", 8: "overcurrent", 16: "angle", 32: "overload"}
_DEVICE_ERRORS = (OSError, termios.error, RuntimeError, ValueError, IndexError)
_RETRIES = 2


@dataclass(frozen=True)
class So101Config:
    """Where the arm is.

    Attributes:
        port: its serial port; `lerobot-find-port` finds it.
        id: the name under which it was calibrated (`lerobot-calibrate --robot.id=`).
        calibration_dir: folder of the calibration file; LeRobot's own if empty.
    """

    port: str
    id: str = "follower"
    calibration_dir: str = ""


class So101Arm:
    """An `ArmDriver`."""

    def __init__(self, robot: RobotDescription, config: So101Config) -> None:
        """Prepare; nothing of LeRobot is loaded yet."""
        self._robot = robot
        self._config = config
        self._units = LeRobotUnits(robot)
        self._follower: Any = None

    def open(self) -> None:
        """Connect, and hold still where the arm is.

        Nothing is written to an arm whose calibration is not the file's.

        Raises:
            ConfigError: if the robot's joints are not the SO-101's.
            MachineError: if the arm is not there, or not calibrated.
        """
        follower = self._make()
        if tuple(follower.bus.motors) != self._robot.joint_names:
            raise ConfigError(
                f"{DRIVER}: it drives joints {', '.join(follower.bus.motors)}, and robot "
                f"'{self._robot.name}' has {', '.join(self._robot.joint_names)}"
            )
        try:
            with redirect_stderr(io.StringIO()):
                follower.bus.connect()
            if not follower.is_calibrated:
                follower.bus.disconnect(disable_torque=False)
                raise MachineError(self._not_calibrated())
            follower.configure()
            follower.bus.sync_write(
                "Goal_Position", follower.bus.sync_read("Present_Position", num_retry=_RETRIES)
            )
        except _DEVICE_ERRORS as error:
            self._follower = follower
            self.close()
            raise MachineError(
                f"{DRIVER}: cannot connect to {self._config.port} ({_line(error)}); is it plugged "
                "in, powered, and yours to open? lerobot-find-port finds the port"
            ) from None
        self._follower = follower

    def read(self) -> FloatArray | Silence:
        """Return the joint positions [rad], shape (J,)."""
        try:
            position = self._units.to_rad(self._follower.get_observation())
        except _DEVICE_ERRORS as error:
            return Silence(_line(error))
        return Silence(position.detail) if isinstance(position, Rejected) else position

    def write(self, target_rad: FloatArray) -> Silence | None:
        """Send joint targets, shape (J,), within the robot's limits."""
        try:
            self._follower.send_action(self._units.from_rad(target_rad))
        except _DEVICE_ERRORS as error:
            return Silence(_line(error))
        return None

    def vitals(self) -> Vitals | Silence:
        """Return how the motors are."""
        try:
            temperature = self._ask("Present_Temperature")
            current = self._ask("Present_Current")
            status = self._ask("Status")
        except _DEVICE_ERRORS as error:
            return Silence(_line(error))
        alarms = tuple(
            " and ".join(name for bit, name in _ALARMS.items() if int(flags) & bit)
            for flags in status
        )
        magnitude = np.array([int(value) & 0x7FFF for value in current], float)
        return Vitals(temperature, magnitude * AMPERE_PER_COUNT, alarms)

    def close(self) -> None:
        """Switch the torque off, and disconnect; also an arm that has gone."""
        follower, self._follower = self._follower, None
        if follower is None:
            return
        bus = follower.bus
        for motor in bus.motors:  # one by one: a motor that is silent must not save the others
            with suppress(*_DEVICE_ERRORS):
                bus.disable_torque(motor, num_retry=_RETRIES)
        with suppress(*_DEVICE_ERRORS):
            bus.disconnect(disable_torque=False)

    def _ask(self, register: str) -> FloatArray:
        bus = self._follower.bus
        values = bus.sync_read(register, normalize=False, num_retry=_RETRIES)
        return np.array([float(values[name]) for name in self._robot.joint_names])

    def _make(self) -> Any:
        from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig

        folder = Path(self._config.calibration_dir) if self._config.calibration_dir else None
        return SO101Follower(
            SO101FollowerConfig(port=self._config.port, id=self._config.id, calibration_dir=folder)
        )

    def _not_calibrated(self) -> str:
        config = self._config
        folder = f" --robot.calibration_dir={config.calibration_dir}" * bool(config.calibration_dir)
        return (
            f"{DRIVER}: not calibrated, or with another calibration than that of id '{config.id}'; "
            f"run: lerobot-calibrate --robot.type={DRIVER} --robot.port={config.port} "
            f"--robot.id={config.id}{folder}"
        )


def _line(error: Exception) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
