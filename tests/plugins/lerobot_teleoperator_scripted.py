"""A LeRobot teleoperator plugin for tests: joints that swing, as unmodified LeRobot wants it.

LeRobot's commands find it by its distribution's name when this folder is on PYTHONPATH.
"""

import math
import time
from dataclasses import dataclass

from lerobot.teleoperators import Teleoperator, TeleoperatorConfig

REST_DEG = {
    "shoulder_pan": 0.0, "shoulder_lift": -74.5, "elbow_flex": 51.6, "wrist_flex": 80.2,
    "wrist_roll": 0.0, "gripper": 25.0,
}  # fmt: skip


@TeleoperatorConfig.register_subclass("scripted")
@dataclass
class ScriptedConfig(TeleoperatorConfig):
    """Attributes: joint that swings, how far [degrees], how often [Hz]; whether it breaks."""

    joint: str = "shoulder_pan"
    swing_deg: float = 20.0
    swing_hz: float = 0.5
    calibrated: bool = True
    breaks: bool = False


class Scripted(Teleoperator):
    """Swings one joint about the arm's home pose."""

    config_class = ScriptedConfig
    name = "scripted"

    def __init__(self, config: ScriptedConfig) -> None:
        super().__init__(config)
        self.config = config
        self._began: float | None = None

    @property
    def action_features(self) -> dict[str, type]:
        return {f"{name}.pos": float for name in REST_DEG}

    @property
    def feedback_features(self) -> dict[str, type]:
        return {}

    @property
    def is_connected(self) -> bool:
        return self._began is not None

    def connect(self, calibrate: bool = True) -> None:
        self._began = time.monotonic()

    @property
    def is_calibrated(self) -> bool:
        return self.config.calibrated

    def calibrate(self) -> None:
        pass

    def configure(self) -> None:
        pass

    def get_action(self) -> dict[str, float]:
        if self.config.breaks:
            raise ConnectionError("the bus is silent")
        seconds = time.monotonic() - self._began
        action = {f"{name}.pos": value for name, value in REST_DEG.items()}
        swing = math.sin(2 * math.pi * self.config.swing_hz * seconds)
        action[f"{self.config.joint}.pos"] += self.config.swing_deg * swing
        return action

    def send_feedback(self, feedback: dict) -> None:
        pass

    def disconnect(self) -> None:
        self._began = None
