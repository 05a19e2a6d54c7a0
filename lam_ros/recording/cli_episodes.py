"""`lam episodes VERB`: look at recordings and mend them; one function a verb."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lam_ros.recording.recover import Recovery
    from lam_ros.recording.session import EpisodeEntry

type Verbs = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_ROOT = "recordings"


def add_episodes(commands: Verbs) -> None:
    """Add `lam episodes` and its verbs to the command."""
    summary = "look at recorded episodes and repair what was cut off"
    parser = commands.add_parser("episodes", help=summary, description=summary)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (_add_list, _add_show, _add_replay, _add_recover):
        add(verbs)


def add_verb(
    verbs: Verbs, name: str, summary: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """Add a verb with its examples and the `--json` flag that all share."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    return parser


# -- list ------------------------------------------------------------------------------


def _add_list(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "list",
        "list episodes: instruction, outcome, length, size, and what is wrong",
        ["lam episodes list", "lam episodes list recordings/monday --json"],
    )
    parser.add_argument("root", nargs="?", default=DEFAULT_ROOT, help="recordings, or one session")
    parser.set_defaults(handler=_list)


def _list(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from lam_ros.core.errors import ExitCode
    from lam_ros.recording.session import list_episodes

    root = Path(arguments.root)
    entries = list_episodes(root)
    if entries:
        _print_table(Console(stderr=True), root, entries)
    else:
        print(f"no episodes below {root}; record one: lam record task='...'", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"episodes": [_row(entry) for entry in entries]}))
    return int(ExitCode.DONE)


def _print_table(console: Any, root: Path, entries: Sequence[EpisodeEntry]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=str(root))
    for heading in ("episode", "instruction", "outcome"):
        table.add_column(heading)
    for heading in ("seconds", "messages", "MB"):
        table.add_column(heading, justify="right")
    for entry in entries:
        row = _row(entry)
        seconds = "-" if row["seconds"] is None else f"{row['seconds']:.1f}"
        cells = (
            str(entry.folder.relative_to(root)) if entry.folder != root else entry.folder.name,
            row["instruction"],
            row["outcome"] or ("recording" if entry.is_open else "-"),
            seconds,
            "-" if row["messages"] is None else str(row["messages"]),
            f"{entry.size_bytes / 1e6:.1f}",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    for entry in entries:
        if entry.trouble:
            print(f"{entry.folder}: {entry.trouble}", file=sys.stderr)


def _row(entry: EpisodeEntry) -> dict[str, Any]:
    meta, result = entry.meta, entry.result
    return {
        "folder": str(entry.folder),
        "episode_id": meta.episode_id if meta else "",
        "instruction": meta.instruction if meta else "",
        "outcome": str(result.outcome) if result else "",
        "reason": result.reason if result else "",
        "seconds": result.duration_ns / 1e9 if result else None,
        "messages": sum(result.frames.values()) if result else None,
        "size_bytes": entry.size_bytes,
        "is_open": entry.is_open,
        "trouble": entry.trouble,
    }


# -- show ------------------------------------------------------------------------------


def _add_show(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "show",
        "judge episodes: rates, gaps, ages, camera delay, jerk, idle time; flag those that stick out",
        [
            "lam episodes show",
            "lam episodes show recordings/monday --report monday.html",
            "lam episodes show bags/theirs --robot their_arm.yaml --json",
        ],
    )
    parser.add_argument(
        "folders", nargs="*", default=[DEFAULT_ROOT], metavar="FOLDER", help="bags or their folders"
    )
    parser.add_argument("--robot", default="", metavar="YAML", help="robot of bags made elsewhere")
    parser.add_argument(
        "--report", default="", metavar="FILE", help="write a page (HTML, one file)"
    )
    parser.set_defaults(handler=_show)


def _show(arguments: argparse.Namespace) -> int:
    from lam_ros.recording.quality.command import main

    return main(arguments)


# -- replay ----------------------------------------------------------------------------


def _add_replay(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "replay",
        "send a recording's commands again, through the safety room, and compare how it ends",
        [
            "lam episodes replay recordings/monday --episode 3",
            "lam episodes replay recordings/monday/episode_000003 --speed 0.5 --json",
            "lam episodes replay recordings/monday --episode 3 --to arm --speed 0.3",
        ],
    )
    parser.add_argument("folder", metavar="FOLDER", help="a recording, or a folder of them")
    parser.add_argument("--episode", type=int, default=None, metavar="N", help="only this one")
    parser.add_argument(
        "--to",
        choices=("sim", "arm"),
        default="sim",
        help="the simulator in lockstep, or the arm on the running graph (default sim)",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=None,
        help="1 as it was recorded, less is slower (default 1, to the arm 0.5)",
    )
    parser.add_argument(
        "--seed", type=int, default=None, help="scene to begin with (default: the recorded one)"
    )
    parser.add_argument("--robot", default="", metavar="YAML", help="robot of bags made elsewhere")
    parser.set_defaults(handler=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    from lam_ros.recording.replay.command import main

    return main(arguments)


# -- recover ---------------------------------------------------------------------------


def _add_recover(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "recover",
        "close episodes that were cut off, with everything intact in them; say what was lost",
        ["lam episodes recover", "lam episodes recover recordings/monday/episode_000007"],
    )
    parser.add_argument(
        "folders",
        nargs="*",
        default=[DEFAULT_ROOT],
        metavar="FOLDER",
        help="episodes (looked through to the last byte), or folders of them (those cut off)",
    )
    parser.set_defaults(handler=_recover)


def _recover(arguments: argparse.Namespace) -> int:
    from lam_ros.core.errors import ExitCode, LamError
    from lam_ros.recording.recover import recover

    done: list[Recovery] = []
    failed: dict[str, str] = {}
    for folder in _to_recover(map(Path, arguments.folders)):
        try:
            done.append(recover(folder))
            print(f"{folder}: {done[-1].what}", file=sys.stderr)
        except LamError as error:
            failed[str(folder)] = str(error)
            print(f"{folder}: {error}", file=sys.stderr)
    if not done and not failed:
        print("nothing is cut off", file=sys.stderr)
    if arguments.json:
        rows = [
            {
                "folder": str(one.folder),
                "changed": one.changed,
                "messages": one.kept,
                "lost_seconds": one.lost_ns / 1e9,
                "what": one.what,
            }
            for one in done
        ]
        print(json.dumps({"recovered": rows, "failed": failed}))
    return int(ExitCode.TASK_FAILED if failed else ExitCode.DONE)


def _to_recover(folders: Any) -> list[Path]:
    """Return the bags that are named themselves, and those below with something wrong."""
    from lam_ros.recording.session import list_episodes

    found: list[Path] = []
    for folder in folders:
        entries = list_episodes(folder)
        is_bag = len(entries) == 1 and entries[0].folder == folder
        found += [one.folder for one in entries if is_bag or (one.trouble and not one.is_open)]
    return found
