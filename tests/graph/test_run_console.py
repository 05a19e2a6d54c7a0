"""The e-stop key of `lam run`: what is pressed in its terminal stops the arm, and nothing else does."""

from __future__ import annotations

import os
import pty
import termios
from typing import Any

from std_msgs.msg import Bool

from lam_ros.bridge import qos, topics
from lam_ros.run.console import HINT, Console
from lam_ros.teleop.terminal import Terminal


def test_the_key_says_stop_again_and_again_and_the_terminal_is_given_back(graph: Any) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    heard = graph.collect(Bool, topics.ESTOP, qos.ESTOP)
    console = Console(graph.node, Terminal(slave))
    assert console.hint == HINT
    with console:
        os.write(master, b"abcZx \x1b[A")
        os.write(master, b"q")
        graph.spin_for(0.1)
        console.look()
        assert console.is_stopped  # a capital is the same key
    console = Console(graph.node, Terminal(slave))
    with console:
        os.write(master, b"abcx \x1b[A")
        graph.spin_for(0.1)
        console.look()
        graph.spin_for(0.1)
        assert not console.is_stopped
        seen = len(heard)
        os.write(master, b"z")
        while not console.is_stopped:
            console.look()

        def several() -> bool:
            console.look()
            return len(heard) >= seen + 3

        graph.spin_until(several, "the stop, again and again")
    assert all(message.data for message in heard)
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_without_a_terminal_nobody_can_press_anything(graph: Any) -> None:
    with Console(graph.node) as console:
        console.look()
        assert not console.hint
        assert not console.is_stopped
