"""A gamepad of SDL's own making (a virtual device), read through the whole library."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.teleop.gamepad import Gamepad, GamepadConfig
from lam_ros.teleop.port import STILL, Frame, Reading, View

AXES = {"LEFTX": 0, "LEFTY": 1, "RIGHTX": 2, "RIGHTY": 3, "TRIGGERLEFT": 4, "TRIGGERRIGHT": 5}
BUTTONS = {"A": 0, "Y": 3, "START": 6, "LEFTSHOULDER": 9, "RIGHTSHOULDER": 10, "UP": 11, "DOWN": 12}


class Virtual:
    """A gamepad that a test plugs in and moves."""

    def __init__(self) -> None:
        import pygame

        folder = Path(pygame.__file__).parents[1] / "pygame.libs"
        libraries = sorted(folder.glob("libSDL2-2*"))
        if not libraries:
            pytest.skip("pygame was built against the system's SDL")
        self._sdl = ctypes.CDLL(str(libraries[0]))
        self._sdl.SDL_JoystickOpen.restype = ctypes.c_void_p
        self._sdl.SDL_JoystickSetVirtualAxis.argtypes = [
            ctypes.c_void_p, ctypes.c_int, ctypes.c_int16,
        ]  # fmt: skip
        self._sdl.SDL_JoystickSetVirtualButton.argtypes = [
            ctypes.c_void_p, ctypes.c_int, ctypes.c_uint8,
        ]  # fmt: skip
        self._index = -1

    def plug_in(self) -> None:
        from pygame._sdl2 import controller

        controller.init()
        self._index = self._sdl.SDL_JoystickAttachVirtual(1, 6, 15, 1)
        assert self._index >= 0
        self._pad = self._sdl.SDL_JoystickOpen(self._index)
        for name in ("TRIGGERLEFT", "TRIGGERRIGHT"):
            self.move(name, 0.0)

    def unplug(self) -> None:
        if self._index >= 0:
            self._sdl.SDL_JoystickDetachVirtual(self._index)
            self._index = -1

    def move(self, axis: str, share: float) -> None:
        raw = -32768 + 65535 * share if "TRIGGER" in axis else 32767 * share
        self._sdl.SDL_JoystickSetVirtualAxis(self._pad, AXES[axis], int(raw))

    def press(self, button: str, down: bool = True) -> None:
        self._sdl.SDL_JoystickSetVirtualButton(self._pad, BUTTONS[button], down)


@pytest.fixture
def virtual() -> Iterator[Virtual]:
    from lam_ros.teleop.gamepad import _load_sdl

    _load_sdl()
    pad = Virtual()
    yield pad
    pad.unplug()


@pytest.fixture
def gamepad(virtual) -> Iterator[Gamepad]:
    virtual.plug_in()
    pad = Gamepad()
    pad.open()
    yield pad
    pad.close()


def read(gamepad: Gamepad) -> Reading:
    return gamepad.read(View(0))


def test_without_the_shoulder_button_nothing_moves(gamepad, virtual):
    virtual.move("LEFTY", -1.0)
    reading = read(gamepad)
    assert not reading.engaged
    assert reading.command == STILL


def test_the_sticks_move_the_tool_while_the_button_is_held(gamepad, virtual):
    virtual.press("RIGHTSHOULDER")
    for axis, name in (("LEFTY", 0), ("LEFTX", 1), ("RIGHTY", 2)):
        virtual.move(axis, -1.0)
        linear = read(gamepad).command.linear_m_s
        assert linear[name] == pytest.approx(0.15, rel=0.01)
        assert sum(map(abs, linear)) == pytest.approx(0.15, rel=0.01)
        virtual.move(axis, 0.0)
    virtual.move("RIGHTX", 1.0)
    virtual.press("UP")
    twist = read(gamepad).command
    assert twist.roll_rad_s == pytest.approx(-1.2, rel=0.01)
    assert twist.pitch_rad_s == pytest.approx(-1.2)
    virtual.press("RIGHTSHOULDER", False)
    assert not read(gamepad).engaged


def test_the_triggers_move_the_gripper(gamepad, virtual):
    virtual.press("RIGHTSHOULDER")
    virtual.move("TRIGGERRIGHT", 1.0)
    assert read(gamepad).command.gripper_rad_s == pytest.approx(-2.0, rel=0.01)
    virtual.move("TRIGGERRIGHT", 0.0)
    virtual.move("TRIGGERLEFT", 0.5)
    assert 0.5 < read(gamepad).command.gripper_rad_s < 1.0


def test_a_stick_that_does_not_quite_come_back_is_still(gamepad, virtual):
    virtual.press("RIGHTSHOULDER")
    virtual.move("LEFTX", 0.11)
    assert not read(gamepad).command.moves_tool
    virtual.move("LEFTX", 0.14)
    assert 0 < abs(read(gamepad).command.linear_m_s[1]) < 0.01  # no step at the edge


def test_slow_and_frame(gamepad, virtual):
    virtual.press("RIGHTSHOULDER")
    virtual.press("LEFTSHOULDER")
    virtual.move("LEFTY", -1.0)
    virtual.press("Y")
    reading = read(gamepad)
    assert reading.command.linear_m_s[0] == pytest.approx(0.045, rel=0.01)
    assert reading.command.frame is Frame.TOOL
    assert read(gamepad).command.frame is Frame.TOOL  # held, not pressed again
    assert reading.status == "tool frame, slow"


def test_other_buttons_are_passed_on_once(gamepad, virtual):
    virtual.press("A")
    virtual.press("START")
    assert read(gamepad).pressed == ("a", "start")
    assert read(gamepad).pressed == ()


def test_pulling_the_plug_lets_go_and_it_may_come_back(gamepad, virtual):
    virtual.press("RIGHTSHOULDER")
    virtual.move("LEFTY", -1.0)
    assert read(gamepad).engaged
    virtual.unplug()
    reading = read(gamepad)
    assert not reading.engaged
    assert "unplugged" in reading.status
    virtual.plug_in()
    virtual.press("RIGHTSHOULDER")
    assert read(gamepad).engaged


def test_no_gamepad_is_an_error_with_the_remedy():
    with pytest.raises(MachineError, match="plug it in"):
        Gamepad(GamepadConfig(index=7)).open()


def test_a_dead_zone_must_leave_something():
    with pytest.raises(ConfigError, match="deadzone"):
        GamepadConfig(deadzone=1.0)
