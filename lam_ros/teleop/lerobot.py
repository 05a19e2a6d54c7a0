"""Any LeRobot teleoperator as ours: by its registered name, with its own options.

Joint positions (`<joint>.pos`) become a joint target; Cartesian differences (`delta_x`,
..., of LeRobot's gamepad and keyboard_ee) become a twist.
"""

from __future__ import annotations

import importlib
import inspect
import io
import math
import pkgutil
import termios
from collections.abc import Callable, Container, Mapping
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.errors import ConfigError, MachineError, unknown_name
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_ros.teleop.port import CartesianTwist, Control, JointTarget, Reading, View
from lam_ros.teleop.units import SUFFIX, LeRobotUnits, Unit

_DEVICE_ERRORS = (OSError, termios.error, RuntimeError, ValueError)
_CLOSE, _OPEN = 0, 2
_PATIENCE_NS = 300 * NS_PER_MS
"""How long a device may not answer before it counts as gone."""


@dataclass(frozen=True)
class LeRobotConfig:
    """Which LeRobot teleoperator.

    Attributes:
        name: as LeRobot registers it, for example `so101_leader`; what is behind
            `--teleop.type=` of its own commands.
        arguments: its options, in LeRobot's own notation without the `teleop.`, for
            example `--port=/dev/ttyACM0`.
        unit: what its numbers mean.
        flip: joints that it counts the other way round than this robot.
        linear_m_s, gripper_rad_s: speed of the tool and the gripper at full deflection, for
            teleoperators that give differences.
    """

    name: str
    arguments: tuple[str, ...] = ()
    unit: Unit = Unit.DEGREES
    flip: tuple[str, ...] = ()
    linear_m_s: float = 0.10
    gripper_rad_s: float = 1.5

    def __post_init__(self) -> None:
        """Refuse options that are none."""
        for argument in self.arguments:
            if not argument.startswith("--") or "=" not in argument:
                raise ConfigError(
                    f"teleop arguments: '{argument}' came, give each as --key=value, "
                    "for example --port=/dev/ttyACM0"
                )


class LeRobotTeleoperator:
    """Wraps one LeRobot teleoperator."""

    def __init__(self, robot: RobotDescription, config: LeRobotConfig) -> None:
        """Prepare; nothing of LeRobot is loaded yet."""
        self._config = config
        self._units = LeRobotUnits(robot, config.unit, config.flip)
        self._device: Any = None
        self._engaged = False
        self._silent_since_ns: int | None = None

    @property
    def controls(self) -> tuple[Control, ...]:
        """The device's own."""
        return (Control(self._config.name, "moves the arm"),)

    def open(self) -> None:
        """Make and connect the device; its calibration must have been done.

        Raises:
            ConfigError: if LeRobot knows no such teleoperator or option.
            MachineError: if the device is not there, or not calibrated.
        """
        device = make_device(self._config)
        name = self._config.name
        calibrated = _connect(device, name)
        if not calibrated:
            device.disconnect()
            options = " ".join(f"--teleop.{item[2:]}" for item in self._config.arguments)
            raise MachineError(
                f"{name}: not calibrated; run: lerobot-calibrate --teleop.type={name} {options}"
            )
        self._device = device

    def read(self, view: View) -> Reading:
        """Return where the device is, or how it is deflected.

        A device that does not answer for a moment, as happens on a serial bus, stands still.

        Raises:
            MachineError: if the device has gone.
        """
        try:
            action = self._device.get_action()
            engaged, pressed = self._events()
        except _DEVICE_ERRORS as error:
            since_ns = self._silent_since_ns or view.now_ns
            if view.now_ns - since_ns > _PATIENCE_NS:
                raise MachineError(f"{self._config.name}: {_line(error)}") from None
            self._silent_since_ns = since_ns
            return Reading(None, self._engaged, f"{self._config.name} does not answer")
        self._silent_since_ns, self._engaged = None, engaged
        command = self._command(action)
        if isinstance(command, Rejected):
            return Reading(status=f"{self._config.name}: {command.detail}", pressed=pressed)
        return Reading(command, engaged, self._config.name, pressed)

    def close(self) -> None:
        """Disconnect the device."""
        device, self._device = self._device, None
        if device is not None:
            with suppress(*_DEVICE_ERRORS):
                device.disconnect()

    def _events(self) -> tuple[bool, tuple[str, ...]]:
        """Return whether the person has hold of the arm, and what buttons say beside that."""
        ask = getattr(self._device, "get_teleop_events", None)
        if ask is None:
            return True, ()
        events = {getattr(key, "value", str(key)): bool(value) for key, value in ask().items()}
        engaged = events.pop("is_intervention", True)
        return engaged, tuple(sorted(name for name, happens in events.items() if happens))

    def _command(self, action: Mapping[str, object]) -> JointTarget | CartesianTwist | Rejected:
        if any(str(name).endswith(SUFFIX) for name in action):
            position = self._units.to_rad(action)
            return position if isinstance(position, Rejected) else JointTarget(position)
        return self._twist(action)

    def _twist(self, action: Mapping[str, object]) -> CartesianTwist:
        speed = self._config.linear_m_s
        x, y, z = (
            speed * max(-1.0, min(1.0, _number(action.get(f"delta_{axis}")))) for axis in "xyz"
        )
        gripper = {_CLOSE: -1.0, _OPEN: 1.0}.get(round(_number(action.get("gripper"), 1.0)), 0.0)
        return CartesianTwist((x, y, z), gripper_rad_s=self._config.gripper_rad_s * gripper)


