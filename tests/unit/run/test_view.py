"""What a person sees while a run goes on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lam_ros.core.skills import Skill, Step
from lam_ros.planning.outcome import PlannedStep
from lam_ros.planning.progress import PlanProgress, StepProgress, StepStatus
from lam_ros.run.timeline import Timeline
from lam_ros.run.view import View

PROMPTS = ("put the red cube in the blue bowl", "put the green cube on the yellow spot")


def timeline(*statuses: StepStatus) -> Timeline:
    """Return a timeline with a plan whose steps stand so."""
    made = Timeline(start_ns=1)
    steps = tuple(
        StepProgress(PlannedStep(Step(Skill.PLACE_IN, "a_1", "b_1"), prompt), status, "seen", 2.0)
        for prompt, status in zip(PROMPTS, statuses, strict=True)
    )
    made.plans.add(1, PlanProgress("both", steps, 0, 0, ""))
    return made


def shown(view: View, *, terminal: bool) -> io.StringIO:
    """Have a view write into a text."""
    text = io.StringIO()
    view.console = Console(file=text, force_terminal=terminal, width=100)
    view._live.console = view.console
    return text


def test_without_a_terminal_each_change_is_one_line() -> None:
    view = View("both")
    text = shown(view, terminal=False)
    with view:
        view.activity("starting sim")
        view.activity("starting sim")
        for statuses in (
            (StepStatus.RUNNING, StepStatus.PENDING),
            (StepStatus.RUNNING, StepStatus.PENDING),
            (StepStatus.DONE, StepStatus.RUNNING),
        ):
            view.plan(timeline(*statuses), 2)
    lines = text.getvalue().splitlines()
    assert lines[0] == "starting sim"
    assert [line[0] for line in lines[1:]] == ["▸", "✓", "▸"]


def test_on_a_terminal_the_plan_stays_at_the_end() -> None:
    view = View("both")
    text = shown(view, terminal=True)
    with view:
        view.plan(timeline(StepStatus.DONE, StepStatus.FAILED), 2)
        view.activity("drawing the film", 0.5)
    last = text.getvalue().rpartition("“both”")[2]
    assert PROMPTS[0] in last
    assert "✗" in last
    assert "drawing" not in last


@pytest.mark.parametrize("markup", ["[bold]x[/bold]", "[/]", "[red]"])
def test_words_are_never_markup(markup: str) -> None:
    view = View(markup)
    text = shown(view, terminal=True)
    with view:
        view.activity(markup)
        view.line(markup)
    assert markup in text.getvalue()
