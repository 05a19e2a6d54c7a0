"""The data set that `lam convert` makes: LeRobot's format, whole episodes or none."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lam_ros.core.errors import BusyError, DataError, FingerprintMismatch
from lam_ros.environment import node_environment
from lam_ros.recording.convert import dataset as datasets
from lam_ros.recording.convert.command import ConvertConfig, convert
from lam_ros.recording.convert.grid import GridConfig
from lam_ros.recording.convert.parts import PartConfig
from lam_ros.recording.convert.report import Fate


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def run(tmp_path, robot_yaml):
    def convert_all(*recordings, out="data", robot="", fps=25, workers=1):
        config = ConvertConfig(
            recordings=tuple(tmp_path / name for name in recordings or ("recordings",)),
            out=tmp_path / out,
            robot=robot or robot_yaml(),
            workers=workers,
            part=PartConfig(grid=GridConfig(fps=fps)),
        )
        return convert(config, Console(stderr=True, quiet=True))

    return convert_all


def open_data(folder: Path):
    from lerobot.datasets import LeRobotDataset

    return LeRobotDataset("lam/test", root=folder, video_backend="pyav")


def contents(folder: Path) -> dict[str, bytes]:
    """Return what a data set holds, wherever its files are divided."""
    rows = [pq.read_table(p) for p in sorted((folder / "data").glob("*/*.parquet"))]
    videos = {
        camera.name: [frame for path in sorted(camera.glob("*/*.mp4")) for frame in frames(path)]
        for camera in sorted((folder / "videos").iterdir())
    }
    found = {f"{name}": repr(video).encode() for name, video in videos.items()}
    return {**found, "rows": repr([r for table in rows for r in table.to_pylist()]).encode()}


def frames(path: Path) -> list[int]:
    import av

    with av.open(str(path)) as container:
        return [hash(f.to_ndarray(format="rgb24").tobytes()) for f in container.decode(video=0)]


def test_lerobot_opens_it_and_reads_every_kind_of_column(tmp_path, bag, run, pictures):
    bag.write(tmp_path / "recordings/a")
    replace(bag, seconds=3.0).write(tmp_path / "recordings/b")
    run()
    data = open_data(tmp_path / "data")
    assert (data.num_episodes, len(data), data.fps) == (2, 175, 25)
    first, last = data[0], data[174]
    assert first["task"] == "put the red cube in the blue bowl"
    assert tuple(last["observation.images.front"].shape) == (3, 48, 64)
    assert last["stream_stamp_ns"].shape == (4,)
    assert last["intervention"].item() is False
    image = last["observation.images.front"].numpy().transpose(1, 2, 0) * 255
    number = (last["stream_stamp_ns"][0].item() - 1_700_000_000 * 10**9) / 1e9 * 30
    assert pictures(image) == round(number)


def test_statistics_are_lerobots(tmp_path, bag, run):
    from lerobot.datasets.compute_stats import compute_episode_stats

    bag.write(tmp_path / "recordings/a")
    run()
    data = open_data(tmp_path / "data")
    names = ["observation.state", "action", "stream_age_s"]
    table = pq.read_table(next((tmp_path / "data/data").glob("*/*.parquet")))
    rows = {name: np.array(table.column(name).to_pylist(), np.float32) for name in names}
    theirs = compute_episode_stats(rows, {name: data.features[name] for name in names})
    for name in names:
        for key in ("min", "max", "mean", "std", "count"):
            assert np.allclose(data.meta.stats[name][key], theirs[name][key], atol=1e-5), key
        spread = theirs[name]["max"] - theirs[name]["min"] + 1e-9
        for key in ("q01", "q10", "q50", "q90", "q99"):
            assert (np.abs(data.meta.stats[name][key] - theirs[name][key]) < 0.05 * spread).all()
    shown = np.stack([data[k]["observation.images.front"].numpy() for k in range(0, 100, 8)])
    ours = data.meta.stats["observation.images.front"]
    assert np.allclose(ours["mean"].ravel(), shown.mean((0, 2, 3)), atol=0.02)
    assert np.allclose(ours["std"].ravel(), shown.std((0, 2, 3)), atol=0.02)


def test_a_policy_of_lerobot_finds_one_input_of_joints_the_cameras_and_one_action(
    tmp_path, bag, run
):
    from lerobot.configs.types import FeatureType
    from lerobot.utils.feature_utils import dataset_to_policy_features

    bag.write(tmp_path / "recordings/a")
    run()
    found = dataset_to_policy_features(open_data(tmp_path / "data").features)
    kinds = {name: feature.type for name, feature in found.items()}
    assert kinds == {
        "observation.state": FeatureType.STATE,
        "observation.images.front": FeatureType.VISUAL,
        "observation.images.wrist": FeatureType.VISUAL,
        "action": FeatureType.ACTION,
    }


def test_the_same_recordings_again_add_nothing_and_new_ones_are_appended(tmp_path, bag, run):
    bag.write(tmp_path / "recordings/a")
    run()
    before = contents(tmp_path / "data")
    again = run()
    assert [entry.fate for entry in again.recordings] == [Fate.KNOWN]
    assert contents(tmp_path / "data") == before
    shutil.copytree(tmp_path / "recordings/a", tmp_path / "recordings/copy_of_a")
    replace(bag, seconds=3.0).write(tmp_path / "recordings/b")
    third = run()
    assert [entry.fate for entry in third.recordings] == [
        Fate.KNOWN, Fate.CONVERTED, Fate.KNOWN,
    ]  # fmt: skip
    data = open_data(tmp_path / "data")
    assert (data.num_episodes, len(data)) == (2, 175)
    assert data[174]["episode_index"].item() == 1


def test_workers_and_interruptions_do_not_change_the_result(tmp_path, bag, run):
    for k in range(3):
        replace(bag, seconds=2.0 + k).write(tmp_path / f"recordings/{k}")
    run(out="one")
    run(out="two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_other_features_are_refused_with_the_difference(tmp_path, bag, run, robot_yaml, robot_data):
    bag.write(tmp_path / "recordings/a")
    run()
    before = contents(tmp_path / "data")
    replace(bag, seconds=3.0).write(tmp_path / "recordings/b")
    with pytest.raises(DataError, match="fps is 25 there, 30 here"):
        run(fps=30)
    cameras = {"front": robot_data["cameras"]["front"]}
    with pytest.raises(DataError, match=r"'observation\.images\.wrist' is only there"):
        run(robot=robot_yaml(cameras=cameras))
    joints = [dict(joint) for joint in robot_data["joints"]]
    joints[-1]["upper_rad"] = 1.7
    with pytest.raises(FingerprintMismatch, match="gripper"):
        run(robot=robot_yaml(joints=joints))
    assert contents(tmp_path / "data") == before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path, bag, run):
    bag.write(tmp_path / "recordings/a")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/thesis.tex").write_text("chapter one")
    with pytest.raises(DataError, match="something else"):
        run()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["thesis.tex"]


def test_two_conversions_at_a_time_into_one_data_set_are_refused(tmp_path, bag, run, robot):
    bag.write(tmp_path / "recordings/a")
    with datasets.opened(tmp_path / "data", robot, 25), pytest.raises(BusyError):
        run()


def test_lerobot_reads_the_data_set_between_any_two_moves_of_an_append(
    tmp_path, bag, run, monkeypatch
):
    """A process killed at any of them leaves the episodes before, or all of them."""
    replace(bag, seconds=2.0).write(tmp_path / "recordings/a")
    run("recordings/a")
    replace(bag, seconds=3.0).write(tmp_path / "recordings/b")
    moves = []

    def move_and_look(self, target):
        os.replace(self, target)
        moves.append(target)
        shutil.copytree(tmp_path / "data", tmp_path / f"at_{len(moves)}")

    monkeypatch.setattr(Path, "replace", move_and_look)
    run("recordings/b")
    monkeypatch.undo()
    whole = contents(tmp_path / "data")
    assert len(moves) > 6
    for k in range(1, len(moves) + 1):
        data = open_data(tmp_path / f"at_{k}")
        assert len(data) == (125 if k == len(moves) else 50)
        assert data[49]["episode_index"].item() == 0
        run("recordings/a", out=f"at_{k}")
        assert contents(tmp_path / f"at_{k}") == whole
        assert not (tmp_path / f"at_{k}/.convert").exists()


KILLED = """
import sys
from pathlib import Path
from rich.console import Console
from lam_ros.recording.convert.command import ConvertConfig, convert
recordings, out, robot = sys.argv[1:]
print("ready", flush=True)
convert(ConvertConfig((Path(recordings),), Path(out), robot, 1), Console(stderr=True))
"""


def test_killed_again_and_again_it_goes_on_and_ends_with_the_same(tmp_path, bag, run, robot_yaml):
    for k in range(4):
        replace(bag, seconds=2.0 + k).write(tmp_path / f"recordings/{k}")
    run(out="whole")
    command = [
        sys.executable, "-c", KILLED, str(tmp_path / "recordings"), str(tmp_path / "data"),
        robot_yaml(),
    ]  # fmt: skip
    rng = np.random.default_rng(4)
    for _ in range(5):
        process = subprocess.Popen(
            command, env=node_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(float(rng.uniform(0.05, 0.8)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    run()
    assert contents(tmp_path / "data") == contents(tmp_path / "whole")
    assert json.loads((tmp_path / "data/meta/info.json").read_text())["total_episodes"] == 4


def test_the_robot_travels_with_the_data(tmp_path, bag, run, robot):
    bag.write(tmp_path / "recordings/a")
    run()
    kept = json.loads((tmp_path / "data/meta/lam/robot.json").read_text())
    assert kept["fingerprint"] == robot.fingerprint()
    assert kept["units"]["action"] == "rad"


def test_the_training_of_lam_reads_it(tmp_path, bag, run, robot):
    from lam_policies.training.dataset import open_data as open_for_training
    from lam_ros.core.skills import Skill, StepWords

    bag.write(tmp_path / "recordings/a")
    run()
    [frames] = open_for_training(tmp_path / "data", robot, cache=None, stride=2, max_episodes=0)
    assert len(frames.action_rad) == 100
    assert frames.said == (StepWords(Skill.PLACE_IN, "red", "cube", "blue", "bowl"),)


def test_without_known_steps_the_training_of_lam_says_what_is_missing(tmp_path, bag, run, robot):
    from lam_policies.training.dataset import open_data as open_for_training

    bag.write(tmp_path / "recordings/a")
    run()
    assert (tmp_path / "data/meta/lam/episodes.parquet").is_file()
    replace(bag, subtasks=((0.0, "fold the towel"),)).write(tmp_path / "recordings/b")
    run()
    with pytest.raises(DataError, match="lerobot-train"):
        open_for_training(tmp_path / "data", robot, cache=None, stride=2, max_episodes=0)


@pytest.mark.slow
def test_lerobot_trains_act_on_it_unmodified(tmp_path, bag, run):
    bag.write(tmp_path / "recordings/a")
    run()
    command = [
        str(Path(sys.executable).with_name("lerobot-train")), "--policy.type=act",
        "--dataset.repo_id=lam/test", f"--dataset.root={tmp_path / 'data'}",
        "--dataset.video_backend=pyav", "--policy.push_to_hub=false", "--policy.device=cpu",
        "--policy.pretrained_backbone_weights=null", "--policy.dim_model=32",
        "--policy.n_heads=2", "--policy.dim_feedforward=32", "--policy.chunk_size=4",
        "--policy.n_action_steps=4", "--batch_size=2", "--steps=1", "--num_workers=0",
        f"--output_dir={tmp_path / 'run'}", "--wandb.enable=false",
    ]  # fmt: skip
    done = subprocess.run(command, env=node_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert list((tmp_path / "run/checkpoints").glob("*/pretrained_model/model.safetensors"))
