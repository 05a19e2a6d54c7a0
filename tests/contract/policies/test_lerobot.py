"""LeRobot's own commands, unmodified: train the policy on a data set of this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lam_policies.loader import load_policy
from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError
from lam_sim.dataset import DatasetWriter
from lam_sim.rollout import Demonstrator
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import sample_episode
from lam_sim.world import LockstepSim
from lerobot_policy_lam import LamPolicy

ROBOT = load_robot("so101")


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short demonstrations as a LeRobot data set."""
    root = tmp_path_factory.mktemp("data") / "set"
    demonstrator = Demonstrator(LockstepSim(ROBOT))
    writer = DatasetWriter(root, ROBOT)
    for seed in (80, 81):
        writer.add(demonstrator.run(sample_episode(SceneConfig(), seed), max_frames=24), 0)
    writer.finish()
    return root


@pytest.mark.slow
def test_lerobot_train_trains_and_saves_the_policy(data_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        str(Path(sys.executable).with_name("lerobot-train")),
        "--policy.type=lam", "--policy.device=cpu", "--policy.push_to_hub=false",
        "--policy.widths=[8,16,16]", "--policy.hidden_dim=32", "--policy.camera_dim=32",
        "--policy.calibration_samples=4", "--dataset.repo_id=lam/set", f"--dataset.root={data_set}",
        "--steps=2", "--batch_size=4", "--num_workers=0", "--log_freq=1", "--save_freq=2",
        f"--output_dir={out}", "--wandb.enable=false",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    saved = out / "checkpoints" / "last" / "pretrained_model"
    policy = LamPolicy.from_pretrained(saved)
    assert policy.statistics.is_calibrated
    with pytest.raises(CheckpointError, match="lam\\.json is missing"):
        load_policy(saved, ROBOT)
