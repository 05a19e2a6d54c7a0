"""What was asked of the arm, from whichever message says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lam_ros.core.clock import NS_PER_S
from lam_ros.core.inbound import Rejected, RejectRule, parse_joint_state
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, Source, Verdict
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.convert.tracks import Command
from lam_ros.recording.reader import Recorded

REPORT = "lam_interfaces/msg/SafetyReport"
_NOTHING = Rejected(RejectRule.MALFORMED, "nothing was asked or sent")

Reader = Callable[[Recorded, RobotDescription, Naming], Command | Rejected]


def header_stamp_ns(message: Any) -> int:
    """Return a message's stamp [ns]; 0 if it has none."""
    header = getattr(message, "header", None)
    stamp = header.stamp if header else getattr(message, "timestamp", None)
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec) if stamp else 0


def by_name(
    robot: RobotDescription, naming: Naming, names: Sequence[str], values: Any
) -> FloatArray | Rejected:
    """Return positions in the robot's order; joints that are not the robot's are left out."""
    ours = naming.ours()
    renamed = [ours.get(str(name), str(name)) for name in names]
    state = parse_joint_state(robot, joint_names=renamed, position_rad=values, stamp_ns=0)
    return state if isinstance(state, Rejected) else state.position_rad


def _from_report(item: Recorded, robot: RobotDescription, naming: Naming) -> Command | Rejected:
    """Read a safety report; where nothing was asked the arm was told to stay."""
    message = item.message
    sent, asked = message.sent_rad, message.requested_rad
    if not len(sent):
        return _NOTHING
    passed = by_name(robot, naming, message.joint_names, sent)
    wanted = by_name(robot, naming, message.joint_names, asked if len(asked) else sent)
    if isinstance(passed, Rejected):
        return passed
    if isinstance(wanted, Rejected):
        wanted = passed  # a request that is no position was not obeyed either
    source = Source(message.source) if message.source in tuple(Source) else Source.NONE
    return Command(
        item.log_time_ns, header_stamp_ns(message), wanted, passed, source, Verdict(message.verdict)
    )


def _plain(
    item: Recorded, robot: RobotDescription, naming: Naming, names: Sequence[str], values: Any
) -> Command | Rejected:
    position = by_name(robot, naming, names, values)
    if isinstance(position, Rejected):
        return position
    text = getattr(item.message, "source", "")
    source = Source(text) if text in tuple(Source) else Source.NONE
    stamp_ns = header_stamp_ns(item.message)
    return Command(item.log_time_ns, stamp_ns, position, position, source)


def _from_command(item: Recorded, robot: RobotDescription, naming: Naming) -> Command | Rejected:
    return _plain(item, robot, naming, item.message.joint_names, item.message.position_rad)


def _from_joint_state(
    item: Recorded, robot: RobotDescription, naming: Naming
) -> Command | Rejected:
    return _plain(item, robot, naming, item.message.name, item.message.position)


def _from_trajectory(item: Recorded, robot: RobotDescription, naming: Naming) -> Command | Rejected:
    """Read the last point of a trajectory: where the arm is asked to go."""
    if not len(item.message.points):
        return _NOTHING
    goal = item.message.points[-1].positions
    return _plain(item, robot, naming, item.message.joint_names, goal)


def _from_array(item: Recorded, robot: RobotDescription, naming: Naming) -> Command | Rejected:
    """Read bare numbers; their order is the YAML's, else the robot's."""
    names = naming.command_joints or tuple(
        naming.joint_names.get(name, name) for name in robot.joint_names
    )
    return _plain(item, robot, naming, names, np.asarray(item.message.data))


READERS: Mapping[str, Reader] = {
    REPORT: _from_report,
    "lam_interfaces/msg/JointCommand": _from_command,
    "sensor_msgs/msg/JointState": _from_joint_state,
    "trajectory_msgs/msg/JointTrajectory": _from_trajectory,
    "std_msgs/msg/Float64MultiArray": _from_array,
}
"""Message type -> what reads it."""
