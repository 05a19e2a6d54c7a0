"""The command line of `lam up`."""

from __future__ import annotations

import argparse


def add_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `up`."""
    summary = "start an arm with all its nodes, as the launch files do, and watch over them"
    examples = (
        "lam up sim seed=7",
        "lam up robot port=/dev/ttyACM0 cameras=front:/dev/video0,wrist:/dev/video2",
        "lam up sim robot=franka driver=ros2_control policy=expert",
        "lam up teleop teleop=gamepad sim=false",
        "lam up record teleop=none",
        "lam up sim namespace=left policy=expert",
        "lam up sim --show",
    )
    parser = commands.add_parser(
        "up",
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="sim, robot, teleop or record")
    parser.add_argument(
        "overrides", nargs="*", default=[], metavar="name=value",
        help="arguments, the same as of `ros2 launch lam_ros NAME.launch.py`; docs/launch.md",
    )  # fmt: skip
    parser.add_argument("--show", action="store_true", help="print the table; start nothing")
    parser.add_argument("--out", default="", metavar="DIR", help="folder of the logs")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    parser.set_defaults(handler=_up)


def _up(arguments: argparse.Namespace) -> int:
    from lam_ros.up.command import main

    return main(arguments)
