"""A policy drives through the controller, in lockstep, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.controller import ControlConfig
from lam_ros.core.errors import ConfigError
from lam_ros.core.types import ActionChunk, Observation
from lam_ros.evaluation.rollout import Drive, Timing, drive
from lam_ros.evaluation.settings import load_settings
from lam_ros.evaluation.worker import Evaluator
from lam_sim.judge import Judge
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import sample_episode
from lam_sim.world import LockstepSim, SimConfig

ROBOT = load_robot("so101")
TIMING = Timing(max_seconds=2.0, replan_every_s=0.2, latency_s=0.04)


def swing(observation: Observation, prompt: str) -> ActionChunk:
    """Answer with a slow swing of the first joint."""
    targets = np.tile(observation.state_rad, (16, 1))
    targets[:, 0] += 0.01 * np.arange(1, 17)
    return ActionChunk(observation.stamp_ns, 40_000_000, ROBOT.joint_names, targets)


def run_once(infer=swing) -> tuple[Drive, np.ndarray]:
    sim = LockstepSim(ROBOT, SimConfig(render=False))
    episode = sample_episode(SceneConfig(), 5)
    sim.reset(episode.scene)
    judge = Judge(episode.step, sim.truth())
    driven = drive(sim, infer, "swing", judge, ControlConfig(), TIMING)
    return driven, sim.joint_state().position_rad


def test_the_arm_follows_the_chunks() -> None:
    driven, joints = run_once()
    assert driven.chunks == 10
    assert joints[0] > 0.2


def test_the_same_seed_gives_the_same_motion_bit_for_bit() -> None:
    assert np.array_equal(run_once()[1], run_once()[1])


def test_steps_beyond_the_limits_do_not_reach_the_motors() -> None:
    def leap(observation: Observation, prompt: str) -> ActionChunk:
        targets = np.full((16, len(ROBOT.joints)), 9.0)
        return ActionChunk(observation.stamp_ns, 40_000_000, ROBOT.joint_names, targets)

    _, joints = run_once(leap)
    assert (joints <= ROBOT.upper_rad + 0.02).all()


def test_the_expert_is_evaluated_by_the_same_command() -> None:
    evaluator = Evaluator(load_settings(["policy=expert"]))
    (result,) = evaluator.run(1_000_000)
    assert result.success
    assert result.named_first


def test_a_paired_suite_names_another_cube_in_the_same_scene() -> None:
    evaluator = Evaluator(load_settings(["policy=expert", "suite=other_cube"]))
    first, second = evaluator.run(1_000_001)
    assert first.seed == second.seed
    assert first.prompt != second.prompt


@pytest.mark.parametrize(
    "override", ["episodes=0", "workers=-1", "max_seconds=0", "latency_s=-1", "films=-1"]
)
def test_counts_and_times_that_make_no_sense_are_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="is needed"):
        load_settings([override])
