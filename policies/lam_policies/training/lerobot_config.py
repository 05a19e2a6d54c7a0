"""What the training of one of LeRobot's policies is told, composed from `config/train/lerobot.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lam_policies.training.config import refuse_judging_elsewhere
from lam_policies.training.tracking import TrackerName
from lam_ros.core.errors import ConfigError


@dataclass(frozen=True)
class LerobotTrainConfig:
    """One training run.

    Attributes:
        policy: LeRobot's name of the kind, for example `act`.
        data: folders of LeRobot data sets of one robot; several are laid end to end.
        out: folder of the run; the same folder goes on with a run.
        robot: name of the robot description.
        env: somebody else's environment, whose body (`config/body`) takes the robot's place.
        cameras: those that the policy looks through; none for all.
        cache: folder of the decoded pictures; empty for beside the data.
        settings: fields of the policy's LeRobot configuration that differ from its defaults.
        picture_stride: every how many rows a picture is kept.
        batch_size: samples a step.
        learning_rate: 0 for LeRobot's own of this policy.
        steps, budget_minutes: how long; steps count if they are above 0.
        checkpoint_minutes: time between two checkpoints.
        eval_episodes: closed-loop episodes at each checkpoint, of which the best is kept.
        eval_suite: the suite of `lam eval` that they are of.
        tracker: where figures go beside `log.jsonl`: none, tensorboard or wandb.
        threads: CPU threads; 0 for all cores.
        bf16: whether to compute in bfloat16 where it is safe and the processor does so itself.
        seed: of everything that chance decides.
        max_episodes: use only the first episodes of each data set; 0 for all.
    """

    policy: str
    data: tuple[str, ...]
    out: str
    robot: str = "so101"
    env: str = ""
    cameras: tuple[str, ...] = ()
    cache: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    picture_stride: int = 1
    batch_size: int = 32
    learning_rate: float = 0.0
    steps: int = 0
    budget_minutes: float = 60.0
    checkpoint_minutes: float = 10.0
    eval_episodes: int = 0
    eval_suite: str = "pick_place"
    tracker: TrackerName = "none"
    threads: int = 0
    bf16: bool = True
    seed: int = 0
    max_episodes: int = 0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: if there are no data, or a number is out of range.
        """
        if not self.data:
            raise ConfigError("train: no data; name a data set, for example data=[path/to/set]")
        for name in ("batch_size", "picture_stride", "checkpoint_minutes"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"train: {name} is {getattr(self, name)}, it must be positive")
        for name in ("learning_rate", "eval_episodes", "max_episodes"):
            if getattr(self, name) < 0:
                raise ConfigError(f"train: {name} is {getattr(self, name)}, 0 or more is allowed")
        refuse_judging_elsewhere(self.env, self.eval_episodes, self.policy, self.out)
        if self.steps <= 0 and self.budget_minutes <= 0:
            raise ConfigError("train: give budget_minutes or steps, one of them above 0")

    @property
    def out_path(self) -> Path:
        """The folder of the run."""
        return Path(self.out)
