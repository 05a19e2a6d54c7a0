"""`lam record`: from the command line to a session, and from it to words and an exit code."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from lam_ros.core.errors import ExitCode, LamError
from lam_ros.locks import hold_domain
from lam_ros.record.session import RecordSession
from lam_ros.record.settings import (
    RecordSettings,
    load_record_settings,
    node_table,
    write_files,
)
from lam_ros.segments import remove_dead_segments
from lam_ros.supervisor import Supervisor

DOMAIN = "ROS_DOMAIN_ID"


def main(arguments: argparse.Namespace) -> int:
    """Record a session and return the exit code."""
    settings = load_record_settings(arguments.overrides)
    attended = sys.stdin.isatty() and sys.stderr.isatty()
    session = _record(settings, attended)
    _tell(session, Console(stderr=True, highlight=False, soft_wrap=True))
    if arguments.json:
        print(json.dumps(_report(session)))
    if session.interrupted:
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.TASK_FAILED if session.loop.trouble else ExitCode.DONE)


def _record(settings: RecordSettings, attended: bool) -> RecordSession:
    """Run the session; a simulated one on a domain of its own, where no real arm listens."""
    remove_dead_segments()
    with (
        _domain(settings) as domain_id,
        tempfile.TemporaryDirectory(prefix="lam-record-") as folder,
    ):
        os.environ[DOMAIN] = str(domain_id)
        files = write_files(settings, Path(folder))
        table = node_table(settings, files, Path(folder))
        host = Supervisor(table.specs, Path(folder), domain_id)
        session = RecordSession(settings, files, host, attended, table.driver)
        try:
            session.run()
        except LamError as error:
            if not session.loop.episodes:
                raise
            session.loop.trouble = str(error)  # what is recorded is told all the same
    return session


@contextmanager
def _domain(settings: RecordSettings) -> Iterator[int]:
    """Have a ROS domain: a private one for a simulation, else the person's."""
    if not settings.sim:
        yield int(os.environ.get(DOMAIN, "0"))
        return
    domain_id, lock = hold_domain()
    with lock:
        yield domain_id


def _tell(session: RecordSession, console: Console) -> None:
    loop = session.loop
    style = "bold red" if loop.trouble else "bold green"
    console.print(Text(f"{loop.kept} episodes kept, {loop.discarded} discarded", style))
    if loop.trouble:
        console.print(Text(f"lam record: {loop.trouble}", "bold red"))
    if loop.episodes:
        console.print(Text(f"  folder: {session.folder}", "dim"))
        console.print(Text(f"  look at them with: lam episodes show {session.folder}", "dim"))


def _report(session: RecordSession) -> dict[str, Any]:
    loop = session.loop
    return {
        "session": str(session.folder),
        "episodes": [
            {
                "folder": episode.folder,
                "outcome": str(episode.outcome),
                "reason": episode.reason,
                "seconds": episode.seconds,
                "frames": episode.frames,
                "dropped": episode.dropped,
                "seed": episode.seed,
            }
            for episode in loop.episodes
        ],
        "kept": loop.kept,
        "discarded": loop.discarded,
        "trouble": loop.trouble,
    }
