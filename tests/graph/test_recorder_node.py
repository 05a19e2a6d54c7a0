"""The recorder node on real streams: what it writes, what it refuses, what it ends an episode for.

The test is the arm: it publishes pictures, joint states and commands as a robot does, and
goes wrong as a robot does.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lam_ros.core.clock import NS_PER_S
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.status import Level

FRONT = "/camera/front/image_raw/compressed"
PERIOD_NS = 40_000_000
"""Of everything that this arm sends."""

WRONG_CAMERA = """
import rclpy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node("wrong_camera")
publisher = node.create_publisher(String, "camera/front/image_raw", 1)
rclpy.spin(node)
"""


class Client:
    """Asks the recorder for episodes."""

    def __init__(self, graph: Any) -> None:
        from rclpy.action import ActionClient

        from lam_interfaces import msg as lam_msg
        from lam_interfaces.action import RecordEpisode
        from lam_interfaces.srv import FinishEpisode
        from lam_ros.bridge import topics

        self.graph, self._action, self._finish_type = graph, RecordEpisode, FinishEpisode
        self.events = graph.collect(lam_msg.EpisodeEvent, "lam/episode_event", 50)
        self._record = ActionClient(graph.node, RecordEpisode, topics.RECORD_EPISODE)
        self._finish = graph.node.create_client(FinishEpisode, topics.FINISH_EPISODE)
        self.goal: Any = None

    def begin(self, instruction: str = "put the red cube in the blue bowl", **goal: Any) -> Any:
        """Ask for an episode; returns the future of its result."""
        request = self._action.Goal(instruction=instruction, session="s", **goal)
        self.goal = self.graph.send_goal(self._record, request)
        assert self.goal.accepted
        return self.goal.get_result_async()

    def finish(self, outcome: str, reason: str = "") -> Any:
        """End the episode; returns the answer."""
        request = self._finish_type.Request(outcome=outcome, reason=reason)
        return self.graph.call(self._finish, request)

    def result(self, future: Any) -> Any:
        """Return an episode's result."""
        return self.graph.result(future, "the episode's result").result


def is_ready(node: Any) -> bool:
    """Tell whether the recorder's gate is open."""
    return not node._recorder.blames()


def record(arm: Any, client: Client, frames: int = 15) -> Any:
    """Begin an episode and let some frames pass; returns the future of its result."""
    future = client.begin()
    seen = arm.sent
    arm.graph.spin_until(lambda: arm.sent >= seen + frames or future.done(), "some frames")
    return future


def test_an_episode_holds_every_stream_with_its_stamps_and_what_is_known_of_it(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client)
    assert client.finish("success", "the cube is in the bowl").accepted
    result = client.result(future)
    assert (result.outcome, result.reason) == ("success", "the cube is in the bowl")

    episode = EpisodeReader(Path(result.folder))
    assert episode.meta.instruction == "put the red cube in the blue bowl"
    assert episode.meta.fingerprint == arm.robot.fingerprint()
    assert episode.result.outcome == "success"
    counts = {topic: info.count for topic, info in episode.topics.items()}
    assert counts[FRONT] == dict(zip(result.topics, result.frames, strict=True))[FRONT]
    assert min(counts[FRONT], counts["/joint_states"], counts["/lam/joint_command"]) >= 12
    pictures = list(episode.messages([FRONT]))
    assert all(0 < p.publish_time_ns <= p.log_time_ns for p in pictures)
    first = pictures[0].message
    assert (first.header.frame_id, first.format) == ("front_optical_frame", "jpeg")
    kinds = [event.message.kind for event in episode.messages(["/lam/episode_event"])]
    assert (kinds[0], kinds[-1]) == ("start", "outcome")


def test_a_video_shows_what_the_camera_sent(graph: Any, arm: Any, recorder: Any) -> None:
    from lam_ros.recording.h264 import Chain
    from lam_ros.recording.video import VideoDecoder

    node, client = recorder(images="video"), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    for _ in range(2):  # each episode begins with a key picture
        future = record(arm, client, frames=5)
        client.finish("kept")
        episode = EpisodeReader(Path(client.result(future).folder))
        chain, decoder, seen = Chain(), VideoDecoder(), 0
        for one in episode.messages(["/camera/front/image_raw/video"]):
            assert one.message.format == "h264"
            assert chain.note(bytes(one.message.data)) == (48, 64)
            image = decoder.decode(bytes(one.message.data))
            assert np.abs(image.reshape(-1, 3).mean(axis=0) - (200, 30, 30)).max() < 8
            seen += 1
        assert seen >= 4


