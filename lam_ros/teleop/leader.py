"""The SO-101 leader arm, through LeRobot's driver."""

from __future__ import annotations

from dataclasses import dataclass

from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.teleop.lerobot import LeRobotConfig, LeRobotTeleoperator


@dataclass(frozen=True)
class LeaderConfig:
    """Where the leader arm is.

    Attributes:
        port: its serial port, for example /dev/ttyACM0; `lerobot-find-port` finds it.
        id: the name under which it was calibrated (`lerobot-calibrate --teleop.id=`).
        calibration_dir: folder of the calibration file; LeRobot's own if empty.
        flip: joints that it counts the other way round than the robot.
    """

    port: str = ""
    id: str = "leader"
    calibration_dir: str = ""
    flip: tuple[str, ...] = ()


def leader(robot: RobotDescription, config: LeaderConfig) -> LeRobotTeleoperator:
    """Return the leader arm, not yet connected.

    Raises:
        ConfigError: if no port is given.
    """
    if not config.port:
        raise ConfigError(
            "leader: no port; find it with lerobot-find-port and give it, "
            "for example teleop.options.port=/dev/ttyACM0"
        )
    arguments = [f"--port={config.port}", f"--id={config.id}"]
    if config.calibration_dir:
        arguments.append(f"--calibration_dir={config.calibration_dir}")
    return LeRobotTeleoperator(
        robot, LeRobotConfig("so101_leader", tuple(arguments), flip=config.flip)
    )
