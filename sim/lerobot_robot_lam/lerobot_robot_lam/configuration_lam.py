"""What LeRobot's commands can tell the robot: `--robot.KEY=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot.robots import RobotConfig

SIM = "sim"
ROS = "ros"


@RobotConfig.register_subclass("lam")
@dataclass(kw_only=True)
class LamRobotConfig(RobotConfig):
    """Which arm, and in which units it is spoken to.

    Attributes:
        backend: `sim` for the simulator, in real time, in this process; `ros` for the arm on
            the graph of this ROS_DOMAIN_ID, through its control node.
        robot: name of a robot description of LAM (config/robot), or the path of one.
        unit: of the arm's joints: `degrees`, `range` (-100 to 100) or `radians`; the
            gripper is 0 to 100 but for radians.
        seed: which scene the simulator begins with.
        timeout_s: how long an observation is waited for.
    """

    backend: str = SIM
    robot: str = "so101"
    unit: str = "degrees"
    seed: int = 0
    timeout_s: float = 5.0
