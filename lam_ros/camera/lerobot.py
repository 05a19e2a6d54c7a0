"""Any of LeRobot's camera classes as ours: by its registered name, with its own options."""

from __future__ import annotations

import importlib
import io
import pkgutil
import time
from contextlib import redirect_stderr, suppress
from difflib import SequenceMatcher
from importlib.metadata import distributions
from typing import Any

import numpy as np

from lam_ros.camera.port import Loss, Shot
from lam_ros.camera.settings import DeviceConfig
from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.errors import ConfigError, MachineError, unknown_name
from lam_ros.core.robot import Camera

ANSWER_MS = 2000
_PLUGIN = "lerobot_camera_"
"""How LeRobot's camera plugins are called."""

_DEVICE_ERRORS = (OSError, RuntimeError, ValueError, TimeoutError)


class LeRobotDevice:
    """Wraps one LeRobot camera."""

    def __init__(self, config: DeviceConfig, camera: Camera) -> None:
        """Prepare; nothing of LeRobot is loaded yet."""
        self._config, self._camera = config, camera
        self._device: Any = None
        self.rate_hz = 0.0

    def open(self) -> None:
        """Make and connect the camera.

        Raises:
            ConfigError: if LeRobot knows no such camera or option.
            MachineError: if it cannot be connected.
        """
        self.close()
        device = make_camera(self._config)
        try:
            device.connect()
        except _DEVICE_ERRORS as error:
            with suppress(*_DEVICE_ERRORS):
                device.disconnect()
            raise MachineError(f"{self._config.name}: cannot connect: {_line(error)}") from None
        self._device = device
        self.rate_hz = float(device.fps or 0.0)

    def read(self) -> Shot | Loss:
        """Wait for the next picture."""
        if self._device is None:
            return Loss("not open")
        try:
            image = np.array(self._device.async_read(timeout_ms=ANSWER_MS))
        except _DEVICE_ERRORS as error:
            return Loss(_line(error))
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            return Loss(f"an array {image.shape} of {image.dtype} came, rgb8 is needed")
        taken_s = getattr(self._device, "latest_timestamp", None)  # of time.perf_counter
        age_s = time.perf_counter() - taken_s if isinstance(taken_s, float) else 0.0
        return Shot(image, seconds_to_ns(age_s) if 0 <= age_s < 1 else 0)

    def close(self) -> None:
        """Disconnect."""
        device, self._device = self._device, None
        if device is not None:
            with suppress(*_DEVICE_ERRORS):
                device.disconnect()


def make_camera(config: DeviceConfig) -> Any:
    """Return an unconnected LeRobot camera.

    Raises:
        ConfigError: if LeRobot knows no such camera or option.
    """
    import draccus
    from lerobot.cameras import CameraConfig
    from lerobot.cameras.utils import make_cameras_from_configs

    _register(config.name)
    known = CameraConfig.get_known_choices()
    if config.name not in known:
        raise ConfigError(unknown_name("LeRobot camera", config.name, known))
    said = io.StringIO()
    try:
        with redirect_stderr(said):  # of argparse, which ends the process
            kind = CameraConfig.get_choice_class(config.name)
            parsed = draccus.parse(kind, args=list(config.arguments))
    except (SystemExit, draccus.utils.DraccusException, TypeError, ValueError) as error:
        why = said.getvalue().strip().splitlines()[-1:] or [_line(error)]
        raise ConfigError(f"{config.name}: {why[0].removeprefix('-: error: ')}") from None
    try:
        return make_cameras_from_configs({config.name: parsed})[config.name]
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{config.name}: {_line(error)}") from None


def _register(name: str) -> None:
    """Have cameras imported, the likeliest of LeRobot's first, until `name` is registered.

    Of the plugins only those of cameras: LeRobot's own search imports policies, and torch.
    """
    import lerobot.cameras
    from lerobot.cameras import CameraConfig

    modules = [m.name for m in pkgutil.iter_modules(lerobot.cameras.__path__) if m.ispkg]
    modules.sort(key=lambda module: SequenceMatcher(None, module, name).ratio(), reverse=True)
    for module in modules:
        if name in CameraConfig.get_known_choices():
            return
        with suppress(ImportError):
            importlib.import_module(f"lerobot.cameras.{module}")
    if name not in CameraConfig.get_known_choices():
        for found in distributions():
            plugin = str(found.metadata["Name"]).replace("-", "_")
            if plugin.startswith(_PLUGIN):
                with suppress(ImportError):
                    importlib.import_module(plugin)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
