"""What the collection of data shows while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def counting_bar(
    console: Console, name: str, total: int, kept: int
) -> Iterator[Callable[[int, str], None]]:
    """Show a bar, a line a step where there is no terminal.

    Gives what takes how many more are made, and what to say of them.

    Args:
        console: where to.
        name: of what is counted.
        total: how many there will be.
        kept: how many there are before the first is made.
    """
    columns = (TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn())
    start_s = time.monotonic()
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task(name, total=total, completed=kept)

        def advance(more: int, line: str) -> None:
            progress.update(bar, advance=more)
            if not console.is_terminal:
                spent_s = time.monotonic() - start_s
                done = progress.tasks[0].completed
                console.print(f"{line} {done:.0f}/{total} in {spent_s:.0f} s")

        yield advance
