"""Axes of robustness: what one evaluation makes harder than its suite does.

What concerns the scene's family is said in `config/axis` with the suite's own keys; what is
here happens to one scene (a camera that has been moved) or during an attempt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lam_ros.core.errors import ConfigError
from lam_sim.scenes import CameraShift
from lam_sim.tasks import Episode

MOVED_CAMERA = "front"
"""The camera on a stand; the wrist's is screwed to the hand."""


@dataclass(frozen=True)
class Axis:
    """One axis; all zero for none.

    Attributes:
        name: what the report calls it.
        camera_offset_m, camera_turn_rad: how far the front camera is moved and turned.
        kick_m_s: speed that the named object is given once.
        delay_s: more latency.
        lost_share: share of the answers that get lost.
        joint_noise_rad: standard deviation of what is added to the joints that the policy sees.
    """

    name: str = "none"
    camera_offset_m: float = 0.0
    camera_turn_rad: float = 0.0
    kick_m_s: float = 0.0
    delay_s: float = 0.0
    lost_share: float = 0.0
    joint_noise_rad: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is negative, not finite, or loses every answer."""
        names = ("camera_offset_m", "camera_turn_rad", "kick_m_s", "delay_s", "joint_noise_rad")
        for name in names:
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ConfigError(f"axis.{name}: {value} came, 0 or more is allowed")
        if not 0.0 <= self.lost_share < 1.0:
            raise ConfigError(f"axis.lost_share: {self.lost_share} came, allowed is 0 to below 1")

    def changed(self, episode: Episode) -> Episode:
        """Return the episode with its front camera moved, in directions that the seed draws."""
        if not (self.camera_offset_m or self.camera_turn_rad):
            return episode
        rng = np.random.default_rng([episode.scene.seed, 0xCA3])
        shifts = dict(episode.scene.cameras)
        before = shifts.get(MOVED_CAMERA, CameraShift())
        shifts[MOVED_CAMERA] = CameraShift(
            _sum(before.offset_m, self.camera_offset_m, rng),
            _sum(before.rotation_rad, self.camera_turn_rad, rng),
            before.fovy_deg,
        )
        return replace(episode, scene=replace(episode.scene, cameras=tuple(shifts.items())))


def _sum(
    start: tuple[float, float, float], length: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return a vector plus one of a length in any direction."""
    direction = rng.standard_normal(3)
    x, y, z = (np.array(start) + length * direction / np.linalg.norm(direction)).tolist()
    return x, y, z
