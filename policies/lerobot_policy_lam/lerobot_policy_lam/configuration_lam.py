"""Configuration of the LAM policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from lerobot.configs.policies import PreTrainedConfig
from lerobot.configs.types import FeatureType, NormalizationMode
from lerobot.optim.optimizers import AdamWConfig
from lerobot.optim.schedulers import CosineDecayWithWarmupSchedulerConfig


@PreTrainedConfig.register_subclass("lam")
@dataclass
class LamConfig(PreTrainedConfig):
    """What the network is made of and how it is trained.

    Attributes:
        chunk_size: joint targets in one answer (H).
        n_action_steps: targets that `select_action` plays before it asks again.
        absolute_joints: joints whose targets are absolute; the others' are
            differences from the present position.
        widths: channels at 1/4, 1/8 and 1/16 of the picture's size.
        blocks: residual blocks at each of these sizes.
        n_queries: attention points in each camera; the first two are taught to
            look at the named object and the named target.
        colors, kinds, skills: names that the auxiliary text heads tell apart;
            training only, a prompt may hold any words.
        reading_weight: weight of reading sentences of every step that has names, data or not.
        calibration_samples: samples from which action statistics are gathered when
            training starts without them (under LeRobot's own trainer).
    """

    n_obs_steps: int = 1
    chunk_size: int = 16
    n_action_steps: int = 8
    normalization_mapping: dict[str, NormalizationMode] = field(
        default_factory=lambda: dict.fromkeys(
            ("VISUAL", "STATE", "ACTION"), NormalizationMode.IDENTITY
        )
    )
    push_to_hub: bool = False

    absolute_joints: list[int] = field(default_factory=lambda: [-1])
    widths: list[int] = field(default_factory=lambda: [32, 64, 128])
    blocks: list[int] = field(default_factory=lambda: [1, 2, 1])
    n_queries: int = 16
    camera_dim: int = 256
    hidden_dim: int = 512
    hidden_blocks: int = 4

    text_buckets: int = 4096
    text_max_words: int = 24
    text_max_pieces: int = 12
    text_dim: int = 128
    text_layers: int = 2
    text_heads: int = 4
    colors: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)

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
        if len(self.widths) != 3 or len(self.blocks) != 3:
            raise ValueError("widths and blocks need three values each")
        if self.n_queries < 2:
            raise ValueError(f"n_queries {self.n_queries}: at least 2 are needed")
        if self.hidden_blocks < 2:
            raise ValueError(f"hidden_blocks {self.hidden_blocks}: at least 2 are needed")

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
