"""`lam bench capture`: the recorder on two cameras of 640x480 and joints at 30 Hz.

Cameras, joints and recorder are processes of their own and speak through the middleware.
Then LeRobot's streaming encoder records the same pictures, for as long, in a process of
its own, fed from memory.

What the figures mean:

    dropped            messages that were sent between the first and the last that was
                       recorded, and are not in the bag: every stamp is compared
    frame_age_ms       from a picture's stamp to its being handed to the file's writer, JPEG
                       encoding included
    cpu_core_s_per_s   processor time of the recorder for each second of recording
    memory_growth_mb   resident memory of the recorder at the end over that after settling
    pause_ms           from the wish to end the episode to its being complete on the disk
    lerobot_dropped    pictures that are not in LeRobot's videos; of these, `lerobot_missed`
                       came while its `add_frame` was blocking
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
import yaml

from lam_interfaces.action import RecordEpisode
from lam_ros.benches.capture_source import RATE_HZ
from lam_ros.benches.report import BenchReport, machine
from lam_ros.bridge.runtime import ros
from lam_ros.config import load_robot
from lam_ros.core.errors import MachineError
from lam_ros.core.robot import Camera, JointStream, RobotDescription
from lam_ros.environment import node_environment
from lam_ros.locks import hold_domain
from lam_ros.record.client import RecordClient
from lam_ros.recording.format import Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.streams import COMPRESSED_SUFFIX
from lam_ros.supervisor import NodeSpec, Supervisor

START_S = 60.0
SETTLE_S = 5.0
"""From the beginning of the episode, before the memory's growth is counted."""

MB = 1e6
_CAMERAS = ("front", "wrist")


@dataclass(frozen=True)
class Cost:
    """What one episode has cost the recorder.

    Attributes:
        ages_ms: figures of the pictures' ages at their writing.
    """

    cpu_core_s_per_s: float
    memory_mb: float
    growth_mb: float
    pause_ms: float
    ages_ms: dict[str, float]
    folder: Path


def run(seconds: float) -> BenchReport:
    """Record for `seconds` [s], then have LeRobot do it.

    Raises:
        MachineError: if the streams do not come as they should.
        NodeDied: if a node could not be started.
    """
    domain_id, domain = hold_domain()
    with domain, tempfile.TemporaryDirectory(prefix="lam-bench-") as name:
        folder = Path(name)
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        robot = bench_robot()
        with Supervisor(_specs(robot, folder), folder, domain_id) as host, ros([]) as executor:
            node = rclpy.create_node("bench")
            executor.add_node(node)
            probe = _Probe(host, executor, RecordClient(node, robot))
            cost = probe.record(seconds)
            executor.remove_node(node)
            node.destroy_node()
        frames, dropped = _compare(robot, cost.folder, folder)
        peer = _lerobot(seconds, folder / "lerobot")
    return _report(cost, frames, dropped, peer, seconds)


def bench_robot() -> RobotDescription:
    """Return the so101 with two cameras of 640x480, and everything at 30 Hz."""
    camera = Camera("front", 640, 480, RATE_HZ, stale_after_s=0.5)
    return replace(
        load_robot("so101"),
        cameras=tuple(replace(camera, name=name) for name in _CAMERAS),
        joint_state=JointStream(RATE_HZ, stale_after_s=0.5),
    )


def _specs(robot: RobotDescription, folder: Path) -> tuple[NodeSpec, ...]:
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
        for name in (*_CAMERAS, "")
    ]
    module = "lam_ros.nodes.recorder"
    values = {"robot": str(path), "reserve_gb": 0.3, "rate_tolerance": 0.5, **recorder}
    return (NodeSpec("recorder", module, "RecorderNode", values), *sources)


def _stamps_file(folder: Path, camera: str) -> Path:
    return folder / f"stamps_{camera or 'joints'}.npy"


