"""Shipping: half the size, the same behaviour."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lam_policies import ship as shipping
from lam_policies.loader import load_policy
from lam_policies.ship import halved, main, ship
from lam_policies.training.provenance import without_paths
from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError
from lam_ros.core.types import Observation
from lerobot_policy_lam import LamPolicy

ROBOT = load_robot("so101")


@pytest.fixture
def shipped(checkpoint: Path, tmp_path: Path) -> Path:
    """The small checkpoint, shipped."""
    return ship(checkpoint, tmp_path / "checkpoints" / "small")


def _observation(seed: int) -> Observation:
    rng = np.random.default_rng(seed)
    images = {
        name: rng.integers(0, 255, (camera.height_px, camera.width_px, 3), dtype=np.uint8)
        for name, camera in zip(ROBOT.camera_names, ROBOT.cameras, strict=True)
    }
    return Observation(seed, np.array(ROBOT.poses.home_rad), images)


def test_a_shipped_policy_moves_as_the_trained_one(checkpoint: Path, shipped: Path) -> None:
    trained, small = (load_policy(path, ROBOT, device="cpu") for path in (checkpoint, shipped))
    for seed in range(4):
        first, second = (
            policy.infer(_observation(seed), "put the red cube in the blue bowl").targets_rad
            for policy in (trained, small)
        )
        np.testing.assert_allclose(first, second, atol=1e-2)


def test_the_network_is_halved_and_the_statistics_are_exact(
    checkpoint: Path, shipped: Path
) -> None:
    before = load_file(checkpoint / "model.safetensors")
    after = load_file(shipped / "model.safetensors")
    assert before.keys() == after.keys()
    for name, value in after.items():
        if name.startswith("statistics."):
            assert torch.equal(value, before[name])
        else:
            assert value.dtype == torch.float16
    assert (shipped / "curve.png").exists() == (checkpoint.parent / "curve.png").exists()


def test_the_card_names_both_weights(checkpoint: Path, shipped: Path) -> None:
    before, after = (json.loads((path / "lam.json").read_text()) for path in (checkpoint, shipped))
    assert after["trained_sha256"] == before["sha256"] != after["sha256"]
    assert after["storage"] == "float16"


def test_no_path_of_the_machine_is_shipped() -> None:
    words = [
        "lam",
        "train",
        "data=[/a/b,c/d]",
        "out=/a/run",
        "+policy.colors=[red,blue]",
        "steps=3",
    ]
    assert without_paths(words) == [
        "lam", "train", "data=[b,d]", "out=run", "+policy.colors=[red,blue]", "steps=3",
    ]  # fmt: skip


def test_lerobot_loads_a_shipped_checkpoint(shipped: Path) -> None:
    policy = LamPolicy.from_pretrained(shipped)
    assert all(parameter.dtype == torch.float32 for parameter in policy.parameters())


def test_weights_that_float16_cannot_hold_are_refused() -> None:
    with pytest.raises(CheckpointError, match="weight 'a': not finite as float16"):
        halved({"a": torch.tensor([1e6])})


def test_what_is_too_large_is_refused_and_leaves_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MAX_SHIPPED_BYTES", 1000)
    with pytest.raises(CheckpointError, match="train a smaller network"):
        ship(checkpoint, tmp_path / "small")
    assert not list(tmp_path.iterdir())


def test_the_command_tells_where_and_how_large(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(checkpoint), str(tmp_path / "small")]) == 0
    assert capsys.readouterr().out.endswith(" MB\n")
