"""The expert does its tasks, and finds back from where it is pushed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lam_ros.core.robot import RobotDescription
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.noise import Noise, NoiseConfig
from lam_sim.rollout import HOLD_FRAMES, Demonstrator
from lam_sim.scenes import SceneConfig
from lam_sim.style import Style, sample_style
from lam_sim.tasks import TRAINING_MIX, TaskType, sample_episode
from lam_sim.world import LockstepSim

DT_S = 0.04


@pytest.mark.parametrize("task_type", list(TRAINING_MIX))
def test_it_does_each_type_of_task(sim: LockstepSim, task_type: TaskType) -> None:
    for seed in (900, 901):
        episode = sample_episode(SceneConfig(), seed, {task_type: 1.0})
        demonstration = Demonstrator(sim).run(episode)
        assert demonstration.outcome.success, demonstration.outcome
        assert demonstration.outcome.named_first
        assert demonstration.came_to_rest
        assert len(demonstration) < 6.5 / DT_S


def test_it_recovers_from_disturbances(sim: LockstepSim) -> None:
    rough = NoiseConfig(drift_rad=0.02, quiet_probability=0.0, bump_probability=1.0)
    outcomes = [
        Demonstrator(sim, rough).run(sample_episode(SceneConfig(), seed)).outcome.success
        for seed in range(910, 916)
    ]
    assert sum(outcomes) >= 5


def test_the_same_seed_gives_the_same_demonstration(sim: LockstepSim) -> None:
    episode = sample_episode(SceneConfig(), 920)
    first, again, other = (
        Demonstrator(sim, NoiseConfig()).run(episode, attempt=n) for n in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.action_rad, again.action_rad)
    np.testing.assert_array_equal(first.state_rad, again.state_rad)
    assert (
        first.action_rad.shape != other.action_rad.shape
        or (first.action_rad != other.action_rad).any()
    )


def test_what_is_recorded_keeps_to_the_limits_and_ends_at_home(
    sim: LockstepSim, robot: RobotDescription
) -> None:
    demonstration = Demonstrator(sim, NoiseConfig()).run(sample_episode(SceneConfig(), 921))
    action, state = demonstration.action_rad, demonstration.state_rad
    assert ((action >= robot.lower_rad - 1e-6) & (action <= robot.upper_rad + 1e-6)).all()
    assert (np.abs(action - state) <= robot.velocity_rad_s * DT_S + 1e-4).all()
    np.testing.assert_allclose(action[-HOLD_FRAMES:] - robot.poses.home_rad, 0.0, atol=0.03)
    assert len(demonstration.object_position_m) == len(state)


def test_it_keeps_no_clock(
    sim: LockstepSim, robot: RobotDescription, teleop: CartesianTeleop
) -> None:
    episode = sample_episode(SceneConfig(), 922)
    sim.reset(episode.scene)
    scene, joints = sim.truth(), sim.joint_state()
    used = Expert(robot, teleop, episode.step, Style())
    for _ in range(20):
        used.decide(scene, joints, DT_S)
    fresh = Expert(robot, teleop, episode.step, Style()).decide(scene, joints, DT_S)
    np.testing.assert_array_equal(used.decide(scene, joints, DT_S).target_rad, fresh.target_rad)


def test_when_all_is_done_it_stays_at_home(
    sim: LockstepSim, robot: RobotDescription, teleop: CartesianTeleop
) -> None:
    episode = sample_episode(SceneConfig(), 923, {TaskType.IN_BOWL: 1.0})
    sim.reset(replace(episode.scene, arm_offset_rad=()))
    scene = sim.truth()
    item, bowl = scene[episode.step.object_id], scene[episode.step.target_id]
    inside = replace(item, position_m=bowl.position_m)
    done = replace(scene, objects=tuple(inside if o is item else o for o in scene.objects))
    decision = Expert(robot, teleop, episode.step, Style()).decide(done, sim.joint_state(), DT_S)
    assert decision.phase is Phase.DONE
    np.testing.assert_allclose(decision.target_rad, robot.poses.home_rad, atol=1e-3)


def test_people_differ() -> None:
    styles = {sample_style(np.random.default_rng(seed)) for seed in range(5)}
    assert len(styles) == 5


def test_noise_drifts_leaves_the_gripper_alone_and_can_be_quiet() -> None:
    loud = Noise(NoiseConfig(quiet_probability=0.0), 6, 5, np.random.default_rng(0))
    rows = np.array([loud.next(DT_S) for _ in range(300)])
    assert (rows[:, 5] == 0).all()
    assert 0.003 < rows[:, :5].std() < 0.1
    following = np.corrcoef(rows[:-1, 0], rows[1:, 0])[0, 1]
    assert following > 0.5
    quiet = Noise(NoiseConfig(drift_rad=0.0, bump_probability=0.0), 6, 5, np.random.default_rng(0))
    assert not np.any([quiet.next(DT_S) for _ in range(50)])
