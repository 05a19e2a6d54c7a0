"""A gamepad as a teleoperator: a held shoulder button is the hold on the arm.

Read through pygame, that is SDL, which knows the buttons of some hundred gamepads by
their place and needs no window; LeRobot reads its own gamepad through it too.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.teleop.port import STILL, CartesianTwist, Control, Frame, Reading, View

CONTROLS = (
    Control("right shoulder", "hold it to have the arm; let go to give it back"),
    Control("left stick", "forward, back, left, right"),
    Control("right stick", "up, down; turn the wrist"),
    Control("d-pad up, down", "tool up, down"),
    Control("left, right trigger", "open, close the gripper"),
    Control("left shoulder", "hold it to go slowly"),
    Control("Y", "base or tool frame"),
)

_FULL = 32767.0
_SLOW = 0.3
_BUTTONS = ("A", "B", "X", "Y", "BACK", "START")


@dataclass(frozen=True)
class GamepadConfig:
    """How fast the sticks move the tool.

    Attributes:
        index: which gamepad, if there are several.
        linear_m_s, angular_rad_s, gripper_rad_s: at full deflection.
        deadzone: share of the deflection that is none.
        frame: `base` or `tool` at the start.
    """

    index: int = 0
    linear_m_s: float = 0.15
    angular_rad_s: float = 1.2
    gripper_rad_s: float = 2.0
    deadzone: float = 0.12
    frame: Frame = Frame.BASE

    def __post_init__(self) -> None:
        """Refuse speeds at which nothing moves."""
        for name in ("linear_m_s", "angular_rad_s", "gripper_rad_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"gamepad.{name}: {value} came, a positive number is needed")
        if not 0.0 <= self.deadzone < 1.0:
            raise ConfigError(f"gamepad.deadzone: {self.deadzone} came, 0 up to 1 is allowed")


class Gamepad:
    """Jogs the tool by the sticks while the right shoulder button is held."""

    def __init__(self, config: GamepadConfig | None = None) -> None:
        """Prepare; SDL is not loaded yet."""
        self._config = config or GamepadConfig()
        self._frame = self._config.frame
        self._sdl: Any = None
        self._pad: Any = None
        self._down: frozenset[str] = frozenset()

    @property
    def controls(self) -> tuple[Control, ...]:
        """What each button does."""
        return CONTROLS

    def open(self) -> None:
        """Take the gamepad.

        Raises:
            MachineError: if there is none.
        """
        self._sdl = _load_sdl()
        self._sdl.controller.init()
        if not self._find():
            count = self._sdl.controller.get_count()
            self.close()
            raise MachineError(
                f"gamepad {self._config.index}: not there ({count} found); plug it in, and make "
                "sure that you may read /dev/input/event* (group input)"
            )

    def close(self) -> None:
        """Give the gamepad back."""
        pad, self._pad = self._pad, None
        if pad is not None:
            pad.quit()
        if self._sdl is not None:
            self._sdl.controller.quit()
            self._sdl = None

    def read(self, view: View) -> Reading:
        """Return the twist of the sticks; an unplugged gamepad lets go, and may come back."""
        if self._sdl is None:
            return Reading(status="gamepad: not open")
        self._sdl.controller.update()
        if self._pad is not None and not self._pad.attached():
            self._pad.quit()
            self._pad = None
        if self._pad is None and not self._find():
            self._down = frozenset()
            return Reading(status="gamepad: unplugged")
        pressed = self._pressed()
        if "Y" in pressed:
            self._frame = Frame.TOOL if self._frame is Frame.BASE else Frame.BASE
        engaged = self._button("RIGHTSHOULDER")
        twist = self._twist() if engaged else STILL
        slow = ", slow" if self._button("LEFTSHOULDER") else ""
        others = tuple(name.lower() for name in pressed if name != "Y")
        return Reading(twist, engaged, f"{self._frame} frame{slow}", others)

    def _find(self) -> bool:
        controller, index = self._sdl.controller, self._config.index
        if index < controller.get_count() and controller.is_controller(index):
            self._pad = controller.Controller(index)
        return self._pad is not None

    def _pressed(self) -> tuple[str, ...]:
        down = frozenset(name for name in _BUTTONS if self._button(name))
        new, self._down = down - self._down, down
        return tuple(sorted(new))

    def _button(self, name: str) -> bool:
        return bool(self._pad.get_button(getattr(self._sdl, f"CONTROLLER_BUTTON_{name}")))

    def _axis(self, name: str) -> float:
        """Return a deflection from -1 to 1, zero in the dead zone and continuous at its edge."""
        raw = self._pad.get_axis(getattr(self._sdl, f"CONTROLLER_AXIS_{name}")) / _FULL
        dead = self._config.deadzone
        size = max(0.0, min(1.0, (abs(raw) - dead) / (1.0 - dead)))
        return math.copysign(size, raw)

    def _twist(self) -> CartesianTwist:
        config = self._config
        pace = _SLOW if self._button("LEFTSHOULDER") else 1.0
        linear, angular = pace * config.linear_m_s, pace * config.angular_rad_s
        pitch = self._button("DPAD_DOWN") - self._button("DPAD_UP")
        gripper = self._axis("TRIGGERLEFT") - self._axis("TRIGGERRIGHT")
        return CartesianTwist(
            (
                -linear * self._axis("LEFTY"),
                -linear * self._axis("LEFTX"),
                -linear * self._axis("RIGHTY"),
            ),
            -angular * self._axis("RIGHTX"),
            angular * pitch,
            pace * config.gripper_rad_s * gripper,
            self._frame,
        )


def _load_sdl() -> Any:
    """Return pygame's SDL, set up to need no window and to leave signals alone."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
    os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    from types import SimpleNamespace

    import pygame
    from pygame._sdl2 import controller

    names = {
        name: getattr(pygame, name)
        for name in dir(pygame)
        if name.startswith(("CONTROLLER_AXIS_", "CONTROLLER_BUTTON_"))
    }
    return SimpleNamespace(controller=controller, **names)
