"""What the tests of bags share: real serialised messages, and episodes made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.recording.definitions import installed_types
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.writer import EpisodeWriter


@dataclass(frozen=True)
class Sent:
    """One message as it is given to the writer."""

    topic: str
    cdr: bytes
    log_time_ns: int
    publish_time_ns: int


class Kit:
    """Messages, and a stream of two seconds: joints at 50 Hz, small pictures, who holds the arm."""

    START_NS = 1_790_000_000_000_000_000
    JOINTS = "/joint_states"
    PICTURES = "/camera/front/image_raw/compressed"
    ENGAGED = "/teleop/engaged"
    TYPES = {
        JOINTS: "sensor_msgs/msg/JointState",
        PICTURES: "sensor_msgs/msg/CompressedImage",
        ENGAGED: "std_msgs/msg/Bool",
    }
    Sent = Sent

    def __init__(self) -> None:
        self.store = installed_types()
        self.robot = load_robot("so101")
        self.stream: Sequence[Sent] = self._stream()

    def header(self, stamp_ns: int) -> Any:
        sec, nanosec = divmod(stamp_ns, 1_000_000_000)
        time = self.store.types["builtin_interfaces/msg/Time"](sec, nanosec)
        return self.store.types["std_msgs/msg/Header"](time, "base")

    def make(self, topic: str, *fields: Any) -> bytes:
        kind = self.TYPES[topic]
        return bytes(self.store.serialize_cdr(self.store.types[kind](*fields), kind))

    def joints(self, stamp_ns: int, position_rad: float = 0.5) -> bytes:
        none, positions = np.array([]), np.array([position_rad, -position_rad])
        header = self.header(stamp_ns)
        return self.make(self.JOINTS, header, ["pan", "lift"], positions, none, none)

    def picture(self, stamp_ns: int, data: bytes) -> bytes:
        pixels = np.frombuffer(data, np.uint8)
        return self.make(self.PICTURES, self.header(stamp_ns), "jpeg", pixels)

    def _stream(self) -> list[Sent]:
        rng = np.random.default_rng(0)
        sent = []
        for index in range(100):
            stamp_ns = self.START_NS + index * 20_000_000
            log_ns = stamp_ns + 1_000_000
            sent.append(Sent(self.JOINTS, self.joints(stamp_ns, index / 100), log_ns, stamp_ns))
            if index % 2 == 0:
                cdr = self.picture(stamp_ns, rng.bytes(3000))
                sent.append(Sent(self.PICTURES, cdr, log_ns + 2_000_000, stamp_ns))
            if index % 50 == 0:
                at_ns = log_ns + 3_000_000
                sent.append(Sent(self.ENGAGED, self.make(self.ENGAGED, index > 0), at_ns, at_ns))
        return sent

    def meta(self) -> EpisodeMeta:
        return EpisodeMeta.begin(
            "put the red cube in the bowl",
            self.robot,
            started_ns=self.START_NS,
            operator="Ada",
            versions={"lam_ros": "1.2.3"},
        )

    def open(self, folder: Path) -> EpisodeWriter:
        """Begin an episode with all topics."""
        writer = EpisodeWriter(folder, self.meta())
        for topic, type_name in self.TYPES.items():
            writer.add_channel(topic, type_name)
        return writer

    def put(self, writer: EpisodeWriter, sent: Sequence[Sent]) -> None:
        """Write messages, in several chunks."""
        for index, one in enumerate(sent):
            writer.write(one.topic, one.cdr, one.log_time_ns, one.publish_time_ns)
            if index % 25 == 24:
                writer.flush()

    def record(self, folder: Path, outcome: Outcome = Outcome.SUCCESS) -> Path:
        """Record the whole stream as a closed episode."""
        with self.open(folder) as writer:
            self.put(writer, self.stream)
            writer.close(outcome, "the cube is in the bowl")
        return folder

    @staticmethod
    def files(folder: Path) -> dict[str, bytes]:
        """Return every file of a folder."""
        return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """The folder of an episode that is not there yet."""
    return tmp_path / "monday" / "episode_000000"
