"""The keyboard of a terminal as a teleoperator: jogging, no window needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lam_ros.core.errors import ConfigError
from lam_ros.teleop.keys import HeldKeys
from lam_ros.teleop.port import STILL, CartesianTwist, Control, Frame, Reading, View
from lam_ros.teleop.terminal import KeySource, Terminal

TAKE = "space"
QUIT = "esc"
STOP, RESET = "z", "ctrl+r"
"""The e-stop, latched, and its release; the teleoperation node carries them out."""

_LINEAR: Mapping[str, tuple[int, int, int]] = {
    "w": (1, 0, 0), "s": (-1, 0, 0), "up": (1, 0, 0), "down": (-1, 0, 0),
    "a": (0, 1, 0), "d": (0, -1, 0), "left": (0, 1, 0), "right": (0, -1, 0),
    "r": (0, 0, 1), "f": (0, 0, -1),
}  # fmt: skip
_ROLL = {"q": 1, "e": -1}
_PITCH = {"t": -1, "g": 1}
_GRIPPER = {"o": 1, "p": -1}
_OWN = frozenset({*_LINEAR, *_ROLL, *_PITCH, *_GRIPPER, TAKE, "b", "+", "=", "-", "_"})

CONTROLS = (
    Control("space", "take the arm, let it go"),
    Control("w s", "forward, back"),
    Control("a d", "left, right"),
    Control("r f", "up, down"),
    Control("q e", "turn the wrist"),
    Control("t g", "tool up, down"),
    Control("o p", "open, close the gripper"),
    Control("b", "base or tool frame"),
    Control("+ -", "faster, slower"),
    Control("z", "E-STOP; ctrl+r releases it"),
    Control("esc", "quit"),
)


@dataclass(frozen=True)
class KeyboardConfig:
    """How fast the keys move the tool.

    Attributes:
        linear_m_s: speed along an axis.
        angular_rad_s: rate of roll and pitch.
        gripper_rad_s: rate of the gripper joint.
        speed: factor on all three at the start; `+` and `-` change it.
        frame: `base` or `tool` at the start; `b` changes it.
        engaged: whether the person has hold of the arm from the start.
    """

    linear_m_s: float = 0.10
    angular_rad_s: float = 1.0
    gripper_rad_s: float = 1.5
    speed: float = 1.0
    frame: Frame = Frame.BASE
    engaged: bool = False

    def __post_init__(self) -> None:
        """Refuse speeds at which nothing moves."""
        for name in ("linear_m_s", "angular_rad_s", "gripper_rad_s", "speed"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"keyboard.{name}: {value} came, a positive number is needed")


class Keyboard:
    """Jogs the tool while keys are held; space takes the arm and lets it go."""

    SPEEDS = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)

    def __init__(self, config: KeyboardConfig | None = None, keys: KeySource | None = None) -> None:
        """Use the terminal of standard input, or another source of keys."""
        self._config = config or KeyboardConfig()
        self._keys: KeySource = keys or Terminal()
        self._held = HeldKeys()
        self._engaged = self._config.engaged
        self._frame = self._config.frame
        self._speed = self._config.speed

    @property
    def controls(self) -> tuple[Control, ...]:
        """What each key does."""
        return CONTROLS

    def open(self) -> None:
        """Take the terminal.

        Raises:
            MachineError: if there is none.
        """
        self._keys.open()

    def close(self) -> None:
        """Give the terminal back."""
        self._keys.close()

    def read(self, view: View) -> Reading:
        """Return the twist of the keys that are held.

        Raises:
            MachineError: if the terminal was closed.
        """
        pressed = self._held.update(self._keys.poll(view.now_ns), view.now_ns)
        for name in pressed:
            self._switch(name)
        if QUIT in pressed or TAKE in self._held.doubtful:  # in doubt, let go
            self._engaged = False
        twist = self._twist(self._held.held(view.now_ns)) if self._engaged else STILL
        return Reading(
            command=twist,
            engaged=self._engaged,
            status=f"{self._frame} frame, speed {self._speed:.0%}",
            pressed=tuple(name for name in pressed if name not in _OWN),
        )

    def _switch(self, name: str) -> None:
        if name == TAKE:
            self._engaged = not self._engaged
        elif name == "b":
            self._frame = Frame.TOOL if self._frame is Frame.BASE else Frame.BASE
        elif name in ("+", "="):
            self._speed = min((s for s in self.SPEEDS if s > self._speed), default=self._speed)
        elif name in ("-", "_"):
            self._speed = max((s for s in self.SPEEDS if s < self._speed), default=self._speed)

    def _twist(self, held: frozenset[str]) -> CartesianTwist:
        config, speed = self._config, self._speed
        linear = [
            max(-1, min(1, sum(_LINEAR[name][axis] for name in held if name in _LINEAR)))
            for axis in range(3)
        ]
        x, y, z = (config.linear_m_s * speed * value for value in linear)
        return CartesianTwist(
            (x, y, z),
            config.angular_rad_s * speed * _sum(_ROLL, held),
            config.angular_rad_s * speed * _sum(_PITCH, held),
            config.gripper_rad_s * speed * _sum(_GRIPPER, held),
            self._frame,
        )


def _sum(table: Mapping[str, int], held: frozenset[str]) -> int:
    return sum(table[name] for name in held if name in table)
