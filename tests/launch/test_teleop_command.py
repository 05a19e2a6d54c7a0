"""`lam teleop` as a person starts it: in a terminal, with keys; and what it says elsewhere."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LAM = str(Path(sys.executable).with_name("lam"))


class Person:
    """Someone at a terminal in which `lam teleop` runs."""

    def __init__(self, *arguments: str) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (60, 120))
        self.before = termios.tcgetattr(self.slave)
        self.screen = ""
        self.process = subprocess.Popen(
            [LAM, "teleop", "--json", *arguments],
            stdin=self.slave,
            stderr=self.slave,
            stdout=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            text=True,
        )

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def until(self, seen: Callable[[str], object], what: str, timeout_s: float = 60.0) -> None:
        end = time.monotonic() + timeout_s
        while not seen(self.screen):
            assert time.monotonic() < end, f"not seen: {what}\n{self.screen[-3000:]}"
            assert self.process.poll() is None, self.screen[-3000:]
            self._read()

    def ends(self, timeout_s: float = 30.0) -> int:
        end = time.monotonic() + timeout_s
        while self.process.poll() is None:
            assert time.monotonic() < end, self.screen[-3000:]
            self._read()
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.ends()
        os.close(self.master)
        os.close(self.slave)

    def _read(self) -> None:
        if select.select([self.master], [], [], 0.05)[0]:
            text = os.read(self.master, 65536).decode(errors="replace")
            self.screen = (self.screen + re.sub(r"\x1b\[[0-9;?<>]*[A-Za-z]", "", text))[-20000:]


@pytest.fixture
def person(tmp_path) -> Iterator[Person]:
    someone = Person("--out", str(tmp_path), "--seed", "3")
    yield someone
    someone.close()


def pan_deg(screen: str) -> float:
    return float(re.findall(r"shoulder_pan\W+?(-?\d+\.\d)°", screen)[-1])


@pytest.mark.slow
def test_a_person_jogs_the_arm_with_the_keys_of_a_terminal(person):
    person.until(lambda screen: "the arm holds" in screen, "the panel")
    person.until(lambda screen: "°" in screen and "▀" in screen, "joints and a picture")
    before = pan_deg(person.screen)
    person.type(b" ")
    person.until(lambda screen: "YOU have the arm" in screen, "the hold")

    def left(screen: str) -> bool:
        person.type(b"a")
        return pan_deg(screen) < before - 8.0

    person.until(left, "the arm turns left")
    person.type(b"\x1b")
    assert person.ends() == 0
    result = json.loads(person.process.stdout.read().splitlines()[-1])
    assert result["engaged_seconds"] > 0
    assert not result["interrupted"]
    assert termios.tcgetattr(person.slave) == person.before  # the terminal is as it was


@pytest.mark.slow
def test_ctrl_c_ends_it_and_gives_the_terminal_back(person):
    person.until(lambda screen: "the arm holds" in screen, "the panel")
    person.process.send_signal(signal.SIGINT)
    assert person.ends() == 0
    assert json.loads(person.process.stdout.read().splitlines()[-1])["interrupted"]
    assert termios.tcgetattr(person.slave) == person.before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 4, "standard input is no terminal"),
        (("teleop=keybord",), 2, "Did you mean 'keyboard'?"),
        (("teleop=leader",), 2, "no port"),
        (("teleop=gamepad",), 4, "plug it in"),
        (("--task", "put it there"), 2, "add teleop=expert"),
        (("policy=expert", "--instruction", "stack the cubes"), 2, "cannot be stepped in for"),
        (("teleop.options.lineer_m_s=1",), 2, "lineer_m_s"),
    ],
)
def test_what_cannot_begin_says_why_in_one_line(arguments, code, message, tmp_path):
    done = subprocess.run(
        [LAM, "teleop", "--out", str(tmp_path), *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("lam teleop: ")]
    assert len(said) == 1
    assert message in said[0]
