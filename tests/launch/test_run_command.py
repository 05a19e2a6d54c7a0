"""`lam run` as a person starts it: what it says, what it returns, and that nothing is left."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from lam_policies.checkpoint import CARD
from lam_ros.config import load_group
from lam_ros.core.robot import RobotDescription
from lam_ros.teleop.keyboard import STOP

PROMPT = "put the red cube in the blue bowl"
LONG_PROMPT = f"put the red cube next to the blue bowl, then go home, then {PROMPT}, then go home"
"""Is not done before another command has looked around and gone."""
EXPERT = ("policy=expert", "--seed", "7")
PATIENCE_S = 100.0


class Lam:
    """Starts `lam run` in a folder of its own, with locks of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "LAM_RUNTIME_DIR": str(folder / "locks"),
            "COLUMNS": "200",
        }
        self.processes: list[subprocess.Popen[str]] = []

    def start(
        self, instruction: str, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a run; its standard input may be a terminal."""
        process = subprocess.Popen(
            [sys.executable, "-m", "lam_ros.cli", "run", instruction, *arguments],
            cwd=self.folder, env=self.environment, text=True, stdin=stdin,
            stdout=subprocess.PIPE, stderr=(self.folder / "stderr").open("w"),
        )  # fmt: skip
        self.processes.append(process)
        return process

    def run(self, instruction: str, *arguments: str) -> tuple[int, dict[str, Any], list[str]]:
        """Run to the end; returns the exit code, the JSON, and what was said."""
        process = self.start(instruction, *arguments, "--json")
        out, _ = process.communicate(timeout=PATIENCE_S)
        report = json.loads(out.splitlines()[-1]) if out.strip() else {}
        return process.returncode, report, self.said()

    def said(self) -> list[str]:
        """Return the lines on standard error."""
        return (self.folder / "stderr").read_text().splitlines()

    def logs(self) -> str:
        """Return what the nodes of all runs have said."""
        return "\n".join(path.read_text() for path in self.folder.glob("runs/*/logs/*.log"))


@pytest.fixture
def lam(tmp_path: Path) -> Iterator[Lam]:
    """A `lam` whose processes are gone at the end."""
    command = Lam(tmp_path)
    yield command
    for process in command.processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def children(pid: int) -> dict[str, int]:
    """Return module -> process id of the nodes that a run has started."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "--parent" in words and words[words.index("--parent") + 1] == str(pid):
            module = next(word for word in words if word.startswith("lam_ros.nodes."))
            found[module.rpartition(".")[2]] = int(path.parent.name)
    return found


def last_words(said: list[str]) -> str:
    """Return the one line that says what is wrong; there must be no traceback."""
    assert not [line for line in said if "Traceback" in line], said
    return next(line for line in reversed(said) if line.startswith("lam run:"))


@pytest.mark.slow
def test_an_instruction_is_done_filmed_and_reported(lam: Lam) -> None:
    code, report, said = lam.run(PROMPT, *EXPERT, "--out", "here")
    assert code == 0, (said, lam.logs())
    wanted = {"success", "instruction", "termination", "steps", "replans", "seconds", "seed"}
    assert wanted | {"run_dir", "policy"} <= set(report)
    assert report["success"] is True
    assert report["termination"] == "succeeded"
    assert report["goal"] == ["in(red_cube_1, blue_bowl_1)"]
    assert "scripted" in report["policy"]
    assert [step["prompt"] for step in report["steps"]] == [PROMPT]
    assert set(report["steps"][0]) == {"skill", "prompt", "outcome", "seconds"}
    folder = lam.folder / "here"
    assert json.loads((folder / "result.json").read_text()) == report
    with av.open(str(folder / "video.mp4")) as film:
        seconds = film.duration / 1e6
    assert report["seconds"] < seconds < report["seconds"] + 5
    assert (folder / "contact_sheet.png").stat().st_size > 50_000
    assert not (folder / "recording.npz").exists()
    assert any("✓" in line for line in said)


def test_a_second_run_is_refused_and_an_interrupted_one_leaves_nothing(lam: Lam) -> None:
    first = lam.start(LONG_PROMPT, *EXPERT, "--no-video", "--json")
    wait_for(lambda: any("▸" in line for line in lam.said()), "the first step begins")
    nodes = children(first.pid)
    assert set(nodes) == {"expert", "sim", "control", "planner"}

    other = Lam(lam.folder / "other")
    other.folder.mkdir()
    other.environment = lam.environment
    code, _, said = other.run(PROMPT, *EXPERT)
    assert code == 2
    assert f"process {first.pid}" in last_words(said)

    first.send_signal(signal.SIGINT)
    out, _ = first.communicate(timeout=30)
    assert first.returncode == 130
    assert json.loads(out.splitlines()[-1])["termination"] == "cancelled"
    assert "interrupted" in last_words(lam.said())
    assert not children(first.pid)
    assert "HOLD" in lam.logs()


def test_nodes_do_not_outlive_a_killed_run(lam: Lam) -> None:
    run = lam.start(PROMPT, *EXPERT, "--no-video")
    wait_for(lambda: any("▸" in line for line in lam.said()), "the first step begins")
    assert len(children(run.pid)) == 4
    run.kill()
    run.wait()
    wait_for(lambda: not children(run.pid), "the nodes end")


def test_the_stop_key_in_its_terminal_ends_a_run_with_the_arm_stopped(lam: Lam) -> None:
    terminal, its_side = pty.openpty()
    run = lam.start(PROMPT, *EXPERT, "--no-video", "--json", stdin=its_side)
    wait_for(lambda: any("▸" in line for line in lam.said()), "the first step begins")
    os.write(terminal, STOP.encode())
    out, _ = run.communicate(timeout=30)
    os.close(terminal)
    os.close(its_side)
    assert run.returncode == 1
    assert json.loads(out.splitlines()[-1])["termination"] == "stopped"
    assert last_words(lam.said()) == "lam run: stopped: estop: e-stop on topic estop"
    assert "STOP" in lam.logs()


def test_a_node_that_dies_ends_the_run_and_is_named(lam: Lam) -> None:
    run = lam.start(PROMPT, *EXPERT, "--no-video", "--json")
    wait_for(lambda: any("▸" in line for line in lam.said()), "the first step begins")
    os.kill(children(run.pid)["sim"], signal.SIGKILL)
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 1
    assert json.loads(out.splitlines()[-1])["termination"] == "node_died"
    assert "sim" in last_words(lam.said())
    assert "signal 9" in last_words(lam.said())


def test_a_question_is_left_open_and_its_answer_is_understood(lam: Lam) -> None:
    objects = "scene.objects=[red cube,green cube,blue bowl]"
    code, report, said = lam.run("put the cube in the bowl", *EXPERT, "--no-video", objects)
    assert code == 3
    assert report["question"]
    assert set(report["candidates"]) == {"red_cube_1", "green_cube_1"}
    assert any("--answer" in line for line in said)


def test_an_unknown_object_is_refused(lam: Lam) -> None:
    objects = "scene.objects=[green cube,blue bowl]"
    code, report, said = lam.run(PROMPT, *EXPERT, "--no-video", objects)
    assert code == 2
    assert report["termination"] == "refused"
    assert "red" in last_words(said)


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [("", "empty"), ("x" * 10_000, "characters"), ("put the\x07 red cube", "control")],
)
def test_a_text_that_is_no_instruction_is_refused_at_once(
    lam: Lam, instruction: str, reason: str
) -> None:
    code, report, said = lam.run(instruction)
    assert code == 2
    assert report["success"] is False
    assert reason in last_words(said).lower()
    assert not (lam.folder / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("scene.cube=3",), "'scene.cube' does not exist"),
        (("policy=nothing",), "unknown policy 'nothing'"),
        (("policy.checkpoint=/nowhere/at/all",), "no such folder"),
        (("--seed", "-1"), "--seed"),
        (("scene.objects=[red spoon]",), "unknown kind of object 'spoon'"),
        (("faults.stop_camera=back",), "unknown camera 'back'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(
    lam: Lam, arguments: tuple[str, ...], reason: str
) -> None:
    code, report, said = lam.run(PROMPT, *arguments)
    assert code == 2
    assert not report
    assert reason in last_words(said)


