"""How a recording speaks of the robot: topics, joint names and what counts as the action.

A recording of ours needs none of it: the robot description says it all.  For one made
elsewhere, the robot YAML may have a section `recording`:

    recording:
      camera_topics: {front: /camera_1/color/image_raw/compressed}
      joint_names: {shoulder_pan: joint_1}     # ours: theirs; those not named are called alike
      command_topic: /arm_controller/joint_trajectory
      command_joints: [joint_1, joint_2]       # order in messages without names
      command_stale_after_s: 0.5
      action: command                          # or state: where the joints are one frame later
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lam_ros.config import build, load_group
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.robot import RobotDescription

SECTION = "recording"


@dataclass(frozen=True)
class Naming:
    """What the robot description does not say of a recording; see the module."""

    camera_topics: Mapping[str, str] = field(default_factory=dict)
    joint_names: Mapping[str, str] = field(default_factory=dict)
    command_topic: str = ""
    command_joints: tuple[str, ...] = ()
    command_stale_after_s: float | None = None
    action: Literal["command", "state"] = "command"

    def ours(self) -> dict[str, str]:
        """Return the recording's joint names -> the robot's, where they differ."""
        return {theirs: ours for ours, theirs in self.joint_names.items()}


def load_naming(name: str) -> tuple[RobotDescription, Naming]:
    """Read a robot, by name or path of its YAML, with its section `recording` if it has one.

    Raises:
        ConfigError: if there is no such robot, or the section is wrong.
        RobotError: if the description is inconsistent.
    """
    data = load_group("robot", name)
    section: dict[str, Any] = data.pop(SECTION, None) or {}
    robot = RobotDescription.from_dict(data)
    naming = build(Naming, section, f"robot.{SECTION}")
    for joint in naming.joint_names:
        if joint not in robot.joint_names:
            raise ConfigError(
                f"config 'robot.{SECTION}.joint_names': "
                f"{unknown_name('joint', joint, robot.joint_names)}"
            )
    for camera in naming.camera_topics:
        robot.camera(camera)
    return robot, naming
