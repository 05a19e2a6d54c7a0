"""Disturbances while demonstrations are made, so that they show how to get back.

The arm executes the clean action plus noise, and the clean action is what is recorded
(Laskey et al., "DART", 2017).  The noise drifts rather than jitters, and now and then
comes a bump of a few hundred milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_ros.core.types import FloatArray


@dataclass(frozen=True)
class NoiseConfig:
    """How strongly the arm is disturbed.

    Attributes:
        drift_rad: standard deviation of the slow noise on each arm joint.
        drift_time_s: time over which it changes.
        quiet_probability: chance that an episode has no slow noise.
        bump_probability: chance that an episode has bumps.
        bump_rate_hz: how often, in such an episode.
        bump_rad: largest size of a bump on one joint.
        bump_s: how long one lasts, (least, most).
    """

    drift_rad: float = 0.014
    drift_time_s: float = 0.25
    quiet_probability: float = 0.15
    bump_probability: float = 0.45
    bump_rate_hz: float = 0.5
    bump_rad: float = 0.16
    bump_s: tuple[float, float] = (0.16, 0.40)


class Noise:
    """The disturbance of one episode; call `next` once a decision."""

    def __init__(
        self, config: NoiseConfig, joints: int, gripper: int, rng: np.random.Generator
    ) -> None:
        """Draw how strong this episode's noise is."""
        self._config = config
        self._rng = rng
        quiet = rng.random() < config.quiet_probability
        self._sigma = 0.0 if quiet else config.drift_rad * rng.uniform(0.4, 1.5)
        self._bumpy = rng.random() < config.bump_probability
        self._drift: FloatArray = np.zeros(joints)
        self._bump: FloatArray = np.zeros(joints)
        self._bump_left_s = 0.0
        self._arm = np.arange(joints) != gripper

    def next(self, dt_s: float, share: float = 1.0) -> FloatArray:
        """Return what to add to the joint target for the next `dt_s`, shape (J,).

        Args:
            dt_s: time until the next call.
            share: by what the drift is scaled now; bumps come only where it is 1.
        """
        config, rng = self._config, self._rng
        keep = np.exp(-dt_s / config.drift_time_s)
        fresh = rng.standard_normal(len(self._drift)) * self._sigma * np.sqrt(1 - keep**2)
        self._drift = keep * self._drift + fresh
        self._bump_left_s -= dt_s
        starts = rng.random() < config.bump_rate_hz * dt_s
        size, length_s = rng.uniform(-1, 1, len(self._drift)), rng.uniform(*config.bump_s)
        if self._bumpy and starts and share == 1.0 and self._bump_left_s <= 0:
            self._bump, self._bump_left_s = size * config.bump_rad, length_s
        bump = self._bump if self._bump_left_s > 0 and share > 0.4 else np.zeros_like(self._bump)
        noise: FloatArray = np.where(self._arm, share * self._drift + bump, 0.0)
        return noise
