"""What a run answers, and the exit code that goes with it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lam_ros.core.errors import ExitCode
from lam_ros.run.report import RunReport, StepReport, Termination
from lam_ros.run.run import verdict_line

REPORT = RunReport(
    success=True,
    instruction="put the red cube in the blue bowl",
    termination=Termination.SUCCEEDED,
    message="",
    steps=(StepReport("place_in", "put the red cube in the blue bowl", "done", 5.2),),
    replans=0,
    seconds=5.4,
    seed=7,
    run_dir="runs/x",
    policy="lam_so101-0",
    goal=("in(red_cube_1, blue_bowl_1)",),
    files=(("video", "runs/x/video.mp4"),),
)


@pytest.mark.parametrize(
    ("termination", "code"),
    [
        (Termination.SUCCEEDED, ExitCode.DONE),
        (Termination.GOAL_NOT_REACHED, ExitCode.TASK_FAILED),
        (Termination.STEP_FAILED, ExitCode.TASK_FAILED),
        (Termination.TIMEOUT, ExitCode.TASK_FAILED),
        (Termination.STOPPED, ExitCode.TASK_FAILED),
        (Termination.NODE_DIED, ExitCode.TASK_FAILED),
        (Termination.REFUSED, ExitCode.WRONG_REQUEST),
        (Termination.QUESTION, ExitCode.QUESTION_OPEN),
        (Termination.CANCELLED, ExitCode.INTERRUPTED),
    ],
)
def test_each_end_has_its_exit_code(termination: Termination, code: ExitCode) -> None:
    assert replace(REPORT, termination=termination).exit_code is code


def test_json_can_hold_it_and_has_the_fixed_keys() -> None:
    data = json.loads(json.dumps(REPORT.to_dict()))
    assert data["steps"] == [
        {
            "skill": "place_in",
            "prompt": "put the red cube in the blue bowl",
            "outcome": "done",
            "seconds": 5.2,
        }
    ]
    assert data["termination"] == "succeeded"
    assert data["files"] == {"video": "runs/x/video.mp4"}


def test_the_verdict_says_what_holds_or_what_failed() -> None:
    assert verdict_line(REPORT).endswith("ground truth: in(red_cube_1, blue_bowl_1)")
    failed = replace(
        REPORT, success=False, termination=Termination.STEP_FAILED, message="step 'x' failed: y"
    )
    assert verdict_line(failed) == "step 'x' failed: y"
    stopped = replace(failed, termination=Termination.STOPPED, message="stopped: estop: by key")
    assert verdict_line(stopped) == stopped.message
    cancelled = replace(failed, termination=Termination.CANCELLED, message="interrupted")
    assert verdict_line(cancelled) == "cancelled: interrupted"
