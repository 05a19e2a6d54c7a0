"""Episodes of our own recorder convert without being told anything about the robot."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace

import av
import numpy as np
import pytest

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.core.robot import RobotDescription
from lam_ros.recording.cli_convert import add_convert
from lam_ros.recording.convert.main import main
from lam_ros.recording.format import VIDEO, Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover
from lam_ros.recording.synthetic import Synthetic, write_episode
from lam_ros.recording.writer import EpisodeWriter


@pytest.fixture
def record(tmp_path, robot):
    """Write an episode of two seconds below tmp_path/recordings."""

    def write(number: int, **options):
        folder = tmp_path / f"recordings/episode_{number:06d}"
        arm = options.pop("robot", robot)
        write_episode(folder, arm, Synthetic(2.0, seed=number, **options))
        return folder

    return write


@pytest.fixture
def lam_convert(tmp_path, capsys):
    """Run `lam convert` and return the exit code and what it says for machines."""

    def run(*options: str):
        parser = argparse.ArgumentParser()
        add_convert(parser.add_subparsers())
        given = ["convert", str(tmp_path / "recordings"), "--out", str(tmp_path / "data")]
        code = main(parser.parse_args([*given, "--json", "--workers", "1", *options]))
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def fates(report):
    return [entry["fate"] for entry in report["recordings"]]


def test_they_convert_and_the_exit_code_is_0(record, lam_convert, tmp_path):
    record(0)
    record(1)
    code, report = lam_convert()
    assert (code, fates(report), report["total_episodes"]) == (0, ["converted"] * 2, 2)
    kept = json.loads((tmp_path / "data/meta/lam/recordings.json").read_text())
    assert [entry["outcome"] for entry in kept] == ["success"] * 2
    assert [entry["name"] for entry in kept] == [
        "recordings/episode_000000", "recordings/episode_000001",
    ]  # fmt: skip


def test_pictures_recorded_as_video_convert_to_the_same_rows_and_nearly_the_same_pictures(
    record, lam_convert, tmp_path
):
    folder = record(0, images="video")
    assert EpisodeReader(folder).topics["/camera/front/image_raw/video"].type_name == VIDEO
    code, report = lam_convert()
    assert (code, fates(report)) == (0, ["converted"])
    filmed = pictures_of(tmp_path / "data")
    shutil.rmtree(tmp_path / "data")
    shutil.rmtree(folder)
    record(0)
    assert lam_convert()[0] == 0
    plain = pictures_of(tmp_path / "data")
    assert len(filmed) == len(plain) > 40
    apart = [difference(filmed[: -2 * k or None], plain[2 * k :]) for k in range(3)]
    assert apart[0] < min(apart[1:])  # each row has its own picture, not a neighbour's
    assert apart[0] < 8  # of 255, most of it the camera's noise


def test_pictures_behind_a_missing_one_are_left_out_and_counted(record, lam_convert, tmp_path):
    """The recorder says a key picture where it drops one; here one is gone from the bag."""
    folder = record(0, images="video")
    cut_a_picture_out(folder, "/camera/front/image_raw/video", 20)
    code, report = lam_convert()
    assert (code, fates(report)) == (0, ["converted"])
    kept = json.loads((tmp_path / "data/meta/lam/recordings.json").read_text())
    [faults] = [entry["faults"] for entry in kept]
    assert list(faults) == ["front: a picture of a video without those before it"]


def pictures_of(data):
    """Return the front camera's pictures of a data set, each of shape (H, W, 3)."""
    [path] = data.rglob("observation.images.front/**/*.mp4")
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]


def difference(ours, others):
    """Return the mean difference of pictures one by one."""
    return np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(ours, others, strict=True)])


def cut_a_picture_out(folder, topic, number):
    """Write the episode again without one message of a topic."""
    reader = EpisodeReader(folder)
    messages = list(reader.messages(decode=False))
    wanted = [item for item in messages if item.topic == topic]
    messages.remove(wanted[number])
    shutil.rmtree(folder)
    with EpisodeWriter(folder, reader.meta) as writer:
        for name, info in reader.topics.items():
            writer.add_channel(name, info.type_name)
        for item in messages:
            writer.write(item.topic, item.message, item.log_time_ns, item.publish_time_ns)
        writer.close(Outcome.SUCCESS, "made up")


