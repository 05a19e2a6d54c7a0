"""`lam train`: from the command line to a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lam_policies.kinds import KINDS, LAM
from lam_policies.training.config import TrainConfig
from lam_policies.training.dataset import open_data
from lam_policies.training.frames import Frames
from lam_policies.training.loop import Trainer
from lam_ros.composing import compose_config
from lam_ros.config import build, load_body, load_robot, named_env
from lam_ros.core.errors import ConfigError, DataError, ExitCode, MachineError, unknown_name
from lam_ros.core.robot import RobotDescription

if TYPE_CHECKING:
    from lam_policies.training.lerobot_config import LerobotTrainConfig

    Sources = TrainConfig | LerobotTrainConfig


def main(overrides: Sequence[str]) -> int:
    """Train by `config/train/lam.yaml` with overrides; the same `out` goes on with a run.

    Raises:
        ConfigError: if a key or value is not allowed.
        MachineError: if the policy starts from weights that are not here.
        DataError: if the data cannot be read.
        CheckpointError: if the run in `out` cannot be taken up.
    """
    config = load_config(overrides)
    robot = load_body(config.env) if config.env else load_robot(config.robot)
    parts = open_parts(config, robot)
    if isinstance(config, TrainConfig):
        Trainer(config, robot, parts).run()
    else:
        from lam_policies.training.lerobot_loop import LerobotTrainer

        LerobotTrainer(config, robot, parts).run()
    return ExitCode.DONE


def _kind(overrides: Sequence[str]) -> str:
    """Return which of LeRobot's policies is named, or nothing for our own.

    Raises:
        ConfigError: if it is not one that is known.
    """
    named = [item.partition("=")[2] for item in overrides if item.startswith("policy=")]
    if not named or named[-1] == LAM:
        return ""
    if named[-1] not in KINDS:
        raise ConfigError(f"train: {unknown_name('policy', named[-1], (LAM, *KINDS))}")
    return named[-1]


def _lerobot_config(kind: str, overrides: Sequence[str]) -> LerobotTrainConfig:
    from lam_policies.training.lerobot_config import LerobotTrainConfig

    if KINDS[kind].hub:
        raise MachineError(
            f"train: policy={kind} starts from weights of the hub; where there is a network: "
            f"lerobot-train --policy.path={KINDS[kind].base or 'OWNER/NAME'}, "
            f"then serve it with policy={kind} policy.path=FOLDER"
        )
    told = {**compose_config("train/lerobot", overrides), "policy": kind}
    return build(LerobotTrainConfig, told, "train")


def open_parts(config: Sources, robot: RobotDescription) -> list[Frames]:
    """Return the data that a run names, decoded.

    Raises:
        DataError: if the data cannot be read.
        FingerprintMismatch: if they were recorded with another robot.
    """
    for folder in config.data:
        require_robot(Path(folder), robot)
    return [
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


def require_robot(folder: Path, robot: RobotDescription) -> None:
    """Check that a data set that tells its robot, or its environment, is of this one.

    Raises:
        DataError: if it is of somebody else's environment.
        FingerprintMismatch: with each difference named.
    """
    path = folder / "meta" / "lam" / "robot.json"
    if path.is_file():
        told = json.loads(path.read_text(encoding="utf-8"))
        if (env := told.get("env", "")) not in ("", robot.name):
            raise DataError(
                f"data set '{folder.name}' is of env={env} and not of '{robot.name}'; "
                f"train on it with env={env}"
            )
        recorded = RobotDescription.from_dict(told.get("robot", told))
        robot.require_match(recorded, f"data set '{folder.name}'")


def load_config(overrides: Sequence[str]) -> Sources:
    """Compose the configuration of our own policy's training, or of one of LeRobot's.

    Raises:
        ConfigError: if a key or value is not allowed.
        MachineError: if the policy starts from weights that are not here.
    """
    kind = _kind(overrides)
    # `policy` is a group of config/, so it is taken out before hydra looks.
    others = [item for item in overrides if not item.startswith("policy=")]
    root = named_env(others, "train: ") or LAM
    if kind:
        return _lerobot_config(kind, others)
    return build(TrainConfig, compose_config(f"train/{root}", others), "train")