def checkpoint(folder: Path, **card: object) -> Path:
    """Write a folder that looks like a checkpoint from afar."""
    folder.mkdir()
    robot = RobotDescription.from_dict(load_group("robot", "so101")).to_dict()
    usual = {"format": 1, "policy_type": "lam", "robot": robot, "skills": ["place_in"]}
    usual |= {"dt_ns": 40_000_000, "horizon": 12, "sha256": "0" * 64}
    (folder / CARD).write_text(json.dumps(usual | card))
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"\x10")
    return folder


def test_a_truncated_checkpoint_is_refused(lam: Lam) -> None:
    path = checkpoint(lam.folder / "cut")
    code, _, said = lam.run(PROMPT, f"policy.checkpoint={path}")
    assert code == 2
    assert "damaged" in last_words(said)


def test_a_checkpoint_for_another_robot_is_refused(lam: Lam) -> None:
    import hashlib

    other = RobotDescription.from_dict(load_group("robot", "so101")).to_dict()
    other["name"], other["joints"][0]["upper_rad"] = "other", 1.0
    path = checkpoint(
        lam.folder / "other_arm", robot=other, sha256=hashlib.sha256(b"\x10").hexdigest()
    )
    code, _, said = lam.run(PROMPT, f"policy.checkpoint={path}")
    assert code == 2
    assert "was made for robot 'other'" in last_words(said)
