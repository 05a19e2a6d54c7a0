"""What `lam convert` promises of the rows that it makes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lam_ros.core.errors import DataError, LamError
from lam_ros.recording.convert.command import ConvertConfig, convert
from lam_ros.recording.convert.grid import GridConfig
from lam_ros.recording.convert.parts import PartConfig
from lam_ros.recording.convert.report import Fate

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
PERIOD_NS = 40_000_000


@pytest.fixture
def run(tmp_path, robot_yaml):
    """Convert what lies below tmp_path/recordings, with one process."""

    def convert_all(out="data", *, robot=None, **options):
        grid = GridConfig(
            fps=options.pop("fps", 25), command_stale_after_s=options.pop("command_stale_s", None)
        )
        config = ConvertConfig(
            recordings=(tmp_path / "recordings",),
            out=tmp_path / out,
            robot=robot or robot_yaml(),
            workers=1,
            part=PartConfig(grid=grid, **options),
        )
        return convert(config, Console(stderr=True, quiet=True))

    return convert_all


def rows(folder: Path) -> dict[str, np.ndarray]:
    tables = [pq.read_table(path) for path in sorted((folder / "data").glob("*/*.parquet"))]
    names = tables[0].column_names
    return {
        name: np.concatenate([np.array(t.column(name).to_pylist()) for t in tables])
        for name in names
    }


def video(folder: Path, camera: str) -> list[np.ndarray]:
    import av

    frames = []
    for path in sorted((folder / f"videos/observation.images.{camera}").glob("*/*.mp4")):
        with av.open(str(path)) as container:
            frames += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return frames


def test_each_row_holds_the_last_picture_received_by_its_time(tmp_path, bag, run, pictures):
    bag.write(tmp_path / "recordings/a")
    run()
    data = rows(tmp_path / "data")
    stamps = data["stream_stamp_ns"]
    for k, camera in enumerate(("front", "wrist")):
        shown = np.array([pictures(image) for image in video(tmp_path / "data", camera)])
        received_ns = START_NS + np.round(np.arange(120) / 30 * NS).astype(np.int64) + 12_000_000
        expected = np.searchsorted(received_ns, data["stamp_ns"], side="right") - 1
        assert (shown == expected).all()
        assert (np.abs(stamps[:, k] - (START_NS + shown / 30 * NS)) < 2).all()


def test_state_is_the_last_value_and_action_the_command_in_force_one_frame_later(
    tmp_path, bag, run
):
    bag.write(tmp_path / "recordings/a")
    run()
    data = rows(tmp_path / "data")

    def joints_at(stamp_ns):
        return 0.4 * np.sin(np.pi * (stamp_ns - START_NS)[:, None] / NS + np.arange(6))

    joint_stamp, action_stamp = data["stream_stamp_ns"][:, 2], data["stream_stamp_ns"][:, 3]
    assert np.allclose(data["observation.state"], joints_at(joint_stamp), atol=1e-6)
    assert np.allclose(data["action"], joints_at(action_stamp) + 0.1, atol=1e-6)
    assert np.allclose(data["passed_action"], joints_at(action_stamp) + 0.05, atol=1e-6)
    assert (joint_stamp <= data["stamp_ns"]).all()
    late_ns = data["stamp_ns"] + PERIOD_NS - action_stamp
    assert ((late_ns >= 0) & (late_ns <= 21_000_000))[:-1].all()


def test_the_grid_is_fixed_and_ages_are_real(tmp_path, bag, run):
    bag.write(tmp_path / "recordings/a")
    report = run()
    data = rows(tmp_path / "data")
    assert (np.diff(data["stamp_ns"]) == PERIOD_NS).all()
    seen = (data["stamp_ns"][:, None] - data["stream_stamp_ns"][:, :3]) / NS
    assert np.allclose(data["stream_age_s"][:, :3], seen, atol=1e-6)
    assert report.total_frames == len(data["index"]) == 100


def test_offline_sees_what_a_live_policy_saw(tmp_path, bag, robot, run, pictures):
    """The live path: ROS messages, bridge, assembler, in the order of receipt."""
    import sensor_msgs.msg
    from rclpy.serialization import deserialize_message

    from lam_ros.bridge.images import frame_from
    from lam_ros.bridge.messages import joints_from
    from lam_ros.core.assemble import JOINTS, Assembler
    from lam_ros.core.types import Observation
    from lam_ros.recording.reader import EpisodeReader

    recording = replace(bag, images="raw").write(tmp_path / "recordings/a")
    run()
    data = rows(tmp_path / "data")
    shown = {name: video(tmp_path / "data", name) for name in robot.camera_names}
    assembler, at, compared = Assembler(robot), 0, 0
    cameras = {f"/camera/{name}/image_raw": name for name in robot.camera_names}
    for item in EpisodeReader(recording).messages([*cameras, "/joint_states"], decode=False):
        while at < len(data["stamp_ns"]) and data["stamp_ns"][at] < item.log_time_ns:
            seen = assembler.assemble(int(data["stamp_ns"][at]))
            assert isinstance(seen, Observation)
            assert np.allclose(seen.state_rad, data["observation.state"][at], atol=1e-6)
            ages = [seen.age_ns[name] / NS for name in (*robot.camera_names, JOINTS)]
            assert np.allclose(ages, data["stream_age_s"][at][:3], atol=1e-6)
            for name in robot.camera_names:
                assert pictures(seen.images[name]) == pictures(shown[name][at])
                assert np.abs(seen.images[name].astype(int) - shown[name][at]).mean() < 6
            at, compared = at + 1, compared + 1
        if item.topic in cameras:
            message = deserialize_message(bytes(item.message), sensor_msgs.msg.Image)
            assembler.put_frame(frame_from(message, cameras[item.topic]))
        else:
            message = deserialize_message(bytes(item.message), sensor_msgs.msg.JointState)
            assembler.put_joints(joints_from(message, robot))
    assert compared > 90


LOST = range(50, 65)


@pytest.mark.parametrize("images", ["raw", "jpeg"])
@pytest.mark.parametrize("what", ["black", "frozen"])
def test_rows_end_where_a_live_policy_would_have_refused_to_see(
    tmp_path, bag, robot, run, what, images
):
    from lam_ros.core.assemble import Assembler
    from lam_ros.core.types import CameraFrame, JointState, Observation
    from lam_ros.recording.convert.pictures import decode
    from lam_ros.recording.reader import EpisodeReader

    spoilt = replace(bag, images=images, **{what: LOST})
    recording = spoilt.write(tmp_path / "recordings/a")
    report = run()
    taken = set(rows(tmp_path / "data")["stamp_ns"].tolist())
    [gap] = report.recordings[0].gaps
    assert (gap["stream"], gap["reason"]) == ("front", what)

    assembler, at_ns, seen = Assembler(robot), min(taken), set()
    for item in EpisodeReader(recording).messages():
        while at_ns < item.log_time_ns and at_ns <= max(taken):
            if isinstance(assembler.assemble(at_ns), Observation):
                seen.add(at_ns)
            at_ns += PERIOD_NS
        if "/camera/" in item.topic:
            camera = item.topic.split("/")[2]
            image = decode(item.message, item.type_name, camera)
            assembler.put_frame(CameraFrame(camera, stamp(item), image))
        elif item.topic == "/joint_states":
            assembler.put_joints(JointState(stamp(item), np.array(item.message.position)))
    assert taken == seen
    assert 5 <= (max(taken) - min(taken)) // PERIOD_NS + 1 - len(taken) <= 13


def stamp(item) -> int:
    return item.message.header.stamp.sec * NS + item.message.header.stamp.nanosec


def test_a_recording_in_which_a_camera_is_black_is_rejected_with_the_reason(tmp_path, bag, run):
    replace(bag, black=range(1000)).write(tmp_path / "recordings/a")
    replace(bag, seconds=3.0).write(tmp_path / "recordings/b")
    report = run()
    assert [item.fate for item in report.recordings] == [Fate.REJECTED, Fate.CONVERTED]
    assert "camera 'front': its picture is black" in report.recordings[0].reason


def test_a_gap_splits_the_episode_and_is_listed(tmp_path, bag, make_stream, run):
    silent = make_stream(30.0, lag_s=0.012, silent=[(2.0, 3.0)])
    replace(bag, seconds=5.0, camera_streams={"front": silent}).write(tmp_path / "recordings/a")
    report = run()
    assert report.recordings[0].episodes == 2
    [gap] = report.recordings[0].gaps
    assert gap["stream"] == "front"
    assert gap["reason"] in ("stale", "skewed")
    assert 0.7 < gap["seconds"] < 1.0
    data = rows(tmp_path / "data")
    assert data["stream_age_s"][:, 0].max() <= 0.2
    for episode in (0, 1):
        assert (np.diff(data["stamp_ns"][data["episode_index"] == episode]) == PERIOD_NS).all()
    kept = json.loads((tmp_path / "data/meta/lam/recordings.json").read_text())
    assert kept[0]["episodes"] == [0, 1]
    assert kept[0]["gaps"][0]["stream"] == "front"


def test_a_gap_rejects_the_episode_where_that_is_asked_for(tmp_path, bag, make_stream, run):
    silent = make_stream(30.0, lag_s=0.012, silent=[(2.0, 3.0)])
    replace(bag, camera_streams={"front": silent}).write(tmp_path / "recordings/a")
    bag.write(tmp_path / "recordings/b")
    report = run(gaps="reject")
    assert [entry.fate for entry in report.recordings] == [Fate.REJECTED, Fate.CONVERTED]
    assert "front" in report.recordings[0].reason


def test_a_camera_that_is_unplugged_ends_the_episode_and_the_missing_end_is_listed(
    tmp_path, bag, make_stream, run
):
    unplugged = make_stream(30.0, lag_s=0.012, silent=[(2.0, 99.0)])
    replace(bag, camera_streams={"wrist": unplugged}).write(tmp_path / "recordings/a")
    report = run()
    [gap] = report.recordings[0].gaps
    assert (gap["stream"], report.recordings[0].episodes) == ("wrist", 1)
    assert gap["seconds"] > 1.5


def test_another_resolution_half_way_is_a_gap_that_says_so(tmp_path, bag, run):
    replace(bag, size_change_s=2.0).write(tmp_path / "recordings/a")
    report = run()
    [gap] = report.recordings[0].gaps
    assert gap["reason"] == "wrong_size"
    assert "(96, 128, 3)" in gap["detail"]
    assert 45 <= report.total_frames <= 52


def test_broken_pictures_are_counted_and_never_shown(tmp_path, bag, run, pictures):
    replace(bag, broken_pictures=(10, 11)).write(tmp_path / "recordings/a")
    report = run()
    assert report.recordings[0].faults["front: truncated picture"] == 2
    shown = {pictures(image) for image in video(tmp_path / "data", "front")}
    assert shown.isdisjoint({10, 11})
    assert {9, 12} <= shown


def test_a_subtask_becomes_the_task_of_its_frames(tmp_path, bag, run):
    texts = ("put the red cube in the blue bowl", "put the green cube on the red cube")
    replace(bag, subtasks=((0.0, texts[0]), (2.0, texts[1]))).write(tmp_path / "recordings/a")
    run()
    data = rows(tmp_path / "data")
    table = pq.read_table(tmp_path / "data/meta/tasks.parquet").to_pydict()
    said = np.array(table["task"])[data["task_index"]]
    assert (said == np.where(data["stamp_ns"] >= START_NS + 2 * NS, *texts[::-1])).all()


def test_frames_in_which_a_person_holds_the_arm_are_marked_while_a_policy_drives(
    tmp_path, bag, run
):
    replace(bag, source="policy", engaged=((0.0, False), (1.0, True), (2.5, False))).write(
        tmp_path / "recordings/a"
    )
    run()
    data = rows(tmp_path / "data")
    time_s = (data["stamp_ns"] - START_NS) / NS
    assert (data["intervention"] == ((time_s >= 1.0) & (time_s < 2.5))).all()


def test_where_only_a_person_drives_nothing_is_an_intervention(tmp_path, bag, run):
    replace(bag, engaged=((0.0, True),)).write(tmp_path / "recordings/a")
    run()
    assert not rows(tmp_path / "data")["intervention"].any()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seconds": 0.3}, "too short"),
        ({"subtasks": ()}, "--task"),
        ({"cameras": {"front": (64, 48)}}, "camera 'wrist': no topic"),
        ({"joint_names": ("a", "b", "c", "d", "e", "f")}, "joints missing: shoulder_pan"),
        ({"joint_topic": "/camera/wrist/image_raw"}, "joint states: no topic"),
        ({"command": "none"}, "commands: no topic"),
    ],
)
def test_a_recording_that_cannot_be_converted_is_rejected_with_the_reason_and_others_are_not(
    tmp_path, bag, run, changes, reason
):
    replace(bag, **changes).write(tmp_path / "recordings/a")
    bag.write(tmp_path / "recordings/b")
    report = run()
    assert [entry.fate for entry in report.recordings] == [Fate.REJECTED, Fate.CONVERTED]
    assert reason in report.recordings[0].reason
    assert "\n" not in report.recordings[0].reason
    assert report.total_episodes == 1


def test_a_topic_of_another_type_is_named_with_both_types(
    tmp_path, bag, robot_data, run, robot_yaml
):
    bag.write(tmp_path / "recordings/a")
    topics = {**robot_data["topics"], "joint_state": "camera/front/image_raw/compressed"}
    report = run(robot=robot_yaml(topics=topics))
    reason = report.recordings[0].reason
    assert "sensor_msgs/msg/CompressedImage" in reason
    assert "sensor_msgs/msg/JointState" in reason


def test_a_bag_cut_in_the_middle_is_rejected_with_the_remedy_and_others_are_not(tmp_path, bag, run):
    cut = bag.write(tmp_path / "recordings/a")
    [file] = cut.glob("*.mcap")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (cut / "metadata.yaml").unlink()
    bag.write(tmp_path / "recordings/b")
    report = run()
    assert [entry.fate for entry in report.recordings] == [Fate.REJECTED, Fate.CONVERTED]
    assert "lam episodes recover" in report.recordings[0].reason


def test_an_empty_file_and_a_folder_without_bags_are_refused_in_one_line(tmp_path, run):
    (tmp_path / "recordings").mkdir()
    with pytest.raises(DataError, match="no bag"):
        run()
    (tmp_path / "recordings/a").mkdir()
    (tmp_path / "recordings/a/a.mcap").touch()
    assert run().recordings[0].fate is Fate.REJECTED


def test_a_robot_yaml_that_names_an_unknown_joint_is_refused_with_the_nearest(
    tmp_path, bag, run, robot_yaml
):
    bag.write(tmp_path / "recordings/a")
    with pytest.raises(LamError, match=r"unknown joint 'gripper_'.*Did you mean 'gripper'"):
        run(robot=robot_yaml(recording={"joint_names": {"gripper_": "jaw"}}))


def test_an_episode_of_several_subtasks_can_become_an_episode_each(tmp_path, bag, run):
    texts = ("put the red cube in the blue bowl", "put the green cube on the red cube")
    changes = ((0.0, texts[0]), (1.5, texts[1]), (3.8, "go home"))
    replace(bag, subtasks=changes).write(tmp_path / "recordings/a")
    report = run(by_task=True)
    data = rows(tmp_path / "data")
    table = pq.read_table(tmp_path / "data/meta/tasks.parquet").to_pydict()
    assert table["task"] == list(texts)
    assert (data["task_index"] == data["episode_index"]).all()
    assert report.recordings[0].episodes == 2
    [short] = report.recordings[0].gaps
    assert short["reason"] == "short"
    assert "go home" in short["detail"]


def test_a_folder_that_may_not_be_written_is_said_in_one_line(tmp_path, bag, run, monkeypatch):
    """Root may write anywhere, so the refusal is made by a file in the way."""
    bag.write(tmp_path / "recordings/a")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LamError, match="file/data"):
        run(out="file/data")
