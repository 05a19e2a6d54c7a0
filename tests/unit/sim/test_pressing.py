"""How the scripted teleoperator presses a button: it comes down wherever the cap is below it."""

import numpy as np
import pytest

from lam_ros.core.robot import RobotDescription
from lam_ros.evaluation.settings import load_settings
from lam_sim.ik import CartesianTeleop, ToolPose
from lam_sim.moves import Moves, item_of
from lam_sim.phases import Phase, View
from lam_sim.style import Style
from lam_sim.tasks import initial_scene, sample_episode
from lam_sim.world import LockstepSim, SimConfig


@pytest.mark.parametrize(
    ("off_m", "above_m", "phase"),
    [
        (0.000, 0.010, Phase.PRESS),
        (0.009, 0.010, Phase.PRESS),
        (0.020, 0.040, Phase.APPROACH),
        (0.016, 0.010, Phase.APPROACH),
    ],
)
def test_fingers_above_the_cap_go_down_and_those_beside_it_rise(
    robot: RobotDescription, off_m: float, above_m: float, phase: Phase
) -> None:
    suite = load_settings(["suite=button"]).suite
    episode = sample_episode(suite.scene, 1_000_003, suite.mix)
    scene = initial_scene(episode.scene)
    button = scene[episode.step.object_id]
    sim = LockstepSim(robot, SimConfig(scene=suite.scene, render=False))
    sim.reset(episode.scene)
    moves = Moves(robot, CartesianTeleop(robot), episode.step, Style())
    x, y = button.position_m[:2]
    fingers_m = 0.008  # the closed fingers' middle is so far from the tool, towards -x here
    shut = robot.joints[robot.gripper_index].lower_rad
    tool = ToolPose((x + fingers_m + off_m, y, button.top_m + above_m), 0.0, np.pi / 2, shut)
    view = View(scene, item_of(episode.step, scene, tool), tool, 0.0, sim.joint_state())
    aim = moves.choose(view)
    sim.close()
    assert aim is not None
    assert aim[0] is phase
