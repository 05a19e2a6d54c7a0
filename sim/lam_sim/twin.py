"""The twin: a reduced model of arm, table and what is near, in which a chunk is run first.

Two looks.  The first goes along the path by shape alone: does it leave the workspace,
meet itself or a keep-out box, does it come near anything?  Where it does not, nothing can
be hit, and that is all.  Otherwise the path is run with forces from the measured joints,
in larger steps than the simulator's, among objects that sleep until they are touched.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_ros.core.geometry import GeometryConfig
from lam_ros.core.preview import Hazard, PreviewConfig, Situation
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import FLAT_KINDS, Scene, SceneObject
from lam_ros.core.types import FloatArray, JointState
from lam_sim.guard import ArmGuard, knows
from lam_sim.hazards import TABLE, HazardWatch, watched
from lam_sim.stage import STEP_S, Stage, StageShot, shape_of, stage_for

LOOK_EVERY_RAD = 0.08
"""Change of a joint between two poses that the first look stops at."""

NEAR_M = 0.035
"""Further than this from all objects the arm is near none: a hand's way between two poses."""


def twin_for(
    robot: RobotDescription, config: PreviewConfig, geometry: GeometryConfig
) -> ChunkTwin | None:
    """Return the twin of a robot, or None if it is switched off or the arm's shape is unknown."""
    if not config.enabled or not knows(robot):
        return None
    return ChunkTwin(robot, config, geometry)


class ChunkTwin:
    """Runs paths of commands ahead of time.  Deterministic; for one thread at a time."""

    def __init__(
        self, robot: RobotDescription, config: PreviewConfig, geometry: GeometryConfig
    ) -> None:
        """Compile the arm alone; models with objects are compiled when they are first needed."""
        self._robot, self._config = robot, config
        self.guard = ArmGuard(robot, geometry)
        self._steps = max(1, round(1.0 / robot.control_rate_hz / STEP_S))
        self._period_s = 1.0 / robot.control_rate_hz
        self._shown: Stage | None = None
        self._last: tuple[Situation, FloatArray]

    def prepare(self, scene: Scene | None) -> None:
        """Compile what a scene needs, before a chunk waits for it."""
        stage_for(self._robot, tuple(shape_of(item) for item in _solid(scene)))

    def preview(self, situation: Situation, path_rad: FloatArray) -> Hazard | None:
        """Return what a path of commands, a row a control period, shape (T, J), would come to."""
        self._shown = None
        self._last = (situation, situation.joints.position_rad)
        solid = _solid(situation.scene)
        rows = _stops(situation.joints.position_rad, path_rad)
        found, is_near = self._first_look(situation, path_rad, rows, solid)
        if found is not None or not is_near:
            return found
        return self._run(situation, path_rad, solid)

    def shot(self) -> StageShot:
        """Return where the last path ended."""
        return self._stage_of_shot().shot()

    def _stage_of_shot(self) -> Stage:
        """Return the stage of the last path, set to its pose if it was not run with forces."""
        if self._shown is None:
            situation, pose_rad = self._last
            solid = _solid(situation.scene)
            stage = stage_for(self._robot, tuple(shape_of(item) for item in solid))
            state = JointState(situation.joints.stamp_ns, pose_rad)
            stage.set(state, pose_rad, solid)
            return stage
        return self._shown

    def _first_look(
        self,
        situation: Situation,
        path_rad: FloatArray,
        rows: Sequence[int],
        objects: Sequence[SceneObject],
    ) -> tuple[Hazard | None, bool]:
        """Go along the path by shape; returns what is broken, and whether anything is near."""
        guard, start = self.guard, situation.joints.position_rad
        at_start = {item.rule: item.depth_m for item in guard.intrusions(start)}
        centers = np.array([item.position_m for item in objects]).reshape(-1, 3)
        gaps_m, low_m = guard.clearances(centers)
        for row in rows:
            for item in guard.intrusions(path_rad[row]):
                if item.rule != TABLE and item.depth_m > at_start.get(item.rule, 0.0) + 1e-4:
                    self._last = (situation, path_rad[row])
                    return Hazard(item.rule, (row + 1) * self._period_s, item.detail), False
            gap, low = guard.clearances(centers)
            gaps_m, low_m = np.minimum(gaps_m, gap), min(low_m, low)
        radii = np.array([np.linalg.norm(item.size_m) / 2 for item in objects])
        return None, bool((gaps_m < radii + NEAR_M).any()) or low_m < NEAR_M

    def _run(
        self, situation: Situation, path_rad: FloatArray, solid: Sequence[SceneObject]
    ) -> Hazard | None:
        """Run a path with forces."""
        stage = stage_for(self._robot, tuple(shape_of(item) for item in solid))
        stage.set(situation.joints, situation.command_rad, solid)
        wanted, target = situation.wanted, situation.target
        objects = {
            item.id: watched(
                self._config, item.id, body, wanted, target, is_free=stage.is_free(body)
            )
            for item, body in zip(solid, stage.bodies, strict=True)
        }
        watch = HazardWatch(self._config, stage.model, objects, stage.of_arm)
        watch.begin(stage.data)
        self._shown = stage
        for index, row in enumerate(path_rad):
            stage.step(row, self._steps)
            found = watch.look(stage.data, (index + 1) * self._period_s)
            if found is not None:
                return found
        return None


def _solid(scene: Scene | None) -> list[SceneObject]:
    """Return the objects that can be hit, in the order of their shapes."""
    objects = scene.objects if scene else ()
    return sorted((item for item in objects if item.kind not in FLAT_KINDS), key=shape_of)


def _stops(start_rad: FloatArray, path_rad: FloatArray) -> list[int]:
    """Return the rows at which the first look stops, the last among them."""
    stops, last = [], start_rad
    for row in range(len(path_rad)):
        if np.abs(path_rad[row] - last).max() >= LOOK_EVERY_RAD:
            stops.append(row)
            last = path_rad[row]
    if not stops or stops[-1] != len(path_rad) - 1:
        stops.append(len(path_rad) - 1)
    return stops
