"""What an evaluation shows while it runs, and where it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def success_bar(
    console: Console, name: str, total: int
) -> Iterator[Callable[[str, list[bool]], None]]:
    """Show a bar; gives what takes a line and the successes so far, after each of `total`."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("success {task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
    )
    with progress:
        bar = progress.add_task(name, total=total, rate="-")

        def tell(line: str, successes: list[bool]) -> None:
            rate = sum(successes) / max(1, len(successes))
            progress.update(bar, advance=1, description=line, rate=f"{rate:.1%}")

        yield tell


def report_folder(out: str) -> Path:
    """Return the folder of a report: the one asked for, or one of this moment in `runs`."""
    return Path(out) if out else Path("runs") / f"eval-{time.strftime('%Y%m%d-%H%M%S')}"
