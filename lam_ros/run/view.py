"""The run as a person sees it while it happens: the plan, step by step, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lam_ros.planning.progress import PlanProgress, StepProgress, StepStatus
from lam_ros.planning.tree_view import NodeStatus, as_text, worth_showing
from lam_ros.run.timeline import Timeline

_MARKS = {
    StepStatus.PENDING: ("·", "dim"),
    StepStatus.RUNNING: ("▸", "cyan"),
    StepStatus.DONE: ("✓", "green"),
    StepStatus.FAILED: ("✗", "red"),
    StepStatus.SKIPPED: ("–", "dim"),
}


class View:
    """Shows progress: redrawn in place on a terminal, else one line for each change."""

    def __init__(self, instruction: str, *, show: bool = True) -> None:
        """Show nothing yet; with `show` false nothing ever."""
        self.console = Console(stderr=True, quiet=not show, highlight=False)
        self._instruction = instruction
        self._said: set[tuple[str, StepStatus]] = set()
        self._live = Live(
            console=self.console, auto_refresh=False, transient=False, redirect_stderr=False
        )
        self._activity = ""
        self.hint = ""
        self._spinner = Spinner("dots")
        self._plan: RenderableType = Text("")

    def activity(self, text: str, share: float | None = None) -> None:
        """Say what is going on outside the plan, and which share of it is done."""
        if self.console.is_terminal:
            percent = "" if share is None else f" {share:.0%}"
            self._spinner.update(text=Text(f"{text}{percent}", "dim"))
            self._draw(self._spinner)
        elif text != self._activity:
            self.line(text)
        self._activity = text

    def plan(self, timeline: Timeline, now_ns: int) -> None:
        """Show the plan as it stands."""
        progress = timeline.plans.at(now_ns)
        if progress is None:
            return
        if self.console.is_terminal:
            self._plan = _tree(progress) if progress.tree else _table(progress)
            status = timeline.status_line(now_ns)
            self._draw(Text("   ".join(filter(None, (status, self.hint))), "dim"))
        else:
            self._say_changes(progress)

    def line(self, text: str, style: str = "") -> None:
        """Print one line that stays."""
        self.console.print(Text(text, style), soft_wrap=True)

    def _draw(self, below: RenderableType | None) -> None:
        title = Text(f"“{self._instruction}”", "bold")
        parts = [title, self._plan, *([below] if below is not None else [])]
        self._live.update(Group(*parts), refresh=True)

    def _say_changes(self, progress: PlanProgress) -> None:
        for step in progress.steps:
            key = (step.planned.prompt, step.status)
            if key not in self._said and step.status is not StepStatus.PENDING:
                self._said.add(key)
                self.line(_line(step))

    def __enter__(self) -> Self:
        """Begin to show."""
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Leave the plan standing as it ended."""
        if self.console.is_terminal:
            self._draw(None)
        self._live.stop()


def _table(progress: PlanProgress) -> Table:
    table = Table.grid(padding=(0, 1))
    for index, step in enumerate(progress.steps, start=1):
        mark, style = _MARKS[step.status]
        seconds = f"{step.seconds:.1f} s" if step.seconds else ""
        outcome = step.outcome if step.status in (StepStatus.FAILED, StepStatus.SKIPPED) else ""
        table.add_row(
            Text(mark, style), f"{index}.", Text(step.planned.prompt, style), seconds,
            Text(outcome, "dim"),
        )  # fmt: skip
    return table


_NODE_STYLES = {
    NodeStatus.IDLE: "dim",
    NodeStatus.RUNNING: "cyan",
    NodeStatus.SUCCESS: "green",
    NodeStatus.FAILURE: "red",
}


def _tree(progress: PlanProgress) -> RenderableType:
    """Return the behaviour tree, below the steps of plans that a new one replaced."""
    nodes = worth_showing(progress.tree)
    lines = as_text(nodes).splitlines()
    shown = [Text(line, _NODE_STYLES[node.status]) for line, node in zip(lines, nodes, strict=True)]
    prompts = {node.name for node in progress.tree}
    replaced = [step for step in progress.steps if step.planned.prompt not in prompts]
    before = [Text(_line(step), "dim") for step in replaced if step.outcome]
    return Group(*before, *shown[1:])


def _line(step: StepProgress) -> str:
    mark = _MARKS[step.status][0]
    more = f" ({step.seconds:.1f} s) {step.outcome}" if step.outcome else ""
    return f"{mark} {step.planned.prompt}{more}"