def test_a_jpeg_shows_what_the_camera_sent(graph: Any, arm: Any, recorder: Any) -> None:
    from lam_ros.recording import jpeg

    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client, frames=5)
    client.finish("kept")
    folder = Path(client.result(future).folder)
    message = next(iter(EpisodeReader(folder).messages([FRONT]))).message
    image = jpeg.decode(bytes(message.data))
    assert image.shape == (48, 64, 3)
    assert np.abs(image.reshape(-1, 3).mean(axis=0) - (200, 30, 30)).max() < 5


def test_raw_pictures_are_recorded_byte_for_byte(graph: Any, arm: Any, recorder: Any) -> None:
    node, client = recorder(images="raw"), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client, frames=5)
    client.finish("kept")
    episode = EpisodeReader(Path(client.result(future).folder))
    message = next(iter(episode.messages(["/camera/front/image_raw"]))).message
    assert bytes(message.data) == bytes([200, 30, 30]) * (64 * 48)


def test_cancelling_ends_the_episode_as_the_goal_said(graph: Any, arm: Any, recorder: Any) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    outcomes = []
    for on_cancel in ("kept", "discarded"):
        graph.spin_until(lambda: is_ready(node), "the gate to open")
        future = client.begin(on_cancel=on_cancel)
        seen = arm.sent
        graph.spin_until(lambda seen=seen: arm.sent > seen + 5, "some frames")
        client.goal.cancel_goal_async()
        result = client.result(future)
        outcomes.append((result.outcome, EpisodeReader(Path(result.folder)).result.outcome))
    assert outcomes == [("kept", "kept"), ("discarded", "discarded")]


def test_an_episode_ends_by_itself_when_its_time_is_over(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    result = client.result(client.begin(max_duration_s=2.0))
    assert result.outcome == "kept"
    assert "2 s" in result.reason
    assert result.duration_s > 0.5


def test_events_tell_of_subtasks_and_of_a_person_who_takes_hold(
    graph: Any, arm: Any, recorder: Any
) -> None:
    from std_msgs.msg import Bool

    from lam_interfaces import msg as lam_msg
    from lam_ros.bridge import qos

    node, client = recorder(), Client(graph)
    plans = graph.node.create_publisher(lam_msg.Plan, "lam/plan", qos.LATCHED)
    engaged = graph.node.create_publisher(Bool, "teleop/engaged", qos.LATCHED)
    step = lam_msg.PlanStep(prompt="put the red cube in the bowl", status=lam_msg.PlanStep.RUNNING)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client, frames=2)
    plan = lam_msg.Plan(steps=[step])
    plan.header.stamp = graph.node.get_clock().now().to_msg()
    plans.publish(plan)
    engaged.publish(Bool(data=True))
    graph.spin_until(lambda: len(client.events) >= 3, "two events")
    engaged.publish(Bool(data=False))
    graph.spin_until(lambda: len(client.events) >= 4, "the end of the intervention")
    client.finish("kept")
    episode = EpisodeReader(Path(client.result(future).folder))
    told = [(e.message.kind, e.message.text) for e in episode.messages(["/lam/episode_event"])]
    assert sorted(told[1:3]) == [
        ("intervention", "on"),
        ("subtask", "put the red cube in the bowl"),
    ]
    assert told[3] == ("intervention", "off")


