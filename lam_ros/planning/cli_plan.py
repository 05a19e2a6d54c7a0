"""`lam plan`: what would be done, as JSON for programs and as text for people."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from lam_ros.composing import compose_config
from lam_ros.config import build, load_robot
from lam_ros.core.errors import ConfigError, DataError, ExitCode, LamError
from lam_ros.core.scene import Scene
from lam_ros.core.skills import TRAINED
from lam_ros.planning.advised import make_planner
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.domain import Place, first_places
from lam_ros.planning.outcome import JsonDict, Outcome, Plan, Refuse, RefuseKind
from lam_ros.planning.planner import Planner, Planning
from lam_ros.planning.scene_json import scene_from_dict
from lam_ros.planning.verbs import OPEN_SKILLS

_LONGEST_HISTORY = 20

_EXIT = {
    "plan": ExitCode.DONE,
    "clarify": ExitCode.QUESTION_OPEN,
    "refuse": ExitCode.WRONG_REQUEST,
}


def plan_json(
    instruction: str, scene: object, answer: str = "", planner: Planning | None = None
) -> JsonDict:
    """Return the JSON row for an instruction and a scene given as plain data.

    A scene that cannot be read is refused as `bad_scene`; nothing is raised.

    Args:
        instruction: what to do, in English.
        scene: plain data as `scene_json` describes them.
        answer: answers to earlier questions, `;` between them.
        planner: who plans; by default one with all skills and no limits of reach.
    """
    return _outcome(instruction, scene, answer, planner or Planner()).to_dict()


def _outcome(
    instruction: object,
    scene: object,
    answer: object,
    planner: Planning,
    history: object = None,
) -> Outcome:
    if not isinstance(instruction, str) or not isinstance(answer, str):
        kind = type(instruction).__name__
        return Refuse(RefuseKind.NOT_A_TASK, f"instruction: {kind} came; a text is needed")
    try:
        read = scene_from_dict(scene)
    except DataError as error:
        return Refuse(RefuseKind.BAD_SCENE, str(error))
    if not history:
        return planner.plan(instruction, read, answer)
    said, places = _history(history)
    return planner.plan(instruction, read, answer, said, places)


def plan_rows(lines: Iterable[str], planner: Planning) -> Iterator[JsonDict]:
    """Yield one output row for each input line that is not blank.

    Args:
        lines: JSON objects `{"id", "instruction", "scene", "answer", "history"}`; the
            last two may be missing.  A history is what was said before, oldest first:
            texts, or `{"instruction", "scene"}` with the scene as it was then.
        planner: who plans.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(line, number, planner)


def _history(data: object) -> tuple[list[str], dict[str, Place]]:
    """Return what was said before, and where objects were when it was said first."""
    said: list[str] = []
    places: dict[str, Place] = {}
    for item in data if isinstance(data, list) else []:
        row = item if isinstance(item, dict) else {"instruction": item}
        text = row.get("instruction") or row.get("text") or row.get("content")
        if isinstance(text, str) and row.get("role", "user") == "user":
            said.append(text)
        try:
            places = {**first_places(scene_from_dict(row.get("scene"))), **places}
        except DataError:
            continue
    return said[-_LONGEST_HISTORY:], places


def _row(line: str, number: int, planner: Planning) -> JsonDict:
    started = time.perf_counter()
    try:
        data = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        data = None
    if isinstance(data, dict):
        outcome = _outcome(
            data.get("instruction", ""),
            data.get("scene"),
            data.get("answer") or "",
            planner,
            data.get("history"),
        )
        row_id = data.get("id", number)
    else:
        outcome = Refuse(RefuseKind.BAD_SCENE, f"line {number} is no JSON object")
        row_id = number
    milliseconds = round(1000 * (time.perf_counter() - started), 3)
    return {"id": row_id, **outcome.to_dict(), "ms": milliseconds}


def configured_planner(name: str = "open", llm: str = "", model: str = "") -> Planner:
    """Return the planner that `config/planner/<name>.yaml` describes.

    `open` plans over scenes of any kind with every skill; the others are for what our
    policies were trained for.

    Args:
        name: of the configuration.
        llm: address of a language model that replaces the configured one.
        model: its name there.

    Raises:
        ConfigError: if the configuration is wrong.
    """
    data = compose_config(f"planner/{name}")
    skills = OPEN_SKILLS if name == "open" else TRAINED
    data = data.get("planner", data)
    given = {"base_url": llm, "model": model}
    data["llm"] = {**data.get("llm", {}), **{key: value for key, value in given.items() if value}}
    return make_planner(skills, build(PlannerConfig, data, "planner"))


def main(arguments: argparse.Namespace) -> int:
    """Carry out `lam plan` and return its exit code.

    Raises:
        LamError: if a file cannot be read or the usage is wrong.
    """
    planner = configured_planner(llm=arguments.llm, model=arguments.llm_model)
    if arguments.goal_image:
        planner.show(_pictured(Path(arguments.goal_image), arguments.calibration))
    if arguments.batch:
        return _batch(Path(arguments.batch), arguments.out, planner, arguments.json)
    if not arguments.scene:
        raise LamError("--scene is missing; give a scene as JSON, or --batch for many")
    scene = _read_json(Path(arguments.scene))
    started = time.perf_counter()
    outcome = _outcome(arguments.instruction, scene, arguments.answer, planner)
    milliseconds = round(1000 * (time.perf_counter() - started), 3)
    show(outcome, Console(stderr=True))
    row = {**outcome.to_dict(), "ms": milliseconds}
    if arguments.json:
        print(json.dumps(row))
    return int(_EXIT[str(row["kind"])])


def show(outcome: Outcome, console: Console) -> None:
    """Print an outcome for people."""
    if outcome.remark:
        console.print(outcome.remark, style="dim", markup=False)
    if isinstance(outcome, Plan):
        if outcome.is_done:
            console.print(outcome.message, markup=False)
        for number, step in enumerate(outcome.steps, start=1):
            console.print(f"{number}. {step.prompt}", markup=False)
    elif isinstance(outcome, Refuse):
        console.print(f"refused ({outcome.kind}): {outcome.reason}", markup=False)
    else:
        console.print(f"{outcome.question} Answer with --answer.", markup=False)


def _pictured(path: Path, calibration: str) -> Scene:
    """Return what a picture shows; OpenCV is imported only for that."""
    from lam_ros.perception.calibration import load_calibration
    from lam_ros.perception.picture import read_picture, scene_in

    if not calibration:
        raise ConfigError(
            "--calibration is missing; give the file that `lam calibrate table` wrote for the "
            "camera that took the picture"
        )
    robot = load_robot("so101")
    return scene_in(read_picture(path), load_calibration(Path(calibration)), robot)


def _batch(path: Path, out: str, planner: Planning, as_json: bool) -> int:
    counts = dict.fromkeys(_EXIT, 0)
    try:
        with ExitStack() as files:
            lines = files.enter_context(path.open(encoding="utf-8", errors="replace"))
            sink = files.enter_context(Path(out).open("w", encoding="utf-8")) if out else sys.stdout
            for row in plan_rows(lines, planner):
                counts[str(row["kind"])] += 1
                print(json.dumps(row), file=sink)
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}") from None
    total = sum(counts.values())
    Console(stderr=True).print(f"{total} rows: {counts}", markup=False)
    if as_json:
        print(json.dumps({"rows": total, **counts}))
    return int(ExitCode.DONE)


def _read_json(path: Path) -> object:
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"scene '{path}': {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"scene '{path}': not valid JSON: {error}") from None
    return data
