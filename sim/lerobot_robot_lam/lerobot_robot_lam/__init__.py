"""LAM's arm as a LeRobot robot plugin.

Importing this package registers the robot type `lam`; LeRobot's own commands do so by the
distribution's name (`lerobot-record --robot.type=lam`).
"""

from lerobot_robot_lam.configuration_lam import LamRobotConfig
from lerobot_robot_lam.robot_lam import LamRobot

__all__ = ["LamRobot", "LamRobotConfig"]
