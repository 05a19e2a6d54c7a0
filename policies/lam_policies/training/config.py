"""What a training run is told, composed by hydra from `config/train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lam_policies.kinds import LAM
from lam_policies.training.tracking import TrackerName
from lam_ros.core.errors import ConfigError


def refuse_judging_elsewhere(env: str, eval_episodes: int, policy: str, out: str) -> None:
    """Check that no checkpoint of somebody else's environment is to be judged in our suites.

    Raises:
        ConfigError: with the command that judges it.
    """
    if env and eval_episodes:
        raise ConfigError(
            f"train: eval_episodes is for our suites; leave it out, and judge a checkpoint of "
            f"env={env} with: lam eval env={env} policy={policy} policy.path={out}/checkpoint"
        )


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    Attributes:
        data: folders of LeRobot data sets; several are laid end to end.
        cache: folder of the decoded pictures.
        out: folder of the run: checkpoints, log, curve.
        robot: name of the robot description.
        env: somebody else's environment, whose body (`config/body`) takes the robot's place.
        policy: fields of `LamConfig` that differ from its defaults.
        picture_stride: every how many rows a picture is kept.
        rest_share: share that is kept of the samples at the end of a demonstration, where the
            arm stands, done: the fewer, the sooner a policy acts where a scene looks done.
        batch_size, learning_rate, weight_decay, warmup_steps: the optimiser's.
        budget_minutes: time to train; the learning rate falls to nothing over it.
        steps: number of steps, instead of a time; 0 for the time.
        ema_decay: how slowly the averaged weights follow.
        checkpoint_minutes: time between two checkpoints.
        threads: CPU threads.
        bf16: whether to compute in bfloat16 where it is safe and the processor does so itself.
        jitter: strength of the change of brightness and colour, 0 for none.
        seed: of everything that chance decides.
        max_episodes: use only the first episodes of each data set; 0 for all.
        start_from: a checkpoint whose weights the run starts from; empty for none.
        eval_episodes: closed-loop episodes at each checkpoint, of which the best is kept.
        eval_suite: the suite of `lam eval` that they are of.
        tracker: where figures go beside `log.jsonl`: none, tensorboard or wandb.
    """

    data: tuple[str, ...]
    out: str
    robot: str = "so101"
    env: str = ""
    cache: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)
    picture_stride: int = 2
    rest_share: float = 1.0
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup_steps: int = 200
    budget_minutes: float = 80.0
    steps: int = 0
    ema_decay: float = 0.999
    checkpoint_minutes: float = 5.0
    threads: int = 0
    bf16: bool = True
    jitter: float = 1.0
    seed: int = 0
    max_episodes: int = 0
    start_from: str = ""
    eval_episodes: int = 0
    eval_suite: str = "pick_place"
    tracker: TrackerName = "none"

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: if there are no data, or a number is out of range.
        """
        if not self.data:
            raise ConfigError("train: no data; name a data set, for example data=[path/to/set]")
        for name in ("batch_size", "picture_stride", "checkpoint_minutes", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"train: {name} is {getattr(self, name)}, it must be positive")
        if not 0 <= self.rest_share <= 1:
            raise ConfigError(f"train: rest_share is {self.rest_share}, 0 to 1 is allowed")
        if self.eval_episodes < 0:
            raise ConfigError(f"train: eval_episodes is {self.eval_episodes}, 0 or more is allowed")
        refuse_judging_elsewhere(self.env, self.eval_episodes, LAM, self.out)
        if self.steps <= 0 and self.budget_minutes <= 0:
            raise ConfigError("train: give budget_minutes or steps, one of them above 0")

    @property
    def out_path(self) -> Path:
        """The folder of the run."""
        return Path(self.out)
