"""The command line of `lam record`."""

from __future__ import annotations

import argparse


def add_record(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `record`."""
    summary = "record a session of episodes: teleoperation to bags that can be trusted"
    examples = (
        'lam record task="put the red cube in the blue bowl" episodes=20',
        'lam record task="put the red cube in the blue bowl" teleop=keyboard session=monday',
        'lam record task="stack the cubes" teleop=leader sim=false teleop.options.port=/dev/ttyACM0',
        'lam record task="put the red cube in the blue bowl" episodes=2 --json',
    )
    parser = commands.add_parser(
        "record",
        help=summary,
        description=f"{summary}; without a person at the terminal, successes are kept",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="keys of config/record.yaml"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    parser.set_defaults(handler=_record)


def _record(arguments: argparse.Namespace) -> int:
    from lam_ros.record.command import main

    return main(arguments)
