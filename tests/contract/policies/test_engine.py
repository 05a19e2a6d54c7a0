"""The lam policy's network in ONNX Runtime answers as in PyTorch, or is not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lam_policies.engine import TOLERANCE_RAD, engine_for
from lam_policies.loader import load_policy
from lam_ros.config import load_robot
from lam_ros.core.types import Observation
from lerobot_policy_lam import LamPolicy

ROBOT = load_robot("so101")
PROMPTS = ("put the red cube in the blue bowl", "")


def observation(seed: int) -> Observation:
    rng = np.random.default_rng(seed)
    images = {
        camera.name: rng.integers(0, 256, (camera.height_px, camera.width_px, 3), dtype=np.uint8)
        for camera in ROBOT.cameras
    }
    return Observation(seed, rng.normal(0, 0.4, len(ROBOT.joints)), images)


def test_answers_are_the_same_before_and_after_the_warm_up(checkpoint: Path) -> None:
    policy = load_policy(checkpoint, ROBOT, device="cpu")
    seen = [observation(seed) for seed in range(4)]
    before = [policy.infer(o, prompt).targets_rad for o in seen for prompt in PROMPTS]
    policy.warm_up()
    after = [policy.infer(o, prompt).targets_rad for o in seen for prompt in PROMPTS]
    assert np.abs(np.array(before) - np.array(after)).max() < TOLERANCE_RAD


def test_many_at_once_are_answered_as_one_by_one(checkpoint: Path) -> None:
    policy = load_policy(checkpoint, ROBOT, device="cpu")
    policy.warm_up()
    seen = [observation(seed) for seed in range(3)]
    at_once = policy.infer_batch(seen, [PROMPTS[0]] * 3)
    one_by_one = [policy.infer(o, PROMPTS[0]) for o in seen]
    for a, b in zip(at_once, one_by_one, strict=True):
        assert np.abs(a.targets_rad - b.targets_rad).max() < TOLERANCE_RAD


def test_an_engine_that_answers_otherwise_is_not_used(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = LamPolicy.from_pretrained(checkpoint).eval()
    assert engine_for(policy) is not None
    infer = policy.infer
    asked = iter(range(1000))

    def drifting(batch: dict[str, torch.Tensor], words: torch.Tensor) -> torch.Tensor:
        return infer(batch, words) + 0.01 * next(asked)

    monkeypatch.setattr(policy, "infer", drifting)
    assert engine_for(policy) is None