def test_an_episode_may_begin_at_once_when_another_ends_and_both_are_whole(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    first = record(arm, client)
    assert client.finish("success").accepted
    second = client.begin("the next one")  # without a wait for the first one's result
    seen = arm.sent
    graph.spin_until(lambda: arm.sent >= seen + 15, "some frames")
    client.finish("kept")
    results = [client.result(future) for future in (first, second)]
    assert [result.outcome for result in results] == ["success", "kept"]
    episodes = [EpisodeReader(Path(result.folder)) for result in results]
    assert [e.meta.instruction for e in episodes][1] == "the next one"
    assert min(episode.topics[FRONT].count for episode in episodes) >= 12
    last, following = (
        [message.publish_time_ns for message in episode.messages([FRONT], decode=False)]
        for episode in episodes
    )
    assert last[-1] < following[0]


# -- what keeps an episode from beginning ----------------------------------------------


def refused(client: Client, **goal: Any) -> str:
    """Ask for an episode that cannot begin; returns why."""
    result = client.result(client.begin(**goal))
    assert (result.outcome, result.folder) == ("aborted", "")
    return str(result.reason)


def test_the_gate_names_each_stream_that_is_missing_or_of_another_size(
    graph: Any, arm: Any, recorder: Any
) -> None:
    arm.silent, arm.sizes["wrist"] = {"front"}, (32, 24)
    recorder()
    seen = arm.sent
    graph.spin_until(lambda: arm.sent > seen + 40, "the other streams")
    reason = refused(Client(graph))
    assert "front: nothing comes on camera/front/image_raw" in reason
    assert "wrist: 32x24 pixels come, 64x48 are needed" in reason
    assert "joints" not in reason


def test_the_gate_names_a_topic_of_another_type(graph: Any, arm: Any, recorder: Any) -> None:
    graph.node.destroy_publisher(arm._images.pop("front"))
    other = graph.start_command([sys.executable, "-c", WRONG_CAMERA])
    node = recorder()
    graph.spin_until(
        lambda: any("std_msgs/msg/String" in blame.detail for blame in node._recorder.blames()),
        "the other type to be seen",
    )
    reason = refused(Client(graph))
    assert "front: camera/front/image_raw carries std_msgs/msg/String" in reason
    assert other.poll() is None


def test_the_gate_refuses_other_joints_another_robot_and_a_full_disk(
    graph: Any, arm: Any, recorder: Any
) -> None:
    arm.joint_names = [name.replace("elbow_flex", "elbow") for name in arm.joint_names]
    node = recorder(free_gb=1e9)
    graph.spin_until(lambda: node._recorder.states()[2].count > 0, "a joint state")
    reason = refused(Client(graph), fingerprint="0123456789abcdef")
    assert "lacks elbow_flex" in reason
    assert "Did you mean 'elbow'" in reason
    assert "0123456789abcdef" in reason
    assert "disk:" in reason


# -- what goes wrong half-way ----------------------------------------------------------


def test_another_resolution_half_way_aborts_and_what_came_before_is_intact(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client)
    arm.sizes["wrist"] = (32, 24)
    result = client.result(future)
    assert result.outcome == "aborted"
    assert "wrist: 32x24 pixels came, 64x48 are needed" in result.reason
    episode = EpisodeReader(Path(result.folder))
    wrist = list(episode.messages(["/camera/wrist/image_raw/compressed"]))
    assert len(wrist) >= 10
    assert episode.result.outcome == "aborted"


def test_a_camera_that_is_unplugged_aborts_and_is_named(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client)
    arm.silent = {"wrist"}
    result = client.result(future)
    assert result.outcome == "aborted"
    assert "wrist: silent for" in result.reason
    assert len(list(EpisodeReader(Path(result.folder)).messages([FRONT]))) >= 15


def test_stamps_that_are_zero_or_go_back_are_recorded_and_reported(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client, frames=4)
    arm.stamp = lambda _: 0
    graph.spin_until(lambda: any("no stamp" in e.text for e in client.events), "the zero stamps")
    arm.stamp = lambda now_ns: 2 * NS_PER_S * 10**9 - now_ns
    graph.spin_until(lambda: any("before the one" in e.text for e in client.events), "the other")
    client.finish("kept")
    episode = EpisodeReader(Path(client.result(future).folder))
    faults = episode.result.faults[FRONT]
    assert faults.zero_stamps > 0
    assert faults.decreasing_stamps > 0


def test_an_episode_without_a_picture_is_no_episode(graph: Any, arm: Any, recorder: Any) -> None:
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    arm.silent = {"front"}
    future = client.begin()
    client.finish("success")
    result = client.result(future)
    assert result.outcome == "aborted"
    assert "empty: nothing came of" in result.reason
    assert "front" in result.reason


def test_an_episode_ends_before_the_disk_is_full_and_what_came_is_kept(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(reserve_gb=1e6), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    result = client.result(client.begin())
    assert result.outcome in ("kept", "aborted")  # aborted if it was full at once
    assert "disk is nearly full" in result.reason or "empty" in result.reason
    assert EpisodeReader(Path(result.folder)).result.outcome == result.outcome


def test_a_folder_that_cannot_be_written_is_said_and_nothing_begins(
    graph: Any, arm: Any, recorder: Any, tmp_path: Path
) -> None:
    (tmp_path / "in_the_way").write_text("a file")
    node = recorder(root=str(tmp_path / "in_the_way" / "rec"))
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    assert "in_the_way" in refused(Client(graph))


def test_a_camera_that_sends_jpeg_itself_is_recorded_as_it_comes(
    graph: Any, arm: Any, recorder: Any
) -> None:
    from sensor_msgs.msg import CompressedImage

    from lam_ros.bridge import qos
    from lam_ros.recording import jpeg

    graph.node.destroy_publisher(arm._images.pop("front"))
    publisher = graph.node.create_publisher(
        CompressedImage, "camera/front/image_raw/compressed", qos.SENSOR
    )
    picture = jpeg.encode(np.full((48, 64, 3), 90, np.uint8))

    def send() -> None:
        message = CompressedImage(format="jpeg", data=picture)
        message.header.stamp = graph.node.get_clock().now().to_msg()
        publisher.publish(message)

    graph.node.create_timer(PERIOD_NS / NS_PER_S, send)
    node, client = recorder(), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client)
    client.finish("kept")
    messages = EpisodeReader(Path(client.result(future).folder)).messages([FRONT])
    assert {bytes(recorded.message.data) for recorded in messages} == {picture}


def test_what_a_reliable_camera_sends_is_asked_for_reliably(
    graph: Any, arm: Any, recorder: Any
) -> None:
    from sensor_msgs.msg import Image

    from lam_ros.bridge import qos
    from lam_ros.recording.streams import Delivery

    graph.node.destroy_publisher(arm._images["front"])
    arm._images["front"] = graph.node.create_publisher(Image, "camera/front/image_raw", qos.REPORT)
    node = recorder()
    graph.spin_until(lambda: node._heard["front"][1] is Delivery.RELIABLE, "another subscription")
    graph.spin_until(lambda: is_ready(node), "the gate to open")


def test_a_discarded_episode_goes_if_that_is_wanted(
    graph: Any, arm: Any, recorder: Any, tmp_path: Path
) -> None:
    node, client = recorder(delete_discarded=True), Client(graph)
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    future = record(arm, client, frames=5)
    client.finish("discarded")
    result = client.result(future)
    assert (result.outcome, result.folder) == ("discarded", "")
    assert list((tmp_path / "rec" / "s").iterdir()) == []


def test_nothing_can_be_finished_when_nothing_is_recorded(
    graph: Any, arm: Any, recorder: Any
) -> None:
    node, client = recorder(), Client(graph)
    answer = client.finish("kept")
    assert not answer.accepted
    assert "no episode" in answer.message
    graph.spin_until(lambda: is_ready(node), "the gate to open")
    client.begin()
    answer = client.finish("splendid")
    assert not answer.accepted
    assert "allowed: discarded, failure, kept, success" in answer.message


def test_sigterm_closes_the_episode_properly(
    graph: Any, arm: Any, robot_file: str, tmp_path: Path
) -> None:
    from diagnostic_msgs.msg import DiagnosticArray

    from lam_ros.bridge.episodes import diagnostics_from, recorder_values

    def is_gate_open(message: Any) -> bool:
        return all(status.level <= Level.WARN for status in diagnostics_from(message))

    def min_count(message: Any) -> int:
        is_recording = recorder_values(message)["recording"] == "true"
        counts = [s.count for s in diagnostics_from(message) if s.wanted_hz]
        return min(counts) if is_recording else 0

    root, client = tmp_path / "rec", Client(graph)
    said = graph.collect(DiagnosticArray, "/diagnostics")
    arguments = [
        f"robot:={robot_file}",
        f"root:={root}",
        "free_gb:=0.001",
        "reserve_gb:=0.001",
        "rate_tolerance:=0.9",
    ]
    options = [part for value in arguments for part in ("-p", value)]
    process = graph.start("lam_ros.nodes.recorder", "--ros-args", *options)
    graph.spin_until(lambda: said and is_gate_open(said[-1]), "diagnostics that say go", 60.0)
    client.begin()
    graph.spin_until(lambda: min_count(said[-1]) >= 10, "some frames", 60.0)
    os.kill(process.pid, signal.SIGTERM)
    graph.spin_until(lambda: process.poll() is not None, "the recorder to end")
    assert process.returncode == 0
    episode = EpisodeReader(root / "s" / "episode_000000")
    assert (episode.result.outcome, episode.cut_off) == ("aborted", False)
    assert episode.topics[FRONT].count >= 10
