"""`lam explain RUN`: the decision log of a run, checked and in words."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lam_ros.core.errors import ExitCode
from lam_ros.planning.decision_log import FILE, first_break, read_log
from lam_ros.planning.explaining import explained, summary


def main(run_dir: str, *, as_json: bool) -> int:
    """Explain a run; 1 if its log was changed after it was written.

    Raises:
        DataError: if there is no decision log, or it is none.
    """
    given = Path(run_dir)
    path = given if given.is_file() else given / FILE
    entries = read_log(path)
    broken = first_break(entries)
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    for seconds, title, text in explained(entries):
        table.add_row(Text(seconds, "dim", justify="right"), Text(title, "bold"), Text(text))
    console.print(table)
    console.print(Text(summary(entries), "bold"))
    if broken:
        console.print(Text(f"do not trust this log: {broken}", "bold red"))
    else:
        console.print(Text(f"the chain of {len(entries)} entries is whole", "green"))
    if as_json:
        rows = [asdict(entry) for entry in entries]
        print(json.dumps({"whole": not broken, "broken": broken, "entries": rows}))
    return int(ExitCode.TASK_FAILED if broken else ExitCode.DONE)
