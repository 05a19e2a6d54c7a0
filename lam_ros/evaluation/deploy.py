"""`lam deploy`: a checkpoint on an arm, if its signed evaluation says that it may."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError, ConfigError, ExitCode, MachineError
from lam_ros.evaluation.gate import Check, check, load_gate
from lam_ros.evaluation.signing import FILE, load_key, read
from lam_ros.paths import find_checkpoint


def add_deploy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `deploy`."""
    summary = "let a checkpoint drive an arm, if its signed evaluation passes config/eval/gate.yaml"
    examples = (
        "lam deploy runs/main/checkpoint robot=so101 --check",
        "lam deploy runs/main/checkpoint robot=so101 port=/dev/ttyACM0",
    )
    parser = commands.add_parser(
        "deploy",
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", help="name of a shipped checkpoint, or its folder")
    parser.add_argument(
        "overrides", nargs="*", default=[], metavar="name=value",
        help="arguments of `lam up robot`, robot among them",
    )  # fmt: skip
    parser.add_argument("--check", action="store_true", help="only tell whether it may")
    parser.add_argument("--out", default="", metavar="DIR", help="folder of the logs")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    parser.set_defaults(handler=main)


def main(arguments: argparse.Namespace) -> int:
    """Check, and start the arm if the gate is passed; return the exit code.

    Raises:
        CheckpointError: if the checkpoint cannot be used, or does not pass.
    """
    from lam_policies.checkpoint import open_checkpoint

    given = _given(arguments.overrides)
    robot = load_robot(given.get("robot", "so101"))
    checkpoint = open_checkpoint(find_checkpoint(arguments.checkpoint))
    name = checkpoint.folder.name
    robot.require_match(checkpoint.robot, f"checkpoint '{name}'")
    reports = read(checkpoint.folder)
    if not reports:
        raise CheckpointError(
            f"checkpoint '{name}': {FILE} is absent, so it drives no arm; evaluate it, "
            f"for example `lam eval suite=tabletop policy.checkpoint={arguments.checkpoint} --sign`"
        )
    try:
        key = load_key(make=False)
    except MachineError as error:
        raise CheckpointError(f"checkpoint '{name}': {error}") from None
    checks = check(load_gate(), reports, str(checkpoint.card["sha256"]), robot.fingerprint(), key)
    failed = [item for item in checks if not item.ok]
    Console(stderr=True).print(_table(name, checks))
    if arguments.json:
        rows = [vars(item) for item in checks]
        print(json.dumps({"checkpoint": checkpoint.policy_id, "ok": not failed, "checks": rows}))
    if failed:
        worst = failed[0]
        raise CheckpointError(
            f"checkpoint '{name}': {len(failed)} of {len(checks)} demands of "
            f"config/eval/gate.yaml are not met, first {worst.name}: {worst.found}, "
            f"{worst.needed} needed; it drives no arm"
        )
    return int(ExitCode.DONE) if arguments.check else _start(arguments, given)


def _given(overrides: list[str]) -> dict[str, str]:
    given = {}
    for item in overrides:
        name, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(f"'{item}': name=value is needed, for example robot=so101")
        given[name] = value
    for name in ("policy", "policy_path"):
        if name in given:
            raise ConfigError(f"'{name}': the checkpoint is named before; leave it out")
    return given


def _start(arguments: argparse.Namespace, given: dict[str, str]) -> int:
    """Start `lam up robot` with the checkpoint."""
    from lam_ros.up.command import main as up_main

    folder = find_checkpoint(arguments.checkpoint).resolve()
    overrides = [f"{name}={value}" for name, value in given.items()]
    return up_main(
        argparse.Namespace(
            command="up",
            name="robot",
            overrides=[*overrides, "policy=lam", f"policy_path={folder}"],
            show=False,
            out=arguments.out,
            json=arguments.json,
        )
    )


def _table(name: str, checks: list[Check]) -> Table:
    table = Table(title=f"checkpoint {name}: may it drive an arm?", title_justify="left")
    for column in ("", "demand", "needed", "found"):
        table.add_column(column)
    for item in checks:
        mark = "[green]yes[/]" if item.ok else "[red]no[/]"
        table.add_row(mark, item.name, item.needed, item.found)
    return table
