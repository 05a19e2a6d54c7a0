"""Our side of `lam bench capture`: the recorder node on streams that other processes send."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
import yaml
from rclpy.action import ActionClient

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RecordEpisode
from lam_interfaces.srv import FinishEpisode
from lam_ros.benches.capture_source import RATE_HZ
from lam_ros.bridge import topics
from lam_ros.bridge.asking import Question, SentGoal
from lam_ros.bridge.messages import stamp_to_ns
from lam_ros.bridge.runtime import ros
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.errors import MachineError
from lam_ros.core.robot import Camera, JointStream, RobotDescription
from lam_ros.locks import hold_domain
from lam_ros.record.client import RecordClient
from lam_ros.recording.format import EPISODE_EVENT, VIDEO_SUFFIX, EventKind, Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.streams import COMPRESSED_SUFFIX
from lam_ros.supervisor import NodeSpec, Supervisor

CAMERAS = ("front", "wrist")
START_S = 60.0
SETTLE_S = 5.0
"""From the beginning of the episode, before the memory's growth is counted."""

SECOND_S = 1.5
"""Length of the episode that begins at once when the measured one ends."""

MB = 1e6


@dataclass(frozen=True)
class Cost:
    """What one episode has cost the recorder.

    Attributes:
        ages_ms: figures of the pictures' ages at their writing.
        pause_ms: from the wish to end it to the beginning of the next.
        complete_ms: from that wish to the word that it is complete on the disk.
        between: pictures of a camera that were sent between the two and are in neither.
    """

    cpu_core_s_per_s: float
    memory_mb: float
    growth_mb: float
    pause_ms: float
    complete_ms: float
    ages_ms: dict[str, float]
    folders: tuple[Path, Path]
    mb_per_s: float
    messages: int = 0
    dropped: int = 0
    between: int = 0


def bench_robot() -> RobotDescription:
    """Return the so101 with two cameras of 640x480, and everything at 30 Hz."""
    camera = Camera("front", 640, 480, RATE_HZ, stale_after_s=0.5)
    return replace(
        load_robot("so101"),
        cameras=tuple(replace(camera, name=name) for name in CAMERAS),
        joint_state=JointStream(RATE_HZ, stale_after_s=0.5),
    )


def record(seconds: float, images: str, folder: Path) -> Cost:
    """Record one episode, with pictures in a form, and compare it with what was sent.

    Raises:
        MachineError: if the streams do not come as they should.
        NodeDied: if a node could not be started.
    """
    folder.mkdir()
    robot = bench_robot()
    domain_id, domain = hold_domain()
    with domain:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        specs = _specs(robot, folder, images)
        with Supervisor(specs, folder, domain_id) as host, ros([]) as executor:
            node = rclpy.create_node("bench")
            executor.add_node(node)
            cost = _Probe(host, executor, node, robot).record(seconds)
            executor.remove_node(node)
            node.destroy_node()
    suffix = VIDEO_SUFFIX if images == "video" else COMPRESSED_SUFFIX
    return _compared(cost, robot, folder, suffix)


def _specs(robot: RobotDescription, folder: Path, images: str) -> tuple[NodeSpec, ...]:
    path = folder / "robot.yaml"
    path.write_text(yaml.safe_dump(robot.to_dict()), encoding="utf-8")
    recorder = {"root": str(folder / "recordings"), "commands_required": False, "free_gb": 0.5}
    sources = [
        NodeSpec(
            f"source_{name or 'joints'}",
            "lam_ros.benches.capture_source",
            "SourceNode",
            {"robot": str(path), "camera": name, "stamps": str(_stamps_file(folder, name))},
        )
        for name in (*CAMERAS, "")
    ]
    module = "lam_ros.nodes.recorder"
    values = {"robot": str(path), "reserve_gb": 0.3, "rate_tolerance": 0.5, **recorder}
    values["images"] = images
    return (NodeSpec("recorder", module, "RecorderNode", values), *sources)


def _stamps_file(folder: Path, camera: str) -> Path:
    return folder / f"stamps_{camera or 'joints'}.npy"


