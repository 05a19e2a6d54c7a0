"""`lam episodes show`: look at recordings, print what was found, write a page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from lam_ros.core.errors import ExitCode, MachineError
from lam_ros.core.robot import RobotDescription
from lam_ros.recording.convert.command import find_recordings
from lam_ros.recording.convert.naming import Naming, load_naming
from lam_ros.recording.quality.look import Look, look_at
from lam_ros.recording.quality.page import page
from lam_ros.recording.quality.summary import summarise


def main(arguments: argparse.Namespace) -> int:
    """Look at what a command line names, and return the exit code.

    Raises:
        DataError: if there is no recording.
        MachineError: if the page cannot be written.
    """
    console = Console(stderr=True)
    folders = find_recordings([Path(item) for item in arguments.folders])
    robot, naming = load_naming(arguments.robot) if arguments.robot else (None, Naming())
    found = _look_at_all(folders, robot, naming)
    looks = list(track(found, "looking", len(folders), console=console, transient=True))
    summary = summarise(looks)
    summary.print(console)
    if arguments.report:
        title = ", ".join(str(item) for item in arguments.folders)
        _write(Path(arguments.report), page(f"Recordings in {title}", summary))
        console.print(f"page: {arguments.report}", highlight=False)
    if arguments.json:
        print(json.dumps(summary.to_dict()))
    return int(ExitCode.DONE)


def _look_at_all(
    folders: Sequence[Path], robot: RobotDescription | None, naming: Naming
) -> Iterator[Look]:
    """Yield a look at each; two at a time, as decoding needs no interpreter."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(partial(look_at, robot=robot, naming=naming), folders)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MachineError(
            f"page {path}: cannot be written ({error.strerror}); name another --report"
        ) from None
