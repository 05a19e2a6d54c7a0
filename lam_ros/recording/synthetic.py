"""Made-up episodes: smooth motion, and pictures in which it is seen.

For benches and for showing what a check finds; nothing here is ever mixed with real data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lam_ros.bridge import topics
from lam_ros.core.clock import NS_PER_S, period_ns, seconds_to_ns
from lam_ros.core.robot import Camera, RobotDescription
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.recording.cdr import compressed_image, compressed_video
from lam_ros.recording.definitions import define, installed_types
from lam_ros.recording.format import (
    VIDEO,
    VIDEO_FORMAT,
    VIDEO_SUFFIX,
    EpisodeMeta,
    EpisodeResult,
    Outcome,
)
from lam_ros.recording.jpeg import encode
from lam_ros.recording.streams import COMPRESSED, COMPRESSED_SUFFIX
from lam_ros.recording.video import VideoEncoder
from lam_ros.recording.writer import EpisodeWriter

START_NS = 1_700_000_000 * NS_PER_S
JOINT_STATE = "sensor_msgs/msg/JointState"
REPORT = "lam_interfaces/msg/SafetyReport"
TRACKING_LAG_S = 0.06
"""How far the joints are behind the command."""


@dataclass(frozen=True)
class Synthetic:
    """One made-up episode.

    Attributes:
        camera_delay_s: camera -> how much older than its stamp each picture really is.
        seed: of the motion and of the pictures' texture.
        images: `jpeg` or `video`.
    """

    seconds: float
    instruction: str = "put the red cube in the blue bowl"
    camera_delay_s: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    outcome: Outcome = Outcome.SUCCESS
    images: str = "jpeg"


class Motion:
    """A person's motion: smooth strokes from pose to pose about home, with short rests."""

    def __init__(self, robot: RobotDescription, seed: int, seconds: float = 600.0) -> None:
        """Draw poses and times from a seed."""
        rng = np.random.default_rng(seed)
        home = np.array(robot.poses.home_rad)
        times_s, poses = [0.0], [home]
        while times_s[-1] < seconds:
            begin_s = times_s[-1] + rng.uniform(0.05, 0.4)
            pose = np.clip(
                home + rng.uniform(-0.5, 0.5, len(home)), robot.lower_rad, robot.upper_rad
            )
            times_s += [begin_s, begin_s + rng.uniform(0.5, 1.4)]
            poses += [poses[-1], pose]
        self._times_s, self._poses = np.array(times_s), np.array(poses)

    def at(self, time_s: float) -> FloatArray:
        """Return the joints' positions, shape (J,); before 0 they are at home."""
        k = int(np.searchsorted(self._times_s, time_s, side="right"))
        if k == 0:
            return self._poses[0]
        k = min(k, len(self._times_s) - 1)
        begin_s, end_s = self._times_s[k - 1], self._times_s[k]
        share = min(1.0, (time_s - begin_s) / (end_s - begin_s))
        eased = share**3 * (10 - 15 * share + 6 * share**2)
        position: FloatArray = self._poses[k - 1] + eased * (self._poses[k] - self._poses[k - 1])
        return position


