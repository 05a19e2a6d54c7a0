"""What every policy must do, shown by a small `lam` trained for seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.configs.policies import PreTrainedConfig

from lam_policies.lam_served import LamServed
from lam_policies.loader import load_policy
from lam_ros.config import load_robot
from lam_ros.core.skills import StepWords, canonical_prompt
from lam_ros.core.types import Observation
from lerobot_policy_lam import LamConfig, LamPolicy, make_lam_pre_post_processors

ROBOT = load_robot("so101")


@pytest.fixture(scope="module")
def served(checkpoint: Path) -> LamServed:
    policy = load_policy(checkpoint, ROBOT, device="cpu")
    assert isinstance(policy, LamServed)
    policy.warm_up()
    return policy


def _observation(stamp_ns: int = 7, seed: int = 0) -> Observation:
    rng = np.random.default_rng(seed)
    images = {
        name: rng.integers(0, 255, (camera.height_px, camera.width_px, 3), dtype=np.uint8)
        for name, camera in zip(ROBOT.camera_names, ROBOT.cameras, strict=True)
    }
    return Observation(stamp_ns, np.array(ROBOT.poses.home_rad), images)


def test_a_chunk_has_shape_time_names_and_origin(served: LamServed) -> None:
    chunk = served.infer(_observation(stamp_ns=123), "put the red cube in the blue bowl")
    assert chunk.targets_rad.shape == (served.info.horizon, len(ROBOT.joints))
    assert (chunk.obs_stamp_ns, chunk.dt_ns) == (123, 40_000_000)
    assert chunk.joint_names == ROBOT.joint_names
    assert chunk.policy_id == served.info.policy_id


def test_targets_stay_within_the_joints_limits(served: LamServed) -> None:
    chunk = served.infer(_observation(), "put the red cube in the blue bowl")
    assert (chunk.targets_rad >= ROBOT.lower_rad).all()
    assert (chunk.targets_rad <= ROBOT.upper_rad).all()


def test_other_words_for_the_same_picture_move_the_arm_elsewhere(
    served: LamServed, said: tuple[StepWords, ...]
) -> None:
    seen = replace(_observation(), state_rad=np.zeros(len(ROBOT.joints)))  # as in the toy world
    first, second = (served.infer(seen, canonical_prompt(step)) for step in said)
    moved = first.targets_rad[:, :5] - second.targets_rad[:, :5]
    assert moved.mean() > 0.15  # 0.6 in the data; 0 if the words did not matter


def test_the_same_input_gives_the_same_chunk(served: LamServed) -> None:
    first, second = (served.infer(_observation(), "put it there") for _ in range(2))
    assert np.array_equal(first.targets_rad, second.targets_rad)
    assert second.sequence == first.sequence + 1


def test_a_batch_gives_what_single_calls_give(
    served: LamServed, said: tuple[StepWords, ...]
) -> None:
    observations = [_observation(i, seed=i) for i in range(3)]
    prompts = [canonical_prompt(said[0]), "", canonical_prompt(said[1])]
    together = served.infer_batch(observations, prompts)
    for chunk, observation, prompt in zip(together, observations, prompts, strict=True):
        alone = served.infer(observation, prompt)
        assert np.allclose(chunk.targets_rad, alone.targets_rad, atol=1e-4)


def test_reset_starts_the_count_again(served: LamServed) -> None:
    served.infer(_observation(), "")
    served.reset()
    served.reset()
    assert served.infer(_observation(), "").sequence == 0


@pytest.mark.parametrize("prompt", ["", "?", "zzz " * 500, "Ünïcode ☃", "\n"])
def test_any_text_gives_a_finite_chunk(served: LamServed, prompt: str) -> None:
    assert np.isfinite(served.infer(_observation(), prompt).targets_rad).all()


def test_a_missing_or_misshapen_picture_is_named(served: LamServed) -> None:
    whole = _observation()
    lacking = Observation(1, whole.state_rad, {"front": whole.images["front"]})
    with pytest.raises(ValueError, match="camera 'wrist' is missing"):
        served.infer(lacking, "")
    small = {**whole.images, "wrist": np.zeros((48, 48, 3), np.uint8)}
    with pytest.raises(ValueError, match=r"camera 'wrist': shape \(48, 48, 3\) came"):
        served.infer(Observation(1, whole.state_rad, small), "")


def test_the_configuration_survives_saving(checkpoint: Path) -> None:
    config = PreTrainedConfig.from_pretrained(checkpoint)
    assert isinstance(config, LamConfig)
    assert (config.chunk_size, config.widths) == (8, [8, 16, 16])
    assert config.type == "lam"


def test_lerobot_loads_the_checkpoint_and_acts(checkpoint: Path) -> None:
    policy = LamPolicy.from_pretrained(checkpoint)
    before, after = make_lam_pre_post_processors(policy.config)
    batch = {
        "observation.state": torch.zeros(6),
        "observation.images.front": torch.rand(3, 80, 128),
        "observation.images.wrist": torch.rand(3, 96, 96),
        "task": "put the red cube in the blue bowl",
    }
    policy.reset()
    actions = [after(policy.select_action(before(dict(batch)))) for _ in range(3)]
    assert all(action.shape == (1, 6) and action.isfinite().all() for action in actions)
    assert len(policy._queue) == policy.config.n_action_steps - 3


def test_forward_gives_a_finite_loss_with_its_parts(checkpoint: Path) -> None:
    policy = LamPolicy.from_pretrained(checkpoint).train()
    batch = {
        "observation.state": torch.randn(4, 6),
        "observation.images.front": torch.rand(4, 3, 80, 128),
        "observation.images.wrist": torch.rand(4, 3, 96, 96),
        "action": torch.randn(4, 8, 6),
        "task": ["put the red cube in the blue bowl"] * 4,
    }
    loss, parts = policy(batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert set(parts) == {"action_loss"}
    with_truth = {**batch, "lam.object_m": torch.full((4, 3), float("nan"))}
    loss, parts = policy(with_truth)
    assert torch.isfinite(loss)
    assert parts["object_loss"] == 0.0
