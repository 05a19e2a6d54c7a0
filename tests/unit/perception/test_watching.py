"""A whole pick and place is watched, picture by picture."""

from __future__ import annotations

import pytest

from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError
from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.perception.seer import Seer, load_perception
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.style import Style

SEED = 1_000_302
FRAMES_A_PICTURE = 8


def watched(stage, step: Step) -> list[tuple[Scene, Scene]]:
    """Let the expert do a step and return (seen, true) of each picture."""
    stage.set(SEED)
    sim, seer = stage.sim, Seer(stage.robot, stage.config, stage.arm)
    expert = Expert(stage.robot, CartesianTeleop(stage.robot), step, Style())
    pairs, phase, frame = [], Phase.APPROACH, 0
    while phase is not Phase.DONE and frame < 250:
        decision = expert.decide(sim.truth(), sim.joint_state(), 0.04)
        phase = decision.phase
        if frame % FRAMES_A_PICTURE == 0:
            image, camera = stage.look()
            state = sim.joint_state().position_rad
            pairs.append((seer.see(image, camera, state, sim.now_ns), sim.truth()))
        start = sim.target_rad
        for share in (0.5, 1.0):
            sim.step(start + (decision.target_rad - start) * share)
        frame += 1
    return pairs


def test_a_cube_is_followed_from_the_table_through_the_air_into_the_bowl(stage) -> None:
    stage.set(SEED)
    truth = stage.sim.truth()
    step = Step(Skill.PLACE_IN, truth.of_kind("cube")[0].id, truth.of_kind("bowl")[0].id)
    pairs = watched(stage, step)

    assert all(set(seen.ids) == set(true.ids) for seen, true in pairs[2:])
    held = [(seen.held, true.held) for seen, true in pairs if true.held]
    assert len(held) >= 3
    assert sum(one == other for one, other in held) >= len(held) - 1
    seen, true = pairs[-1]
    assert true.holds(Literal("in", (step.object_id, step.target_id)))
    assert seen.holds(Literal("in", (step.object_id, step.target_id)))
    assert seen[step.object_id].distance_xy_m(true[step.object_id]) < 0.01


def test_the_shape_of_another_arm_is_refused() -> None:
    config, shape = load_perception("default")
    with pytest.raises(ConfigError, match=r"arm 'so101_arm' has joints shoulder_pan.*'franka'"):
        Seer(load_robot("franka"), config, shape)
    Seer(load_robot("franka"), config, None)
