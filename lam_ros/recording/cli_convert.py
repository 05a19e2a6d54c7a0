"""The command line of `lam convert`."""

from __future__ import annotations

import argparse

GAPS = ("split", "reject")


def add_convert(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `convert`."""
    summary = "turn recordings into a LeRobotDataset, or append them to one"
    examples = (
        "lam convert recordings/ --out data/demos",
        "lam convert recordings/monday recordings/tuesday --out data/demos --gaps reject",
        "lam convert bags/ --out data/theirs --robot their_arm.yaml --task 'fold the towel'",
        "lam convert recordings/ --out data/demos --push me/demos",
    )
    parser = commands.add_parser(
        "convert",
        help=summary,
        description=f"{summary}; what is in it already is not added again",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recordings", nargs="+", metavar="RECORDING", help="bags or their folders")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument("--fps", type=int, default=25, help="frames a second (default 25)")
    parser.add_argument(
        "--robot", default="", metavar="YAML", help="robot (default: the one in the recordings)"
    )
    parser.add_argument(
        "--gaps", choices=GAPS, default="split", help="what a gap does to its episode (split)"
    )
    parser.add_argument(
        "--by-task", action="store_true", help="end an episode where another subtask begins"
    )
    parser.add_argument("--task", default="", help="instruction of recordings that have none")
    parser.add_argument(
        "--outcomes",
        default="success,kept",
        help="episodes to take, by outcome (default success,kept)",
    )
    parser.add_argument(
        "--min-seconds", type=float, default=1.0, help="shorter pieces are left out (default 1)"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes (default: cores)")
    parser.add_argument(
        "--push", default="", metavar="REPO_ID", help="upload to the Hugging Face hub"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    parser.set_defaults(handler=_convert)


def _convert(arguments: argparse.Namespace) -> int:
    from lam_ros.recording.convert.main import main

    return main(arguments)
