"""The twin: a reduced model of arm, table and what is near, in which a chunk is run first.

Two looks.  The first goes along the path by shape alone: does it leave the workspace,
meet itself or a keep-out box, does it come near anything?  Where it does not, nothing can
be hit, and that is all.  Otherwise the path is run with forces from the measured joints,
in larger steps than the simulator's, among objects that sleep until they are touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

RUN_UP = 2
"""Rows that are run before anything is near."""

LED_RAD = 0.05
"""Command and joint further apart than this: the arm is held up, and not where it is told to be."""

LINGER = 2
"""Rows that the last command is held: the world may be a little earlier than the twin."""

ARM_ALONE = 1
"""Kinematic trees of the arm; it never sleeps."""

MOVED_EVERY = 3
"""Rows between two looks at what was pushed; forces are looked at with each."""


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
        look = self._first_look(situation, path_rad, solid)
        if look.found is not None or not look.is_near:
            return look.found
        return self._run(situation, path_rad, solid, look)

    def shot(self) -> StageShot:
        """Return where the last path ended."""
        return self._stage_of_shot().shot(_solid(self._last[0].scene))

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
        self, situation: Situation, path_rad: FloatArray, objects: Sequence[SceneObject]
    ) -> _Look:
        """Go along the path by shape: what is broken, and where anything is near."""
        guard, start = self.guard, situation.joints.position_rad
        at_start = {item.rule: item.depth_m for item in guard.intrusions(start)}
        reach = _Reach(situation.wanted, objects)
        look = _Look()
        reach.look(guard, -1, look)
        for row in _stops(start, path_rad):
            for item in guard.intrusions(path_rad[row]):
                if item.rule != TABLE and item.depth_m > at_start.get(item.rule, 0.0) + 1e-4:
                    self._last = (situation, path_rad[row])
                    look.found = Hazard(item.rule, (row + 1) * self._period_s, item.detail)
                    return look
            reach.look(guard, row, look)
        return look

    def _run(
        self, situation: Situation, path_rad: FloatArray, solid: Sequence[SceneObject], look: _Look
    ) -> Hazard | None:
        """Run a path with forces, from shortly before something is near."""
        stage = stage_for(self._robot, tuple(shape_of(item) for item in solid))
        begin = self._begin(situation, look)
        if begin:
            at, before = path_rad[begin - 1], path_rad[begin - 2]
            velocity = (at - before) / self._period_s
            stage.set(JointState(situation.joints.stamp_ns, at, velocity), at, solid)
        else:
            stage.set(situation.joints, situation.command_rad, solid)
        watch = self._watch(situation, solid, stage)
        watch.begin(stage.data)
        self._shown = stage
        last = len(path_rad) - 1
        for index in range(begin, len(path_rad) + LINGER):
            after_s = (index + 1) * self._period_s
            stage.step(path_rad[min(index, last)], self._steps)
            found = watch.pressed(stage.data, after_s)
            if found is None and (index % MOVED_EVERY == 0 or index == last):
                found = watch.moved(stage.data, after_s)
            if found is not None:
                return found
            if index > look.last and stage.awake <= ARM_ALONE + look.may_hold:
                break
        return None

    def _watch(
        self, situation: Situation, solid: Sequence[SceneObject], stage: Stage
    ) -> HazardWatch:
        wanted, target = situation.wanted, situation.target
        objects = {
            item.id: watched(
                self._config, item.id, item.kind, body, wanted, target,
                is_free=stage.is_free(body),
            )
            for item, body in zip(solid, stage.bodies, strict=True)
        }  # fmt: skip
        return HazardWatch(
            self._config, stage.model, objects, stage.of_arm, share=self._config.share
        )

    def _begin(self, situation: Situation, look: _Look) -> int:
        """Return the row from which forces matter: until then the arm is where it is told to be."""
        led = np.abs(situation.command_rad - situation.joints.position_rad)
        led[self._robot.gripper_index] = 0.0  # it grips by leading
        begin = look.clear - RUN_UP
        return begin if begin >= 2 and led.max() < LED_RAD else 0


@dataclass
class _Look:
    """What the first look has found.

    Attributes:
        found: what is broken.
        is_near: whether the arm, or what it may hold, comes near anything.
        may_hold: whether the arm may hold what it is to take.
        clear: the last row until which nothing was near, not even what is to be taken.
        last: the last row at which something was near.
    """

    found: Hazard | None = None
    is_near: bool = False
    may_hold: bool = False
    clear: int = -1
    last: int = -1


class _Reach:
    """How near objects must be to be met by the arm, or by what it may hold by then."""

    def __init__(self, wanted: str, objects: Sequence[SceneObject]) -> None:
        """Know all objects; the wanted one may be met, and is then an end of the arm."""
        self._centers_m = np.array([item.position_m for item in objects]).reshape(-1, 3)
        sizes_m = np.array([np.linalg.norm(item.size_m) for item in objects])
        self._limits_m = sizes_m / 2 + NEAR_M
        self._is_wanted = np.array([item.id == wanted for item in objects], dtype=bool)
        self._held_m = float(sizes_m[self._is_wanted].sum())

    def look(self, guard: ArmGuard, row: int, look: _Look) -> None:
        """Add what is near at the pose that the guard was asked about last."""
        gaps_m, low_m = guard.clearances(self._centers_m)
        look.may_hold |= bool((gaps_m < self._limits_m)[self._is_wanted].any())
        limits_m = self._limits_m + self._held_m * look.may_hold
        if bool((gaps_m < limits_m)[~self._is_wanted].any()) or low_m < NEAR_M:
            look.is_near, look.last = True, row
        if not look.is_near and not look.may_hold:
            look.clear = row


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
