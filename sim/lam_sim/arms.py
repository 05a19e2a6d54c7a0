"""The arms that can be simulated: what is to be known of one beside its MJCF.

An arm is two files, `assets/NAME.xml` and `assets/NAME.yaml`, or two anywhere else, the
first of which the robot's description names (`model: my_arm.xml`).  The MJCF stands in the
frame that scenes are told in: z up, the table's top at 0.  It has

    the robot's joints by name, an actuator of each one's name, and perhaps joints that
    an equality couples to one of them
    site `pinch`: midway between the pads, x to the tips of the fingers, z from the fixed
    to the moving one; where both move, either may be called fixed
    geoms `fixed_pad` and `moving_pad`, and a camera `wrist` if the robot has one
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lam_ros.config import build, load_group
from lam_ros.core.errors import ConfigError, RobotError, unknown_name
from lam_ros.core.robot import DEFAULT_MODEL, RobotDescription

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Hand:
    """Jaw positions and sizes; of fingers that slide, metres stand where rad is said.

    Attributes:
        opening_scale: of a style's opening for the approach, which is said in the SO-101's
            radians, to this hand's.
        clearance_scale: of how far off centre a style comes down, so that a finger that
            does not move keeps clear.
        grip_rad: command while holding; the force limit sets the grip.
        release_rad: command to let go of a cube with little room around.
        empty_rad: closed further than this, there is nothing between the pads.
        let_go_rad: open wider than this, nothing is held.
        closing_by_rad: this much narrower than the opening, it is closing.
        closing_rad_s: closing faster than this, it has not gripped yet.
        along_m: where the object may be, as seen from between the pads along the opening,
            when the fingers come down.
        fixed_finger_m, moving_finger_m: how far the outside of each finger is from the
            grasp's middle when the hand comes down.
    """

    opening_scale: float
    clearance_scale: float
    grip_rad: float
    release_rad: float
    empty_rad: float
    let_go_rad: float
    closing_by_rad: float
    closing_rad_s: float
    along_m: tuple[float, float]
    fixed_finger_m: float
    moving_finger_m: float


@dataclass(frozen=True)
class ArmModel:
    """How one arm is simulated and reached with.

    Attributes:
        axis_m: where the first joint's axis meets the table, (x, y).
        roll_joint: the joint that turns the hand about its own axis, of an arm that can
            point the hand along the plane of its links only; empty for an arm that can
            point it anywhere.
        roll_neutral_rad: turn of the fingers against the heading that is easiest.
        roll_range_rad: how far from it the hand turns with ease.
        upper_rad: joint -> upper limit for the inverse kinematics, below the robot's own.
        orientation_cost: of turning about the tool's x, y and z, where 1 is the position's.
        posture_cost: of moving joints; of an arm with joints to spare, of being away from home.
        low_bodies: what could touch the table, from the forearm on.
        viewer: eye [m], point looked at [m] and vertical field of view [deg] of the pictures
            for people, as (x, y, z, x, y, z, fovy).
        start_spread_rad: how far from home an episode begins, shape (J,).
        roam_spread_rad: the same where it begins anywhere above the table.
        noise_share: of the disturbances [rad] that demonstrations are made under, which are the
            SO-101's; a longer arm needs less for the same way of its hand.
        hand: the hand.
    """

    axis_m: tuple[float, float]
    roll_joint: str
    roll_neutral_rad: float
    roll_range_rad: float
    upper_rad: dict[str, float]
    orientation_cost: tuple[float, float, float]
    posture_cost: float
    low_bodies: tuple[str, ...]
    viewer: tuple[float, float, float, float, float, float, float]
    start_spread_rad: tuple[float, ...]
    roam_spread_rad: tuple[float, ...]
    noise_share: float
    hand: Hand


def names() -> list[str]:
    """Return the arms that come with the simulator."""
    return sorted(path.stem for path in ASSETS.glob("*.xml"))


def arm_xml(model: str = DEFAULT_MODEL) -> Path:
    """Return an arm's MJCF, by its name or its path.

    Raises:
        ConfigError: if there is none.
    """
    path = Path(model) if model.endswith(".xml") else ASSETS / f"{model}.xml"
    if not path.is_file():
        raise ConfigError(f"{unknown_name('model', model, names())} Or give an MJCF file")
    return path


@cache
def arm_model(model: str = DEFAULT_MODEL) -> ArmModel:
    """Read what is to be known of an arm, by its name or its MJCF's path.

    Raises:
        ConfigError: if there is no such arm, or its file is wrong.
    """
    path = arm_xml(model).with_suffix(".yaml")
    if not path.is_file():
        raise ConfigError(f"model '{model}': {path.name} is missing beside {path.stem}.xml")
    return build(ArmModel, load_group("model", str(path)), f"model {path.stem}")


def model_of(robot: RobotDescription) -> ArmModel:
    """Return how a robot is simulated.

    Raises:
        ConfigError: if its model does not exist or is wrong.
        RobotError: if that is made for another number of joints.
    """
    found = arm_model(robot.model)
    if found.roll_joint and found.roll_joint not in robot.joint_names:
        raise RobotError(mismatch(robot, (found.roll_joint,)))
    return found


def mismatch(robot: RobotDescription, missing: tuple[str, ...]) -> str:
    """Return one line on a robot whose model has other joints."""
    return (
        f"robot '{robot.name}': its simulated arm is '{robot.model}', and joint "
        f"{', '.join(missing)} is not in both; name its own MJCF with `model:`, or "
        f"use one of robot={', '.join(names())}"
    )
