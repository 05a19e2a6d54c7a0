"""LAM's simulated arm and its tasks, as a LeRobot environment plugin.

Importing this package registers the environment type `lam`; LeRobot's own commands do
so by the distribution's name (`lerobot-eval --env.type=lam --policy.path=...`).
"""

from lerobot_env_lam.configuration_lam import LamEnvConfig
from lerobot_env_lam.environment import LamEnv

__all__ = ["LamEnv", "LamEnvConfig"]
