"""A switch for devices that have none: a key of the terminal takes the arm and lets it go."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.teleop.keyboard import QUIT, STOP, TAKE
from lam_ros.teleop.keys import HeldKeys
from lam_ros.teleop.port import Control, Reading, Teleoperator, View
from lam_ros.teleop.terminal import KeySource, Terminal


class Switched:
    """Another device, engaged only while the person has switched it on."""

    def __init__(self, device: Teleoperator, keys: KeySource | None = None) -> None:
        """Wrap a device; keys come from the terminal of standard input, or another source."""
        self._device = device
        self._keys: KeySource = keys or Terminal()
        self._held = HeldKeys()
        self._on = False

    @property
    def controls(self) -> tuple[Control, ...]:
        """What a person presses for what."""
        own = (
            Control(TAKE, "take the arm, let it go"),
            Control(STOP, "E-STOP; ctrl+r releases it"),
            Control(QUIT, "quit"),
        )
        return (*own, *self._device.controls)

    def open(self) -> None:
        """Take device and terminal.

        Raises:
            MachineError: if one is not there.
        """
        self._device.open()
        try:
            self._keys.open()
        except BaseException:
            self._device.close()
            raise

    def read(self, view: View) -> Reading:
        """Return the device's reading; it has hold of the arm only while switched on.

        Raises:
            MachineError: if device or terminal has gone.
        """
        pressed = self._held.update(self._keys.poll(view.now_ns), view.now_ns)
        if TAKE in pressed:
            self._on = not self._on
        if QUIT in pressed or TAKE in self._held.doubtful:
            self._on = False
        reading = self._device.read(view)
        more = tuple(name for name in pressed if name != TAKE)
        return replace(
            reading, engaged=reading.engaged and self._on, pressed=(*reading.pressed, *more)
        )

    def close(self) -> None:
        """Give both back."""
        self._keys.close()
        self._device.close()
