"""Configuration of the LAM environment for LeRobot's commands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium as gym
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs import EnvConfig
from lerobot.envs.utils import freeze_after_episode_end
from lerobot.utils.constants import ACTION

from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.evaluation.settings import EvalSettings, Wording, load_settings
from lerobot_env_lam.environment import ImageSize, LamEnv

VectorEnvs = dict[str, dict[int, gym.vector.VectorEnv]]


@EnvConfig.register_subclass("lam")
@dataclass
class LamEnvConfig(EnvConfig):
    """Which tasks, on which robot; all else is as in `config/eval.yaml`.

    Attributes:
        task: suites of `config/suite`, separated by commas; each is reported by itself.
        robot: name of the robot description, which also gives `fps` and the features.
        wording: `canonical`, `train`, or `heldout`, which training never saw.
        first_seed: scene of LeRobot's seed 0; training draws from seeds below the default.
        max_seconds: simulated time that an episode may take.
        visualization_width, visualization_height: of LeRobot's videos, in pixels.
    """

    task: str | None = "pick_place"
    fps: int = 0
    robot: str = "so101"
    wording: Wording = "canonical"
    first_seed: int = 1_000_000
    max_seconds: float = 20.0
    visualization_width: int = 320
    visualization_height: int = 240

    def __post_init__(self) -> None:
        """Read the robot's rate and features.

        Raises:
            ConfigError: if a suite or the robot does not exist, or `fps` is not the robot's.
        """
        robot = self.settings()[0].robot
        rate_hz = round(robot.cameras[0].rate_hz)
        if self.fps not in (0, rate_hz):
            raise ConfigError(
                f"env.fps: {self.fps} came, the cameras of robot '{robot.name}' give {rate_hz}; "
                "leave it out"
            )
        self.fps = rate_hz
        self.features, self.features_map = _features(robot)

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        """Return what every environment is made with, beside its suite's settings."""
        return {"size": ImageSize(self.visualization_width, self.visualization_height)}

    def settings(self) -> list[EvalSettings]:
        """Return what `lam eval` would use, one for each suite.

        Raises:
            ConfigError: if a suite does not exist, or names two tasks in each scene.
        """
        overrides = [
            f"robot={self.robot}",
            f"wording={self.wording}",
            f"first_seed={self.first_seed}",
            f"max_seconds={self.max_seconds}",
        ]
        names = [name.strip() for name in (self.task or "").split(",")]
        found = [load_settings([f"suite={name}", *overrides]) for name in names]
        for settings in found:
            if settings.suite.paired:
                raise ConfigError(
                    f"env.task: suite '{settings.suite.name}' has two tasks in each scene, which "
                    f"LeRobot's seeds cannot tell apart; use `lam eval suite={settings.suite.name}`"
                )
        return found

    def create_envs(self, n_envs: int, use_async_envs: bool = False) -> VectorEnvs:
        """Return one vector of environments a suite; a finished episode costs nothing more."""
        return {
            settings.suite.name: {0: self._vector(settings, n_envs, use_async_envs)}
            for settings in self.settings()
        }

    def _vector(
        self, settings: EvalSettings, n_envs: int, use_async_envs: bool
    ) -> gym.vector.VectorEnv:
        makers = [freeze_after_episode_end(partial(LamEnv, settings, **self.gym_kwargs))] * n_envs
        mode = gym.vector.AutoresetMode.NEXT_STEP
        if use_async_envs and n_envs > 1:
            return gym.vector.AsyncVectorEnv(makers, context="forkserver", autoreset_mode=mode)
        return gym.vector.SyncVectorEnv(makers, autoreset_mode=mode)


def _features(robot: RobotDescription) -> tuple[dict[str, PolicyFeature], dict[str, str]]:
    """Return LeRobot's features of the environment, and their names for the policy.

    Pictures already have the policy's names, under which LeRobot records them.
    """
    joints = (len(robot.joints),)
    features = {
        ACTION: PolicyFeature(FeatureType.ACTION, joints),
        "agent_pos": PolicyFeature(FeatureType.STATE, joints),
    }
    for camera in robot.cameras:
        shape = (camera.height_px, camera.width_px, 3)
        features[robot.image_feature(camera.name)] = PolicyFeature(FeatureType.VISUAL, shape)
    renamed = {ACTION: robot.features.action, "agent_pos": robot.features.state}
    return features, {name: renamed.get(name, name) for name in features}
