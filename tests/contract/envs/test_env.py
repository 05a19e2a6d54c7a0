"""The LeRobot environment: what gymnasium asks of it, and what an episode of it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from lam_ros.evaluation.settings import load_settings
from lam_ros.evaluation.worker import prompt_of
from lam_sim.expert import Expert
from lam_sim.ik import CartesianTeleop
from lam_sim.style import Style
from lam_sim.tasks import sample_episode
from lerobot_env_lam import LamEnv

MakeEnv = Callable[..., LamEnv]


def home(env: LamEnv) -> np.ndarray:
    """Return the home pose as an action."""
    return np.array(env.settings.robot.poses.home_rad, np.float32)


def same(first: dict, second: dict) -> bool:
    """Tell whether two observations are alike bit for bit."""
    return np.array_equal(first["agent_pos"], second["agent_pos"]) and all(
        np.array_equal(first["pixels"][name], second["pixels"][name]) for name in first["pixels"]
    )


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_gymnasium_finds_no_fault(env: LamEnv) -> None:
    check_env(env)


def test_pictures_have_each_camera_s_own_size_and_the_video_the_one_asked_for(
    make_env: MakeEnv,
) -> None:
    env = make_env(visualization_width=200, visualization_height=120)
    observation, _ = env.reset(seed=0)
    assert observation["pixels"]["front"].shape == (80, 128, 3)
    assert observation["pixels"]["wrist"].shape == (96, 96, 3)
    assert observation["agent_pos"].shape == (6,)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (120, 200, 3)
    assert picture.std() > 10


def test_a_seed_is_the_episode_that_our_own_evaluation_has(env: LamEnv) -> None:
    settings = load_settings([])
    env.reset(seed=4)
    scene = sample_episode(settings.suite.scene, settings.first_seed + 4, settings.suite.mix)
    assert env.episode == scene
    assert env.task_description == prompt_of(scene, settings.wording)


def test_the_same_seed_and_actions_give_the_same_bits(env: LamEnv, make_env: MakeEnv) -> None:
    other = make_env()
    runs = []
    for each in (env, other):
        seen = [each.reset(seed=11)[0]]
        for k in range(5):
            seen.append(each.step(home(each) + np.float32(0.02 * k))[0])
        runs.append(seen)
    assert all(same(a, b) for a, b in zip(*runs, strict=True))
    assert not same(runs[0][0], runs[0][-1])
    assert not same(env.reset(seed=12)[0], runs[0][0])


def test_without_a_seed_another_scene_comes_that_the_seed_before_decides(env: LamEnv) -> None:
    scenes = []
    for _ in range(2):
        env.reset(seed=5)
        env.reset()
        scenes.append(env.episode.scene.seed)
    env.reset()
    assert scenes[0] == scenes[1] != env.episode.scene.seed
    assert min(scenes) >= env.settings.first_seed


@pytest.mark.parametrize("task", ["pick_place", "in_tray", "stack", "next_to"])
def test_the_expert_s_joint_targets_do_the_task(task: str, make_env: MakeEnv) -> None:
    env = make_env(task)
    teleop = CartesianTeleop(env.settings.robot)
    _, info = env.reset(seed=2)
    expert = Expert(env.settings.robot, teleop, env.episode.step, Style())
    reward, terminated, truncated, unsafe = 0.0, False, False, 0
    while not (terminated or truncated):
        assert (reward, info["is_success"]) == (0.0, False)
        target = expert.decide(env.sim.truth(), env.sim.joint_state(), 0.04).target_rad
        _, reward, terminated, truncated, info = env.step(target.astype(np.float32))
        unsafe += info["unsafe"]
    assert (reward, terminated, info["is_success"], unsafe) == (1.0, True, True, 0)


def test_doing_nothing_ends_when_the_time_is_over_without_success(make_env: MakeEnv) -> None:
    env = make_env(max_seconds=0.4)
    env.reset(seed=0)
    ends = [env.step(home(env)) for _ in range(10)]
    assert [truncated for *_, truncated, _ in ends] == [False] * 9 + [True]
    assert not any(terminated or info["is_success"] for _, _, terminated, _, info in ends)
    assert sum(reward for _, reward, *_ in ends) == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_action_that_is_no_number_leaves_the_arm_where_it_is(env: LamEnv, bad: float) -> None:
    observation, _ = env.reset(seed=0)
    action = home(env)
    action[2] = bad
    for _ in range(5):
        seen, _, _, _, info = env.step(action)
        assert info["unsafe"]
    assert np.abs(seen["agent_pos"] - observation["agent_pos"]).max() < 0.02


def test_a_jump_goes_no_faster_than_the_robot_may(env: LamEnv) -> None:
    robot = env.settings.robot
    env.reset(seed=0)
    before = env.sim.target_rad
    env.step(np.array(robot.upper_rad, np.float32))
    moved = np.abs(env.sim.target_rad - before)
    assert (moved <= robot.velocity_rad_s * 0.04 + 1e-6).all()
    assert moved.max() > 0.04  # from rest, at the joints' acceleration


def test_an_action_of_another_length_is_refused(env: LamEnv) -> None:
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"shape \(5,\) came, \(6,\) is needed"):
        env.step(np.zeros(5, np.float32))