class Painter:
    """Draws an arm of bars over a textured table, with a camera's noise."""

    def __init__(self, camera: Camera, seed: int) -> None:
        """Make the background once."""
        rng = np.random.default_rng(seed)
        self._size = (camera.width_px, camera.height_px)
        coarse = rng.uniform(70, 190, (12, 16, 3)).astype(np.float32)
        table = cv2.resize(coarse, self._size, interpolation=cv2.INTER_CUBIC)
        grain = rng.normal(0, 4, (camera.height_px, camera.width_px, 3))
        self._table = np.clip(table + grain, 0, 255).astype(np.uint8)
        self._noise = rng.integers(0, 4, (4, *self._table.shape), dtype=np.uint8)
        self._drawn = 0

    def draw(self, joints_rad: FloatArray) -> ImageArray:
        """Return what the camera sees, rgb8, shape (H, W, 3)."""
        image = self._table.copy()
        width, height = self._size
        at = np.array([width / 2, height * 0.95])
        angle = -np.pi / 2
        for k, joint_rad in enumerate(joints_rad):
            angle += joint_rad * (0.9 if k % 2 else 0.6)
            to = at + height * 0.17 * np.array([np.cos(angle), np.sin(angle)])
            color = (30 + 35 * k, 60, 220 - 35 * k)
            ends = [tuple(map(int, np.round(16 * point))) for point in (at, to)]
            cv2.line(image, *ends, color, max(2, height // 22), cv2.LINE_AA, 4)
            at = to
        self._drawn += 1
        noisy: ImageArray = cv2.add(image, self._noise[self._drawn % len(self._noise)])
        return noisy


def write_episode(folder: Path, robot: RobotDescription, what: Synthetic) -> EpisodeResult:
    """Write an episode as the recorder would have."""
    meta = EpisodeMeta.begin(what.instruction, robot, started_ns=START_NS)
    entries = [*_pictures(robot, what), *_joints(robot, what), *_reports(robot, what)]
    entries.sort(key=lambda entry: entry[0])
    with EpisodeWriter(folder, meta) as writer:
        for camera in robot.camera_names:
            suffix, kind = _form(what)
            writer.add_channel(f"/{robot.image_topic(camera)}{suffix}", kind)
        writer.add_channel(f"/{robot.topics.joint_state}", JOINT_STATE)
        writer.add_channel(f"/{topics.SAFETY_REPORT}", REPORT)
        for received_ns, topic, stamp_ns, make in entries:
            writer.write(topic, make(), received_ns, stamp_ns)
        return writer.close(what.outcome, "made up")


def _pictures(robot: RobotDescription, what: Synthetic) -> Iterator[tuple[int, str, int, Any]]:
    motion = Motion(robot, what.seed)
    for k, camera in enumerate(robot.cameras):
        painter = Painter(camera, what.seed + k)
        topic = f"/{robot.image_topic(camera.name)}{_form(what)[0]}"
        video = VideoEncoder(camera.width_px, camera.height_px, camera.rate_hz)
        delay_s = what.camera_delay_s.get(camera.name, 0.0)
        for number in range(round(what.seconds * camera.rate_hz)):
            stamp_ns = START_NS + number * camera.period_ns
            seen_s = number * camera.period_ns / NS_PER_S - delay_s

            def make(
                painter: Painter = painter,
                seen_s: float = seen_s,
                stamp_ns: int = stamp_ns,
                video: VideoEncoder = video,
            ) -> bytes:
                image = painter.draw(motion.at(seen_s))
                if what.images == "video":
                    return compressed_video(stamp_ns, "camera", video.encode(image), VIDEO_FORMAT)
                return compressed_image(stamp_ns, "camera", encode(image))

            yield stamp_ns + seconds_to_ns(0.008), topic, stamp_ns, make


def _form(what: Synthetic) -> tuple[str, str]:
    """Return the suffix of a camera's topic, and the type on it."""
    return (VIDEO_SUFFIX, VIDEO) if what.images == "video" else (COMPRESSED_SUFFIX, COMPRESSED)


def _joints(robot: RobotDescription, what: Synthetic) -> Iterator[tuple[int, str, int, Any]]:
    motion = Motion(robot, what.seed)
    types = installed_types()
    period = period_ns(robot.joint_state.rate_hz)
    none = np.array([])
    for number in range(round(what.seconds * robot.joint_state.rate_hz)):
        stamp_ns = START_NS + number * period
        position = motion.at(number * period / NS_PER_S)
        message = types.types[JOINT_STATE](
            _header(stamp_ns), list(robot.joint_names), position, none, none
        )
        data = bytes(types.serialize_cdr(message, JOINT_STATE))
        topic = f"/{robot.topics.joint_state}"
        yield stamp_ns + seconds_to_ns(0.001), topic, stamp_ns, lambda data=data: data


def _reports(robot: RobotDescription, what: Synthetic) -> Iterator[tuple[int, str, int, Any]]:
    define(REPORT)  # so that its type is known
    motion = Motion(robot, what.seed)
    types = installed_types()
    for number in range(round(what.seconds * robot.control_rate_hz)):
        stamp_ns = START_NS + number * robot.control_period_ns
        asked = motion.at((number * robot.control_period_ns) / NS_PER_S + TRACKING_LAG_S)
        header = _header(stamp_ns)
        message = types.types[REPORT](
            header, 0, "", "", "teleop", list(robot.joint_names), asked, asked, header.stamp
        )
        data = bytes(types.serialize_cdr(message, REPORT))
        yield stamp_ns, f"/{topics.SAFETY_REPORT}", stamp_ns, lambda data=data: data


def _header(stamp_ns: int) -> Any:
    types = installed_types().types
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](sec, nanosec), "")
