"""Pictures in which nobody acts: random scenes with the arm in random poses.

They teach where things are and where they are seen, and nothing about how to move: their
actions are unknown (NaN).  A scene costs a few milliseconds instead of a demonstration's
seconds, so the eyes get to know many more scenes than the arm has worked in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from lam_policies.practice import Rows, pinhole
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import Skill, Step, StepWords, words
from lam_ros.core.types import FloatArray
from lam_sim.ik import CartesianTeleop, heading_rad
from lam_sim.placement import PAN_AXIS_X_M
from lam_sim.rollout import Point3, places_of
from lam_sim.tasks import Episode
from lam_sim.world import LockstepSim

Places = tuple[Point3, Point3]
"""Where object and target are."""

TARGET_KINDS = ("bowl", "spot", "tray", "cube")
_CONTAINERS = ("bowl", "tray")
_NEXT_TO_SHARE = 0.15
_OVER_OBJECT_SHARE, _OVER_TARGET_SHARE = 0.6, 0.2
_LOW_M, _NEAR_M = 0.10, 0.02
_PAN_SPREAD_RAD, _ROLL_SPREAD_RAD = 0.06, 0.3
_JAW_RAD = (0.0, 0.5)
_POSE_TRIES = 20
_LEAST_HEIGHT_M = 0.01
_LOOSE_LOWER_RAD = np.array([-1.2, -1.6, -0.2, 0.2, -1.6, -0.17])
_LOOSE_UPPER_RAD = np.array([1.2, 0.7, 1.6, 1.65, 1.6, 1.2])


@dataclass(frozen=True, eq=False)
class Poses:
    """Poses that the arm takes at work, and where its tool is in them.

    Attributes:
        joint_rad: shape (P, J).
        tool_m: in the base frame, shape (P, 3).
    """

    joint_rad: FloatArray
    tool_m: FloatArray

    @classmethod
    def of(cls, joint_rad: FloatArray, teleop: CartesianTeleop) -> Poses:
        """Return poses of shape (P, J) with their tool's place."""
        places = [teleop.tool_pose(pose).position_m for pose in joint_rad]
        return cls(joint_rad, np.array(places))

    def over(self, place_m: tuple[float, float, float], rng: np.random.Generator) -> FloatArray:
        """Return a pose with the tool low and about over a place, shape (J,)."""
        distance = np.hypot(self.tool_m[:, 0] - PAN_AXIS_X_M, self.tool_m[:, 1])
        wanted = np.hypot(place_m[0] - PAN_AXIS_X_M, place_m[1])
        fitting = np.flatnonzero(
            (np.abs(distance - wanted) < _NEAR_M) & (self.tool_m[:, 2] < _LOW_M)
        )
        if not len(fitting):
            return self.any(rng)
        index = int(rng.choice(fitting))
        x, y, z = self.tool_m[index]
        pose = self.joint_rad[index].copy()
        turn_rad = heading_rad(place_m) - heading_rad((x, y, z))
        pose[0] -= turn_rad + rng.normal(0, _PAN_SPREAD_RAD)  # the pan axis points down
        pose[4] += rng.normal(0, _ROLL_SPREAD_RAD)
        return pose

    def any(self, rng: np.random.Generator) -> FloatArray:
        """Return any of the poses, shape (J,)."""
        return self.joint_rad[rng.integers(len(self.joint_rad))].copy()


class Grounding:
    """Draws such pictures in one simulator."""

    def __init__(self, sim: LockstepSim, poses: Poses | None) -> None:
        """Use a simulator that draws pictures; without poses the arm is anywhere above the table."""
        self._sim = sim
        self._poses = poses
        self._joints = [int(sim.model.joint(name).qposadr[0]) for name in sim.robot.joint_names]

    def pictures(self, seed: int, count: int) -> Iterator[Rows]:
        """Yield `count` single pictures of the scene of a seed, as episodes of one row."""
        rng = np.random.default_rng([seed, 0x6A0])
        self._sim.reset(seed)
        scene = self._sim.truth()
        for _ in range(count):
            item, target, said = _draw_words(scene, rng)
            places = (item.position_m, target.position_m)
            yield self._picture(places, item.yaw_rad, said, rng)

    def pictures_of(self, episode: Episode, steps: Sequence[Step], count: int) -> Iterator[Rows]:
        """Yield `count` single pictures of a scene, each with one of its steps."""
        rng = np.random.default_rng([episode.scene.seed, 0x6A0])
        self._sim.reset(episode.scene)
        scene = self._sim.truth()
        for _ in range(count):
            step = steps[int(rng.integers(len(steps)))]
            yaw_rad = scene[step.object_id].yaw_rad if step.object_id else 0.0
            yield self._picture(places_of(step, scene), yaw_rad, words(step, scene), rng)

    def _picture(
        self, places: Places, yaw_rad: float, said: StepWords, rng: np.random.Generator
    ) -> Rows:
        sim = self._sim
        self._pose(*places, rng)
        observation = sim.observe()
        places_m = np.array(places)
        pixels = np.stack([pinhole(sim, name).see(places_m) for name in sim.robot.camera_names])
        return Rows(
            said=said,
            state_rad=np.array(observation.state_rad)[None],
            action_rad=np.full((1, len(sim.robot.joints)), np.nan),
            places_m=places_m[None],
            yaw_rad=np.array([yaw_rad]),
            pictures={name: picture[None] for name, picture in observation.images.items()},
            pixels=pixels[None],
            progress=np.array([np.nan]),
        )

    def _pose(self, item_m: Point3, target_m: Point3, rng: np.random.Generator) -> None:
        """Put the arm somewhere, without physics."""
        if self._poses is None:
            for _ in range(_POSE_TRIES):
                self._put(rng.uniform(_LOOSE_LOWER_RAD, _LOOSE_UPPER_RAD))
                pads = [self._sim.data.geom(name).xpos[2] for name in ("fixed_pad", "moving_pad")]
                if min(pads) > _LEAST_HEIGHT_M:
                    return
            return
        chance = rng.random()
        if chance < _OVER_OBJECT_SHARE:
            pose = self._poses.over(item_m, rng)
        elif chance < _OVER_OBJECT_SHARE + _OVER_TARGET_SHARE:
            pose = self._poses.over(target_m, rng)
        else:
            pose = self._poses.any(rng)
        pose[self._sim.robot.gripper_index] = rng.uniform(*_JAW_RAD)
        self._put(pose)

    def _put(self, pose: FloatArray) -> None:
        robot = self._sim.robot
        self._sim.data.qpos[self._joints] = np.clip(pose, robot.lower_rad, robot.upper_rad)
        mujoco.mj_kinematics(self._sim.model, self._sim.data)


def _draw_words(
    scene: Scene, rng: np.random.Generator
) -> tuple[SceneObject, SceneObject, StepWords]:
    """Return a cube, another thing, and words that name both."""
    cubes = list(scene.of_kind("cube"))
    item = cubes[rng.integers(len(cubes))]
    others = [x for x in scene.objects if x.kind in TARGET_KINDS and x.id != item.id]
    target = others[rng.integers(len(others))]
    skill = Skill.PLACE_IN if target.kind in _CONTAINERS else Skill.PLACE_ON
    if rng.random() < _NEXT_TO_SHARE:
        skill = Skill.PLACE_NEXT_TO
    return item, target, StepWords(skill, item.color, item.kind, target.color, target.kind)
