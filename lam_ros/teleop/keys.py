"""Keys of a terminal: bytes -> key events -> which keys are held down.

A terminal says that a key was pressed, and repeats it while it is held; that it was let
go it says only if it speaks the kitty keyboard protocol (kitty, foot, WezTerm, Ghostty,
Alacritty, iTerm2, Konsole).  Where it does not, a key counts as held for a moment after
each sign of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from lam_ros.core.clock import NS_PER_MS

TAP_NS = 150 * NS_PER_MS
"""How long a key counts as held after its first press, where releases are not reported."""

REPEAT_NS = 110 * NS_PER_MS
"""How long it does after a repeat; terminals repeat every 30 to 90 ms."""

REPEAT_DELAY_NS = 800 * NS_PER_MS
"""A second press within this time may be the terminal's repeat."""

SURE_REPEAT_NS = 150 * NS_PER_MS
"""A second press within this time is a repeat; no finger is so quick."""

ESCAPE_NS = 50 * NS_PER_MS
"""An escape byte that nothing follows for so long is the escape key."""

ASK_KITTY = b"\x1b[?u"
ENABLE_KITTY = b"\x1b[>11u"  # disambiguate, event types, all keys as escape codes
DISABLE_KITTY = b"\x1b[<u"
ENABLE_FOCUS = b"\x1b[?1004h"
DISABLE_FOCUS = b"\x1b[?1004l"

_CSI = re.compile(rb"\x1b\[([0-9:;?<>=]*)([A-Za-z~])")
_SS3 = re.compile(rb"\x1bO([A-Z])")
_ARROWS = {b"A": "up", b"B": "down", b"C": "right", b"D": "left"}
_NAMES = {9: "tab", 10: "enter", 13: "enter", 27: "esc", 32: "space", 8: "backspace"}
_NAMES[127] = "backspace"
_UTF8 = ((0x20, 0x7E, 1), (0xC2, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF4, 4))
_CTRL = 4


class KeyKind(IntEnum):
    """What happened to a key; the numbers are the kitty protocol's."""

    PRESS = 1
    REPEAT = 2
    RELEASE = 3


@dataclass(frozen=True)
class Key:
    """One event: `w`, `up`, `space`, `ctrl+c`, ..., and what happened to it."""

    name: str
    kind: KeyKind = KeyKind.PRESS


FOCUS_LOST = Key("focus lost")
KITTY_SPOKEN = Key("kitty spoken")


class KeyParser:
    """Turns a terminal's bytes into keys; a sequence may come in pieces."""

    def __init__(self) -> None:
        """Start with nothing left over."""
        self._left = b""
        self._left_ns = 0

    def feed(self, data: bytes, now_ns: int) -> list[Key]:
        """Return the keys in what came; call it without data, too, so that escape is noticed."""
        if data:
            self._left, self._left_ns = self._left + data, now_ns
        found: list[Key] = []
        while self._left:
            key, length = self._first(now_ns)
            if not length:
                break
            self._left = self._left[length:]
            if key is not None:
                found.append(key)
        return found

    def _first(self, now_ns: int) -> tuple[Key | None, int]:
        """Return the first key and its length; length 0 if more must come."""
        left = self._left
        if left[0] != 0x1B:
            return _text_key(left)
        match = _CSI.match(left)
        if match:
            return _csi_key(match.group(1), match.group(2)), match.end()
        match = _SS3.match(left)
        if match:
            arrow = _ARROWS.get(match.group(1))
            return (Key(arrow) if arrow else None), match.end()
        if len(left) > 1 and left[1] not in b"[O":
            return Key("esc"), 1
        if now_ns - self._left_ns < ESCAPE_NS and len(left) < 32:
            return None, 0
        return (Key("esc") if len(left) == 1 else None), len(left)


def _text_key(left: bytes) -> tuple[Key | None, int]:
    code = left[0]
    if code in _NAMES:
        return Key(_NAMES[code]), 1
    if code < 32:
        return Key(f"ctrl+{chr(code + 96)}"), 1
    length = next((size for start, end, size in _UTF8 if start <= code <= end), 0)
    if not length or any(byte & 0xC0 != 0x80 for byte in left[1:length]):
        return None, 1
    if len(left) < length:
        return None, 0
    return Key(left[:length].decode(errors="replace").lower()), length


def _csi_key(parameters: bytes, final: bytes) -> Key | None:
    if final == b"u" and parameters.startswith(b"?"):
        return KITTY_SPOKEN
    if final == b"O" and not parameters:
        return FOCUS_LOST
    if final not in _ARROWS and final != b"u":
        return None
    fields = parameters.decode().split(";")
    modifiers, _, kind = (fields[1] if len(fields) > 1 else "").partition(":")
    name = _ARROWS.get(final) or _code_name(fields[0].partition(":")[0])
    if not name:
        return None
    if (int(modifiers or 1) - 1) & _CTRL:
        name = f"ctrl+{name}"
    return Key(name, KeyKind(int(kind)) if kind in ("1", "2", "3") else KeyKind.PRESS)


def _code_name(code: str) -> str:
    """Return the name of a kitty key code; modifier and function keys have none."""
    if not code.isdigit():
        return ""
    number = int(code)
    if number in _NAMES:
        return _NAMES[number]
    return chr(number).lower() if 32 <= number < 57344 else ""


@dataclass
class HeldKeys:
    """Which keys are held down now.

    Attributes:
        doubtful: names in the last update that were repeated by the terminal, or pressed
            a second time; only the person knows.
    """

    doubtful: tuple[str, ...] = ()
    _until_ns: dict[str, int | None] = field(default_factory=dict)
    _pressed_ns: dict[str, int] = field(default_factory=dict)
    _releases_come: bool = False

    def update(self, keys: Iterable[Key], now_ns: int) -> tuple[str, ...]:
        """Take key events; returns the names of those newly pressed, repeats left out."""
        new: list[str] = []
        self.doubtful = ()
        for key in keys:
            if key == KITTY_SPOKEN:
                self._releases_come = True
            elif key == FOCUS_LOST:
                self._until_ns.clear()
            elif key.kind is KeyKind.RELEASE:
                self._releases_come = True
                self._until_ns.pop(key.name, None)
            elif self._press(key, now_ns):
                new.append(key.name)
        return tuple(new)

    def held(self, now_ns: int) -> frozenset[str]:
        """Return the names of the keys that are held down."""
        self._until_ns = {
            name: until for name, until in self._until_ns.items() if until is None or until > now_ns
        }
        return frozenset(self._until_ns)

    def _press(self, key: Key, now_ns: int) -> bool:
        """Note a press; False if it is a repeat."""
        last_ns = self._pressed_ns.get(key.name)
        self._pressed_ns[key.name] = now_ns
        if self._releases_come:
            repeats = key.kind is KeyKind.REPEAT or key.name in self._until_ns
            self._until_ns[key.name] = None
            return not repeats
        since_ns = REPEAT_DELAY_NS if last_ns is None else now_ns - last_ns
        repeats = since_ns < REPEAT_DELAY_NS
        if SURE_REPEAT_NS <= since_ns < REPEAT_DELAY_NS:
            self.doubtful = (*self.doubtful, key.name)
        self._until_ns[key.name] = now_ns + (REPEAT_NS if repeats else TAP_NS)
        return not repeats
