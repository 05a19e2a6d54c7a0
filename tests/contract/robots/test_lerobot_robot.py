"""LAM's simulated arm as a LeRobot robot, under LeRobot's own unmodified commands."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError
from lerobot_robot_lam import LamRobot, LamRobotConfig

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
ROBOT = load_robot("so101")
FPS = 25


@pytest.fixture
def robot(tmp_path) -> Iterator[LamRobot]:
    made = LamRobot(LamRobotConfig(calibration_dir=tmp_path, seed=3))
    made.connect()
    yield made
    if made.is_connected:
        made.disconnect()


def lerobot(name: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of LeRobot's commands with the tests' plugins, and nothing of the home folder."""
    return subprocess.run(
        [str(Path(sys.executable).with_name(name)), *arguments],
        env={
            **os.environ,
            "PYTHONPATH": str(PLUGINS),
            "HF_HOME": str(home),
            "HF_LEROBOT_HOME": str(home / "lerobot"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200,
    )  # fmt: skip


def test_what_it_gives_is_what_it_promises(robot):
    seen = robot.get_observation()
    assert set(seen) == set(robot.observation_features)
    for name, kind in robot.observation_features.items():
        if kind is float:
            assert type(seen[name]) is float
        else:
            assert seen[name].shape == kind
            assert seen[name].dtype == np.uint8
            assert seen[name].std() > 1  # a picture, not a plain
    assert set(robot.action_features) == {f"{name}.pos" for name in ROBOT.joint_names}
    assert len(robot.cameras) == len(ROBOT.cameras)


def test_it_moves_in_real_time_and_says_what_was_sent(robot):
    start = robot.get_observation()
    wanted = {name: start[name] for name in robot.action_features}
    wanted["shoulder_pan.pos"] += 15.0
    sent = [robot.send_action(wanted)["shoulder_pan.pos"]]
    for _ in range(30):
        time.sleep(0.04)
        robot.get_observation()
        sent.append(robot.send_action(wanted)["shoulder_pan.pos"])
    assert robot.get_observation()["shoulder_pan.pos"] == pytest.approx(
        start["shoulder_pan.pos"] + 15.0, abs=2.0
    )
    assert sent[1] < wanted["shoulder_pan.pos"] - 5.0  # not at once: a person takes over softly
    assert sent[-1] == pytest.approx(wanted["shoulder_pan.pos"], abs=0.1)


def test_it_stays_within_its_limits_whatever_is_asked_for(robot):
    beyond = dict.fromkeys(robot.action_features, 1000.0)
    for _ in range(25):
        sent = robot.send_action(beyond)
        time.sleep(0.02)
    for joint in ROBOT.joints[:5]:
        assert sent[f"{joint.name}.pos"] <= np.degrees(joint.upper_rad) + 1e-6
    assert sent["gripper.pos"] <= 100.0 + 1e-6


@pytest.mark.parametrize("value", [float("nan"), None])
def test_an_action_that_is_none_is_refused(robot, value):
    action = dict.fromkeys(robot.action_features, 0.0) | {"elbow_flex.pos": value}
    with pytest.raises(ValueError, match=r"elbow_flex\.pos"):
        robot.send_action(action)
    action.pop("elbow_flex.pos")
    with pytest.raises(ValueError, match="missing"):
        robot.send_action(action)


def test_it_is_connected_once_and_then_given_back(robot):
    with pytest.raises(DeviceAlreadyConnectedError):
        robot.connect()
    robot.disconnect()
    assert not robot.is_connected
    with pytest.raises(DeviceNotConnectedError):
        robot.get_observation()
    robot.connect()
    assert robot.get_observation()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "gazebo"}, "'sim' or 'ros'"),
        ({"unit": "turns"}, "degrees, range, radians"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        LamRobot(LamRobotConfig(calibration_dir=tmp_path, **options))
    with pytest.raises(ConfigError, match="so101"):
        LamRobot(LamRobotConfig(calibration_dir=tmp_path, robot="so102"))


@pytest.mark.slow
def test_lerobot_record_records_and_lerobot_replay_replays(tmp_path):
    from lerobot.datasets import LeRobotDataset

    root, home = tmp_path / "set", tmp_path / "home"
    recorded = lerobot(
        "lerobot-record", home, "--robot.type=lam", "--robot.seed=3", "--teleop.type=scripted",
        "--dataset.repo_id=lam/swing", f"--dataset.root={root}", f"--dataset.fps={FPS}",
        "--dataset.num_episodes=2", "--dataset.episode_time_s=3", "--dataset.reset_time_s=0.2",
        "--dataset.video=false",  # its encoder would take most of the time
        "--dataset.single_task=swing", "--dataset.push_to_hub=false", "--play_sounds=false",
    )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr[-3000:]
    (folder,) = (path.parent.parent for path in tmp_path.rglob("meta/info.json"))
    data = LeRobotDataset("lam/swing", root=folder)
    assert data.num_episodes == 2
    assert data.meta.robot_type == "lam"
    rows = data.hf_dataset.with_format("numpy")
    pan = np.stack(rows["observation.state"])[:, 0]
    assert 20.0 < np.ptp(pan) < 45.0  # swings by 20 degrees to either side
    assert np.ptp(np.stack(rows["action"])[:, 0]) == pytest.approx(40.0, abs=2.0)
    assert data[0]["observation.images.front"].shape == (3, 80, 128)

    replayed = lerobot(
        "lerobot-replay", home, "--robot.type=lam", "--robot.seed=3", "--play_sounds=false",
        "--dataset.repo_id=lam/swing", f"--dataset.root={folder}", "--dataset.episode=1",
    )  # fmt: skip
    assert replayed.returncode == 0, replayed.stderr[-3000:]
