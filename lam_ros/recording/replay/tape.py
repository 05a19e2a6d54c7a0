"""What a recording holds for sending it again: commands, joint states, and the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lam_ros.bridge import topics
from lam_ros.bridge.scenes import scene_from
from lam_ros.core.errors import DataError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.convert.steps import SCENE_TYPE
from lam_ros.recording.convert.streams import find_sources, read_tracks
from lam_ros.recording.reader import EpisodeReader


@dataclass(frozen=True, eq=False)
class Tape:
    """A recording's motion, with times since its first command.

    Attributes:
        command_ns: shape (N,); asked_rad: what was asked for, shape (N, J).
        joint_ns: shape (M,); position_rad: what was measured, shape (M, J).
        first_scene, last_scene: what was on the table; None if it was not recorded.
    """

    robot: RobotDescription
    command_ns: npt.NDArray[np.int64]
    asked_rad: FloatArray
    joint_ns: npt.NDArray[np.int64]
    position_rad: FloatArray
    first_scene: Scene | None
    last_scene: Scene | None

    @property
    def length_ns(self) -> int:
        """Return the time from the first command to the last."""
        return int(self.command_ns[-1])

    def position_at(self, time_ns: int) -> FloatArray:
        """Return where the joints were, shape (J,), linearly between two states."""
        return np.array([np.interp(time_ns, self.joint_ns, q) for q in self.position_rad.T])


def load_tape(reader: EpisodeReader, robot: RobotDescription, naming: Naming) -> Tape:
    """Read a recording's motion.

    Raises:
        DataError: if it has no commands or no joint states of this robot.
    """
    blind = replace(robot, cameras=())
    sources = find_sources(reader, blind, naming)
    tracks = read_tracks(reader, blind, naming, sources, "replay")
    start_ns = tracks.commands[0].received_ns
    joints = sorted(tracks.joints, key=lambda item: item.received_ns)
    scenes = _scenes(reader)
    return Tape(
        robot=robot,
        command_ns=np.array([c.received_ns - start_ns for c in tracks.commands], dtype=np.int64),
        asked_rad=np.stack([c.asked_rad for c in tracks.commands]),
        joint_ns=np.array([item.received_ns - start_ns for item in joints], dtype=np.int64),
        position_rad=np.stack([item.state.position_rad for item in joints]),
        first_scene=scenes[0] if scenes else None,
        last_scene=scenes[-1] if scenes else None,
    )


def _scenes(reader: EpisodeReader) -> Sequence[Scene]:
    """Return the scenes of a recording: the ground truth, else what was seen, else none."""
    kinds = {topic: info.type_name for topic, info in reader.topics.items() if info.count}
    names = (f"/{topics.GROUND_TRUTH}", f"/{topics.SCENE}")
    topic = next((name for name in names if kinds.get(name) == SCENE_TYPE), "")
    if not topic:
        return []
    found = [scene_from(item.message) for item in reader.messages([topic])]
    scenes = [scene for scene in found if isinstance(scene, Scene)]
    if found and not scenes:
        raise DataError(f"{topic}: no scene can be used")
    return scenes
