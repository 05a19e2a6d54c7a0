"""A LeRobot camera plugin for tests: paints its pictures, as unmodified LeRobot wants it.

LeRobot's commands find it by its distribution's name when this folder is on PYTHONPATH.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lerobot.cameras import Camera, CameraConfig


@CameraConfig.register_subclass("painted")
@dataclass(kw_only=True)
class PaintedCameraConfig(CameraConfig):
    """Attributes: file that is there while the camera is plugged in; how old pictures are."""

    plug: str = ""
    age_s: float = 0.0
    fps: int | None = 50
    width: int | None = 64
    height: int | None = 48


class PaintedCamera(Camera):
    """Paints a bar that moves."""

    def __init__(self, config: PaintedCameraConfig) -> None:
        super().__init__(config)
        self.config = config
        self.latest_timestamp: float | None = None
        self._count = 0
        self._connected = False

    @property
    def is_connected(self) -> bool:
        return self._connected

    @staticmethod
    def find_cameras() -> list[dict]:
        return []

    def connect(self, warmup: bool = True) -> None:
        self._require_plug()
        self._connected = True

    def read(self) -> np.ndarray:
        self._require_plug()
        time.sleep(1.0 / self.fps)
        self.latest_timestamp = time.perf_counter() - self.config.age_s
        self._count += 1
        image = np.zeros((self.height, self.width, 3), np.uint8)
        image[:, self._count % self.width] = (200, 30, 10)
        return image

    def async_read(self, timeout_ms: float = 200) -> np.ndarray:
        return self.read()

    def disconnect(self) -> None:
        self._connected = False

    def _require_plug(self) -> None:
        if self.config.plug and not Path(self.config.plug).exists():
            raise ConnectionError("the camera is not plugged in")
