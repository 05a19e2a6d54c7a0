"""The command line: what its help shows can be typed, and what it lacks is said."""

from __future__ import annotations

import argparse
import shlex

import pytest

from lam_policies.training.command import load_config
from lam_ros import cli
from lam_ros.config import named_env
from lam_ros.evaluation.metaworld.settings import load_settings as load_env_settings
from lam_ros.evaluation.settings import load_settings
from lam_ros.run.settings import load_run_settings

COMPOSE = {"run": load_run_settings, "eval": load_settings, "train": load_config}


def examples() -> list[str]:
    """Return every example of every subcommand's help."""
    actions = cli._parser()._actions
    commands = next(a for a in actions if isinstance(a, argparse._SubParsersAction)).choices
    lines = [
        line.strip() for parser in commands.values() for line in (parser.epilog or "").splitlines()
    ]
    return [line for line in lines if line.startswith("lam ")]


@pytest.mark.parametrize("example", examples())
def test_every_example_of_the_help_is_understood(example: str) -> None:
    arguments = cli._parse(cli._parser(), shlex.split(example)[1:])
    if arguments.command == "eval" and named_env(arguments.overrides):
        load_env_settings(arguments.overrides)
    elif arguments.command in COMPOSE:
        COMPOSE[arguments.command](arguments.overrides)


def test_every_command_has_an_example() -> None:
    assert len({example.split()[1] for example in examples()}) >= 7


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["run"], "required: instruction\n"),
        (["run", "put it there", "--sed", "3"], "unrecognized argument: --sed"),
        (["run", "put it there", "--json", "no_override"], "unrecognized argument: no_override"),
        (["runn", "put it there"], "invalid choice: 'runn'"),
        ([], "required: COMMAND"),
    ],
)
def test_what_cannot_be_parsed_is_named(
    typed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli._parse(cli._parser(), typed)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", *sorted({x.split()[1] for x in examples()})])
def test_help_is_printed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([*([command] if command else []), "--help"])
    assert stop.value.code == 0
    assert "usage: lam" in capsys.readouterr().out
