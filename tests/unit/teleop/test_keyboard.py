"""A real terminal (a pseudo-terminal) as the keyboard."""

from __future__ import annotations

import os
import pty
import termios
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.teleop.keyboard import Keyboard, KeyboardConfig
from lam_ros.teleop.keys import FOCUS_LOST, Key, KeyKind, KeyParser
from lam_ros.teleop.port import STILL, Frame, Reading, View
from lam_ros.teleop.terminal import Terminal

MS = 1_000_000
T0 = 1_000 * MS


@dataclass
class Hands:
    """A person at a terminal: types, and lets time pass."""

    keyboard: Keyboard
    master: int
    slave: int
    now_ns: int = T0
    readings: list[Reading] = field(default_factory=list)

    def type(self, data: bytes, wait_ms: int = 20) -> Reading:
        if data:
            os.write(self.master, data)
        self.now_ns += wait_ms * MS
        reading = self.keyboard.read(View(self.now_ns))
        self.readings.append(reading)
        return reading


@pytest.fixture
def terminal(monkeypatch) -> Iterator[tuple[int, int]]:
    monkeypatch.setenv("TERM", "xterm-256color")
    master, slave = pty.openpty()
    yield master, slave
    for descriptor in (master, slave):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.fixture
def hands(terminal) -> Iterator[Hands]:
    master, slave = terminal
    keyboard = Keyboard(KeyboardConfig(), Terminal(slave))
    keyboard.open()
    yield Hands(keyboard, master, slave)
    keyboard.close()


def test_nothing_moves_before_the_arm_is_taken(hands):
    reading = hands.type(b"w")
    assert not reading.engaged
    assert reading.command == STILL


@pytest.mark.parametrize(
    ("key", "linear"),
    [
        (b"w", (0.1, 0, 0)), (b"S", (-0.1, 0, 0)), (b"a", (0, 0.1, 0)), (b"d", (0, -0.1, 0)),
        (b"r", (0, 0, 0.1)), (b"f", (0, 0, -0.1)), (b"\x1b[A", (0.1, 0, 0)),
        (b"\x1bOD", (0, 0.1, 0)),
    ],
)  # fmt: skip
def test_a_key_moves_the_tool_along_its_axis(hands, key, linear):
    hands.type(b" ")
    reading = hands.type(key)
    assert reading.engaged
    assert reading.command.linear_m_s == pytest.approx(linear)


def test_turning_and_the_gripper(hands):
    hands.type(b" ")
    twist = hands.type(b"qgo").command
    assert (twist.roll_rad_s, twist.pitch_rad_s, twist.gripper_rad_s) == (1.0, 1.0, 1.5)
    assert twist.linear_m_s == (0.0, 0.0, 0.0)


def test_a_tap_moves_for_a_moment_and_a_held_key_until_it_is_let_go(hands):
    hands.type(b" ")
    assert hands.type(b"w").command.moves_tool
    assert not hands.type(b"", 200).command.moves_tool
    hands.type(b"w", 300)
    for _ in range(20):  # the terminal repeats it
        assert hands.type(b"w", 40).command.moves_tool
    assert hands.type(b"", 60).command.moves_tool
    assert not hands.type(b"", 80).command.moves_tool


def test_a_terminal_that_reports_releases_is_asked_to_and_believed(hands):
    assert b"\x1b[?u" in os.read(hands.master, 100)
    hands.type(b"\x1b[?0u")
    assert b"\x1b[>11u" in os.read(hands.master, 100)
    hands.type(b"\x1b[32u")
    assert hands.type(b"\x1b[119;1:1u").command.linear_m_s[0] > 0
    hands.type(b"\x1b[97;1:1u")
    both = hands.type(b"", 3000).command  # two keys at once, however long
    assert both.linear_m_s == pytest.approx((0.1, 0.1, 0.0))
    assert hands.type(b"\x1b[119;1:3u").command.linear_m_s == pytest.approx((0.0, 0.1, 0.0))
    assert not hands.type(b"\x1b[97;1:3u").command.moves_tool
    assert hands.type(b"\x1b[1;1:1A").command.moves_tool
    assert not hands.type(b"\x1b[O").command.moves_tool  # another window has the keys now


def test_a_second_press_of_space_lets_go_however_soon_it_comes(hands):
    assert hands.type(b" ").engaged
    assert not hands.type(b" ", 200).engaged


def test_a_held_space_does_not_take_and_let_go_in_turns(hands):
    assert hands.type(b" ").engaged
    hands.type(b" ", 400)  # the terminal begins to repeat it: in doubt, let go
    for _ in range(30):
        assert not hands.type(b" ", 40).engaged


def test_frame_and_speed(hands):
    hands.type(b" ")
    assert hands.type(b"b").command.frame is Frame.TOOL
    assert hands.type(b"+").status == "tool frame, speed 140%"
    assert hands.type(b"w").command.linear_m_s[0] == pytest.approx(0.14)
    for _ in range(20):
        hands.type(b"-", 1000)
    assert hands.type(b"").status == "tool frame, speed 10%"


def test_other_keys_are_passed_on(hands):
    assert hands.type(b"\rx\x7f").pressed == ("enter", "x", "backspace")
    hands.type(b"\x1b")
    assert hands.type(b"", 60).pressed == ("esc",)


def test_quitting_lets_go(hands):
    hands.type(b" ")
    hands.type(b"\x1b")
    assert not hands.type(b"", 60).engaged


def test_the_terminal_is_given_back_as_it_was(terminal):
    _, slave = terminal
    before = termios.tcgetattr(slave)
    keyboard = Keyboard(keys=Terminal(slave))
    keyboard.open()
    assert not termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON)
    assert termios.tcgetattr(slave)[3] & termios.ISIG  # Ctrl-C still interrupts
    keyboard.close()
    keyboard.close()
    assert termios.tcgetattr(slave) == before


def test_no_terminal_is_an_error_with_the_remedy(tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(MachineError, match="no terminal"):
        Keyboard(keys=Terminal(file.fileno())).open()


def test_a_terminal_that_was_closed_is_an_error(hands):
    hands.type(b" ")
    os.close(hands.master)
    with pytest.raises(MachineError, match="closed"):
        hands.keyboard.read(View(hands.now_ns))


def test_speeds_must_move_something():
    with pytest.raises(ConfigError, match="positive"):
        KeyboardConfig(linear_m_s=0.0)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b[99;5u", [Key("ctrl+c")]),
        (b"\x1b[119;1:2u", [Key("w", KeyKind.REPEAT)]),
        (b"\x1b[57441u", []),  # a modifier key alone
        (b"\x1b[O\x1b[I", [FOCUS_LOST]),
        (b"\x1b[200~\x03", [Key("ctrl+c")]),
        ("é€".encode(), [Key("é"), Key("€")]),
        (b"\xff\xfew", [Key("w")]),
        (b"\x1b[99999999;99:9u", []),
        (b"\x1bw", [Key("esc"), Key("w")]),
    ],
)
def test_what_terminals_send(data, keys):
    assert KeyParser().feed(data, T0) == keys


def test_a_sequence_may_come_in_pieces():
    parser = KeyParser()
    assert parser.feed(b"\x1b[1", T0) == []
    assert parser.feed(b"19;1:3u", T0 + MS) == [Key("w", KeyKind.RELEASE)]


def test_noise_is_no_key_and_never_an_error():
    import random

    random.seed(5)
    parser = KeyParser()
    for step in range(300):
        parser.feed(random.randbytes(random.randint(0, 40)), T0 + step * 20 * MS)
