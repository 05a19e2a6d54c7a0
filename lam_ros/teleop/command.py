"""`lam teleop`: a person, or the script, moves the arm."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lam_ros.core.errors import ConfigError, ExitCode, MachineError

if TYPE_CHECKING:
    from lam_ros.run.settings import RunSettings
    from lam_ros.teleop.session import Sitting

_GROUPS = ("robot", "teleop")

EXAMPLES = (
    "lam teleop                                     # keyboard, in simulation",
    "lam teleop teleop=gamepad teleop.options.frame=tool",
    "lam teleop teleop=leader teleop.options.port=/dev/ttyACM0",
    'lam teleop teleop=expert --task "put the red cube in the blue bowl"',
    "lam teleop teleop=lerobot teleop.options.name=koch_leader "
    "'teleop.options.arguments=[--port=/dev/ttyACM0]'",
    'lam teleop --instruction "put the red cube in the blue bowl"   # a policy does; step in',
    "lam teleop --attach                            # the graph of this ROS_DOMAIN_ID",
)


def add_teleop(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `lam`."""
    summary = "move the arm yourself: keyboard, gamepad, leader arm, any LeRobot teleoperator"
    parser = commands.add_parser(
        "teleop",
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="hydra overrides of the keys in config/"
    )
    parser.add_argument("--task", default="", help="what the script (teleop=expert) does")
    parser.add_argument(
        "--instruction", default="", help="what a policy does, until you take the arm from it"
    )
    parser.add_argument("--seed", type=int, default=0, help="fixes the scene (default 0)")
    parser.add_argument(
        "--attach", action="store_true", help="join a running graph; start no simulation"
    )
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long")
    parser.add_argument("--out", default="", metavar="DIR", help="folder of the logs")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    parser.set_defaults(handler=main)


def main(arguments: argparse.Namespace) -> int:
    """Run one sitting and return the exit code.

    Raises:
        LamError: if it cannot begin, or a part of it dies.
    """
    from lam_ros.composing import compose_config

    data = compose_config("teleop", arguments.overrides)
    if arguments.task:
        _set_task(data["teleop"], arguments.task)
    sitting = _sit(arguments, data)
    if arguments.json:
        print(json.dumps({"teleop": data["teleop"]["type"], **asdict(sitting)}))
    failed = sitting.finished and not sitting.status.endswith("done")
    return int(ExitCode.TASK_FAILED if failed else ExitCode.DONE)


def _set_task(teleop: dict[str, Any], task: str) -> None:
    if teleop["type"] != "expert":
        raise ConfigError(
            f"--task: only the script takes one, and the teleoperator is '{teleop['type']}'; "
            "add teleop=expert"
        )
    teleop["options"]["task"] = task


def _sit(arguments: argparse.Namespace, data: Mapping[str, Any]) -> Sitting:
    from lam_ros.locks import hold_domain
    from lam_ros.segments import remove_dead_segments
    from lam_ros.supervisor import Supervisor
    from lam_ros.teleop.panel import TeleopPanel
    from lam_ros.teleop.session import Session

    settings = _settings(data, arguments.instruction)
    run_dir = _run_dir(arguments.out)
    where = "attached" if arguments.attach else f"simulation, seed {arguments.seed}"
    title = f"lam teleop · {data['teleop']['type']} · {settings.robot.name} · {where}"
    files = _write(data, run_dir / "config")
    node = {"robot": files["robot"], "teleop": files["teleop"]}
    more = (arguments.seconds, arguments.instruction)
    if arguments.attach:
        with TeleopPanel(title, settings.robot) as panel:
            return Session(settings.robot, None, panel, *more).run(node)
    specs = _specs(settings, arguments, run_dir)
    remove_dead_segments()
    domain_id, lock = hold_domain()
    with lock, TeleopPanel(title, settings.robot) as panel:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        host = Supervisor(specs, run_dir, domain_id)
        return Session(settings.robot, host, panel, *more).run(node)


def _settings(data: Mapping[str, Any], instruction: str) -> RunSettings:
    """Return what `lam run` would be told, with every group checked in one line."""
    from lam_ros.config import build
    from lam_ros.core.robot import RobotDescription
    from lam_ros.evaluation.settings import PolicyConfig, control_config
    from lam_ros.run.settings import RunSettings
    from lam_ros.teleop.settings import TeleopSettings
    from lam_sim.scenes import SceneConfig

    control_config(data["control"], data["safety"])
    build(TeleopSettings, data["teleop"], "teleop")
    settings = RunSettings(
        robot=RobotDescription.from_dict(data["robot"]),
        scene=build(SceneConfig, data["scene"], "scene"),
        policy=build(PolicyConfig, data["policy"], "policy"),
        groups={name: data[name] for name in ("robot", "control", "safety", "planner")},
    )
    if instruction and settings.is_scripted:
        raise ConfigError(
            "--instruction: the script drives as a person does and cannot be stepped in for; "
            "use policy=lam, or teleop=expert --task"
        )
    return settings.for_instruction(instruction) if instruction else settings


def _specs(settings: RunSettings, arguments: argparse.Namespace, run_dir: Path) -> Any:
    """Return the nodes to start: the arm, and with an instruction who carries it out."""
    from dataclasses import replace

    from lam_ros.graph import EXPERT, arm_graph, sim_graph
    from lam_ros.run.parameters import Driver, driver_of, graph_parameters

    driver = driver_of(settings) if arguments.instruction else Driver("nobody", ())
    if not arguments.instruction:  # no checkpoint is needed, and none is looked for
        settings = replace(settings, policy=replace(settings.policy, type=EXPERT, checkpoint=""))
    parameters = graph_parameters(
        settings, driver, arguments.seed, run_dir, video=False, single_process=False
    )
    return (sim_graph if arguments.instruction else arm_graph)(parameters)


def _run_dir(out: str) -> Path:
    folder = Path(out) if out else Path("runs") / f"teleop-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot write the folder {folder} ({error.strerror}): give another with --out"
        ) from None
    return folder


def _write(data: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Write each group as a YAML file for the nodes; returns group -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name in _GROUPS:
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data[name], sort_keys=False), encoding="utf-8")
        paths[name] = str(path.resolve())
    return paths
