"""What a teleoperating person sees: who has the arm, the joints, the keys, and a camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Self

import numpy as np
from rich.color import Color
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.measure import Measurement
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, ImageArray, Source, Verdict
from lam_ros.teleop.port import Control

PICTURE_COLUMNS = 64
_COARSE = 0xF0
"""Bits of a colour that a terminal's picture shows."""

_BAR = 24


@dataclass(frozen=True, eq=False)
class Sight:
    """What is to be shown now.

    Attributes:
        engaged: whether the person has hold of the arm.
        commander: who the control node listens to.
        verdict: of the safety room; None if the control node is silent.
        rule: by which rule.
        status: of the device.
        idle: why nothing is being asked for; empty while something is.
        measured_rad: joints, shape (J,), None if they are unknown.
        plan: of an instruction that a policy carries out, a line each step.
        picture: of a camera, rgb8, shape (H, W, 3), or None.
    """

    engaged: bool = False
    commander: Source = Source.NONE
    verdict: Verdict | None = None
    rule: str = ""
    status: str = ""
    idle: str = ""
    measured_rad: FloatArray | None = None
    plan: tuple[str, ...] = ()
    picture: ImageArray | None = None

    @property
    def headline(self) -> Text:
        """Return who has the arm, in one line."""
        if self.verdict is None:
            return Text("the control node is silent", "bold red")
        if self.verdict is Verdict.STOP:
            return Text("STOPPED: ctrl+r, or lam estop --reset, releases the e-stop", "bold red")
        note = f" ({self.rule})" if self.verdict is not Verdict.PASS else ""
        if self.engaged:
            return Text(f"YOU have the arm{note}", "bold green" if not note else "bold yellow")
        if self.verdict is Verdict.HOLD:
            return Text(f"the arm holds{note}", "bold cyan")
        return Text(f"the {self.commander} has the arm{note}", "bold magenta")


class TeleopPanel:
    """Drawn in place on a terminal; elsewhere one line for each change."""

    def __init__(
        self,
        title: str,
        robot: RobotDescription,
        *,
        show: bool = True,
        console: Console | None = None,
    ) -> None:
        """Show nothing yet; with `show` false nothing ever."""
        self.console = console or Console(stderr=True, quiet=not show, highlight=False)
        self._title = title
        self._names = robot.joint_names
        self._lower, self._upper = robot.lower_rad, robot.upper_rad
        self._live = Live(
            console=self.console, auto_refresh=False, transient=False, redirect_stderr=False
        )
        self._said = ""

    def draw(self, sight: Sight, controls: tuple[Control, ...]) -> None:
        """Show how things stand."""
        if self.console.is_terminal:
            self._live.update(self.render(sight, controls), refresh=True)
            return
        line = "; ".join([sight.headline.plain, sight.idle or sight.status, *sight.plan])
        if line != self._said:
            self._said = line
            self.line(line)

    def line(self, text: str, style: str = "") -> None:
        """Print one line that stays."""
        self.console.print(Text(text, style), soft_wrap=True)

    def render(self, sight: Sight, controls: tuple[Control, ...]) -> RenderableType:
        """Return the panel."""
        side = Table.grid(padding=(0, 2))
        side.add_row(self._keys(controls), self._joints(sight.measured_rad))
        note = Text(sight.status, "dim")
        if sight.idle:
            note.append(f"  {sight.idle}", "dim italic")
        plan = [Text(line, "magenta") for line in sight.plan]
        parts: list[RenderableType] = [sight.headline, note, *plan, Text(), side]
        if sight.picture is not None:
            parts += [Text(), Picture(sight.picture)]
        return Panel(Group(*parts), title=self._title, title_align="left", expand=False)

    def _keys(self, controls: tuple[Control, ...]) -> Table:
        table = Table.grid(padding=(0, 1))
        for control in controls:
            table.add_row(Text(control.name, "bold"), control.action)
        return table

    def _joints(self, measured: FloatArray | None) -> Table:
        table = Table.grid(padding=(0, 1))
        for index, name in enumerate(self._names):
            if measured is None:
                table.add_row(name, Text("unknown", "dim"), "")
                continue
            low, high = self._lower[index], self._upper[index]
            share = float(np.clip((measured[index] - low) / (high - low), 0.0, 1.0))
            near = share < 0.03 or share > 0.97
            at = round(share * (_BAR - 1))
            bar = Text("─" * at + "●" + "─" * (_BAR - 1 - at), "yellow" if near else "cyan")
            table.add_row(name, bar, f"{np.degrees(measured[index]):7.1f}°")
        return table

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
        """Leave the last picture standing."""
        self._live.stop()


class Picture:
    """A picture as coloured half blocks; neighbours of about one colour are one piece."""

    def __init__(self, image: ImageArray, columns: int = PICTURE_COLUMNS) -> None:
        """Show a picture: rgb8, shape (H, W, 3), two rows of it in a line of `columns`."""
        height, width = image.shape[:2]
        self._columns = min(columns, width)
        rows = max(2, round(height * self._columns / width) // 2 * 2)
        across = np.arange(self._columns) * width // self._columns
        self._small = image[(np.arange(rows) * height // rows)[:, None], across] & _COARSE

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how wide it is."""
        return Measurement(self._columns, self._columns)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        packed = self._small.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
        for above, below in zip(packed[::2], packed[1::2], strict=True):
            ends = np.flatnonzero(np.diff(above) | np.diff(below)) + 1
            starts = [0, *ends.tolist()]
            for start, end in zip(starts, [*starts[1:], self._columns], strict=True):
                yield Segment("▀" * (end - start), _style(int(above[start]), int(below[start])))
            yield Segment.line()


@lru_cache(maxsize=8192)
def _style(above: int, below: int) -> Style:
    return Style.from_color(*(Color.from_rgb(*value.to_bytes(3)) for value in (above, below)))
