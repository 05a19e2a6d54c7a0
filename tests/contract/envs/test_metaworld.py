"""Meta-World, where it is installed: LeRobot's tasks, and the way from data to a judged policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("metaworld")

from lerobot.envs.metaworld import MetaworldEnv

from lam_policies.metaworld.collect import DemonstrationConfig, collect
from lam_policies.training.command import main as train
from lam_policies.training.dataset import open_data
from lam_policies.training.frames import draw, joined
from lam_ros.config import load_body
from lam_ros.core.errors import ConfigError, DataError
from lam_ros.evaluation.metaworld.command import main as evaluate
from lam_sim.metaworld.env import YardstickEnv

TASK = "button-press-v3"
QUIET = Console(quiet=True)
BODY = load_body("metaworld")


def request(out: Path, **changes: object) -> DemonstrationConfig:
    settings = {"tasks": (TASK,), "episodes": 2, "workers": 1, "picture_stride": 8, **changes}
    return DemonstrationConfig(str(out), **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def env() -> Iterator[YardstickEnv]:
    made = YardstickEnv(TASK, 112)
    yield made
    made.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metaworld") / "data"
    assert [task.name for task in collect(request(folder), QUIET)] == [TASK]
    return folder


def test_the_task_is_lerobots_with_the_same_goal_from_the_same_seed(env: YardstickEnv) -> None:
    theirs = MetaworldEnv(TASK, obs_type="pixels_agent_pos")
    seen, _ = theirs.reset(seed=5)
    ours, _ = env.reset(seed=5)
    np.testing.assert_array_equal(ours["agent_pos"], seen["agent_pos"])
    np.testing.assert_array_equal(env.target_m, theirs._env._target_pos)
    side = seen["pixels"].shape[0] // 4
    small = seen["pixels"].reshape(side, 4, side, 4, 3).mean((1, 3))
    plain = YardstickEnv(TASK, side)
    plain.reset(seed=5)
    assert np.abs(plain.picture() - small).mean() < 12  # shadows apart, the same view
    assert np.abs(np.flip(plain.picture(), 1) - small).mean() > 20
    action = np.array([0.3, 1.0, -0.5, 0.0], np.float32)
    np.testing.assert_array_equal(
        env.step(action)[0]["agent_pos"], theirs.step(action)[0]["agent_pos"]
    )
    theirs.close()
    plain.close()


def test_another_seed_is_another_goal(env: YardstickEnv) -> None:
    env.reset(seed=1)
    first = env.target_m
    env.reset(seed=2)
    assert not np.allclose(first, env.target_m)
    env.reset(seed=1)
    np.testing.assert_array_equal(first, env.target_m)


def test_demonstrations_are_training_data_with_the_tasks_sentence(data: Path) -> None:
    (part,) = open_data(data, BODY, cache=None, stride=8, max_episodes=0)
    assert part.said == ("Press a button",)
    assert part.n_episodes == 2
    assert part.made["task"] == TASK
    assert np.abs(part.action_rad).max() <= 1.0
    assert len(part.pictures["corner2"]) == len(part.picture_row) == len(part.pixels)
    assert part.pixels[:, 0, 0, 2].all()  # the button is in the picture


def test_made_again_nothing_is_to_do_and_other_settings_are_refused(data: Path) -> None:
    assert collect(request(data), QUIET) == []
    with pytest.raises(DataError, match=r"noise was 0\.1, 0\.3 is asked for"):
        collect(request(data, noise=0.3), QUIET)


def test_samples_of_tasks_are_joined_with_their_sentences(data: Path) -> None:
    (part,) = open_data(data, BODY, cache=None, stride=8, max_episodes=0)
    rng = np.random.default_rng(0)
    both = joined([draw(part, 2, 4, rng, "train"), draw(part, 1, 4, rng, "train")])
    assert both.said == both.prompts == ("Press a button",) * 3
    assert both.chunk_rad.shape == (3, 4, 4)


@pytest.mark.parametrize("policy", ["lam", "act"])
def test_they_train_no_robot(data: Path, tmp_path: Path, policy: str) -> None:
    with pytest.raises(DataError, match="is of env=metaworld and not of 'so101'"):
        train([f"policy={policy}", f"data=[{data}]", f"out={tmp_path}", "steps=1"])


@pytest.mark.parametrize("policy", ["lam", "act"])
def test_an_environment_that_nobody_knows_is_refused(policy: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown env 'metaworl'.*Did you mean 'metaworld'"):
        train([f"policy={policy}", "env=metaworl", "data=[somewhere]"])


@pytest.mark.parametrize("kind", ["lam", "act"])
def test_our_suites_judge_no_checkpoint_of_it(data: Path, tmp_path: Path, kind: str) -> None:
    told = [f"policy={kind}", f"data=[{data}]", f"out={tmp_path}", "env=metaworld"]
    remedy = f"lam eval env=metaworld policy={kind} policy.path={tmp_path}/checkpoint"
    with pytest.raises(ConfigError, match=remedy):
        train([*told, "steps=1", "eval_episodes=2"])


@pytest.mark.parametrize("kind", ["lam", "act"])
def test_what_was_trained_on_them_is_judged_in_closed_loop(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    small = {
        "lam": ["policy.n_action_steps=16", "+policy.hidden_dim=64"],
        "act": ["policy=act", "+settings.dim_model=32", "+settings.n_encoder_layers=1",
                "+settings.dim_feedforward=32", "+settings.chunk_size=50",
                "+settings.n_action_steps=50", "+settings.n_heads=2"],
    }  # fmt: skip
    run = tmp_path / "run"
    told = [f"data=[{data}]", f"out={run}", "steps=2", "batch_size=4", "env=metaworld"]
    assert train([*told, *small[kind]]) == 0
    driven = [f"policy={kind}", f"policy.path={run / 'checkpoint'}", f"tasks=[{TASK}]"]
    out = tmp_path / "report"
    capsys.readouterr()
    assert evaluate([*driven, "episodes=1", "workers=1"], as_json=True, out=str(out)) == 0
    told_json = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told_json["suite"] == "metaworld"
    assert told_json["by_task"][TASK]["episodes"] == 1
    assert told_json["by_difficulty"]["easy"]["success_rate"] == told_json["average"]
    assert (out / "eval.html").read_text().count("data:image/jpeg") == 1 - told_json["successes"]


def test_the_scripted_expert_does_an_easy_task(tmp_path: Path) -> None:
    overrides = ["policy=expert", f"tasks=[{TASK}]", "episodes=2", "workers=1"]
    evaluate(overrides, as_json=False, out=str(tmp_path))
    assert json.loads((tmp_path / "eval.json").read_text())["successes"] == 2
