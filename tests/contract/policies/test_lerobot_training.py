"""`lam train` of LeRobot's policies: exact resumption, what is refused, what is written."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lam_policies.loader import load_policy
from lam_policies.training.closed_loop import BEST, keep_best
from lam_policies.training.command import main, require_robot
from lam_policies.training.frames import Frames
from lam_policies.training.lerobot_batches import LerobotBatcher
from lam_policies.training.lerobot_config import LerobotTrainConfig
from lam_policies.training.lerobot_loop import LerobotTrainer
from lam_policies.training.lerobot_statistics import statistics
from lam_policies.training.memory import told_if_too_large
from lam_policies.training.sound import require_finite
from lam_ros.config import load_robot
from lam_ros.core.errors import (
    ConfigError,
    DataError,
    FingerprintMismatch,
    LamError,
    MachineError,
)
from lam_ros.core.types import Observation

ROBOT = load_robot("so101")
MakeFrames = Callable[..., Frames]
MakeTrainer = Callable[..., LerobotTrainer]


@pytest.fixture
def trainer(
    toy_frames: MakeFrames, small_settings: dict[str, dict[str, Any]], tmp_path: Path
) -> MakeTrainer:
    """Make a trainer of the toy world, for a folder, a number of steps and a kind."""
    data = tmp_path / "data"
    (data / "meta").mkdir(parents=True)
    joints = {"min": [-1.0] * 6, "max": [1.0] * 6, "mean": [0.0] * 6, "std": [0.5] * 6}
    light = {key: [[[value]]] * 3 for key, value in
             {"min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.2}.items()}  # fmt: skip
    cameras = [ROBOT.image_feature(name) for name in ROBOT.camera_names]
    stats = {"observation.state": joints, "action": joints, **dict.fromkeys(cameras, light)}
    told = {name: {**values, "count": [160]} for name, values in stats.items()}
    (data / "meta" / "stats.json").write_text(json.dumps(told))

    def make(folder: Path, steps: int, kind: str = "act") -> LerobotTrainer:
        config = LerobotTrainConfig(
            policy=kind,
            data=(str(data),),
            out=str(folder),
            steps=steps,
            batch_size=4,
            threads=1,
            bf16=False,
            settings=small_settings[kind],
        )
        return LerobotTrainer(config, ROBOT, [toy_frames()])

    return make


def test_a_resumed_run_ends_with_the_same_weights(tmp_path: Path, trainer: MakeTrainer) -> None:
    whole = trainer(tmp_path / "whole", 4).run()
    stopped = trainer(tmp_path / "parts", 2)
    stopped.run()
    resumed = trainer(tmp_path / "parts", 4)
    assert resumed.state.step == 2
    parts = resumed.run()
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, parts))
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_what_is_trained_is_served_for_its_robot_and_has_a_card(
    tmp_path: Path, trainer: MakeTrainer
) -> None:
    folder = trainer(tmp_path / "run", 2).run()
    policy = load_policy(folder, ROBOT, device="cpu")
    images = {c.name: np.zeros((c.height_px, c.width_px, 3), np.uint8) for c in ROBOT.cameras}
    chunk = policy.infer(Observation(0, np.array(ROBOT.poses.home_rad), images), "go")
    assert len(chunk.targets_rad) == policy.info.horizon == 8
    card = (folder / "README.md").read_text()
    assert "# act for so101" in card
    assert "| batch_size | 4 |" in card


def test_data_without_statistics_are_normalised_by_their_rows(toy_frames: MakeFrames) -> None:
    parts = [toy_frames(seed=0), toy_frames(seed=1)]
    found = statistics(("nowhere/decoded",), parts, ["observation.images.front"])
    rows = np.concatenate([part.action_rad for part in parts])
    np.testing.assert_allclose(found["action"]["mean"], rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(found["action"]["std"], rows.std(0), atol=1e-6)
    np.testing.assert_array_equal(found["action"]["max"], rows.max(0))
    assert found["observation.images.front"]["mean"].shape == (3, 1, 1)


def test_an_episode_of_two_frames_repeats_its_last_row_and_says_so(toy_frames: MakeFrames) -> None:
    batcher = LerobotBatcher(
        [toy_frames(n_episodes=2, length=2)], ROBOT, ["front"], action_steps=range(8),
        seen_steps=None, batch_size=4, seed=0, scaling=None,
    )  # fmt: skip
    batch = batcher.batch(0)
    assert batch["action_is_pad"][:, 2:].all()
    assert not batch["action_is_pad"][:, :2].any()
    assert torch.equal(batch["action"][:, 1], batch["action"][:, 7])


def test_a_policy_that_looks_back_sees_no_other_episode(toy_frames: MakeFrames) -> None:
    frames = toy_frames(n_episodes=3, length=4)
    frames = dataclasses.replace(
        frames, state_rad=np.repeat(np.arange(3.0), 4).astype(np.float32)[:, None] * np.ones(6)
    )
    batcher = LerobotBatcher(
        [frames], ROBOT, ["front"], action_steps=range(4), seen_steps=(-3, 0), batch_size=16,
        seed=0, scaling=None,
    )  # fmt: skip
    seen = batcher.batch(0)["observation.state"]
    assert torch.equal(seen[:, 0], seen[:, 1])


def test_numbers_that_are_not_finite_are_refused_with_their_episode(
    toy_frames: MakeFrames,
) -> None:
    frames = toy_frames(length=20)
    action = frames.action_rad.copy()
    action[45] = np.nan
    with pytest.raises(DataError, match="action is not finite in 1 rows, first in episode 2"):
        require_finite(dataclasses.replace(frames, action_rad=action))


def test_a_data_set_of_another_robot_is_refused_with_the_differences(tmp_path: Path) -> None:
    other = ROBOT.to_dict()
    other["joints"][0]["upper_rad"] = 1.0
    (tmp_path / "meta" / "lam").mkdir(parents=True)
    (tmp_path / "meta" / "lam" / "robot.json").write_text(json.dumps({"robot": other}))
    with pytest.raises(FingerprintMismatch, match=r"joints\.shoulder_pan"):
        require_robot(tmp_path, ROBOT)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 12 bytes")]
)
def test_a_batch_that_does_not_fit_is_answered_with_a_smaller_one(error: Exception) -> None:
    with pytest.raises(MachineError, match="give batch_size=16"), told_if_too_large(32):
        raise error


@pytest.mark.parametrize(
    ("overrides", "error", "told"),
    [
        (("policy=acr", "data=[x]"), ConfigError, "Did you mean 'act'?"),
        (("policy=smolvla", "data=[x]"), MachineError, "starts from weights of the hub"),
        (("policy=act",), ConfigError, "no data"),
        (("policy=act", "data=[x]", "batch_size=0"), ConfigError, "batch_size is 0"),
        (("policy=act", "data=[/nowhere/set]"), DataError, "neither a LeRobot data set"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(
    overrides: tuple[str, ...], error: type[LamError], told: str
) -> None:
    with pytest.raises(error) as caught:
        main(overrides)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_best_by_success_stays(tmp_path: Path, trainer: MakeTrainer) -> None:
    folder = trainer(tmp_path / "run", 1).run()
    assert keep_best(folder, 0.5)
    assert not keep_best(folder, 0.25)
    best = folder.with_name(BEST)
    assert json.loads((best / "lam.json").read_text())["success"] == 0.5
    assert "50.0% success" in (best / "README.md").read_text()
    assert keep_best(folder, 0.75)
    assert load_policy(best, ROBOT, device="cpu").info.policy_id.startswith("best-")
