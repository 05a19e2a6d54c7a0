"""`lam calibrate table`: print a board, photograph it on the table, know where the camera is."""

from __future__ import annotations

import argparse
from typing import Any


def add_calibrate(commands: Any) -> None:
    """Add the subcommand to the parser of `lam`."""
    summary = "find where a camera is from a printed board on the table"
    examples = [
        "lam calibrate table --print board.png",
        "lam calibrate table --image front.png --out calibration/front.yaml",
        "lam calibrate table --image front.png --board-at 0.10 0.09 --board-yaw -90 --json",
    ]
    parser = commands.add_parser(
        "calibrate",
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["table"], help="what to calibrate against")
    parser.add_argument("--print", dest="print_to", default="", metavar="PNG", help="write a board")
    parser.add_argument(
        "--image", nargs="+", default=[], metavar="FILE",
        help="pictures; in the first the board lies on the table, in others it may be anywhere",
    )  # fmt: skip
    parser.add_argument("--out", default="calibration.yaml", metavar="FILE", help="result")
    parser.add_argument("--fovy", type=float, default=0.0, help="vertical field of view [deg]")
    parser.add_argument("--square", type=float, default=36.0, help="edge of a square [mm]")
    parser.add_argument(
        "--board-at", type=float, nargs=2, default=[0.10, 0.09], metavar=("X", "Y"),
        help="where the board's first corner lies in the base frame [m]",
    )  # fmt: skip
    parser.add_argument(
        "--board-yaw", type=float, default=-90.0,
        help="turn of the board's longer side from the base's x axis [deg]",
    )  # fmt: skip
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    parser.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    from lam_ros.perception.command import run

    return run(arguments)
