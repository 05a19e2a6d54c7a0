"""Which streams of a robot are recorded, and what each of them promises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.robot import RobotDescription
from lam_ros.recording.format import TELEOP_ENGAGED

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
COMPRESSED_SUFFIX = "/compressed"

PLAN = "lam/plan"

_COMMAND_STALE_S = 0.5


class StreamKind(StrEnum):
    """What is looked at in a stream's messages."""

    PICTURES = "pictures"
    COMPRESSED_PICTURES = "compressed_pictures"
    JOINTS = "joints"
    DATA = "data"


class Delivery(StrEnum):
    """How a publisher of ours sends a stream; others are adapted to when they are seen."""

    BEST_EFFORT = "best_effort"
    RELIABLE = "reliable"
    LATCHED = "latched"


@dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        name: what people call it: the camera, `joints`, or the topic.
        topic: relative, as the robot's description has it.
        type_name: of the messages on the topic.
        delivery: quality of service to begin with.
        rate_hz: expected; 0 for messages that come when something happens.
        stale_after_ns: silence after which the stream is stale; 0 for one that may be silent.
        size_px: width and height of its pictures.
        is_required: without it there is no episode.
        has_stamp: whether its messages begin with a header.
    """

    name: str
    topic: str
    type_name: str
    kind: StreamKind = StreamKind.DATA
    delivery: Delivery = Delivery.RELIABLE
    rate_hz: float = 0.0
    stale_after_ns: int = 0
    size_px: tuple[int, int] | None = None
    is_required: bool = False
    has_stamp: bool = True

    def as_compressed(self) -> Stream:
        """Return the stream that the same camera sends compressed."""
        return replace(
            self,
            topic=self.topic + COMPRESSED_SUFFIX,
            type_name=COMPRESSED,
            kind=StreamKind.COMPRESSED_PICTURES,
        )


def streams_of(robot: RobotDescription, *, commands_required: bool = True) -> tuple[Stream, ...]:
    """Return all streams that an episode of this robot holds, those it needs first.

    Args:
        robot: whose streams they are.
        commands_required: whether there is no episode without commands to the motors.
    """
    commands = replace(_commands(robot), is_required=commands_required)
    return (*_cameras(robot), _joints(robot), commands, *_others(robot))


def _cameras(robot: RobotDescription) -> list[Stream]:
    return [
        Stream(
            name=camera.name,
            topic=robot.image_topic(camera.name),
            type_name=IMAGE,
            kind=StreamKind.PICTURES,
            delivery=Delivery.BEST_EFFORT,
            rate_hz=camera.rate_hz,
            stale_after_ns=camera.stale_after_ns,
            size_px=(camera.width_px, camera.height_px),
            is_required=True,
        )
        for camera in robot.cameras
    ]


def _joints(robot: RobotDescription) -> Stream:
    return Stream(
        name="joints",
        topic=robot.topics.joint_state,
        type_name="sensor_msgs/msg/JointState",
        kind=StreamKind.JOINTS,
        delivery=Delivery.BEST_EFFORT,
        rate_hz=robot.joint_state.rate_hz,
        stale_after_ns=robot.joint_state.stale_after_ns,
        is_required=True,
    )


def _commands(robot: RobotDescription) -> Stream:
    return Stream(
        name="commands",
        topic=robot.topics.joint_command,
        type_name="lam_interfaces/msg/JointCommand",
        rate_hz=robot.control_rate_hz,
        stale_after_ns=seconds_to_ns(_COMMAND_STALE_S),
        is_required=True,
    )


def _others(robot: RobotDescription) -> list[Stream]:
    """Return what is recorded when it comes."""
    info = [
        Stream(
            f"{camera.name} info",
            robot.info_topic(camera.name),
            "sensor_msgs/msg/CameraInfo",
            delivery=Delivery.BEST_EFFORT,
        )
        for camera in robot.cameras
    ]
    own = {
        "lam/safety_report": "SafetyReport",
        "teleop/joint_command": "JointCommand",
        "lam/action_chunk": "ActionChunk",
        "lam/scene": "Scene",
        "lam/ground_truth": "Scene",
    }
    return [
        *info,
        *(Stream(topic, topic, f"lam_interfaces/msg/{kind}") for topic, kind in own.items()),
        Stream(PLAN, PLAN, "lam_interfaces/msg/Plan", delivery=Delivery.LATCHED),
        Stream(TELEOP_ENGAGED, TELEOP_ENGAGED, "std_msgs/msg/Bool", has_stamp=False),
    ]
