"""An axis makes one thing harder and leaves the rest; mishaps are counted once each."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.controller import ControlConfig
from lam_ros.core.errors import ConfigError
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.types import ActionChunk, Observation
from lam_ros.evaluation.axes import Axis
from lam_ros.evaluation.rollout import Timing, drive
from lam_ros.evaluation.settings import load_settings
from lam_ros.evaluation.surroundings import Surroundings
from lam_ros.evaluation.worker import Evaluator
from lam_sim.ik import CartesianTeleop, ToolTarget
from lam_sim.judge import Judge
from lam_sim.tasks import sample_episode
from lam_sim.world import LockstepSim, SimConfig

AXES = (
    "light", "texture", "camera", "distractors", "unseen_pairs", "paraphrase", "push", "delay",
    "drop", "noise",
)  # fmt: skip
ROBOT = load_robot("so101")
TIMING = Timing(max_seconds=2.0, replan_every_s=0.2, latency_s=0.04)


@pytest.fixture(scope="module")
def world() -> LockstepSim:
    return LockstepSim(ROBOT, SimConfig(render=False))


@pytest.mark.parametrize("axis", AXES)
def test_every_axis_differs_from_none_and_says_its_name(axis: str) -> None:
    plain, harder = (load_settings([f"axis={name}"]) for name in ("none", axis))
    assert plain.axis == Axis()
    assert harder.axis.name == axis
    assert replace(harder.axis, name="none") != plain.axis or (
        harder.suite.scene != plain.suite.scene or harder.wording != plain.wording
    )


@pytest.mark.parametrize("axis", ["light", "texture"])
def test_looks_change_and_the_objects_stay_where_they_are(axis: str) -> None:
    plain, harder = (load_settings([f"axis={name}"]).suite for name in ("none", axis))
    one, two = (sample_episode(suite.scene, 1_000_003, suite.mix) for suite in (plain, harder))
    assert [o.position_m for o in one.scene.objects] == [o.position_m for o in two.scene.objects]
    assert one.step == two.step
    assert getattr(one.scene, axis) != getattr(two.scene, axis)


def test_the_front_camera_is_moved_by_just_so_much() -> None:
    settings = load_settings(["axis=camera"])
    before = sample_episode(settings.suite.scene, 7, settings.suite.mix)
    after = settings.axis.changed(before)
    one, two = dict(before.scene.cameras), dict(after.scene.cameras)
    assert math.dist(one["front"].offset_m, two["front"].offset_m) == pytest.approx(0.02)
    turned = math.dist(one["front"].rotation_rad, two["front"].rotation_rad)
    assert math.degrees(turned) == pytest.approx(3.0, abs=0.01)
    assert one["wrist"] == two["wrist"]
    assert settings.axis.changed(before) == after


def still(observation: Observation, prompt: str) -> ActionChunk:
    targets = np.tile(observation.state_rad, (16, 1))
    return ActionChunk(observation.stamp_ns, 40_000_000, ROBOT.joint_names, targets)


def attempt(world: LockstepSim, axis: Axis) -> tuple[int, list[Observation], float]:
    """Return answers that arrived, what the policy saw, and how far the named object slid."""
    settings, seen = load_settings([]), []
    episode = sample_episode(settings.suite.scene, 1_000_005, settings.suite.mix)
    world.reset(episode.scene)
    start = world.truth()[episode.step.object_id].position_m

    def infer(observation: Observation, prompt: str) -> ActionChunk:
        seen.append(observation)
        return still(world.observe(), prompt)

    around = Surroundings(axis, episode.scene.seed, episode.step.object_id)
    judge = Judge(episode.step, world.truth())
    driven = drive(world, infer, "", judge, ControlConfig(), TIMING, around=around)
    slid = math.dist(start, world.truth()[episode.step.object_id].position_m)
    return driven.chunks, seen, slid


def test_noise_is_on_what_the_policy_sees_and_answers_get_lost(world: LockstepSim) -> None:
    plain = attempt(world, Axis())
    noisy = attempt(world, Axis(joint_noise_rad=0.03))
    lossy = attempt(world, Axis(lost_share=0.5))
    off = [a.state_rad - b.state_rad for a, b in zip(noisy[1], plain[1], strict=True)]
    assert 0.015 < np.std(off) < 0.06
    assert 0 < lossy[0] < plain[0]
    assert plain[2] < 1e-3


def test_a_kicked_object_slides_some_centimetres(world: LockstepSim) -> None:
    assert 0.015 < attempt(world, Axis(kick_m_s=0.7))[2] < 0.06


def cube(height_m: float) -> SceneObject:
    return SceneObject("c", "cube", "red", (0.2, 0.0, 0.014 + height_m), (0.028,) * 3)


def test_a_fall_from_the_hand_is_a_drop_and_setting_down_is_not(world: LockstepSim) -> None:
    for heights, drops in (((0.05, 0.05, 0.0), 1), ((0.05, 0.01, 0.0), 0), ((0.05, 0.05, 0.05), 0)):
        around = Surroundings(Axis(), 0, "c")
        for k, height in enumerate(heights):
            held = "c" if k < 2 else ""
            around.watch(world, Scene((cube(height),), k * 40_000_000, held=held))
        for k in range(3, 6):
            around.watch(world, Scene((cube(heights[-1]),), k * 40_000_000))
        assert around.mishaps["drops"] == drops, heights


def test_the_arm_striking_the_table_is_a_collision_and_counted_once(world: LockstepSim) -> None:
    settings = load_settings([])
    episode = sample_episode(settings.suite.scene, 1_000_006, settings.suite.mix)
    world.reset(episode.scene)
    around = Surroundings(Axis(), 0, "")
    around.watch(world, world.truth())
    assert around.mishaps == {"limits": 0, "collisions": 0, "drops": 0}
    teleop, target = CartesianTeleop(ROBOT), ToolTarget((0.12, 0.0, -0.03))
    for _ in range(80):
        world.step(teleop.solve(world.joint_state().position_rad, target, 0.02))
        around.watch(world, world.truth())
    assert world.strikes()
    assert around.mishaps["collisions"] == 1


def test_a_push_where_nothing_can_be_pushed_is_refused() -> None:
    with pytest.raises(ConfigError, match="can be pushed"):
        load_settings(["suite=button", "axis=push"])


@pytest.mark.parametrize(
    "override", ["axis.kick_m_s=-1", "axis.lost_share=1.0", "axis.delay_s=.inf", "axis=fog"]
)
def test_an_axis_that_makes_no_sense_is_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        load_settings([override])


def test_a_chain_is_done_step_by_step_and_its_length_counted() -> None:
    evaluator = Evaluator(load_settings(["policy=expert", "suite=chains"]))
    (result,) = evaluator.run(1_000_001)
    assert result.asked == 5
    assert 0 < result.done <= 5
    assert result.success == (result.done == 5)
    assert len(result.prompt.split("; ")) >= result.done


def test_an_axis_that_does_nothing_to_the_teleoperator_is_refused() -> None:
    with pytest.raises(ConfigError, match="not disturbed"):
        load_settings(["policy=expert", "axis=noise"])
    assert load_settings(["policy=expert", "axis=light"]).axis.name == "light"
