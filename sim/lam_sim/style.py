"""How one person moves: drawn once an episode, so that no two demonstrations are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Style:
    """Habits of one episode's teleoperator.

    Attributes:
        speed_m_s: tool speed in free space.
        descend_speed_m_s: tool speed when going down.
        fine_speed_m_s: tool speed while the fingers close.
        acceleration_m_s2: how quickly the tool gains speed.
        return_speed: share of the joints' speed limits on the way home.
        open_rad: jaw when approaching.
        finger_clearance_m: how far off centre the fingers come down.
        grasp_below_center_m: how far below a cube's centre it is taken.
        hover_m: height above the grasp before going down.
        extra_height_m: how much higher than needed things are carried.
        retreat_m: how far up before going home.
        hesitation: how much slower than usual just above an object, 0 to 1.
        hesitation_height_m: where that is, above the object's centre.
    """

    speed_m_s: float = 0.26
    descend_speed_m_s: float = 0.12
    fine_speed_m_s: float = 0.10
    acceleration_m_s2: float = 3.0
    return_speed: float = 0.50
    open_rad: float = 0.43
    finger_clearance_m: float = 0.008
    grasp_below_center_m: float = 0.003
    hover_m: float = 0.045
    extra_height_m: float = 0.008
    retreat_m: float = 0.045
    hesitation: float = 0.0
    hesitation_height_m: float = 0.02

    def pace(self, height_m: float) -> float:
        """Return the share of the usual speed at a height above the object."""
        near = abs(height_m - self.hesitation_height_m) < 0.008
        return 1.0 - self.hesitation if near else 1.0


def sample_style(rng: np.random.Generator) -> Style:
    """Draw a person: brisk or careful, high or low, now and then hesitant."""
    usual = Style()
    brisk = rng.uniform(0.80, 1.20)
    return Style(
        speed_m_s=usual.speed_m_s * brisk * rng.uniform(0.92, 1.08),
        descend_speed_m_s=usual.descend_speed_m_s * brisk * rng.uniform(0.85, 1.15),
        fine_speed_m_s=usual.fine_speed_m_s * brisk,
        acceleration_m_s2=usual.acceleration_m_s2 * rng.uniform(0.8, 1.3),
        return_speed=min(0.62, usual.return_speed * brisk),
        open_rad=rng.uniform(0.40, 0.48),
        finger_clearance_m=rng.uniform(0.006, 0.010),
        grasp_below_center_m=rng.uniform(0.002, 0.004),
        hover_m=rng.uniform(0.035, 0.055),
        extra_height_m=rng.uniform(0.004, 0.016),
        retreat_m=rng.uniform(0.035, 0.055),
        hesitation=rng.uniform(0.3, 0.6) if rng.random() < 0.2 else 0.0,
        hesitation_height_m=rng.uniform(0.012, 0.035),
    )
