"""Whether an arm is well: its motors' temperature, current and own alarms, judged.

A motor that is not well is a reason to hold still, never to drop what the arm holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.errors import ConfigError
from lam_ros.core.types import FloatArray, frozen_floats


@dataclass(frozen=True)
class Vitals:
    """What the motors say of themselves, in joint order, each of shape (J,).

    Attributes:
        temperature_c: in degrees Celsius.
        current_a: magnitude.
        alarms: each motor's own words for what is wrong; empty if nothing is.
    """

    temperature_c: FloatArray
    current_a: FloatArray
    alarms: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the numbers and make them read-only."""
        for name in ("temperature_c", "current_a"):
            object.__setattr__(self, name, frozen_floats(getattr(self, name), name, 1))


@dataclass(frozen=True)
class VitalLimits:
    """What is borne.

    Attributes:
        temperature_c: at and above which the arm holds, until it is `cooled_c` below.
        cooled_c: how much.
        current_a: above which the arm holds, if it lasts.
        current_patience_ms: for so long; a short peak is how motors start.
    """

    temperature_c: float = 65.0
    cooled_c: float = 5.0
    current_a: float = 2.0
    current_patience_ms: float = 500.0

    def __post_init__(self) -> None:
        """Refuse limits that are none."""
        values = (self.temperature_c, self.cooled_c, self.current_a, self.current_patience_ms)
        if not np.isfinite(values).all() or min(values) <= 0:
            raise ConfigError(f"limits of the motors: {values} came, finite and above 0 are needed")


class VitalWatch:
    """Judges one arm's vitals, one after the other."""

    def __init__(self, joint_names: Sequence[str], limits: VitalLimits) -> None:
        """Watch joints, by default within limits."""
        self._names = tuple(joint_names)
        self._limits = limits
        self._hot = np.zeros(len(self._names), bool)
        self._strained_since_ns: list[int | None] = [None] * len(self._names)

    def judge(self, vitals: Vitals, now_ns: int) -> tuple[str, ...]:
        """Return for each joint why it must not go on; empty where it may."""
        limits = self._limits
        self._hot &= vitals.temperature_c > limits.temperature_c - limits.cooled_c
        self._hot |= vitals.temperature_c >= limits.temperature_c
        return tuple(self._of(index, vitals, now_ns) for index in range(len(self._names)))

    def _of(self, index: int, vitals: Vitals, now_ns: int) -> str:
        name, limits = self._names[index], self._limits
        if vitals.alarms[index]:
            return f"{name} reports {vitals.alarms[index]}"
        if self._hot[index]:
            return f"{name} is at {vitals.temperature_c[index]:.0f} C, {limits.temperature_c:g} is allowed"
        current_a = float(vitals.current_a[index])
        if current_a <= limits.current_a:
            self._strained_since_ns[index] = None
            return ""
        since_ns = self._strained_since_ns[index]
        self._strained_since_ns[index] = since_ns = now_ns if since_ns is None else since_ns
        if now_ns - since_ns < limits.current_patience_ms * NS_PER_MS:
            return ""
        return f"{name} draws {current_a:.1f} A, {limits.current_a:g} is allowed"
