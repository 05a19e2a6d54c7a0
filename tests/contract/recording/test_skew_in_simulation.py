"""A camera of the simulator that stamps its pictures 80 ms late is found by what it shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lam_ros.bridge.messages import joints_to, report_to
from lam_ros.config import load_robot
from lam_ros.core.types import SafetyReport, Source, Verdict
from lam_ros.recording.cdr import compressed_image
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.jpeg import encode
from lam_ros.recording.quality.look import look_at
from lam_ros.recording.quality.skew import Skew
from lam_ros.recording.quality.summary import summarise
from lam_ros.recording.synthetic import Motion
from lam_ros.recording.writer import EpisodeWriter
from lam_sim.world import LockstepSim

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
SECONDS = 12
LATE_NS = {"front": 0, "wrist": 80_000_000}


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    """Two recordings of the simulated arm in two scenes, looked at."""
    root = tmp_path_factory.mktemp("skew")
    sim = LockstepSim(load_robot("so101"))
    for seed in (5, 6):
        record(sim, root / f"episode_{seed:06d}", seed)
    sim.close()
    return [look_at(folder, None, Naming()) for folder in sorted(root.iterdir())]


def record(sim: LockstepSim, folder, seed: int) -> None:
    from rclpy.serialization import serialize_message

    robot, motion = sim.robot, Motion(sim.robot, seed)
    sim.reset(seed)
    every = round(robot.control_rate_hz / robot.cameras[0].rate_hz)
    with EpisodeWriter(folder, EpisodeMeta.begin("move", robot, started_ns=START_NS)) as writer:
        writer.add_channel("/joint_states", "sensor_msgs/msg/JointState")
        writer.add_channel("/lam/safety_report", "lam_interfaces/msg/SafetyReport")
        for name in robot.camera_names:
            topic = f"/{robot.image_topic(name)}/compressed"
            writer.add_channel(topic, "sensor_msgs/msg/CompressedImage")
        waiting = []
        for step in range(SECONDS * round(robot.control_rate_hz)):
            now_ns = START_NS + sim.now_ns
            target = motion.at(sim.now_ns / NS)
            report = SafetyReport(Verdict.PASS, "", "", target, target, 0, Source.TELEOP)
            state = replace(sim.joint_state(), stamp_ns=now_ns)
            for topic, message in (
                ("/joint_states", joints_to(state, robot)),
                ("/lam/safety_report", report_to(report, robot, stamp_ns=now_ns)),
            ):
                writer.write(topic, serialize_message(message), now_ns, now_ns)
            if step % every == 0:
                for name, image in sim.observe().images.items():
                    stamp_ns = now_ns + LATE_NS[name]
                    data = compressed_image(stamp_ns, name, encode(image))
                    waiting.append((stamp_ns, f"/{robot.image_topic(name)}/compressed", data))
            for stamp_ns, topic, data in [item for item in waiting if item[0] <= now_ns]:
                writer.write(topic, data, now_ns, stamp_ns)
            waiting = [item for item in waiting if item[0] > now_ns]
            sim.step(target)
        writer.close(Outcome.SUCCESS, "")


def test_its_delay_is_found_within_ten_milliseconds(looks):
    found = summarise(looks).skew
    assert isinstance(found["wrist"], Skew), found
    assert found["wrist"].lag_ms == pytest.approx(80, abs=10)


def test_the_other_camera_is_found_to_be_on_time(looks):
    found = summarise(looks).skew
    assert isinstance(found["front"], Skew), found
    assert found["front"].lag_ms == pytest.approx(0, abs=10)


def test_only_the_late_camera_is_named(looks):
    notes = summarise(looks).notes
    assert len(notes) == 1
    assert "camera wrist" in notes[0]
    assert np.isfinite(looks[0].figures.jerk_rad_s3)