def test_a_recording_is_known_by_its_id_wherever_it_lies(record, lam_convert, tmp_path):
    folder = record(0)
    lam_convert()
    shutil.move(folder, tmp_path / "recordings/renamed")
    code, report = lam_convert()
    assert (code, fates(report), report["total_episodes"]) == (0, ["known"], 1)


def test_episodes_that_failed_or_were_discarded_are_left_out_unless_asked_for(record, lam_convert):
    record(0, outcome=Outcome.FAILURE)
    record(1, outcome=Outcome.DISCARDED)
    record(2, outcome=Outcome.KEPT)
    code, report = lam_convert()
    assert (code, fates(report)) == (0, ["left_out", "left_out", "converted"])
    assert "failure" in report["recordings"][0]["reason"]
    code, report = lam_convert("--outcomes", "failure")
    assert fates(report) == ["converted", "left_out", "left_out"]
    with pytest.raises(ConfigError, match="Did you mean 'success'"):
        lam_convert("--outcomes", "sucess")


def test_one_that_was_cut_off_is_rejected_until_it_is_recovered(record, lam_convert):
    whole, cut = record(0), record(1)
    [file] = cut.glob("*.mcap")
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 9 // 10])
    (cut / "metadata.yaml").unlink()
    code, report = lam_convert("--outcomes", "success,aborted")
    assert (code, fates(report)) == (1, ["converted", "rejected"])
    assert f"lam episodes recover {cut}" in report["recordings"][1]["reason"]
    recover(cut)
    code, report = lam_convert("--outcomes", "success,aborted")
    assert (code, fates(report)) == (0, ["known", "converted"])
    assert whole.is_dir()


def test_one_of_another_robot_is_rejected_with_the_difference(record, lam_convert, robot):
    record(0)
    other = RobotDescription.from_dict(robot.to_dict() | {"calibration": {"gripper": 12}})
    record(1, robot=other)
    code, report = lam_convert()
    assert (code, fates(report)) == (1, ["converted", "rejected"])
    assert "calibration only there: gripper" in report["recordings"][1]["reason"]


def test_fewer_rows_a_second_are_fewer_rows(record, lam_convert):
    record(0)
    assert lam_convert("--fps", "10")[1]["total_frames"] == 20


@pytest.mark.parametrize(
    "option", [("--fps", "0"), ("--workers", "-1"), ("--min-seconds", "-1"), ("--fps", "5000")]
)
def test_options_out_of_range_are_refused(record, lam_convert, option):
    with pytest.raises(ConfigError, match=option[0]):
        lam_convert(*option)


def test_without_a_network_a_push_says_so_and_the_data_set_is_complete(
    record, lam_convert, tmp_path, monkeypatch
):
    """The way to the hub is cut at the address, where a machine without a network fails."""
    from huggingface_hub import HfApi

    from lam_ros.recording.convert import push as pushing

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    record(0)
    lam_convert()
    nowhere = HfApi(endpoint="http://127.0.0.1:9")
    with pytest.raises(MachineError, match="the hub cannot be reached") as caught:
        pushing.push(tmp_path / "data", "me/demos", _quiet(), nowhere)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    assert (tmp_path / "data/meta/info.json").is_file()


def _quiet():
    from rich.console import Console

    return Console(quiet=True)


def test_two_episodes_of_one_length_and_one_robot_are_told_apart(record, lam_convert, tmp_path):
    """Two episodes of one length and one robot are two."""
    record(0)
    record(1)
    lam_convert()
    kept = json.loads((tmp_path / "data/meta/lam/recordings.json").read_text())
    assert len({entry["recording_id"] for entry in kept}) == 2


def test_gap_options_are_part_of_what_is_resumed(record, lam_convert, tmp_path):
    from lam_ros.recording.convert.grid import GridConfig
    from lam_ros.recording.convert.parts import PartConfig

    keys = {
        PartConfig().key(),
        PartConfig(gaps="reject").key(),
        replace(PartConfig(), grid=GridConfig(fps=10)).key(),
        PartConfig(by_task=True).key(),
    }
    assert len(keys) == 4
