"""The `lam` command: one verb a subcommand, each imported only when it is used."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from lam_ros import __version__
from lam_ros.core.errors import ExitCode, LamError
from lam_ros.evaluation.deploy import add_deploy
from lam_ros.perception.cli import add_calibrate
from lam_ros.recording.cli_convert import add_convert
from lam_ros.recording.cli_episodes import add_episodes
from lam_ros.recording.cli_record import add_record
from lam_ros.teleop.command import add_teleop
from lam_ros.up.cli_up import add_up

Handler = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (DESIGN: 0, 1, 2, 3, 4, 130)."""
    from lam_ros import environment

    environment.ensure()
    arguments = _parse(_parser(), argv)
    try:
        handler: Handler = arguments.handler
        return int(handler(arguments))
    except LamError as error:
        print(f"lam {arguments.command}: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print(f"lam {arguments.command}: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse; key=value overrides may stand anywhere, also behind options.

    argparse gives `nargs="*"` only what stands before the first option.
    """
    arguments, rest = parser.parse_known_args(argv)
    overrides = [item for item in rest if "=" in item and not item.startswith("-")]
    if len(overrides) < len(rest) or (rest and not hasattr(arguments, "overrides")):
        unknown = next((item for item in rest if item not in overrides), rest[0])
        parser.error(f"unrecognized argument: {unknown}")
    if rest:
        arguments.overrides = [*arguments.overrides, *overrides]
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lam",
        description="A robot arm that does what it is told: run, evaluate, plan, train, measure.",
        epilog="example: lam run 'put the red cube in the blue bowl' --seed 7",
    )
    parser.add_argument("--version", action="version", version=f"lam {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_run, _add_eval, _add_plan, _add_data, _add_train, _add_bench, _add_doctor):
        add(commands)
    _add_explain(commands)
    add_record(commands)
    add_convert(commands)
    add_episodes(commands)
    add_teleop(commands)
    add_calibrate(commands)
    add_up(commands)
    _add_estop(commands)
    add_deploy(commands)
    return parser


type Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _command(
    commands: Commands, name: str, summary: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """Add a subcommand with its examples and the `--json` flag that all share."""
    parser = commands.add_parser(
        name,
        help=summary.replace("%", "%%"),  # argparse formats it
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line of stdout"
    )
    return parser


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overrides",
        nargs="*",
        default=[],
        metavar="key=value",
        help="hydra overrides of the keys in config/",
    )


def _add_run(commands: Commands) -> None:
    parser = _command(
        commands,
        "run",
        "carry out a typed instruction in simulation, through the whole ROS 2 graph",
        [
            'lam run "put the red cube in the blue bowl"',
            'lam run "put the red cube in the blue bowl, then the green one on the yellow spot"',
            'lam run "put the cube in the bowl" --seed 3 --answer "the red one"',
            'lam run "make it look like this" --goal-image wanted.png',
            'lam run "stack the red cube on the blue cube" --json "scene.cubes=[5,5]"',
        ],
    )
    parser.add_argument("instruction", help="what to do, in English")
    _add_overrides(parser)
    parser.add_argument("--seed", type=int, default=0, help="fixes the scene (default 0)")
    parser.add_argument("--answer", default="", help="answer to the question a run ended with")
    _add_goal_image(parser)
    parser.add_argument("--out", default="", metavar="DIR", help="folder of the run's files")
    parser.add_argument("--no-video", action="store_true", help="write no video and no pictures")
    parser.add_argument(
        "--single-process", action="store_true", help="all nodes in one process, for debugging"
    )
    parser.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    from lam_ros.run.command import main as run_main

    return run_main(arguments)


def _add_eval(commands: Commands) -> None:
    parser = _command(
        commands,
        "eval",
        "run seeded episodes in lockstep and report success with a 95 % interval",
        [
            "lam eval suite=pick_place",
            "lam eval suite=pick_place episodes=50 workers=2 --json",
            "lam eval suite=pick_place wording=heldout",
            "lam eval suite=pick_place policy=expert",
            "lam eval suite=tabletop axis=camera --out runs/camera",
            "lam eval suite=chains policy.checkpoint=runs/main/checkpoint --sign",
            "lam eval --compare runs/before runs/after",
            "lam eval env=metaworld policy.path=runs/metaworld/checkpoint tasks=ten episodes=10",
        ],
    )
    _add_overrides(parser)
    parser.add_argument("--out", default="", metavar="DIR", help="folder of the report")
    parser.add_argument(
        "--sign",
        action="store_true",
        help="also sign it and put it beside the checkpoint's weights",
    )
    parser.add_argument(
        "--compare", nargs=2, default=[], metavar="DIR",
        help="run nothing: compare two reports of the same episodes (McNemar's exact test)",
    )  # fmt: skip
    parser.set_defaults(handler=_eval)


def _eval(arguments: argparse.Namespace) -> int:
    from lam_ros.config import named_env
    from lam_ros.evaluation.command import compare_main
    from lam_ros.evaluation.command import main as eval_main

    if arguments.compare:
        return compare_main(arguments.compare, as_json=arguments.json)
    if named_env(arguments.overrides):
        return _eval_elsewhere(arguments)
    return eval_main(
        arguments.overrides, as_json=arguments.json, out=arguments.out, sign=arguments.sign
    )


def _eval_elsewhere(arguments: argparse.Namespace) -> int:
    """Evaluate in somebody else's environment."""
    from lam_ros.evaluation.metaworld.command import main as metaworld_main

    return metaworld_main(
        arguments.overrides, as_json=arguments.json, out=arguments.out, sign=arguments.sign
    )


def _add_plan(commands: Commands) -> None:
    parser = _command(
        commands,
        "plan",
        "show what would be done: a plan, a question or a refusal; nothing moves",
        [
            'lam plan "put the red cube in the blue bowl" --scene scene.json',
            'lam plan "stack the cubes" --scene scene.json --json',
            "lam plan --batch in.jsonl --out out.jsonl",
            'lam plan "mach Ordnung" --scene scene.json --llm http://localhost:11434/v1 '
            "--llm-model llama3.2",
            'lam plan "make it look like this" --scene scene.json --goal-image wanted.png '
            "--calibration calibration/front.yaml",
        ],
    )
    parser.add_argument("instruction", nargs="?", default="", help="what to do, in English")
    parser.add_argument("--scene", default="", metavar="FILE", help="scene as JSON")
    parser.add_argument("--answer", default="", help="answer to an earlier question")
    parser.add_argument("--batch", default="", metavar="FILE", help="JSON lines to plan")
    parser.add_argument("--out", default="", metavar="FILE", help="where the batch's rows go")
    _add_goal_image(parser)
    parser.add_argument(
        "--calibration", default="", metavar="FILE", help="of the camera that took the picture"
    )
    parser.add_argument(
        "--llm", default="", metavar="URL", help="OpenAI-compatible endpoint that may propose goals"
    )
    parser.add_argument("--llm-model", default="", metavar="NAME", help="name of its model")
    parser.set_defaults(handler=_plan)


def _add_goal_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--goal-image",
        default="",
        metavar="FILE",
        help='picture of the wanted table, for "make it look like this"',
    )


