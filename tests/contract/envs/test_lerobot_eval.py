"""LeRobot's own evaluation, unmodified: our tasks, our policy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from lerobot.configs import FeatureType
from lerobot.envs import env_to_policy_features, make_env, make_env_config
from lerobot.utils.constants import ACTION

from lam_policies.training.export import export
from lam_ros.core.errors import ConfigError
from lerobot_env_lam import LamEnvConfig
from lerobot_policy_lam import LamConfig, LamPolicy

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
    "calibration_samples": 16,
}


@pytest.fixture(scope="module")
def policy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small policy, made for the environment's features, that has learnt to go home."""
    torch.manual_seed(0)
    config = LamEnvConfig()
    robot = config.settings()[0].robot
    features = env_to_policy_features(config)
    outputs = {name: ft for name, ft in features.items() if ft.type is FeatureType.ACTION}
    inputs = {name: ft for name, ft in features.items() if name not in outputs}
    policy = LamPolicy(
        LamConfig(device="cpu", input_features=inputs, output_features=outputs, **SMALL)
    )
    home = torch.tensor(robot.poses.home_rad)
    optimizer = torch.optim.AdamW(policy.get_optim_params(), lr=1e-3)
    policy.train()
    for _ in range(10):
        batch = {name: torch.rand(8, *ft.shape) for name, ft in inputs.items()}
        batch["observation.state"] = home + 0.1 * torch.randn(8, 6)
        batch[ACTION] = home.expand(8, policy.config.chunk_size, 6)
        loss, _ = policy.forward({**batch, "task": ["put the red cube in the blue bowl"] * 8})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("policy") / "checkpoint"
    return export(policy, folder, robot=robot, dt_ns=40_000_000, provenance={})


@pytest.mark.slow
def test_lerobot_eval_runs_and_reports_our_tasks(policy_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        str(Path(sys.executable).with_name("lerobot-eval")),
        f"--policy.path={policy_folder}", "--policy.device=cpu", "--env.type=lam",
        "--env.task=pick_place,stack", "--env.max_seconds=0.6", "--eval.n_episodes=2",
        "--eval.batch_size=2", "--eval.use_async_envs=false", f"--output_dir={out}",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=240, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    info = json.loads((out / "eval_info.json").read_text())
    assert [task["task_group"] for task in info["per_task"]] == ["pick_place", "stack"]
    assert [len(task["metrics"]["successes"]) for task in info["per_task"]] == [2, 2]
    assert info["overall"]["n_episodes"] == 4
    assert all(Path(video).stat().st_size > 1000 for video in info["overall"]["video_paths"])
    assert len(info["overall"]["video_paths"]) == 4


def test_a_finished_episode_waits_for_the_others_unchanged() -> None:
    config = make_env_config("lam", max_seconds=0.12)
    assert isinstance(config, LamEnvConfig)
    vector = make_env(config, n_envs=2)["pick_place"][0]
    assert isinstance(vector, gym.vector.SyncVectorEnv)
    vector.reset(seed=[0, 1])
    sentences = vector.call("task_description")
    action = np.tile(config.settings()[0].robot.poses.home_rad, (2, 1)).astype(np.float32)
    seen = [vector.step(action) for _ in range(5)]
    assert [list(truncated) for _, _, _, truncated, _ in seen[:3]] == [[False] * 2] * 2 + [
        [True] * 2
    ]
    np.testing.assert_array_equal(seen[2][0]["agent_pos"], seen[4][0]["agent_pos"])
    assert vector.call("task_description") == sentences
    vector.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "pick_plaice"}, "unknown suite 'pick_plaice'.*Did you mean 'pick_place'"),
        ({"task": ""}, "suite"),
        ({"task": "other_cube"}, "use `lam eval suite=other_cube`"),
        ({"robot": "so10"}, "unknown robot 'so10'.*Did you mean 'so101'"),
        ({"wording": "slang"}, "wording"),
        ({"fps": 30}, "env.fps: 30 came, the cameras of robot 'so101' give 25"),
        ({"max_seconds": 0.0}, "max_seconds: 0.0 came"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LamEnvConfig(**settings)  # type: ignore[arg-type]
