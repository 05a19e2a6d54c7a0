"""`lam bench capture`: the recorder on two cameras of 640x480 and joints at 30 Hz.

Cameras, joints and recorder are processes of their own and speak through the middleware.
The recorder writes JPEG, and in a second episode H.264 (`video_`).  Then LeRobot records
the same pictures in a process of its own, fed from memory: with its streaming encoder
(`lerobot_`), and as it does by default, PNG first and AV1 at the end of the episode
(`lerobot_default_`).  All but the first take at most half a minute.

What the figures mean:

    dropped            messages that were sent between the first and the last that was
                       recorded, and are not in the bag: every stamp is compared
    frame_age_ms       from a picture's stamp to its being handed to the file's writer, JPEG
                       encoding included
    cpu_core_s_per_s   processor time of the recorder for each second of recording
    memory_growth_mb   resident memory of the recorder at the end over that after settling
    pause_ms           from the wish to end the episode to its being complete on the disk, when
                       the next one can begin
    mb_per_s           size of the episode for each second
    lerobot_dropped    pictures that are not in LeRobot's videos; of these, `lerobot_missed`
                       came while its `add_frame` was blocking
    skew_ms            what `lam episodes show` finds of two cameras, of which one is 80 ms late,
                       in one made-up episode of ten seconds
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
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.format import VIDEO_SUFFIX, Outcome
from lam_ros.recording.quality.look import look_at
from lam_ros.recording.quality.skew import Skew
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.streams import COMPRESSED_SUFFIX
from lam_ros.recording.synthetic import Synthetic, write_episode
from lam_ros.supervisor import NodeSpec, Supervisor

START_S = 60.0
SETTLE_S = 5.0
"""From the beginning of the episode, before the memory's growth is counted."""

MOST_S = 30.0
"""Of everything but the first episode."""

SKEW_S = 0.080
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
    mb_per_s: float
    messages: int
    dropped: int


def run(seconds: float) -> BenchReport:
    """Record for `seconds` [s], then as video, then have LeRobot do it.

    Raises:
        MachineError: if the streams do not come as they should.
        NodeDied: if a node could not be started.
    """
    robot, short = bench_robot(), min(seconds, MOST_S)
    with tempfile.TemporaryDirectory(prefix="lam-bench-") as name:
        folder = Path(name)
        costs = {
            "": _record(seconds, "jpeg", robot, folder / "jpeg"),
            "video_": _record(short, "video", robot, folder / "video"),
        }
        peers = {
            "lerobot_": _lerobot(short, "streaming", folder / "lerobot"),
            "lerobot_default_": _lerobot(short, "default", folder / "lerobot_default"),
        }
        skew = _skew(robot, folder / "skew")
    return _report(costs, peers, skew, seconds)


def _record(seconds: float, images: str, robot: RobotDescription, folder: Path) -> Cost:
    """Record one episode, with pictures in a form, and compare it with what was sent."""
    folder.mkdir()
    domain_id, domain = hold_domain()
    with domain:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        specs = _specs(robot, folder, images)
        with Supervisor(specs, folder, domain_id) as host, ros([]) as executor:
            node = rclpy.create_node("bench")
            executor.add_node(node)
            cost = _Probe(host, executor, RecordClient(node, robot)).record(seconds)
            executor.remove_node(node)
            node.destroy_node()
    suffix = VIDEO_SUFFIX if images == "video" else COMPRESSED_SUFFIX
    messages, dropped = _compare(robot, cost.folder, folder, suffix)
    return replace(cost, messages=messages, dropped=dropped)


def _skew(robot: RobotDescription, folder: Path) -> dict[str, float]:
    """Return the delay that is found of each camera [ms].

    Raises:
        MachineError: if it cannot be told.
    """
    late = Synthetic(10.0, camera_delay_s={_CAMERAS[1]: SKEW_S})
    write_episode(folder, robot, late)
    look = look_at(folder, robot, Naming())
    if look.figures is None:
        raise MachineError(f"a made-up episode cannot be looked at: {look.trouble}")
    found = {}
    for camera, skew in look.figures.skew.items():
        if not isinstance(skew, Skew):
            raise MachineError(f"the delay of camera {camera} cannot be told: {skew.why}")
        found[camera] = skew.lag_ms
    return found