def _plan(arguments: argparse.Namespace) -> int:
    from lam_ros.planning.cli_plan import main as plan_main

    return plan_main(arguments)


def _add_data(commands: Commands) -> None:
    parser = _command(
        commands,
        "data",
        "let the scripted teleoperator make episodes, as a LeRobotDataset",
        [
            "lam data --out data/pick_place --episodes 2500",
            "lam data --out data/small --episodes 20 --first-seed 0",
            "lam data --out data/franka --robot franka",
            "lam data --env metaworld --out data/metaworld --tasks ten --episodes 50",
        ],
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument(
        "--episodes", type=int,
        help="successful episodes wanted (default 2500; of metaworld 50 of each task)",
    )  # fmt: skip
    parser.add_argument("--first-seed", type=int, default=0, help="first scene seed")
    parser.add_argument("--workers", type=int, default=0, help="processes (default: cores)")
    parser.add_argument("--robot", default="so101", help="name in config/robot, or a YAML file")
    parser.add_argument(
        "--env", default="", choices=["metaworld"], help="somebody else's environment"
    )
    parser.add_argument(
        "--tasks", default="ten",
        help="of metaworld: ten, all, a difficulty, or names with commas (docs/metaworld.md)",
    )  # fmt: skip
    parser.add_argument(
        "--noise", type=float, default=0.1, help="of metaworld: what disturbs the expert, 0 to 1"
    )
    parser.set_defaults(handler=_data)


def _data(arguments: argparse.Namespace) -> int:
    if arguments.env:
        from lam_policies.metaworld.collect import main as metaworld_main

        return metaworld_main(arguments)
    from lam_sim.generate import main as generate_main

    return generate_main(arguments)


def _add_train(commands: Commands) -> None:
    parser = _command(
        commands,
        "train",
        "train a policy on a LeRobotDataset: ours, or one of LeRobot's",
        [
            'lam train "data=[data/pick_place]" out=runs/train budget_minutes=60',
            'lam train policy=act "data=[data/pick_place]" out=runs/act eval_episodes=20',
        ],
    )
    _add_overrides(parser)
    parser.set_defaults(handler=_train)


def _train(arguments: argparse.Namespace) -> int:
    from lam_policies.training.command import main as train_main

    return train_main(arguments.overrides)


def _add_bench(commands: Commands) -> None:
    parser = _command(
        commands,
        "bench",
        "measure: figures, ratios against a physical limit or a peer, and the machine",
        [
            "lam bench sim --json",
            "lam bench capture --seconds 300 --json",
            "lam bench capture --only jpeg,convert --seconds 300 --json",
            "lam bench soak --minutes 60 --json",
            "lam bench faults --only estop,policy_killed --json",
            "lam bench faults --seconds 150 --into faults.jsonl --json",
        ],
    )
    parser.add_argument(
        "name",
        choices=[
            "sim",
            "loop",
            "capture",
            "convert",
            "plan",
            "execute",
            "see",
            "preview",
            "infer",
            "seams",
            "train",
            "soak",
            "faults",
        ],
        help="which bench",
    )
    parser.add_argument("--seconds", type=float, default=0.0, help="length (default: the bench's)")
    parser.add_argument("--minutes", type=float, default=0.0, help="the same in minutes")
    parser.add_argument("--only", default="", help="parts of bench capture or faults, with commas")
    parser.add_argument(
        "--into", default="", metavar="FILE",
        help="of bench 'faults': keep each trial there, and make only those that are missing",
    )  # fmt: skip
    parser.set_defaults(handler=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    from lam_ros.benches.command import main as bench_main

    seconds = arguments.seconds + 60.0 * arguments.minutes
    only = tuple(part.strip() for part in arguments.only.split(",") if part.strip())
    return bench_main(
        arguments.name, seconds=seconds, as_json=arguments.json, only=only, into=arguments.into
    )


def _add_explain(commands: Commands) -> None:
    parser = _command(
        commands,
        "explain",
        "say in words why a run did what it did, and whether its log was changed since",
        ["lam explain runs/20260101-120000-0"],
    )
    parser.add_argument("run_dir", metavar="RUN", help="folder that lam run has written")
    parser.set_defaults(handler=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    from lam_ros.run.explain import main as explain_main

    return explain_main(arguments.run_dir, as_json=arguments.json)


def _add_estop(commands: Commands) -> None:
    parser = _command(
        commands,
        "estop",
        "stop an arm at once, latched until it is reset on purpose",
        ["lam estop", "lam estop --reset", "lam estop --namespace left"],
    )
    parser.add_argument("--reset", action="store_true", help="release the e-stop; nothing moves")
    parser.add_argument("--namespace", default="", help="of the robot, where there are several")
    parser.set_defaults(handler=_estop)


def _estop(arguments: argparse.Namespace) -> int:
    from lam_ros.bridge.estop import main as estop_main

    return estop_main(reset=arguments.reset, namespace=arguments.namespace)


def _add_doctor(commands: Commands) -> None:
    parser = _command(
        commands, "doctor", "check what this machine lacks and say what to do", ["lam doctor"]
    )
    parser.set_defaults(handler=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from lam_ros import doctor

    return doctor.run(json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