def make_device(config: LeRobotConfig) -> Any:
    """Return an unconnected LeRobot teleoperator.

    Raises:
        ConfigError: if LeRobot knows no such teleoperator or option.
    """
    import draccus
    from lerobot.teleoperators import TeleoperatorConfig, make_teleoperator_from_config
    from lerobot.utils.import_utils import register_third_party_plugins

    register_third_party_plugins()
    _register(config.name, TeleoperatorConfig.get_known_choices)
    known = TeleoperatorConfig.get_known_choices()
    if config.name not in known:
        raise ConfigError(unknown_name("LeRobot teleoperator", config.name, known))
    kind = TeleoperatorConfig.get_choice_class(config.name)
    said = io.StringIO()
    try:
        with redirect_stderr(said):  # of argparse, which ends the process
            parsed = draccus.parse(kind, args=list(config.arguments))
    except (SystemExit, draccus.utils.DraccusException, TypeError, ValueError) as error:
        why = said.getvalue().strip().splitlines()[-1:] or [_line(error)]
        raise ConfigError(f"{config.name}: {why[0].removeprefix('-: error: ')}") from None
    try:
        return make_teleoperator_from_config(parsed)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{config.name}: {_line(error)}") from None


def _register(name: str, known: Callable[[], Container[str]]) -> None:
    """Have LeRobot's teleoperators imported, the likeliest first, until `name` is registered.

    All of them together take seconds, and some want drivers that are not there.
    """
    import lerobot.teleoperators

    modules = [m.name for m in pkgutil.iter_modules(lerobot.teleoperators.__path__) if m.ispkg]
    modules.sort(key=lambda module: SequenceMatcher(None, module, name).ratio(), reverse=True)
    for module in modules:
        if name in known():
            return
        with suppress(ImportError):
            importlib.import_module(f"lerobot.teleoperators.{module}")


def _connect(device: Any, name: str) -> bool:
    """Connect a device; returns whether it is calibrated.

    Raises:
        MachineError: if it cannot be connected.
    """
    try:
        device.connect(calibrate=False) if _calibrates(device) else device.connect()
        return bool(device.is_calibrated)
    except _DEVICE_ERRORS as error:
        with suppress(*_DEVICE_ERRORS):
            device.disconnect()
        raise MachineError(f"{name}: cannot connect: {_line(error)}") from None


def _calibrates(device: Any) -> bool:
    return "calibrate" in inspect.signature(device.connect).parameters


def _number(value: object, default: float = 0.0) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return default
    return number if math.isfinite(number) else 0.0


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
