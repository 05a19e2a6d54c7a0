"""The lockstep simulator as a gymnasium environment, one camera frame a step.

An action is where the joints are to be at the next frame, as in our data sets.  What
moves the arm is what the safety room lets pass of it, as on the robot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from lam_ros.core.safety import SafetyRoom
from lam_ros.core.types import ImageArray, Observation, Source, Target, Verdict
from lam_ros.evaluation.settings import EvalSettings
from lam_ros.evaluation.worker import prompt_of
from lam_sim.guard import guard_for
from lam_sim.judge import Judge
from lam_sim.render import VIEWER
from lam_sim.tasks import Episode, sample_episode
from lam_sim.world import LockstepSim, SimConfig

VIEW = replace(VIEWER, samples=0, facets=(24, 12), shadows=False)
"""Quality of `render`: LeRobot draws every step of ten episodes."""

Action = npt.NDArray[np.float32]
Seen = dict[str, Any]


@dataclass(frozen=True)
class ImageSize:
    """Size of the pictures for people."""

    width_px: int = 320
    height_px: int = 240


class LamEnv(gym.Env[Seen, Action]):
    """One arm and one table; each reset draws a scene and a task in it from the seed.

    Observations: `pixels`, by camera rgb8 of shape (H, W, 3), and `agent_pos`, measured
    joints in radians, shape (J,).  Actions: joint targets in radians, shape (J,).  The
    reward is 1 at the step at which the task is done, which ends the episode; the
    simulator's ground truth judges, as in `lam eval`.  `info` holds `is_success` and
    `unsafe`: whether the safety room held the arm in this step.
    """

    def __init__(
        self,
        settings: EvalSettings,
        size: ImageSize | None = None,
        render_mode: str | None = "rgb_array",
    ) -> None:
        """Describe the spaces; the simulator itself is made at the first reset.

        Args:
            settings: robot, suite, wording, limits and the scene of seed 0.
            size: of the pictures that `render` returns.
            render_mode: `rgb_array`, or None.
        """
        robot = settings.robot
        self.settings = settings
        self.render_mode = render_mode
        self.task = settings.suite.name
        self.task_description = ""
        rate_hz = round(robot.cameras[0].rate_hz)
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": rate_hz}
        self._max_episode_steps = math.ceil(settings.max_seconds * rate_hz)
        self._control_steps = round(robot.control_rate_hz / rate_hz)
        self._size = size or ImageSize()
        self._sim: LockstepSim | None = None
        self.action_space = spaces.Box(
            robot.lower_rad.astype(np.float32), robot.upper_rad.astype(np.float32)
        )
        pictures: dict[str, spaces.Space[Any]] = {
            camera.name: spaces.Box(0, 255, (camera.height_px, camera.width_px, 3), np.uint8)
            for camera in robot.cameras
        }
        turn = 2 * math.pi
        joints = spaces.Box(-turn, turn, (len(robot.joints),), np.float64)
        self.observation_space = spaces.Dict({"pixels": spaces.Dict(pictures), "agent_pos": joints})

    @property
    def sim(self) -> LockstepSim:
        """The simulator; made on first use, in the process that uses it."""
        if self._sim is None:
            self._sim = LockstepSim(self.settings.robot, SimConfig(scene=self.settings.suite.scene))
        return self._sim

    @property
    def episode(self) -> Episode:
        """Scene and task since the last reset."""
        return self._episode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Seen, dict[str, Any]]:
        """Start the episode of a seed, or of one drawn after the seed before."""
        super().reset(seed=seed)
        number = int(self.np_random.integers(2**31)) if seed is None else seed
        suite = self.settings.suite
        scene_seed = self.settings.first_seed + number
        self._episode = sample_episode(suite.scene, scene_seed, suite.mix)
        self.task_description = prompt_of(self._episode, self.settings.wording)
        observation = self.sim.reset(self._episode.scene)
        self._judge = Judge(self._episode.step, self.sim.truth())
        robot, safety = self.settings.robot, self.settings.control.safety
        self._safety = SafetyRoom(robot, safety, guard_for(robot, safety.geometry))
        self._steps = 0
        return _seen(observation), {"is_success": False, "unsafe": False}

    def step(self, action: Action) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Go to joint targets, shape (J,), over one frame, linearly, as chunks are played.

        Raises:
            ValueError: if the action has another shape.
        """
        if np.shape(action) != self.action_space.shape:
            raise ValueError(
                f"action: shape {np.shape(action)} came, {self.action_space.shape} is needed"
            )
        is_unsafe = self._go(np.asarray(action, np.float64))
        self._judge.watch(self.sim.truth())
        self._steps += 1
        done = self._judge.succeeded
        is_late = self._steps >= self._max_episode_steps and not done
        info = {"is_success": done, "unsafe": is_unsafe}
        return _seen(self.sim.observe()), float(done), done, is_late, info

    def render(self) -> ImageArray | None:
        """Return a picture of the whole table, shape (height_px, width_px, 3)."""
        if self.render_mode is None:
            return None
        return self.sim.render("viewer", self._size.width_px, self._size.height_px, VIEW)

    def close(self) -> None:
        """Free the GL contexts."""
        if self._sim is not None:
            self._sim.close()
            self._sim = None

    def _go(self, goal_rad: npt.NDArray[np.float64]) -> bool:
        """Play one frame; returns whether the safety room held the arm."""
        sim, start_rad = self.sim, self.sim.target_rad
        is_unsafe = False
        for step in range(1, self._control_steps + 1):
            now_ns = sim.now_ns
            wanted_rad = start_rad + (goal_rad - start_rad) * (step / self._control_steps)
            target = Target(wanted_rad, now_ns, Source.POLICY)
            report = self._safety.judge(target, sim.joint_state(), now_ns)
            is_unsafe |= report.verdict >= Verdict.HOLD
            sim.step(sim.target_rad if report.sent_rad is None else report.sent_rad)
        return is_unsafe


def _seen(observation: Observation) -> Seen:
    return {"pixels": dict(observation.images), "agent_pos": np.array(observation.state_rad)}
