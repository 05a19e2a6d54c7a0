"""A recording's commands in the simulator again: the arm and the objects end where they did."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace as changed

import numpy as np
import pytest

from lam_ros.bridge.messages import report_to
from lam_ros.bridge.scenes import scene_to
from lam_ros.config import load_robot
from lam_ros.core.controller import Controller
from lam_ros.core.errors import ConfigError, DataError
from lam_ros.core.types import Source, Target
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.replay.command import load_control, main, pick
from lam_ros.recording.replay.lockstep import replay, scene_of
from lam_ros.recording.replay.tape import load_tape
from lam_ros.recording.writer import EpisodeWriter
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.scenes import SceneConfig
from lam_sim.style import Style
from lam_sim.tasks import sample_episode
from lam_sim.world import LockstepSim, SimConfig

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
REPORT, JOINTS, SCENE = "/lam/safety_report", "/joint_states", "/lam/scene"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The scripted teleoperator's work through the controller, recorded; a seed it masters."""
    from rclpy.serialization import serialize_message

    from lam_ros.bridge.messages import joints_to

    robot = load_robot("so101")
    sim = LockstepSim(robot, SimConfig(render=False))
    episode = sample_episode(SceneConfig(), 3)
    sim.reset(episode.scene)
    expert = Expert(robot, CartesianTeleop(robot), episode.step, Style())
    controller = Controller(robot, load_control())
    folder = tmp_path_factory.mktemp("replay") / "session/episode_000003"
    still = 0
    with EpisodeWriter(folder, EpisodeMeta.begin("do it", robot, started_ns=START_NS)) as writer:
        writer.add_channel(REPORT, "lam_interfaces/msg/SafetyReport")
        writer.add_channel(JOINTS, "sensor_msgs/msg/JointState")
        writer.add_channel(SCENE, "lam_interfaces/msg/Scene")
        while still < 25 and sim.now_ns < 40 * NS:
            at_ns, state = START_NS + sim.now_ns, sim.joint_state()
            decision = expert.decide(sim.truth(), state, 0.02)
            still = still + 1 if decision.phase is Phase.DONE else 0
            controller.on_joints(state, sim.now_ns)
            controller.on_teleop(Target(decision.target_rad, sim.now_ns, Source.TELEOP), sim.now_ns)
            report = controller.tick(sim.now_ns)
            messages = {
                JOINTS: joints_to(changed(state, stamp_ns=at_ns), robot),
                REPORT: report_to(report, robot, stamp_ns=at_ns),
                SCENE: scene_to(changed(sim.truth(), stamp_ns=at_ns)),
            }
            for topic, message in messages.items():
                writer.write(topic, serialize_message(message), at_ns, at_ns)
            sim.step(report.sent_rad)
        writer.close(Outcome.SUCCESS, "done")
    return folder


@pytest.fixture(scope="module")
def tape(recorded):
    reader = EpisodeReader(recorded)
    from lam_ros.recording.convert.naming import Naming

    return load_tape(reader, reader.meta.robot, Naming())


def arguments(folder, **changes):
    given = {
        "folder": str(folder), "episode": None, "to": "sim", "speed": None, "seed": None,
        "robot": "", "json": True,
    }  # fmt: skip
    return argparse.Namespace(**{**given, **changes})


def test_a_recording_ends_the_same_in_the_recorded_scene(recorded, capsys):
    assert main(arguments(recorded)) == 0
    [done] = json.loads(capsys.readouterr().out)["episodes"]
    assert done["same_end"]
    assert done["joint_rms_rad"] < 0.05
    moved = [item for item in done["objects"].values() if item["moved_m"] > 0.03]
    assert moved, "the recording moves something"
    assert all(item["off_m"] < 0.03 for item in done["objects"].values())


def test_another_scene_ends_otherwise_and_that_is_the_exit_code(recorded, capsys):
    assert main(arguments(recorded, seed=12)) == 1
    [done] = json.loads(capsys.readouterr().out)["episodes"]
    assert not done["same_end"]


def test_at_half_speed_the_arm_takes_the_same_way_in_twice_the_time(tape):
    sim = LockstepSim(tape.robot, SimConfig(render=False))
    done = replay(sim, tape, scene_of(tape, None), load_control(), speed=0.5)
    assert done.seconds == pytest.approx(2 * tape.length_ns / NS)
    assert done.joint_rms_rad < 0.04
    assert done.final_joint_rad < 0.05


def test_what_no_safe_arm_would_do_is_not_done(tape):
    """A command that leaps is slowed by the safety room, and counted."""
    asked = tape.asked_rad.copy()
    asked[len(asked) // 2 :, 0] += 1.5
    sim = LockstepSim(tape.robot, SimConfig(render=False))
    done = replay(sim, changed(tape, asked_rad=asked), scene_of(tape, None), load_control())
    assert done.verdicts.get("clamped", 0) > 10
    assert not done.same_end


def test_the_episode_is_picked_by_its_number(recorded):
    from lam_ros.recording.convert.command import find_recordings

    folders = find_recordings([recorded.parent])
    assert pick(folders, 3) == [recorded]
    with pytest.raises(DataError, match="--episode 7: there is none"):
        pick(folders, 7)


@pytest.mark.parametrize("speed", [0.0, -1.0, 1.5, float("nan")])
def test_speeds_that_are_none_are_refused(recorded, speed):
    with pytest.raises(ConfigError, match="--speed"):
        main(arguments(recorded, speed=speed))


def test_a_recording_without_commands_says_so(tmp_path, bag, robot_yaml):
    folder = changed(bag, command="none").write(tmp_path / "a")
    with pytest.raises(DataError, match="commands: no topic"):
        main(arguments(folder, robot=robot_yaml()))


def test_the_first_pose_is_the_recorded_one(tape):
    spec = scene_of(tape, None)
    home = np.array(tape.robot.poses.home_rad)
    assert np.allclose(home + spec.arm_offset_rad, tape.position_at(0))
    assert {item.id for item in spec.objects} == {item.id for item in tape.first_scene.objects}
