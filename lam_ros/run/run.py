"""`lam run` as a function: from a request to a report, with the run's folder written."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

from lam_ros import security
from lam_ros.core.errors import ConfigError, DataError, MachineError
from lam_ros.core.types import ImageArray
from lam_ros.graph import sim_graph
from lam_ros.locks import hold_domain, hold_run
from lam_ros.perception.picture import read_picture
from lam_ros.planning.outcome import Refuse
from lam_ros.planning.screen import check_text
from lam_ros.planning.tree_view import as_text
from lam_ros.run.parameters import Driver, driver_of, graph_parameters
from lam_ros.run.recording import RECORDING
from lam_ros.run.report import RunReport, RunRequest, StepReport, Termination
from lam_ros.run.session import Ended, Session
from lam_ros.run.settings import RunSettings, load_run_settings
from lam_ros.run.view import View
from lam_ros.segments import remove_dead_segments
from lam_ros.supervisor import Supervisor

RESULT = "result.json"
TREE = "tree.txt"
"""The behaviour tree of the plan, as it stood in the end."""


def run(request: RunRequest) -> RunReport:
    """Carry out one instruction in simulation, through the whole graph.

    Raises:
        ConfigError: if an override is wrong.
        CheckpointError: if the policy cannot be loaded.
        BusyError: if another run is in progress.
        MachineError: if the machine lacks something.
        NodeDied: if a node could not be started.
    """
    settings = load_run_settings(request.overrides)
    if request.goal_image is not None:  # who is shown a picture has to look
        settings = settings.seeing()
    problem = check_text(request.instruction, int(settings.groups["planner"]["max_characters"]))
    if problem is not None:
        return _refused(request, problem)
    driver = driver_of(settings)
    settings = settings.for_instruction(request.instruction)
    picture = _picture(request, settings)
    security.tell_exposure()
    with hold_run(), View(request.instruction, show=request.show) as view:
        remove_dead_segments()
        run_dir = _make_run_dir(request)
        ended = _carry_out(request, settings, driver, run_dir, view, picture)
        report = _report(request, driver, run_dir, ended)
        _write_tree(run_dir, ended)
        _write(report, run_dir)
        if request.video and settings.video.enabled:
            report = _with_pictures(report, request, settings, ended, view)
            _write(report, run_dir)
    return report


def _write(report: RunReport, run_dir: Path) -> None:
    text = json.dumps(report.to_dict(), indent=2)
    (run_dir / RESULT).write_text(f"{text}\n", encoding="utf-8")


def _write_tree(run_dir: Path, ended: Ended) -> None:
    """Write the behaviour tree as it ended, if there was one."""
    plans = ended.timeline.plans.values
    if plans and plans[-1].tree:
        (run_dir / TREE).write_text(f"{as_text(plans[-1].tree)}\n", encoding="utf-8")


def _picture(request: RunRequest, settings: RunSettings) -> ImageArray | None:
    """Return the picture of the goal, if one was given and somebody will look at it."""
    if request.goal_image is None:
        return None
    if request.single_process or not settings.plans_on_what_is_seen:
        raise ConfigError(
            "--goal-image: nobody looks at pictures here; take a trained policy, "
            "and a process for each node"
        )
    return read_picture(request.goal_image)


def _carry_out(
    request: RunRequest,
    settings: RunSettings,
    driver: Driver,
    run_dir: Path,
    view: View,
    picture: ImageArray | None,
) -> Ended:
    """Run the graph on a domain of its own, where no real arm listens."""
    film = request.video and settings.video.enabled
    parameters = graph_parameters(
        settings,
        driver,
        request.seed,
        run_dir,
        video=film,
        single_process=request.single_process,
    )
    specs = sim_graph(parameters)
    domain_id, lock = hold_domain()
    with lock:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        host = None if request.single_process else Supervisor(specs, run_dir, domain_id)
        return Session(specs, host, view, settings.max_seconds, picture).run(
            request.instruction, request.answer
        )


def _make_run_dir(request: RunRequest) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    run_dir = request.out or Path("runs") / f"{stamp}-{request.seed}"
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / RESULT).unlink(missing_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot write the run's folder {run_dir} ({error.strerror}): give another with --out"
        ) from None
    return run_dir


def _refused(request: RunRequest, problem: Refuse) -> RunReport:
    """Return the report of a text that no planner needs to see; nothing was started."""
    return RunReport(
        success=False,
        instruction=request.instruction[:200],
        termination=Termination.REFUSED,
        message=problem.reason,
        steps=(),
        replans=0,
        seconds=0.0,
        seed=request.seed,
        run_dir="",
        policy="",
    )


def _report(request: RunRequest, driver: Driver, run_dir: Path, ended: Ended) -> RunReport:
    plans = ended.timeline.plans.values
    steps = plans[-1].steps if plans else ()
    return RunReport(
        success=ended.verdict.holds and ended.termination is Termination.SUCCEEDED,
        instruction=request.instruction,
        termination=ended.termination,
        message=ended.message,
        steps=tuple(
            StepReport(
                str(step.planned.step.skill),
                step.planned.prompt,
                step.outcome or step.status.name.lower(),
                round(step.seconds, 2),
            )
            for step in steps
        ),
        replans=plans[-1].replans if plans else 0,
        seconds=round(ended.seconds, 2),
        seed=request.seed,
        run_dir=str(run_dir),
        policy=driver.name,
        goal=ended.verdict.goal,
        failing=ended.verdict.failing,
        question=ended.result.question if ended.result is not None else "",
        candidates=tuple(ended.result.candidates) if ended.result is not None else (),
        start_seconds=round(ended.start_seconds, 2),
        latency_ms=round(ended.timeline.mean_latency_ms, 1),
        sight=tuple(ended.sight.items()),
    )


def _with_pictures(
    report: RunReport, request: RunRequest, settings: RunSettings, ended: Ended, view: View
) -> RunReport:
    """Make film and contact sheet of a run in which there was something to see."""
    if report.termination is Termination.CANCELLED or not report.steps:
        (Path(report.run_dir) / RECORDING).unlink(missing_ok=True)
        return report
    from lam_ros.run.film import Words
    from lam_ros.run.pictures import make_pictures

    words = Words(request.instruction, verdict_line(report), report.success, report.policy)
    try:
        files = make_pictures(
            Path(report.run_dir),
            settings,
            request.seed,
            ended.timeline,
            words,
            tell=lambda share: view.activity("drawing the film", share),
        )
    except DataError as error:
        view.line(f"no film: {error}", "yellow")
        return report
    return replace(report, files=tuple((name, str(path)) for name, path in files.items()))


def verdict_line(report: RunReport) -> str:
    """Return the verdict in one line for people."""
    if report.success:
        return f"done, by the simulator's ground truth: {', '.join(report.goal)}"
    if report.termination is Termination.STEP_FAILED:
        return report.message  # names the step and says that it failed
    kind = f"{report.termination.replace('_', ' ')}: "
    return report.message if report.message.startswith(kind) else kind + report.message
