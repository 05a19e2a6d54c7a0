"""Whether a LeRobot checkpoint fits a robot, from its files alone.

LeRobot's checkpoints carry no description of the robot.  What they do say, the names and
shapes of their features and the range of the joints that they saw, is held against the
robot; what they do not say is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from lam_ros.core.errors import FingerprintMismatch
from lam_ros.core.robot import RobotDescription

NOT_IN_IT = "order and limits of the joints, calibration"
LARGEST_RAD = 10.0
"""No revolute joint of an arm is that far from zero; degrees soon are."""


def require_features(config: Mapping[str, Any], robot: RobotDescription, what: str) -> None:
    """Check names and shapes of what a policy takes and gives.

    Raises:
        FingerprintMismatch: with each difference named.
    """
    joints = [len(robot.joints)]
    cameras = {robot.image_feature(c.name): [3, c.height_px, c.width_px] for c in robot.cameras}
    found = [
        *_inputs(config.get("input_features") or {}, joints, cameras, robot),
        *_outputs(config.get("output_features") or {}, joints, robot),
    ]
    if found:
        raise FingerprintMismatch(
            f"{what} does not fit robot '{robot.name}': {'; '.join(found)}; "
            "use one trained on data of this robot"
        )


def _inputs(
    features: Mapping[str, Any],
    joints: list[int],
    cameras: Mapping[str, list[int]],
    robot: RobotDescription,
) -> list[str]:
    found = []
    for name, feature in features.items():
        kind, shape = feature.get("type"), list(feature.get("shape") or [])
        if kind == "VISUAL" and "empty_camera" not in name:
            if name not in cameras:
                found.append(f"it wants {name}, here are {', '.join(cameras)}")
            elif shape != cameras[name]:
                found.append(f"{name} {shape} there, {cameras[name]} here")
        elif kind == "STATE" and (name != robot.features.state or shape != joints):
            found.append(f"{name} {shape} there, {robot.features.state} {joints} here")
        elif kind == "ENV":
            found.append(f"it wants {name}, the state of the surroundings, which no camera gives")
    return found


def _outputs(features: Mapping[str, Any], joints: list[int], robot: RobotDescription) -> list[str]:
    action = features.get(robot.features.action)
    if action is None:
        return [f"it gives no {robot.features.action}"]
    shape = list(action.get("shape") or [])
    return [] if shape == joints else [f"{robot.features.action} {shape} there, {joints} here"]


def require_radians(folder: Path, robot: RobotDescription, what: str) -> None:
    """Check by its statistics, where it has some, that a policy was trained in radians.

    Raises:
        FingerprintMismatch: if the joints that it saw are farther from zero than any can be.
    """
    for file in sorted(folder.glob("policy_*normalizer*.safetensors")):
        try:
            statistics = load_file(file)
        except (SafetensorError, OSError):
            continue  # loading it will tell, with the file's name
        for feature in (robot.features.state, robot.features.action):
            for name in ("min", "max", "mean"):
                values = statistics.get(f"{feature}.{name}")
                if values is None or not np.isfinite(values).all():
                    continue
                farthest = float(np.abs(values).max())
                if farthest > LARGEST_RAD:
                    raise FingerprintMismatch(
                        f"{what} was trained on {feature} up to {farthest:.0f}: degrees, it seems; "
                        f"robot '{robot.name}' is in radians; train on a set of `lam convert`"
                    )