def bench_robot() -> RobotDescription:
    """Return the so101 with two cameras of 640x480, and everything at 30 Hz."""
    camera = Camera("front", 640, 480, RATE_HZ, stale_after_s=0.5)
    return replace(
        load_robot("so101"),
        cameras=tuple(replace(camera, name=name) for name in _CAMERAS),
        joint_state=JointStream(RATE_HZ, stale_after_s=0.5),
    )


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
        for name in (*_CAMERAS, "")
    ]
    module = "lam_ros.nodes.recorder"
    values = {"robot": str(path), "reserve_gb": 0.3, "rate_tolerance": 0.5, **recorder}
    values["images"] = images
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
            sum(path.stat().st_size for path in Path(client.ended.folder).iterdir()) / MB / seconds,
            messages=0,
            dropped=0,
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


def _compare(robot: RobotDescription, episode: Path, folder: Path, suffix: str) -> tuple[int, int]:
    """Return how many messages were recorded, and how many sent meanwhile were not."""
    topics = {name: f"/{robot.image_topic(name)}{suffix}" for name in _CAMERAS}
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


def _lerobot(seconds: float, encoder: str, folder: Path) -> dict[str, float]:
    """Have LeRobot record the same pictures, with an encoder: `streaming` or `default`.

    Raises:
        MachineError: if it fails.
    """
    module = "lam_ros.benches.capture_lerobot"
    command = [sys.executable, "-m", module, str(seconds), encoder, str(folder)]
    environment = node_environment() | {"HF_HUB_OFFLINE": "1"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise MachineError(f"LeRobot's recording failed: {last}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _report(
    costs: dict[str, Cost],
    peers: dict[str, dict[str, float]],
    skew: dict[str, float],
    seconds: float,
) -> BenchReport:
    metrics: dict[str, Any] = {"seconds": seconds}
    for prefix, cost in costs.items():
        metrics |= {prefix + key: value for key, value in _figures(cost).items()}
    for prefix, peer in peers.items():
        metrics |= {
            f"{prefix}cpu_core_s_per_s": round(peer["cpu_core_s_per_s"], 4),
            f"{prefix}pause_ms": round(peer["pause_ms"], 1),
            f"{prefix}frames": int(peer["frames"]),
            f"{prefix}dropped": int(peer["dropped"]),
            f"{prefix}missed": int(peer["missed"]),
        }
    late = _CAMERAS[1]
    metrics["skew_ms"] = {name: round(found, 1) for name, found in skew.items()}
    metrics["skew_error_ms"] = round(abs(skew[late] - 1e3 * SKEW_S), 1)
    ours = {prefix: cost.cpu_core_s_per_s for prefix, cost in costs.items()}
    ratios = {
        f"{mine}cpu_vs_{theirs.removesuffix('_')}": round(cpu / peer["cpu_core_s_per_s"], 4)
        for mine, cpu in ours.items()
        for theirs, peer in peers.items()
    }
    return BenchReport(bench="capture", metrics=metrics, ratios=ratios, machine=machine())


def _figures(cost: Cost) -> dict[str, Any]:
    return {
        "messages": cost.messages,
        "dropped": cost.dropped,
        "frame_age_ms": {k: int(v) if k == "n" else v for k, v in cost.ages_ms.items()},
        "cpu_core_s_per_s": round(cost.cpu_core_s_per_s, 4),
        "memory_mb": round(cost.memory_mb, 1),
        "memory_growth_mb": round(cost.growth_mb, 2),
        "pause_ms": round(cost.pause_ms, 1),
        "mb_per_s": round(cost.mb_per_s, 2),
    }
