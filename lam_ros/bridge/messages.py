"""Messages of joints, chunks, commands and reports <-> core types.

`..._from` reads a message and answers a core item, or a `Rejected` that says what is
wrong with it; nothing here raises on a malformed message.  `..._to` makes a message.
"""

from __future__ import annotations

from array import array

import numpy as np
import sensor_msgs.msg
from builtin_interfaces.msg import Time

from lam_interfaces import msg as lam_msg
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.inbound import Rejected, parse_chunk, parse_joint_state, parse_target
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import (
    ActionChunk,
    FloatArray,
    JointState,
    SafetyReport,
    Source,
    Target,
    Verdict,
)


def stamp_to_ns(stamp: Time) -> int:
    """Return a message's stamp in nanoseconds."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


def ns_to_stamp(time_ns: int) -> Time:
    """Return nanoseconds as a message's stamp."""
    sec, nanosec = divmod(time_ns, NS_PER_S)
    return Time(sec=sec, nanosec=nanosec)


def doubles(values: FloatArray) -> array[float]:
    """Return values as a message holds them; assigning a list or an ndarray is slow."""
    return array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())


def joints_from(
    message: sensor_msgs.msg.JointState, robot: RobotDescription
) -> JointState | Rejected:
    """Read a joint state; joints are matched by name."""
    return parse_joint_state(
        robot,
        joint_names=message.name,
        position_rad=message.position,
        velocity_rad_s=message.velocity,
        effort_nm=message.effort,
        stamp_ns=stamp_to_ns(message.header.stamp),
    )


def joints_to(state: JointState, robot: RobotDescription) -> sensor_msgs.msg.JointState:
    """Make a joint state."""
    message = sensor_msgs.msg.JointState()
    message.header.stamp = ns_to_stamp(state.stamp_ns)
    message.name = list(robot.joint_names)
    message.position = doubles(state.position_rad)
    if state.velocity_rad_s is not None:
        message.velocity = doubles(state.velocity_rad_s)
    if state.effort_nm is not None:
        message.effort = doubles(state.effort_nm)
    return message


def chunk_from(message: lam_msg.ActionChunk, robot: RobotDescription) -> ActionChunk | Rejected:
    """Read a chunk; joints are matched by name."""
    return parse_chunk(
        robot,
        joint_names=message.joint_names,
        targets_rad=message.targets_rad,
        obs_stamp_ns=stamp_to_ns(message.header.stamp),
        dt_ns=message.dt_ns,
        policy_id=message.policy_id,
        sequence=message.sequence,
    )


def chunk_to(chunk: ActionChunk) -> lam_msg.ActionChunk:
    """Make a chunk."""
    message = lam_msg.ActionChunk()
    message.header.stamp = ns_to_stamp(chunk.obs_stamp_ns)
    message.joint_names = list(chunk.joint_names)
    message.dt_ns = chunk.dt_ns
    message.targets_rad = doubles(chunk.targets_rad)
    message.policy_id = chunk.policy_id
    message.sequence = chunk.sequence
    return message


def teleop_from(message: lam_msg.JointCommand, robot: RobotDescription) -> Target | Rejected:
    """Read what a person asks for; its age counts from `header.stamp`."""
    return parse_target(
        robot,
        joint_names=message.joint_names,
        position_rad=message.position_rad,
        stamp_ns=stamp_to_ns(message.header.stamp),
        source=Source.TELEOP,
    )


def command_from(message: lam_msg.JointCommand, robot: RobotDescription) -> Target | Rejected:
    """Read what the control node sent to the motors; its stamp is that of the observation."""
    return parse_target(
        robot,
        joint_names=message.joint_names,
        position_rad=message.position_rad,
        stamp_ns=stamp_to_ns(message.obs_stamp),
        source=_source(message.source),
    )


def command_to(
    position_rad: FloatArray,
    robot: RobotDescription,
    *,
    stamp_ns: int,
    obs_stamp_ns: int = 0,
    source: Source = Source.NONE,
) -> lam_msg.JointCommand:
    """Make a joint command, for the motors or from a person."""
    message = lam_msg.JointCommand()
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.joint_names = list(robot.joint_names)
    message.position_rad = doubles(position_rad)
    message.obs_stamp = ns_to_stamp(obs_stamp_ns)
    message.source = source.value
    return message


def report_to(
    report: SafetyReport, robot: RobotDescription, *, stamp_ns: int
) -> lam_msg.SafetyReport:
    """Make a safety report."""
    message = lam_msg.SafetyReport()
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.verdict = int(report.verdict)
    message.rule = report.rule
    message.detail = report.detail
    message.source = report.source.value
    message.joint_names = list(robot.joint_names)
    if report.requested_rad is not None:
        message.requested_rad = doubles(report.requested_rad)
    if report.sent_rad is not None:
        message.sent_rad = doubles(report.sent_rad)
    message.obs_stamp = ns_to_stamp(report.obs_stamp_ns)
    return message


def report_from(message: lam_msg.SafetyReport) -> SafetyReport:
    """Read a safety report of our own control node."""
    return SafetyReport(
        verdict=Verdict(message.verdict),
        rule=message.rule,
        detail=message.detail,
        sent_rad=np.array(message.sent_rad) if len(message.sent_rad) else None,
        requested_rad=np.array(message.requested_rad) if len(message.requested_rad) else None,
        obs_stamp_ns=stamp_to_ns(message.obs_stamp),
        source=_source(message.source),
    )


def _source(name: str) -> Source:
    return Source(name) if name in tuple(Source) else Source.NONE
