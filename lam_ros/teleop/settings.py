"""Which teleoperator, and how its wishes are flown: `config/teleop/*.yaml` as dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lam_ros.config import build, load_group
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.robot import RobotDescription
from lam_ros.teleop.pilot import PilotConfig
from lam_ros.teleop.port import Teleoperator
from lam_ros.teleop.terminal import KeySource
from lam_sim.ik import CartesianTeleop


class SwitchKind(StrEnum):
    """What takes the arm and lets it go, for devices without a button for that."""

    KEYBOARD = "keyboard"
    NONE = "none"


@dataclass(frozen=True)
class TeleopSettings:
    """One teleoperator.

    Attributes:
        type: which kind; see `MAKERS`.
        options: of that kind.
        switch: `keyboard` if the space bar of the terminal takes the arm and lets it go,
            `none` if the device itself says when.
        pilot: how its wishes become joint targets.
    """

    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    switch: SwitchKind = SwitchKind.NONE
    pilot: PilotConfig = field(default_factory=PilotConfig)


@dataclass(frozen=True)
class _Parts:
    """What a teleoperator is made of."""

    robot: RobotDescription
    kinematics: CartesianTeleop
    options: Mapping[str, Any]
    keys: KeySource | None


def load_teleop(name: str) -> TeleopSettings:
    """Read `config/teleop/<name>.yaml`, or a YAML file given by its path.

    Raises:
        ConfigError: if there is no such file, or something in it is wrong.
    """
    return build(TeleopSettings, load_group("teleop", name), "teleop")


def make_teleoperator(
    settings: TeleopSettings,
    robot: RobotDescription,
    kinematics: CartesianTeleop,
    keys: KeySource | None = None,
) -> Teleoperator:
    """Return the teleoperator, not yet opened.

    Args:
        settings: which one.
        robot: whose arm it moves.
        kinematics: of that arm.
        keys: where key events come from; the terminal of standard input if None.

    Raises:
        ConfigError: if its kind or one of its options does not exist.
    """
    if settings.type not in MAKERS:
        raise ConfigError(unknown_name("type of teleoperator", settings.type, MAKERS))
    device = MAKERS[settings.type](_Parts(robot, kinematics, settings.options, keys))
    if settings.switch is SwitchKind.KEYBOARD:
        from lam_ros.teleop.switch import Switched

        return Switched(device, keys)
    return device


def _keyboard(parts: _Parts) -> Teleoperator:
    from lam_ros.teleop.keyboard import Keyboard, KeyboardConfig

    return Keyboard(build(KeyboardConfig, parts.options, "teleop.options"), parts.keys)


def _gamepad(parts: _Parts) -> Teleoperator:
    from lam_ros.teleop.gamepad import Gamepad, GamepadConfig

    return Gamepad(build(GamepadConfig, parts.options, "teleop.options"))


def _lerobot(parts: _Parts) -> Teleoperator:
    from lam_ros.teleop.lerobot import LeRobotConfig, LeRobotTeleoperator

    return LeRobotTeleoperator(parts.robot, build(LeRobotConfig, parts.options, "teleop.options"))


def _leader(parts: _Parts) -> Teleoperator:
    from lam_ros.teleop.leader import LeaderConfig, leader

    return leader(parts.robot, build(LeaderConfig, parts.options, "teleop.options"))


def _expert(parts: _Parts) -> Teleoperator:
    from lam_ros.teleop.expert import ExpertConfig, ExpertTeleoperator

    config = build(ExpertConfig, parts.options, "teleop.options")
    return ExpertTeleoperator(parts.robot, parts.kinematics, config)


MAKERS: Mapping[str, Callable[[_Parts], Teleoperator]] = {
    "keyboard": _keyboard,
    "gamepad": _gamepad,
    "leader": _leader,
    "lerobot": _lerobot,
    "expert": _expert,
}
"""Kind -> what makes it; drivers are loaded only for the kind that is used."""