class _Probe:
    """Has an episode recorded, and watches the recorder's process."""

    def __init__(self, host: Supervisor, executor: Any, client: RecordClient) -> None:
        self._host, self._executor, self._client = host, executor, client

    def record(self, seconds: float) -> Cost:
        """Record one episode."""
        client = self._client
        if not self._spin(START_S, lambda: client.blames() == []):
            why = "; ".join(client.blames() or ["the recorder is silent"])
            raise MachineError(f"not ready within {START_S:g} s: {why}: is the machine busy?")
        process = psutil.Process(self._host.pids()["recorder"])
        client.begin(RecordEpisode.Goal(instruction="bench", session="bench"))
        if not self._spin(START_S, lambda: client.values.get("recording") == "true"):
            raise MachineError("the recorder did not begin")
        settle_s = min(SETTLE_S, seconds / 4)
        self._spin(settle_s)
        settled_mb = process.memory_info().rss / MB
        before, began_s = process.cpu_times(), time.perf_counter()
        self._spin(seconds - settle_s)
        after, passed_s = process.cpu_times(), time.perf_counter() - began_s
        memory_mb = process.memory_info().rss / MB
        ended_s = time.perf_counter()
        client.close(Outcome.KEPT, "bench")
        self._spin(START_S, lambda: client.ended is not None)
        pause_s = time.perf_counter() - ended_s
        if client.ended is None or client.ended.outcome is not Outcome.KEPT:
            raise MachineError(f"the episode failed: {client.ended}")
        used_s = after.user + after.system - before.user - before.system
        return Cost(
            used_s / passed_s,
            memory_mb,
            memory_mb - settled_mb,
            1e3 * pause_s,
            _ages(client.values),
            Path(client.ended.folder),
        )

    def _spin(self, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.1))
            self._host.check()
            if done():
                return True
        return False


def _ages(values: dict[str, str]) -> dict[str, float]:
    prefix, suffix = "write_age_", "_ms"
    found = {key: float(text) for key, text in values.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix).removesuffix(suffix): v for key, v in found.items()}


def _compare(robot: RobotDescription, episode: Path, folder: Path) -> tuple[int, int]:
    """Return how many messages were recorded, and how many sent meanwhile were not."""
    topics = {name: f"/{robot.image_topic(name)}{COMPRESSED_SUFFIX}" for name in _CAMERAS}
    topics[""] = f"/{robot.topics.joint_state}"
    reader = EpisodeReader(episode)
    recorded = dropped = 0
    for name, topic in topics.items():
        messages = reader.messages([topic], decode=False)
        kept = np.array([message.publish_time_ns for message in messages], dtype=np.int64)
        sent = np.load(_stamps_file(folder, name))
        meant = sent[(sent >= kept.min()) & (sent <= kept.max())]
        recorded += kept.size
        dropped += int(np.setdiff1d(meant, kept).size)
    return recorded, dropped


def _lerobot(seconds: float, folder: Path) -> dict[str, float]:
    """Have LeRobot record the same pictures.

    Raises:
        MachineError: if it fails.
    """
    command = [sys.executable, "-m", "lam_ros.benches.capture_lerobot", str(seconds), str(folder)]
    environment = node_environment() | {"HF_HUB_OFFLINE": "1"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise MachineError(f"LeRobot's recording failed: {last}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _report(
    cost: Cost, frames: int, dropped: int, peer: dict[str, float], seconds: float
) -> BenchReport:
    theirs = peer["cpu_core_s_per_s"]
    return BenchReport(
        bench="capture",
        metrics={
            "seconds": seconds,
            "messages": frames,
            "dropped": dropped,
            "frame_age_ms": {k: int(v) if k == "n" else v for k, v in cost.ages_ms.items()},
            "cpu_core_s_per_s": round(cost.cpu_core_s_per_s, 4),
            "memory_mb": round(cost.memory_mb, 1),
            "memory_growth_mb": round(cost.growth_mb, 2),
            "pause_ms": round(cost.pause_ms, 1),
            "lerobot_cpu_core_s_per_s": round(theirs, 4),
            "lerobot_pause_ms": round(peer["pause_ms"], 1),
            "lerobot_dropped": int(peer["dropped"]),
            "lerobot_missed": int(peer["missed"]),
        },
        ratios={"cpu_vs_lerobot": round(cost.cpu_core_s_per_s / theirs, 4)},
        machine=machine(),
    )
