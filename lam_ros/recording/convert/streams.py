"""A recording read into `Tracks`: everything but the pixels, checked message by message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lam_ros.bridge import topics
from lam_ros.core.errors import DataError, did_you_mean
from lam_ros.core.inbound import Rejected, parse_joint_state
from lam_ros.core.robot import RobotDescription
from lam_ros.recording import format as names
from lam_ros.recording.convert.clocks import on_one_clock
from lam_ros.recording.convert.commands import READERS, header_stamp_ns
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.convert.pictures import COMPRESSED, RAW, Sizes
from lam_ros.recording.convert.tracks import Command, Held, Joints, Picture, Said, Tracks
from lam_ros.recording.reader import EpisodeReader, Recorded

JOINT_STATE = "sensor_msgs/msg/JointState"
ENGAGED = "std_msgs/msg/Bool"


@dataclass(frozen=True)
class Sources:
    """On which topics of a recording the robot's streams are.

    Attributes:
        cameras: camera -> (topic, type).
        joints: topic.
        command: topic, or empty where the action is the state one frame later.
    """

    cameras: Mapping[str, tuple[str, str]]
    joints: str
    command: str


def find_sources(reader: EpisodeReader, robot: RobotDescription, naming: Naming) -> Sources:
    """Find the robot's streams among a recording's topics.

    Raises:
        DataError: if one is not there, is empty, or is of another type.
    """
    cameras = {}
    for camera in robot.camera_names:
        plain = _absolute(robot.image_topic(camera))
        named = naming.camera_topics.get(camera)
        wanted = (
            (_absolute(named),)
            if named
            else (
                f"{plain}/compressed",
                plain + names.VIDEO_SUFFIX,
                plain,
            )
        )
        topic = _require(reader, wanted, f"camera '{camera}'", (COMPRESSED, names.VIDEO, RAW))
        cameras[camera] = (topic, reader.topics[topic].type_name)
    state = _require(reader, [_absolute(robot.topics.joint_state)], "joint states", [JOINT_STATE])
    return Sources(cameras, state, _find_command(reader, robot, naming))


def read_tracks(
    reader: EpisodeReader,
    robot: RobotDescription,
    naming: Naming,
    sources: Sources,
    instruction: str,
) -> Tracks:
    """Read all streams; messages that cannot be used are counted by fault.

    Raises:
        DataError: if no message of a stream can be used.
    """
    building = _Building(robot, naming, sources, reader)
    for item in reader.messages(building.topics()):
        building.take(item)
    return building.tracks(instruction)


# -- finding -----------------------------------------------------------------------------


def _absolute(topic: str) -> str:
    return topic if topic.startswith("/") else f"/{topic}"


def _require(
    reader: EpisodeReader, wanted: Iterable[str], what: str, allowed: Iterable[str]
) -> str:
    """Return the first of the topics that has messages of an allowed type."""
    wanted, allowed = list(wanted), list(allowed)
    there = [topic for topic in wanted if topic in reader.topics]
    filled = [topic for topic in there if reader.topics[topic].count]
    for topic in filled:
        if reader.topics[topic].type_name in allowed:
            return topic
    if filled:
        came = reader.topics[filled[0]].type_name
        raise DataError(f"{what}: {filled[0]} carries {came}, allowed is {' or '.join(allowed)}")
    if there:
        raise DataError(f"{what}: no message on {there[0]}")
    fitting = [t for t, info in reader.topics.items() if info.type_name in allowed]
    others = ", ".join(sorted(fitting)) or "none of that type"
    hint = did_you_mean(wanted[-1], fitting)
    raise DataError(
        f"{what}: no topic {wanted[-1]}; there are: {others}.{hint} Name it in the robot YAML"
    )


def _find_command(reader: EpisodeReader, robot: RobotDescription, naming: Naming) -> str:
    if naming.action == "state":
        return ""
    if naming.command_topic:
        return _require(reader, [_absolute(naming.command_topic)], "commands", READERS)
    candidates = [topics.SAFETY_REPORT, robot.topics.joint_command, topics.TELEOP_COMMAND]
    for topic in map(_absolute, candidates):
        if topic in reader.topics and reader.topics[topic].count:
            return _require(reader, [topic], "commands", READERS)
    return _require(reader, [_absolute(robot.topics.joint_command)], "commands", READERS)


# -- reading -----------------------------------------------------------------------------


class _Building:
    """Takes one message after the other."""

    def __init__(
        self, robot: RobotDescription, naming: Naming, sources: Sources, reader: EpisodeReader
    ) -> None:
        self._robot, self._naming, self._sources = robot, naming, sources
        self._renamed = naming.ours()
        self._cameras = {topic: camera for camera, (topic, _) in sources.cameras.items()}
        self._extra = {
            _absolute(name): kind
            for name, kind in (
                (names.EPISODE_EVENT, names.EPISODE_EVENT_TYPE),
                (names.TELEOP_ENGAGED, ENGAGED),
            )
            if reader.topics.get(_absolute(name))
            and reader.topics[_absolute(name)].type_name == kind
        }
        self._pictures: dict[str, list[Picture]] = {camera: [] for camera in sources.cameras}
        self._sizes = {camera: Sizes() for camera in sources.cameras}
        self._numbers: Counter[str] = Counter()
        self._joints: list[Joints] = []
        self._commands: list[Command] = []
        self._tasks: list[Said] = []
        self._held: list[Held] = []
        self._faults: Counter[str] = Counter()
        self._last_fault: dict[str, str] = {}

    def topics(self) -> list[str]:
        found = [*self._cameras, self._sources.joints, self._sources.command, *self._extra]
        return [topic for topic in found if topic]

    def take(self, item: Recorded) -> None:
        if item.topic in self._cameras:
            self._take_picture(item, self._cameras[item.topic])
        if item.topic == self._sources.joints:
            self._take_joints(item)
        if item.topic == self._sources.command:
            self._take_command(item)
        if item.topic in self._extra:
            self._take_extra(item)

    def _take_picture(self, item: Recorded, camera: str) -> None:
        number = self._numbers[camera]
        self._numbers[camera] += 1
        size = self._sizes[camera].of(item.message, item.type_name)
        if isinstance(size, str):
            return self._note(camera, size)
        stamp_ns = header_stamp_ns(item.message)
        self._pictures[camera].append(
            Picture(camera, item.log_time_ns, stamp_ns, size[0], size[1], number)
        )
        return None

    def _take_joints(self, item: Recorded) -> None:
        message = item.message
        state = parse_joint_state(
            self._robot,
            joint_names=[self._renamed.get(str(name), str(name)) for name in message.name],
            position_rad=message.position,
            velocity_rad_s=message.velocity,
            stamp_ns=header_stamp_ns(message),
        )
        if isinstance(state, Rejected):
            self._note("joints", f"{state.rule}: {state.detail} (it has {_listed(message.name)})")
        else:
            self._joints.append(Joints(item.log_time_ns, state))

    def _take_command(self, item: Recorded) -> None:
        command = READERS[item.type_name](item, self._robot, self._naming)
        if isinstance(command, Rejected):
            self._note("action", f"{command.rule}: {command.detail}")
        else:
            self._commands.append(command)

    def _take_extra(self, item: Recorded) -> None:
        if item.type_name == ENGAGED:
            self._held.append(Held(item.log_time_ns, bool(item.message.data)))
        elif item.message.kind == names.EventKind.SUBTASK:
            self._tasks.append(Said(item.log_time_ns, str(item.message.text)))

    def _note(self, stream: str, what: str) -> None:
        self._faults[f"{stream}: {what.split(':')[0]}"] += 1
        self._last_fault[stream] = what

    def tracks(self, instruction: str) -> Tracks:
        """Return what came, on one clock, or raise for a stream of which nothing can be used."""
        for camera, pictures in self._pictures.items():
            self._require_some(camera, pictures, self._sources.cameras[camera][0])
        self._require_some("joints", self._joints, self._sources.joints)
        if self._sources.command:
            self._require_some("action", self._commands, self._sources.command)
        else:
            self._commands = [_as_command(item) for item in self._joints]
        first_ns = self._joints[0].received_ns
        tasks = [Said(first_ns, instruction), *self._tasks] if instruction else self._tasks
        if not tasks:
            raise DataError("no instruction is recorded; say it with --task")
        tracks = Tracks(
            self._pictures, self._joints, self._commands, tasks, self._held, dict(self._faults)
        )
        return on_one_clock(tracks)

    def _require_some(self, stream: str, track: list[Any], topic: str) -> None:
        if not track:
            why = self._last_fault.get(stream, "no message came")
            raise DataError(f"{stream}: no message on {topic} can be used; {why}")


def _listed(joint_names: Iterable[str]) -> str:
    return ", ".join(str(name) for name in joint_names)


def _as_command(item: Joints) -> Command:
    position = item.state.position_rad
    return Command(item.received_ns, item.state.stamp_ns, position, position)
