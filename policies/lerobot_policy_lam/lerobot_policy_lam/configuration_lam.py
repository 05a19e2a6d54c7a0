"""Configuration of the LAM policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from lerobot.configs.policies import PreTrainedConfig
from lerobot.configs.types import FeatureType, NormalizationMode
from lerobot.optim.optimizers import AdamWConfig
from lerobot.optim.schedulers import CosineDecayWithWarmupSchedulerConfig

from lam_network.sizes import LamSizes


@PreTrainedConfig.register_subclass("lam")
@dataclass
class LamConfig(LamSizes, PreTrainedConfig):
    """How the network is trained, beside what it is made of.

    Attributes:
        n_action_steps: targets that `select_action` plays before it asks again.
        reading_weight: weight of reading sentences of every step that has names, data or not.
        calibration_samples: samples from which action statistics are gathered when
            training starts without them (under LeRobot's own trainer).
    """

    n_obs_steps: int = 1
    n_action_steps: int = 8
    normalization_mapping: dict[str, NormalizationMode] = field(
        default_factory=lambda: dict.fromkeys(
            ("VISUAL", "STATE", "ACTION"), NormalizationMode.IDENTITY
        )
    )
    push_to_hub: bool = False

    state_noise: float = 0.006  # standard deviation in radians, on half of the samples
    state_dropout: float = 0.1
    word_dropout: float = 0.15
    position_weight: float = 0.5
    near_weight: float = 0.5
    pixel_weight: float = 0.05
    slot_weight: float = 0.05
    reading_weight: float = 0.0
    progress_weight: float = 0.05
    calibration_samples: int = 2048

    optimizer_lr: float = 1e-3
    optimizer_weight_decay: float = 1e-2
    scheduler_warmup_steps: int = 200
    scheduler_decay_steps: int = 20_000

    def __post_init__(self) -> None:
        """Check the numbers against each other."""
        super().__post_init__()
        if self.n_action_steps > self.chunk_size:
            raise ValueError(
                f"n_action_steps {self.n_action_steps} is more than chunk_size {self.chunk_size}"
            )
        self.check_sizes()

    def validate_features(self) -> None:
        """Check that there are pictures, a state and an action."""
        if not self.image_features:
            raise ValueError("policy 'lam' needs at least one camera among the inputs")
        if self.robot_state_feature is None or self.action_feature is None:
            raise ValueError("policy 'lam' needs observation.state and action")
        for name, feature in self.image_features.items():
            if feature.type is not FeatureType.VISUAL or any(
                side % 16 for side in feature.shape[1:]
            ):
                raise ValueError(f"{name}: shape {feature.shape}; sides must be multiples of 16")

    def get_optimizer_preset(self) -> AdamWConfig:
        """Return the optimiser that LeRobot's trainer uses."""
        return AdamWConfig(
            lr=self.optimizer_lr,
            weight_decay=self.optimizer_weight_decay,
            betas=(0.9, 0.98),
            grad_clip_norm=1.0,
        )

    def get_scheduler_preset(self) -> CosineDecayWithWarmupSchedulerConfig:
        """Return the schedule that LeRobot's trainer uses."""
        return CosineDecayWithWarmupSchedulerConfig(
            num_warmup_steps=self.scheduler_warmup_steps,
            num_decay_steps=self.scheduler_decay_steps,
            peak_lr=self.optimizer_lr,
            decay_lr=self.optimizer_lr * 0.01,
        )

    @property
    def observation_delta_indices(self) -> None:
        """One observation is enough."""
        return

    @property
    def action_delta_indices(self) -> list[int]:
        """Rows of the action column that make one chunk."""
        return list(range(self.chunk_size))

    @property
    def reward_delta_indices(self) -> None:
        """No rewards are read."""
        return
