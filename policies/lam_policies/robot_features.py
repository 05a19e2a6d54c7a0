"""A robot in LeRobot's terms: what a policy of it sees and gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.utils.constants import ACTION, OBS_STATE

from lam_ros.core.robot import RobotDescription


class RobotFeatures(TypedDict):
    """Arguments of a LeRobot policy's configuration."""

    input_features: dict[str, PolicyFeature]
    output_features: dict[str, PolicyFeature]


def features_of(robot: RobotDescription, cameras: Sequence[str] = ()) -> RobotFeatures:
    """Return the features of a robot's joints and of some cameras, by default of all."""
    joints = (len(robot.joints),)
    used = map(robot.camera, cameras) if cameras else robot.cameras
    pictures = {
        robot.image_feature(c.name): PolicyFeature(FeatureType.VISUAL, (3, c.height_px, c.width_px))
        for c in used
    }
    return {
        "input_features": {OBS_STATE: PolicyFeature(FeatureType.STATE, joints), **pictures},
        "output_features": {ACTION: PolicyFeature(FeatureType.ACTION, joints)},
    }