class _Probe:
    """Has an episode recorded and another begun at its end, and watches the recorder's process."""

    def __init__(self, host: Supervisor, executor: Any, node: Any, robot: RobotDescription) -> None:
        self._host, self._executor = host, executor
        self._client = RecordClient(node, robot)
        self._episodes = ActionClient(node, RecordEpisode, topics.RECORD_EPISODE)
        self._finish = node.create_client(FinishEpisode, topics.FINISH_EPISODE)
        self._begun_ns: list[int] = []
        node.create_subscription(lam_msg.EpisodeEvent, EPISODE_EVENT, self._on_event, 10)

    def record(self, seconds: float) -> Cost:
        """Record one episode, and a short one that begins when it ends."""
        client = self._client
        if not self._spin(START_S, lambda: client.blames() == []):
            why = "; ".join(client.blames() or ["the recorder is silent"])
            raise MachineError(f"not ready within {START_S:g} s: {why}: is the machine busy?")
        process = psutil.Process(self._host.pids()["recorder"])
        episode = self._begin()
        settle_s = min(SETTLE_S, seconds / 4)
        self._spin(settle_s)
        settled_mb = process.memory_info().rss / MB
        before, began_s = process.cpu_times(), time.perf_counter()
        self._spin(seconds - settle_s)
        after, passed_s = process.cpu_times(), time.perf_counter() - began_s
        memory_mb = process.memory_info().rss / MB
        ages_ms = _ages(client.values)

        wished_ns = client.now_ns()
        self._wish_end()
        following = self._begin()
        folder = self._folder(episode)
        complete_ns = client.now_ns()
        self._spin(SECOND_S)
        self._wish_end()
        used_s = after.user + after.system - before.user - before.system
        return Cost(
            used_s / passed_s,
            memory_mb,
            memory_mb - settled_mb,
            (self._begun_ns[-1] - wished_ns) / NS_PER_MS,
            (complete_ns - wished_ns) / NS_PER_MS,
            ages_ms,
            (folder, self._folder(following)),
            sum(path.stat().st_size for path in folder.iterdir()) / MB / seconds,
        )

    def _begin(self) -> SentGoal:
        """Begin an episode; returns when it is being recorded."""
        count = len(self._begun_ns)
        goal = RecordEpisode.Goal(instruction="bench", session="bench")
        sent = SentGoal(self._episodes, goal)

        def is_begun() -> bool:
            sent.look(time.monotonic_ns())
            return len(self._begun_ns) > count or sent.accepted is False

        if not self._spin(START_S, is_begun):
            raise MachineError("the recorder did not begin")
        if sent.accepted is False:
            raise MachineError("the recorder has refused an episode")
        return sent

    def _wish_end(self) -> None:
        request = FinishEpisode.Request(outcome=str(Outcome.KEPT), reason="bench")
        question = Question(self._finish, request)
        answer = self._wait(question.answer, "the end of an episode")
        if not answer.accepted:
            raise MachineError(f"an episode could not be ended: {answer.message}")

    def _folder(self, episode: SentGoal) -> Path:
        def result_of(now_ns: int) -> Any:
            episode.look(now_ns)
            return episode.result

        result = self._wait(result_of, "the result of an episode").result
        if result.outcome != Outcome.KEPT:
            raise MachineError(f"the episode failed: {result.outcome}: {result.reason}")
        return Path(result.folder)

    def _wait(self, ask: Callable[[int], Any], what: str) -> Any:
        if not self._spin(START_S, lambda: ask(time.monotonic_ns()) is not None):
            raise MachineError(f"the recorder: {what} did not come within {START_S:g} s")
        return ask(time.monotonic_ns())

    def _spin(self, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if done():
                return True
            self._executor.spin_once(timeout_sec=min(left, 0.1))
            self._host.check()
        return done()

    def _on_event(self, event: lam_msg.EpisodeEvent) -> None:
        if event.kind == EventKind.START:
            self._begun_ns.append(stamp_to_ns(event.header.stamp))


def _ages(values: dict[str, str]) -> dict[str, float]:
    prefix, suffix = "write_age_", "_ms"
    found = {key: float(text) for key, text in values.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix).removesuffix(suffix): v for key, v in found.items()}


def _compared(cost: Cost, robot: RobotDescription, folder: Path, suffix: str) -> Cost:
    """Return the cost with what was sent and is not in the bags."""
    streams = {name: f"/{robot.image_topic(name)}{suffix}" for name in CAMERAS}
    streams[""] = f"/{robot.topics.joint_state}"
    messages = dropped = between = 0
    for name, topic in streams.items():
        sent = np.load(_stamps_file(folder, name))
        first, second = (_stamps(episode, topic) for episode in cost.folders)
        messages += first.size
        for kept in (first, second):
            meant = sent[(sent >= kept.min()) & (sent <= kept.max())]
            dropped += int(np.setdiff1d(meant, kept).size)
        if name:
            lost = int(((sent > first.max()) & (sent < second.min())).sum())
            between = max(between, lost)
    return replace(cost, messages=messages, dropped=dropped, between=between)


def _stamps(episode: Path, topic: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    kept = EpisodeReader(episode).messages([topic], decode=False)
    return np.array([message.publish_time_ns for message in kept], dtype=np.int64)
