"""One demonstration: the expert in the lockstep simulator, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.scene import Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.core.types import FloatArray, ImageArray, Observation
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.judge import Judge, Outcome
from lam_sim.moves import knob_of, to_sweep
from lam_sim.noise import Noise, NoiseConfig
from lam_sim.style import Style, sample_style
from lam_sim.tasks import Episode
from lam_sim.world import LockstepSim

HOLD_FRAMES = 14
"""Frames of standing still at the end; the policy must learn to stop."""

NOISE_SHARE = {
    Phase.DESCEND: 0.5,
    Phase.CLOSE: 0.15,
    Phase.LOWER: 0.3,
    Phase.PULL: 0.3,
    Phase.PUSH: 0.4,
    Phase.PRESS: 0.3,
    Phase.OPEN: 0.15,
    Phase.RETURN: 0.45,
    Phase.DONE: 0.0,
}
"""Share of the drift where the work is fine; a hand is steadier there, too."""


@dataclass(frozen=True, eq=False)
class Demonstration:
    """What was recorded, one row a frame.

    Attributes:
        episode: scene and task.
        state_rad: measured joints, shape (T, J).
        action_rad: clean joint target to be reached at the next frame, shape (T, J).
        images: camera name -> rgb8, shape (T, H, W, 3).
        object_position_m, target_position_m: ground truth in the base frame, shape (T, 3).
        outcome: the judge's verdict.
        came_to_rest: whether the arm stood still at home in the end.
    """

    episode: Episode
    state_rad: npt.NDArray[np.float32]
    action_rad: npt.NDArray[np.float32]
    images: dict[str, ImageArray]
    object_position_m: npt.NDArray[np.float32]
    target_position_m: npt.NDArray[np.float32]
    outcome: Outcome
    came_to_rest: bool

    def __len__(self) -> int:
        """Return the number of frames T."""
        return len(self.state_rad)


class Demonstrator:
    """Makes demonstrations in one simulator."""

    def __init__(self, sim: LockstepSim, noise: NoiseConfig | None = None) -> None:
        """Use a simulator; without `noise` the expert is left in peace."""
        self._sim = sim
        self._noise = noise
        self._teleop = CartesianTeleop(sim.robot)
        self._steps_per_frame = round(sim.robot.control_rate_hz / sim.robot.cameras[0].rate_hz)
        self._dt_s = ns_to_seconds(sim.robot.cameras[0].period_ns)

    def run(
        self,
        episode: Episode,
        style: Style | None = None,
        max_frames: int = 320,
        attempt: int = 0,
        fresh: bool = True,
    ) -> Demonstration:
        """Do the task once, until the arm stands still at home or the frames are used up.

        Args:
            episode: scene and task.
            style: how the person moves; drawn from the scene's seed if None.
            max_frames: longest time.
            fresh: begin with the scene; else where the simulation stands.
            attempt: another number gives other noise and another style in the same scene.
        """
        sim, robot = self._sim, self._sim.robot
        rng = np.random.default_rng([episode.scene.seed, attempt, 0xD40])
        expert = Expert(robot, self._teleop, episode.step, style or sample_style(rng))
        quiet = NoiseConfig(drift_rad=0.0, bump_probability=0.0)
        noise = Noise(self._noise or quiet, len(robot.joints), robot.gripper_index, rng)
        rows: list[_Row] = []
        observation = sim.reset(episode.scene) if fresh else sim.observe()
        scene = sim.truth()
        judge = Judge(episode.step, scene)
        still = 0
        while len(rows) < max_frames and still < HOLD_FRAMES:
            decision = expert.decide(scene, sim.joint_state(), self._dt_s)
            rows.append(_row(observation, decision.target_rad, scene, episode))
            still = still + 1 if decision.phase is Phase.DONE else 0
            share = NOISE_SHARE.get(decision.phase, 1.0)
            disturbance = self._sim.arm.noise_share * noise.next(self._dt_s, share)
            self._execute(decision.target_rad + disturbance)
            observation, scene = sim.observe(), sim.truth()
            judge.watch(scene)
        return _demonstration(episode, rows, judge.outcome(), still >= HOLD_FRAMES)

    def _execute(self, target_rad: FloatArray) -> None:
        """Go to a target over one frame, linearly, as chunks are played."""
        start = self._sim.target_rad
        for step in range(1, self._steps_per_frame + 1):
            self._sim.step(start + (target_rad - start) * (step / self._steps_per_frame))


@dataclass(frozen=True, eq=False)
class _Row:
    observation: Observation
    action_rad: FloatArray
    object_position_m: tuple[float, float, float]
    target_position_m: tuple[float, float, float]


Point3 = tuple[float, float, float]


def places_of(step: Step, scene: Scene) -> tuple[Point3, Point3]:
    """Return where the object and the target of a step are, which the policy is taught to see.

    A drawer is where its knob is.  What has no target has its object's place twice, and the
    way home the origin.
    """
    if step.skill is Skill.HOME:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    item = scene[step.object_id]
    if step.skill in (Skill.OPEN, Skill.CLOSE):
        item = knob_of(item)
    place = item.position_m
    if step.skill is Skill.SWEEP:  # the middle of the pieces that are still to be swept
        x, y, z = np.mean([p.position_m for p in to_sweep(step, scene)], axis=0).tolist()
        place = (x, y, z)
    return place, scene[step.target_id].position_m if step.target_id else place


def _row(observation: Observation, action_rad: FloatArray, scene: Scene, episode: Episode) -> _Row:
    return _Row(
        observation,
        action_rad,
        *places_of(episode.step, scene),
    )


def _demonstration(
    episode: Episode, rows: list[_Row], outcome: Outcome, came_to_rest: bool
) -> Demonstration:
    cameras = rows[0].observation.images
    return Demonstration(
        episode=episode,
        state_rad=np.array([row.observation.state_rad for row in rows], dtype=np.float32),
        action_rad=np.array([row.action_rad for row in rows], dtype=np.float32),
        images={name: np.stack([row.observation.images[name] for row in rows]) for name in cameras},
        object_position_m=np.array([row.object_position_m for row in rows], dtype=np.float32),
        target_position_m=np.array([row.target_position_m for row in rows], dtype=np.float32),
        outcome=outcome,
        came_to_rest=came_to_rest,
    )
