"""`lam train`: from the command line to a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lam_policies.training.config import TrainConfig
from lam_policies.training.dataset import open_data
from lam_policies.training.loop import Trainer
from lam_ros.config import build, compose_config, load_robot
from lam_ros.core.errors import ExitCode


def main(overrides: Sequence[str]) -> int:
    """Train by `config/train/lam.yaml` with overrides; the same `out` goes on with a run.

    Raises:
        ConfigError: if a key or value is not allowed.
        DataError: if the data cannot be read.
        CheckpointError: if the run in `out` cannot be taken up.
    """
    config = load_config(overrides)
    robot = load_robot(config.robot)
    parts = [
        frames
        for folder in config.data
        for frames in open_data(
            Path(folder),
            robot,
            cache=Path(config.cache) if config.cache else None,
            stride=config.picture_stride,
            max_episodes=config.max_episodes,
        )
    ]
    Trainer(config, robot, parts).run()
    return ExitCode.DONE


def load_config(overrides: Sequence[str]) -> TrainConfig:
    """Compose the configuration.

    Raises:
        ConfigError: if a key or value is not allowed.
    """
    return build(TrainConfig, compose_config("train/lam", overrides), "train")
