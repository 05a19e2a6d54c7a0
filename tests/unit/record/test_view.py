"""What a person sees of a session, on a terminal and in a log."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from lam_ros.record.loop import Ended, Phase, Wish
from lam_ros.record.operator import CONTROLS, Listening, wishes_of
from lam_ros.record.view import Picture, RecordView
from lam_ros.recording.format import Outcome
from lam_ros.recording.status import Level, StreamStatus
from lam_ros.teleop.keyboard import CONTROLS as KEYBOARD
from lam_ros.teleop.port import STILL, Control, Reading, View

PICTURE = Picture(
    phase=Phase.RECORDING,
    phase_text="episode 3 is being recorded: 1.2 s",
    statuses=(
        StreamStatus("front", Level.OK, "", 29.9, 30.0, 12.0, 36, 0),
        StreamStatus("wrist", Level.ERROR, "12.0 Hz come", 12.0, 30.0, 80.0, 14, 22),
        StreamStatus("lam/action_chunk", Level.OK),
        StreamStatus("disk", Level.ERROR, "1.0 GB are free"),
    ),
    kept=2,
    wanted=20,
    discarded=1,
    disk_left_s=7200.0,
    free_gb=40.0,
    status="base frame, speed 100%",
)


def shown(picture: Picture, *, terminal: bool) -> str:
    """Return what is on the screen, or in the log, after a picture."""
    view = RecordView("stack the cubes", CONTROLS)
    screen = io.StringIO()
    view.console = Console(file=screen, force_terminal=terminal, width=120, color_system=None)
    view._live.console = view.console
    view.device_controls = KEYBOARD
    with view:
        view.show(picture)
        view.show(picture)
    return screen.getvalue()


def test_a_terminal_shows_streams_what_is_wrong_progress_and_keys() -> None:
    text = shown(PICTURE, terminal=True)
    for part in ("stack the cubes", "29.9 / 30 Hz", "12 ms", "22", "12.0 Hz come", "1.0 GB are free",
                 "2 of 20 kept, 1 discarded", "40 GB free, 2.0 h", "[enter] keep", "[space] take the arm", "[w s]"):  # fmt: skip
        assert part in text
    assert "[esc] quit" not in text  # here it finishes the session
    assert "action_chunk" not in text  # says nothing, owes nothing


def test_a_log_gets_one_line_for_each_change() -> None:
    assert shown(PICTURE, terminal=False) == "episode 3 is being recorded: 1.2 s\n"
    assert shown(replace(PICTURE, phase=Phase.RESET), terminal=False) == ""


def test_an_episode_that_lacks_messages_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    view = RecordView("x", CONTROLS)
    view.ended(4, Ended(Outcome.KEPT, "kept by the operator", "f", 12.34, 370, dropped=2))
    assert "episode 4: kept, 12.3 s, 370 frames, 2 missing" in capsys.readouterr().err


def test_keys_of_a_session_are_none_of_the_keyboard_teleoperators() -> None:
    motion = {key for control in KEYBOARD for key in control.name.split()} - {"esc"}
    assert not motion & {control.name for control in CONTROLS}
    assert wishes_of(["w", "enter", "k", "backspace", "tab", "esc", "start", "back"]) == (
        Wish.KEEP, Wish.KEEP, Wish.DISCARD, Wish.RERECORD, Wish.FINISH, Wish.KEEP, Wish.DISCARD,
    )  # fmt: skip


class Device:
    """A device that is always held, with a key pressed at each reading."""

    controls = (Control("x", "y"),)

    def open(self) -> None:
        """Take nothing."""

    def close(self) -> None:
        """Give nothing back."""

    def read(self, view: View) -> Reading:
        """Return a motion."""
        return Reading(STILL, engaged=True, pressed=("enter",))


def test_presses_between_two_looks_are_all_heard_and_the_session_can_take_the_arm() -> None:
    device = Listening(Device())
    assert device.read(View(0)).engaged
    device.is_off = True
    assert not device.read(View(1)).engaged
    assert device.take_pressed() == ["enter", "enter"]
    assert device.take_pressed() == []
