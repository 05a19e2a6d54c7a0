"""What the person sees says who has the arm, and never breaks on what is unknown."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from lam_ros.core.types import Source, Verdict
from lam_ros.teleop.keyboard import CONTROLS
from lam_ros.teleop.panel import Picture, Sight, TeleopPanel


def shown(robot, sight: Sight, *, terminal: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, height=60, force_terminal=terminal, no_color=True)
    with TeleopPanel("lam teleop", robot, console=console) as panel:
        panel.draw(sight, CONTROLS)
        panel.draw(sight, CONTROLS)
    return out.getvalue()


@pytest.mark.parametrize(
    ("sight", "headline"),
    [
        (Sight(), "the control node is silent"),
        (Sight(verdict=Verdict.STOP, engaged=True), "STOPPED"),
        (Sight(engaged=True, verdict=Verdict.PASS), "YOU have the arm"),
        (Sight(engaged=True, verdict=Verdict.CLAMPED, rule="lead"), "YOU have the arm (lead)"),
        (Sight(verdict=Verdict.HOLD, rule="teleop_silent"), "the arm holds (teleop_silent)"),
        (Sight(verdict=Verdict.PASS, commander=Source.POLICY), "the policy has the arm"),
    ],
)
def test_the_first_line_says_who_has_the_arm(robot, sight, headline):
    assert headline in shown(robot, sight)


def test_keys_joints_and_a_picture_are_shown(robot):
    image = np.zeros((80, 128, 3), np.uint8)
    sight = Sight(verdict=Verdict.PASS, measured_rad=np.radians([10, -20, 30, 40, 50, 60]),
                  picture=image)  # fmt: skip
    text = shown(robot, sight)
    for control in CONTROLS:
        assert control.action in text
    assert "-20.0°" in text
    assert "▀" * 64 in text


def test_a_joint_outside_its_limits_is_drawn_at_the_edge(robot):
    assert "●" in shown(robot, Sight(verdict=Verdict.PASS, measured_rad=robot.upper_rad + 1))


def test_elsewhere_than_on_a_terminal_only_changes_are_said(robot):
    text = shown(robot, Sight(verdict=Verdict.HOLD, rule="nothing_yet"), terminal=False)
    assert text.strip().splitlines() == ["the arm holds (nothing_yet);"]


def test_a_picture_keeps_its_shape_and_its_colours():
    image = np.zeros((40, 20, 3), np.uint8)
    image[:, 10:] = (255, 0, 0)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    lines = console.render_lines(Picture(image), pad=False)
    assert len(lines) == 20
    assert [segment.text for segment in lines[0]] == ["▀" * 10, "▀" * 10]
    assert lines[0][1].style.color.triplet == (240, 0, 0)
