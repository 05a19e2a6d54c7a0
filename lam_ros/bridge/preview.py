"""The twin on the graph: it sees the scene and the command in force, and keeps its pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos, topics
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.scenes import scene_from
from lam_ros.core.clock import Clock
from lam_ros.core.controller import ControlConfig
from lam_ros.core.inbound import Rejected
from lam_ros.core.preview import Hazard, Shot, Situation, Twin, commanded
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import ActionChunk, JointState

MOST_PICTURES = 20
"""Of one run; a policy that is refused again and again does not fill the disk."""

SCENE_OLD_NS = 2_000_000_000
"""Age above which what was seen is not what is there."""


class ChunkReview:
    """Judges chunks for one policy node; `review` is for the policy's own thread."""

    def __init__(
        self,
        robot: RobotDescription,
        config: ControlConfig,
        twin: Twin,
        clock: Clock,
        folder: Path,
        tell: Callable[[str], None],
    ) -> None:
        """Judge by a twin; pictures go into `folder`, words to `tell`."""
        self._robot, self._config, self._twin = robot, config, twin
        self._clock, self._folder, self._tell = clock, folder, tell
        self._scene: Scene | None = None
        self._joints: JointState | None = None
        self._report: lam_msg.SafetyReport | None = None
        self._named = ("", "")
        self._pictures = 0
        self._drawing = threading.Lock()

    def listen(self, opened: Entities) -> None:
        """Begin to see the scene."""
        opened.listen(lam_msg.Scene, topics.SCENE, self._on_scene, qos.SCENE)

    def on_joints(self, state: JointState) -> None:
        """Take the newest joint state."""
        self._joints = state

    def on_report(self, report: lam_msg.SafetyReport) -> None:
        """Take the newest word of the safety room."""
        self._report = report

    def begin(self, object_id: str, target_id: str) -> None:
        """Begin a skill that takes an object to a target."""
        self._named = (object_id, target_id)
        self._twin.prepare(self._scene)

    def review(self, chunk: ActionChunk) -> str:
        """Return why a chunk must not be released, for people; empty if it may."""
        joints, report = self._joints, self._report
        if joints is None or report is None or not report.sent_rad:
            return ""  # nothing moves before the control node has heard of the arm
        now_ns = self._clock.now_ns()
        preview = self._config.safety.preview
        command_rad = np.array(report.sent_rad)
        path = commanded(
            self._robot,
            chunk,
            command_rad,
            now_ns,
            blend_s=self._config.chunk.blend_s,
            horizon_s=preview.horizon_s,
        )
        situation = Situation(joints, command_rad, self._fresh_scene(now_ns), *self._named)
        hazard = self._twin.preview(situation, path)
        if hazard is None:
            return ""
        self._keep(hazard)
        return f"{hazard.kind}: {hazard.detail}, in {hazard.after_s:.2f} s"

    def _fresh_scene(self, now_ns: int) -> Scene | None:
        scene = self._scene
        return scene if scene and abs(now_ns - scene.stamp_ns) < SCENE_OLD_NS else None

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if not isinstance(scene, Rejected):
            self._scene = scene

    def _keep(self, hazard: Hazard) -> None:
        """Draw what would have happened, beside everything else, one picture at a time."""
        if self._pictures >= MOST_PICTURES or not self._drawing.acquire(blocking=False):
            return
        self._pictures += 1
        path = self._folder / f"rejected_{self._pictures:02d}_{hazard.kind}.png"
        shot = self._twin.shot()
        threading.Thread(
            target=self._draw, args=(shot, path, hazard), name="picture", daemon=True
        ).start()

    def _draw(self, shot: Shot, path: Path, hazard: Hazard) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            Image.fromarray(shot.draw()).save(part, format="PNG")
            part.replace(path)  # whoever finds it finds all of it
            self._tell(f"picture of what was refused ({hazard.detail}): {path}")
        except (OSError, RuntimeError) as error:
            self._tell(f"no picture of what was refused: {error}")
        finally:
            self._drawing.release()
