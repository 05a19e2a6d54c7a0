"""The script does what it is told, through pilot and controller, in lockstep."""

from __future__ import annotations

import pytest

from lam_ros.core.controller import Controller
from lam_ros.core.skills import canonical_prompt, words
from lam_ros.core.types import Source, Target, Verdict
from lam_ros.teleop.expert import ExpertConfig, ExpertTeleoperator
from lam_ros.teleop.pilot import Pilot
from lam_ros.teleop.port import Task, View
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import sample_episode
from lam_sim.world import LockstepSim, SimConfig


@pytest.fixture(scope="module")
def sim(robot):
    world = LockstepSim(robot, SimConfig(render=False))
    yield world
    world.close()


def drive(sim, robot, kinematics, expert, task, seconds=25.0):
    """Let the expert work; returns the last reading and the sources of the commands."""
    pilot, controller = Pilot(robot, kinematics), Controller(robot)
    sources, reading = [], None
    for _ in range(round(seconds * robot.control_rate_hz)):
        now, joints = sim.now_ns, sim.joint_state()
        reading = expert.read(View(now, joints, sim.truth(), task))
        if reading.finished:
            break
        controller.on_joints(joints, now)
        target = pilot.step(reading, joints, controller.safety.last_rad, now)
        if isinstance(target, Target):
            controller.on_teleop(Target(target.position_rad, now, Source.TELEOP), now)
        report = controller.tick(now)
        sources.append((report.verdict, report.source))
        sim.step(report.sent_rad)
    return reading, sources


@pytest.mark.parametrize("seed", [3, 4])
def test_it_does_a_task_told_in_words(sim, robot, kinematics, seed):
    episode = sample_episode(SceneConfig(), seed)
    sim.reset(episode.scene)
    task = Task(canonical_prompt(words(episode.step, sim.truth())))
    expert = ExpertTeleoperator(robot, kinematics, ExpertConfig(varied=True))
    reading, sources = drive(sim, robot, kinematics, expert, task)
    assert (reading.status, reading.finished, reading.engaged) == ("done", True, False)
    assert sim.truth().holds(episode.step.goal)
    assert {source for verdict, source in sources if verdict is Verdict.PASS} == {Source.TELEOP}
    # The same words again, as a new task: there is nothing left to do.
    again, _ = drive(sim, robot, kinematics, expert, Task(task.words, 1), seconds=1.0)
    assert again.finished
    assert "already done" in again.status


@pytest.mark.parametrize(
    ("said", "answer"),
    [("put the cube in the bowl", "which"), ("put the piano in the bowl", "piano"), ("", "")],
)
def test_what_cannot_be_done_is_finished_at_once_with_the_reason(
    sim, robot, kinematics, said, answer
):
    sim.reset(3)
    expert = ExpertTeleoperator(robot, kinematics)
    reading = expert.read(View(sim.now_ns, sim.joint_state(), sim.truth(), Task(said)))
    assert reading.finished
    assert not reading.engaged
    assert answer in reading.status.lower()


def test_without_a_task_or_a_scene_it_leaves_the_arm_alone(sim, robot, kinematics):
    sim.reset(3)
    expert = ExpertTeleoperator(robot, kinematics)
    assert not expert.read(View(0, sim.joint_state(), sim.truth())).engaged
    waiting = expert.read(View(0, sim.joint_state(), None, Task("put the red cube away")))
    assert not waiting.engaged
    assert "scene" in waiting.status


def test_a_scene_that_stops_coming_makes_it_stand_still(sim, robot, kinematics):
    episode = sample_episode(SceneConfig(), 3)
    sim.reset(episode.scene)
    scene, joints = sim.truth(), sim.joint_state()
    task = Task(canonical_prompt(words(episode.step, scene)))
    expert = ExpertTeleoperator(robot, kinematics)
    assert expert.read(View(0, joints, scene, task)).command is not None
    late = expert.read(View(600_000_000, joints, scene, task))
    assert late.engaged
    assert late.command is None
    assert "stale" in late.status
