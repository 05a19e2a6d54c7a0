"""A small world of random pictures, to train small policies on in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lerobot.policies.factory import (
    get_policy_class,
    make_policy_config,
    make_pre_post_processors,
)
from lerobot.utils.constants import ACTION, OBS_STATE

from lam_policies.robot_features import features_of
from lam_policies.training.config import TrainConfig
from lam_policies.training.frames import Frames
from lam_policies.training.loop import Trainer
from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription
from lam_ros.core.skills import Skill, StepWords

SMALL = {
    "widths": [8, 16, 16],
    "blocks": [1, 1, 1],
    "n_queries": 4,
    "camera_dim": 32,
    "hidden_dim": 32,
    "hidden_blocks": 2,
    "text_dim": 32,
    "text_layers": 1,
    "text_buckets": 256,
    "chunk_size": 8,
    "n_action_steps": 4,
    "state_noise": 0.0,
    "state_dropout": 0.0,
    "word_dropout": 0.0,
}

SAID = (
    StepWords(Skill.PLACE_IN, "red", "cube", "blue", "bowl"),
    StepWords(Skill.PLACE_ON, "green", "cube", "white", "spot"),
)


def make_frames(n_episodes: int = 8, length: int = 20, seed: int = 0) -> Frames:
    """Return episodes in which the sentence alone decides where the arm goes."""
    rng = np.random.default_rng(seed)
    n_rows = n_episodes * length
    row = np.arange(n_rows)
    said_index = row // length % len(SAID)
    picture_row = row[::2]
    state = rng.normal(0, 0.1, (n_rows, 6)).astype(np.float32)
    action = (state + np.where(said_index == 0, 0.3, -0.3)[:, None]).astype(np.float32)
    places = rng.normal(0.2, 0.05, (n_rows, 2, 3)).astype(np.float32)
    pixels = np.ones((len(picture_row), 2, 2, 3), np.float32)
    pixels[..., :2] = rng.uniform(-0.9, 0.9, (len(picture_row), 2, 2, 2))
    return Frames(
        pictures={
            camera: rng.integers(0, 255, (len(picture_row), *size), dtype=np.uint8)
            for camera, size in (("front", (3, 80, 128)), ("wrist", (3, 96, 96)))
        },
        picture_row=picture_row,
        state_rad=state,
        action_rad=action,
        episode_end=(row // length + 1) * length,
        progress=(row % length / length).astype(np.float32),
        said=SAID,
        said_index=said_index,
        places_m=places,
        yaw_rad=rng.uniform(-3, 3, n_rows).astype(np.float32),
        pixels=pixels,
    )


def make_config(out: str, steps: int, **changes: object) -> TrainConfig:
    """Return the configuration of a run of seconds."""
    settings = {
        "data": ("toy",), "out": out, "steps": steps, "batch_size": 16, "threads": 1,
        "warmup_steps": 5, "learning_rate": 3e-3, "ema_decay": 0.9, "bf16": False, "jitter": 0.0,
        "policy": SMALL, **changes,
    }  # fmt: skip
    return TrainConfig(**settings)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def said() -> tuple[StepWords, ...]:
    """The two steps of the toy world."""
    return SAID


@pytest.fixture(scope="session")
def toy_frames() -> Callable[..., Frames]:
    """Make episodes; see `make_frames`."""
    return make_frames


@pytest.fixture(scope="session")
def toy_config() -> Callable[..., TrainConfig]:
    """Make the configuration of a short run; see `make_config`."""
    return make_config


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small policy that has learnt the toy world."""
    folder = tmp_path_factory.mktemp("run")
    config = make_config(str(folder), steps=60)
    return Trainer(config, load_robot("so101"), [make_frames()]).run()


SIZES_OF_KINDS: dict[str, dict[str, Any]] = {
    "act": {
        "chunk_size": 8, "n_action_steps": 8, "dim_model": 32, "n_heads": 2,
        "dim_feedforward": 32, "n_encoder_layers": 1, "n_vae_encoder_layers": 1,
        "pretrained_backbone_weights": None,
    },
    "diffusion": {
        "horizon": 8, "n_action_steps": 6, "down_dims": (16, 32), "num_inference_steps": 2,
        "resize_shape": (64, 64), "crop_ratio": 1.0, "spatial_softmax_num_keypoints": 4,
        "diffusion_step_embed_dim": 16, "pretrained_backbone_weights": None,
    },
    "vqbet": {
        "crop_shape": (64, 64), "gpt_n_layer": 1, "gpt_n_head": 2, "gpt_hidden_dim": 32,
        "gpt_output_dim": 32, "vqvae_embedding_dim": 16, "vqvae_enc_hidden_dim": 16,
        "spatial_softmax_num_keypoints": 4, "pretrained_backbone_weights": None,
    },
}  # fmt: skip


def _save_small(
    kind: str, robot: RobotDescription, folder: Path, far_rad: float = 1.5, **settings: Any
) -> Path:
    """Write a small policy whose joints were seen up to `far_rad` from zero."""
    torch.manual_seed(0)
    cameras = ("front",) if kind in ("vqbet", "diffusion") else ()
    config = make_policy_config(
        kind,
        device="cpu",
        push_to_hub=False,
        **features_of(robot, cameras),
        **{**SIZES_OF_KINDS[kind], **settings},
    )
    policy = get_policy_class(kind)(config).eval()
    if kind == "vqbet":
        policy.vqbet.action_head.vqvae_model.discretized.fill_(True)
    policy.save_pretrained(folder)
    joints = torch.linspace(0.1, far_rad, len(robot.joints))
    joint_stats = {"mean": joints / 9, "std": joints, "min": -joints, "max": joints}
    picture = torch.rand(3, 1, 1)
    stats = {name: {"mean": picture, "std": picture + 0.1, "min": picture, "max": picture + 1}
             for name in config.image_features}  # fmt: skip
    stats |= {OBS_STATE: joint_stats, ACTION: joint_stats}
    before, after = make_pre_post_processors(config, dataset_stats=stats)
    before.save_pretrained(folder)
    after.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def save_small() -> Callable[..., Path]:
    """Write a small policy of one of LeRobot's kinds; see `_save_small`."""
    return _save_small


@pytest.fixture(scope="session")
def small_settings() -> dict[str, dict[str, Any]]:
    """Settings of a small network by kind of policy."""
    return SIZES_OF_KINDS
