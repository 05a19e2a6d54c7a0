"""`lam up` as a person types it: all comes up in order, lives on, and ends together."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
from rclpy.action import ActionClient
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from lam_interfaces.action import RunSkill
from lam_interfaces.msg import JointCommand
from lam_ros.bridge import qos, topics
from lam_ros.config import load_robot
from lam_ros.core.types import Source
from lam_ros.paths import find_checkpoint
from lam_sim.physical_bus import PhysicalArm
from lam_sim.so101_bus import SerialPort

LAM_UP = [sys.executable, "-m", "lam_ros.cli", "up"]
WAIT_S = 60.0


@pytest.fixture
def up(graph, tmp_path):
    """Start `lam up` with the simulated arm, in a namespace, and wait until it is ready."""

    def start(*words: str, namespace: str = "left"):
        said = graph.collect(Bool, f"{namespace}/{topics.READY}", qos.LATCHED)
        out = tmp_path / namespace
        common = [f"namespace={namespace}", "--out", str(out), "--json"]
        process = graph.start_command([*LAM_UP, *words, *common])
        graph.spin_until(
            lambda: process.poll() is not None or (said and said[-1].data), "readiness", WAIT_S
        )
        return process, out, said

    return start


def log_of(tmp_path: Path) -> str:
    return (tmp_path / "process-0.log").read_text()


def pid_of(node: str, out: Path) -> int:
    """Return the process of a node, known by its parameter file."""
    wanted = str(out / "logs" / f"{node}.params.yaml")
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode().split("\0")
        except OSError:
            continue
        if wanted in words:
            return int(entry.parent.name)
    raise AssertionError(f"no process of {node}")


def test_what_may_be_lost_comes_back_and_ctrl_c_ends_all_with_a_report(graph, up, tmp_path) -> None:
    process, out, said = up("sim", "policy=none", "seed=3")
    assert process.poll() is None, log_of(tmp_path)
    first = pid_of("description", out)
    os.kill(first, signal.SIGKILL)
    graph.spin_until(lambda: len(said) >= 3 and said[-1].data, "it to be up again", WAIT_S)
    assert pid_of("description", out) != first
    pids = [pid_of(node, out) for node in ("sim", "control", "description", "bringup")]
    process.send_signal(signal.SIGINT)
    graph.spin_until(lambda: process.poll() is not None, "the end", WAIT_S)
    assert process.returncode == 0
    report = json.loads(log_of(tmp_path).splitlines()[-1])
    assert report["restarts"] == 1
    assert report["nodes"] == ["sim", "description", "control", "bringup"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_all_ends_with_the_commander_and_its_name_is_said(graph, up, tmp_path) -> None:
    process, out, _ = up("sim", "policy=none")
    sim = pid_of("sim", out)
    os.kill(pid_of("control", out), signal.SIGKILL)
    graph.spin_until(lambda: process.poll() is not None, "the end", WAIT_S)
    assert process.returncode == 1
    assert re.search(r"lam up: control: .*signal 9", log_of(tmp_path))
    assert not Path(f"/proc/{sim}").exists()


def test_a_node_that_cannot_come_up_ends_all_and_says_why(graph, up, tmp_path) -> None:
    process, _, _ = up("sim", "policy=remote", "calibration=/nowhere/table.yaml")
    graph.spin_until(lambda: process.poll() is not None, "the end", WAIT_S)
    assert process.returncode == 2  # the node's own: the request was wrong
    last = log_of(tmp_path).splitlines()[-1]
    assert last.startswith("lam up: perception could not be configured: ")
    assert "/nowhere/table.yaml" in last


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Return a copy of the shipped checkpoint whose weights were not copied to the end."""
    folder = shutil.copytree(find_checkpoint("lam_so101"), tmp_path / "damaged")
    os.truncate(folder / "model.safetensors", 1000)
    return folder


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["policy_path=/nowhere/checkpoint"], "'/nowhere/checkpoint': no such folder"),
        (["policy_path=damaged"], "model.safetensors is damaged"),
        (["robot=franka"], "does not fit robot 'franka'"),
    ],
    ids=["missing", "damaged", "of another robot"],
)
def test_a_checkpoint_that_cannot_be_served_is_refused_before_anything_is_started(
    graph, up, tmp_path, damaged, words, says
) -> None:
    words = [word.replace("=damaged", f"={damaged}") for word in words]
    process, out, _ = up("sim", "policy=lam", *words)
    assert process.returncode == 2
    last = log_of(tmp_path).splitlines()[-1]
    assert last.startswith("lam up: checkpoint ")
    assert says in last
    assert "Traceback" not in log_of(tmp_path)
    assert not out.exists()


def test_a_real_arm_comes_up_and_a_pulled_cable_ends_all_with_the_reason(
    graph, up, tmp_path
) -> None:
    body = PhysicalArm(load_robot("so101"))
    (tmp_path / "blue.json").write_text(json.dumps(body.calibration()))
    with SerialPort(body.bus) as port:
        options = [f"port={port.path}", f"calibration_dir={tmp_path}", "id=blue"]
        process, _, _ = up("robot", *options)
        assert process.poll() is None, log_of(tmp_path)
        joints = graph.collect(JointState, "left/joint_states", qos.SENSOR)
        graph.spin_until(lambda: len(joints) > 3, "joint states")
        assert all(servo.torque_on for servo in body.bus.servos.values())
        port.unplug()
        graph.spin_until(lambda: process.poll() is not None, "the end", WAIT_S)
    assert process.returncode == 4
    last = log_of(tmp_path).splitlines()[-1]
    assert last.startswith("lam up: arm: the arm does not answer")


def test_a_policy_that_is_started_by_itself_drives_an_arm_that_has_none(
    graph, up, tmp_path
) -> None:
    arm, _, _ = up("sim", "policy=remote", "scene=truth", "seed=2")
    assert arm.poll() is None, log_of(tmp_path)
    moved = graph.collect(JointCommand, "left/lam/joint_command", qos.COMMAND)
    doer = ActionClient(graph.node, RunSkill, f"left/{topics.RUN_SKILL}")
    assert not doer.server_is_ready()
    command = [*LAM_UP, "policy", "device=cpu", "namespace=left", "--out", str(tmp_path / "far")]
    policy = graph.start_command(command)
    graph.spin_until(doer.server_is_ready, "the policy", WAIT_S)
    goal = RunSkill.Goal(skill="place_in", prompt="put the red cube in the blue bowl")
    accepted = []

    def ask() -> bool:
        accepted.append(graph.send_goal(doer, goal).accepted)
        return accepted[-1]

    graph.spin_until(ask, "the policy to be active", WAIT_S)
    sources = lambda: {message.source for message in moved}  # noqa: E731
    graph.spin_until(lambda: Source.POLICY in sources(), "motion", WAIT_S)
    policy.send_signal(signal.SIGINT)
    graph.spin_until(lambda: policy.poll() is not None, "the policy's end", WAIT_S)
    assert policy.returncode == 0
    assert arm.poll() is None  # the arm holds, and waits for the next
