"""The session as a person sees it: streams, phase, keys and progress, on standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lam_ros.record.loop import Ended, Phase
from lam_ros.recording.status import Level, StreamStatus
from lam_ros.teleop.port import Control

DRAW_EVERY_S = 0.2

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.ERROR: "red", Level.STALE: "red"}
_MARKS = {Level.OK: "●", Level.WARN: "▲", Level.ERROR: "✗", Level.STALE: "✗"}


@dataclass(frozen=True)
class Picture:
    """What is to be seen now.

    Attributes:
        phase_text: one line on where the session is.
        disk_left_s: negative while it is not known.
        status: of the teleoperator.
    """

    phase: Phase
    phase_text: str
    statuses: Sequence[StreamStatus]
    kept: int
    wanted: int
    discarded: int
    disk_left_s: float
    free_gb: float
    status: str = ""


class RecordView:
    """Redrawn in place on a terminal; else a line for each change.

    Attributes:
        device_controls: with what the person moves the arm.
    """

    def __init__(self, task: str, controls: Sequence[Control], *, sound: bool = True) -> None:
        """Show nothing yet."""
        self.console = Console(stderr=True, highlight=False)
        self._task, self._controls = task, controls
        self.device_controls: Sequence[Control] = ()
        self._sound = sound and self.console.is_terminal
        self._live = Live(console=self.console, auto_refresh=False, redirect_stderr=False)
        self._said = ""

    @property
    def is_terminal(self) -> bool:
        """True if a person can watch."""
        return self.console.is_terminal

    def show(self, picture: Picture) -> None:
        """Show how things are."""
        if self.is_terminal:
            self._live.update(self._draw(picture), refresh=True)
        elif picture.phase_text != self._said and picture.phase in (Phase.GATE, Phase.RECORDING):
            self._said = picture.phase_text
            self.line(picture.phase_text)

    def beep(self, times: int = 1) -> None:
        """Give a sound cue, where there is a terminal that has one."""
        if self._sound:
            for _ in range(times):
                self.console.bell()

    def line(self, text: str, style: str = "") -> None:
        """Print one line that stays."""
        self.console.print(Text(text, style), soft_wrap=True)

    def ended(self, number: int, episode: Ended) -> None:
        """Say how an episode ended."""
        mark, style = ("✓", "green") if episode.is_kept else ("✗", "yellow")
        missing = f", {episode.dropped} missing" if episode.dropped else ""
        self.line(
            f"{mark} episode {number}: {episode.outcome}, {episode.seconds:.1f} s, "
            f"{episode.frames} frames{missing}: {episode.reason}",
            style,
        )

    def _draw(self, picture: Picture) -> Group:
        progress = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=picture.wanted, completed=picture.kept, width=30)
        counts = f"{picture.kept} of {picture.wanted} kept, {picture.discarded} discarded"
        progress.add_row(bar, counts, _disk_text(picture))
        style = "bold red" if picture.phase is Phase.RECORDING else "bold cyan"
        own = {control.name for control in self._controls}
        moving = [control for control in self.device_controls if control.name not in own]
        return Group(
            Text(f"“{self._task}”", "bold"),
            Text(picture.phase_text, style),
            _table(picture.statuses),
            progress,
            Text(picture.status, "dim"),
            *(_keys(controls) for controls in (moving, self._controls) if controls),
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        if self.is_terminal:
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


def _keys(controls: Sequence[Control]) -> Text:
    return Text("   ".join(f"[{control.name}] {control.action}" for control in controls), "dim")


def _table(statuses: Sequence[StreamStatus]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("stream")
    for name in ("rate", "age", "frames", "missing"):
        table.add_column(name, justify="right")
    table.add_column("")
    for status in statuses:
        if not status.wanted_hz and not status.count and status.level < Level.ERROR:
            continue
        rate = f"{status.rate_hz:.1f}" + (f" / {status.wanted_hz:g} Hz" if status.wanted_hz else "")
        age = "" if status.age_ms < 0 else f"{status.age_ms:.0f} ms"
        style = _STYLES[status.level]
        table.add_row(
            Text(f"{_MARKS[status.level]} {status.name}", style),
            rate, age, str(status.count), str(status.dropped or ""), Text(status.message, style),
        )  # fmt: skip
    return table


def _disk_text(picture: Picture) -> Text:
    text = f"{picture.free_gb:.0f} GB free"
    if picture.disk_left_s < 0:
        return Text(text, "dim")
    hours = picture.disk_left_s / 3600
    return Text(f"{text}, {hours:.1f} h at this rate", "red" if hours < 0.5 else "dim")
