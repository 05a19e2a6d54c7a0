"""Bags for tests, written by `rosbags` as any other software would write them.

Each picture shows its own number in black and white stripes, so that a test can read from
a data set which picture a row holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
BITS = 12

INTERFACES = Path(__file__).resolve().parents[3] / "lam_interfaces" / "msg"


def typestore() -> Any:
    """Return rosbags' message types, ours among them."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for path in sorted(INTERFACES.glob("*.msg")):
        name = f"lam_interfaces/msg/{path.stem}"
        store.register(get_types_from_msg(path.read_text(), name))
    return store


STORE = typestore()


def numbered_picture(number: int, width: int, height: int) -> np.ndarray:
    """Return a picture with its number in stripes, shape (H, W, 3)."""
    edges = np.linspace(0, width, BITS + 1).astype(int)
    image = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        image[:, edges[bit] : edges[bit + 1]] = 225 if number >> bit & 1 else 30
    return image


def number_in(image: np.ndarray) -> int:
    """Return the number in a picture, shape (H, W, 3), of values 0 to 255."""
    edges = np.linspace(0, image.shape[1], BITS + 1).astype(int)
    middles = [image[:, (a + b) // 2].mean() for a, b in pairwise(edges)]
    return sum(1 << bit for bit, level in enumerate(middles) if level > 127)


def joints_at(time_s: float, count: int = 6) -> np.ndarray:
    """Return where the joints are: smooth, and different for each."""
    return 0.4 * np.sin(2 * np.pi * 0.5 * time_s + np.arange(count))


@dataclass(frozen=True)
class Stream:
    """One stream of a bag: rate, lag from stamp to receipt, and when it is silent [s]."""

    rate_hz: float
    lag_s: float = 0.004
    start_s: float = 0.0
    silent: Sequence[tuple[float, float]] = ()

    def times_s(self, seconds: float) -> Iterator[float]:
        for k in range(round((seconds - self.start_s) * self.rate_hz)):
            time_s = self.start_s + k / self.rate_hz
            if not any(a <= time_s < b for a, b in self.silent):
                yield time_s


@dataclass(frozen=True)
class Bag:
    """What a bag holds; `write` writes it."""

    seconds: float = 4.0
    cameras: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"front": (64, 48), "wrist": (48, 48)}
    )
    camera: Stream = Stream(30.0, lag_s=0.012)
    camera_streams: Mapping[str, Stream] = field(default_factory=dict)
    joints: Stream = Stream(50.0)
    commands: Stream = Stream(50.0, lag_s=0.001)
    joint_names: Sequence[str] = (
        "shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper",
    )  # fmt: skip
    extra_joints: Sequence[str] = ()
    rotated: int = 0
    """By how many places the joints are in another order than the robot's."""
    images: str = "jpeg"
    image_topic: str = "/camera/{camera}/image_raw"
    joint_topic: str = "/joint_states"
    command: str = "report"
    storage: StoragePlugin = StoragePlugin.MCAP
    zstd: str = ""
    """FILE or MESSAGE for a compressed bag."""

    source: str = "teleop"
    subtasks: Sequence[tuple[float, str]] = ((0.0, "put the red cube in the blue bowl"),)
    engaged: Sequence[tuple[float, bool]] = ()
    stamp_offset_s: float = 0.0
    size_change_s: float | None = None
    broken_pictures: Sequence[int] = ()
    black: Sequence[int] = ()
    frozen: Sequence[int] = ()
    """Numbers of pictures of the first camera that are black, or show the first of these again."""

    def write(self, folder: Path) -> Path:
        """Write the bag and return its folder."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        writer = Writer(folder, version=9, storage_plugin=self.storage)
        if self.zstd:
            writer.set_compression(CompressionMode[self.zstd], CompressionFormat.ZSTD)
        with writer:
            entries = sorted(_Messages(self, writer).all(), key=lambda entry: entry[0])
            for time_ns, connection, data in entries:
                writer.write(connection, time_ns, data)
        return folder


class _Messages:
    """Makes the messages of a bag."""

    def __init__(self, bag: Bag, writer: Writer) -> None:
        self.bag, self.writer = bag, writer
        self.types = STORE.types

    def all(self) -> Iterator[tuple[int, Any, bytes]]:
        for camera in self.bag.cameras:
            yield from self.pictures(camera)
        yield from self.joint_states()
        yield from {
            "report": self.reports, "trajectory": self.trajectories, "array": self.arrays,
            "none": lambda: iter(()),
        }[self.bag.command]()  # fmt: skip
        yield from self.events()

    def header(self, time_s: float, frame: str = "") -> Any:
        stamp_ns = START_NS + round((time_s + self.bag.stamp_offset_s) * NS)
        stamp = self.types["builtin_interfaces/msg/Time"](stamp_ns // NS, stamp_ns % NS)
        return self.types["std_msgs/msg/Header"](stamp, frame)

    def connect(self, topic: str, kind: str) -> Any:
        return self.writer.add_connection(topic, kind, typestore=STORE)

    def entry(
        self, connection: Any, kind: str, time_s: float, lag_s: float, message: Any
    ) -> tuple[int, Any, bytes]:
        received_ns = START_NS + round((time_s + lag_s) * NS)
        return received_ns, connection, bytes(STORE.serialize_cdr(message, kind))

    def pictures(self, camera: str) -> Iterator[tuple[int, Any, bytes]]:
        bag = self.bag
        stream = bag.camera_streams.get(camera, bag.camera)
        topic = bag.image_topic.format(camera=camera)
        kind = f"sensor_msgs/msg/{'Image' if bag.images == 'raw' else 'CompressedImage'}"
        connection = self.connect(topic if bag.images == "raw" else f"{topic}/compressed", kind)
        for number, time_s in enumerate(stream.times_s(bag.seconds)):
            width, height = bag.cameras[camera]
            if bag.size_change_s is not None and time_s >= bag.size_change_s:
                width, height = 2 * width, 2 * height
            first = camera == next(iter(bag.cameras))
            shown = min(bag.frozen) if first and number in bag.frozen else number
            image = numbered_picture(shown, width, height)
            if first and number in bag.black:
                image[:] = 3
            if bag.images == "raw":
                message = self.types[kind](
                    self.header(time_s, camera), height, width, "bgr8", 0, 3 * width, image.ravel()
                )
            else:
                data = cv2.imencode(f".{bag.images}", image)[1].ravel()
                if number in bag.broken_pictures:
                    data = data[: len(data) // 2]
                message = self.types[kind](self.header(time_s, camera), bag.images, data)
            yield self.entry(connection, kind, time_s, stream.lag_s, message)

    def joint_states(self) -> Iterator[tuple[int, Any, bytes]]:
        kind = "sensor_msgs/msg/JointState"
        connection = self.connect(self.bag.joint_topic, kind)
        names = [*self.bag.extra_joints, *self.names()]
        none = np.array([])
        for time_s in self.bag.joints.times_s(self.bag.seconds):
            extra = np.full(len(self.bag.extra_joints), 9.0)
            position = np.concatenate([extra, self.in_bag_order(joints_at(time_s))])
            message = self.types[kind](self.header(time_s), names, position, none, none)
            yield self.entry(connection, kind, time_s, self.bag.joints.lag_s, message)

    def names(self) -> list[str]:
        shift = self.bag.rotated
        return [*self.bag.joint_names[shift:], *self.bag.joint_names[:shift]]

    def in_bag_order(self, values: np.ndarray) -> np.ndarray:
        """Return values of the default joints in the order in which the bag has them."""
        return np.roll(values, -self.bag.rotated)

    def reports(self) -> Iterator[tuple[int, Any, bytes]]:
        kind = "lam_interfaces/msg/SafetyReport"
        connection = self.connect("/lam/safety_report", kind)
        for time_s in self.bag.commands.times_s(self.bag.seconds):
            asked = self.in_bag_order(joints_at(time_s) + 0.1)
            header = self.header(time_s)
            message = self.types[kind](
                header, 1, "velocity", "", self.bag.source, self.names(),
                asked, asked - 0.05, header.stamp,
            )  # fmt: skip
            yield self.entry(connection, kind, time_s, self.bag.commands.lag_s, message)

    def trajectories(self) -> Iterator[tuple[int, Any, bytes]]:
        kind = "trajectory_msgs/msg/JointTrajectory"
        connection = self.connect("/arm_controller/joint_trajectory", kind)
        none = np.array([])
        wait = self.types["builtin_interfaces/msg/Duration"](0, 0)
        for time_s in self.bag.commands.times_s(self.bag.seconds):
            goal = np.concatenate(
                [[9.0] * len(self.bag.extra_joints), self.in_bag_order(joints_at(time_s) + 0.1)]
            )
            point = self.types["trajectory_msgs/msg/JointTrajectoryPoint"](
                goal, none, none, none, wait
            )
            names = [*self.bag.extra_joints, *self.names()]
            message = self.types[kind](self.header(time_s), names, [point])
            yield self.entry(connection, kind, time_s, self.bag.commands.lag_s, message)

    def arrays(self) -> Iterator[tuple[int, Any, bytes]]:
        kind = "std_msgs/msg/Float64MultiArray"
        connection = self.connect("/forward_position_controller/commands", kind)
        layout = self.types["std_msgs/msg/MultiArrayLayout"]([], 0)
        for time_s in self.bag.commands.times_s(self.bag.seconds):
            message = self.types[kind](layout, self.in_bag_order(joints_at(time_s) + 0.1))
            yield self.entry(connection, kind, time_s, self.bag.commands.lag_s, message)

    def events(self) -> Iterator[tuple[int, Any, bytes]]:
        kind = "lam_interfaces/msg/EpisodeEvent"
        if self.bag.subtasks:
            connection = self.connect("/lam/episode_event", kind)
        for time_s, text in self.bag.subtasks:
            message = self.types[kind](self.header(time_s), "subtask", text)
            yield self.entry(connection, kind, time_s, 0.0, message)
        if self.bag.engaged:
            connection = self.connect("/teleop/engaged", "std_msgs/msg/Bool")
        for time_s, by_person in self.bag.engaged:
            message = self.types["std_msgs/msg/Bool"](by_person)
            yield self.entry(connection, "std_msgs/msg/Bool", time_s, 0.0, message)


@pytest.fixture
def bag() -> Bag:
    """A bag of four seconds with two small cameras; `dataclasses.replace` makes others."""
    return Bag()


@pytest.fixture
def robot_data() -> dict[str, Any]:
    """The robot of the bags as plain data: the so101 with two small cameras."""
    data = load_robot("so101").to_dict()
    data["cameras"] = {
        "front": {"width_px": 64, "height_px": 48, "rate_hz": 30.0, "stale_after_s": 0.2},
        "wrist": {"width_px": 48, "height_px": 48, "rate_hz": 30.0, "stale_after_s": 0.2},
    }
    return data


@pytest.fixture
def robot(robot_data: dict[str, Any]) -> RobotDescription:
    return RobotDescription.from_dict(robot_data)


@pytest.fixture
def robot_yaml(tmp_path: Path, robot_data: dict[str, Any]) -> Callable[..., str]:
    """Write the robot's YAML with some keys replaced, and return its path."""

    def write(**changes: Any) -> str:
        path = tmp_path / "robot.yaml"
        path.write_text(yaml.safe_dump({**robot_data, **changes}))
        return str(path)

    return write


@pytest.fixture
def make_stream() -> type[Stream]:
    """The class of a stream, to make others of."""
    return Stream


@pytest.fixture
def pictures() -> Callable[[np.ndarray], int]:
    """Return the number that a picture shows."""
    return number_in
