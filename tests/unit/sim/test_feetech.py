"""The emulated servo bus satisfies LeRobot's unmodified drivers, leader and follower."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lam_ros.core.errors import MachineError
from lam_ros.teleop.leader import LeaderConfig, leader
from lam_ros.teleop.port import JointTarget, View
from lam_sim.feetech import Register, ServoBus
from lam_sim.so101_bus import SerialPort, So101Bus

HALF_DEGREE = np.radians(0.5)


@pytest.fixture
def arm(robot) -> So101Bus:
    return So101Bus(robot)


@pytest.fixture
def port(arm) -> Iterator[SerialPort]:
    with SerialPort(arm.bus) as opened:
        yield opened


@pytest.fixture
def calibration(arm, tmp_path) -> Path:
    (tmp_path / "leader.json").write_text(json.dumps(arm.calibration()))
    return tmp_path


@pytest.fixture
def make(robot, port, calibration):
    """Make leaders of the port, closed at the end."""
    made = []

    def one():
        config = LeaderConfig(port=port.path, calibration_dir=str(calibration))
        made.append(leader(robot, config))
        return made[-1]

    yield one
    for device in made:
        device.close()


@pytest.fixture
def leading(make):
    """An open leader."""
    device = make()
    device.open()
    return device


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let the driver wait a second for an answer, not 50 ms: this machine may be busy."""
    from lerobot.motors.feetech import feetech

    def wait(port, packet_length):
        port.packet_start_time = port.getCurrentTime()
        port.packet_timeout = 1000.0

    monkeypatch.setattr(feetech, "patch_setPacketTimeout", wait)


def test_the_leader_says_where_a_hand_puts_it(robot, arm, leading):
    for pose in (robot.poses.home_rad, robot.poses.rest_rad, np.zeros(6)):
        arm.move(np.array(pose))
        command = leading.read(View(0)).command
        assert isinstance(command, JointTarget)
        np.testing.assert_allclose(command.position_rad, pose, atol=HALF_DEGREE)


def test_a_leader_has_no_torque(arm, leading):
    assert not any(servo.torque_on for servo in arm.bus.servos.values())


def why_not(make) -> str:
    with pytest.raises(MachineError) as caught:
        make().open()
    return str(caught.value)


def test_a_leader_with_another_calibration_is_refused_with_the_command(arm, make):
    arm.bus.servos[2].put(Register.MIN_POSITION, 100)
    assert "lerobot-calibrate --teleop.type=so101_leader" in why_not(make)


def test_a_missing_servo_is_named(arm, make):
    arm.bus.servos[4].silent = True
    said = why_not(make)
    assert "cannot connect" in said
    assert "- 4 (expected model: 777)" in said


def test_a_disturbed_answer_is_asked_for_again(robot, arm, leading):
    arm.bus.corrupt_next = 1
    np.testing.assert_allclose(
        leading.read(View(0)).command.position_rad, np.zeros(6), atol=HALF_DEGREE
    )


def test_pulling_the_cable_is_an_error(leading, port):
    port.unplug()
    leading.read(View(1))
    with pytest.raises(MachineError, match="so101_leader"):
        leading.read(View(1_000_000_000))


def test_the_unmodified_follower_goes_where_it_is_told(robot, arm, port, calibration):
    from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig

    follower = SO101Follower(
        SO101FollowerConfig(port=port.path, id="leader", calibration_dir=calibration)
    )
    follower.connect(calibrate=False)
    assert follower.is_calibrated
    goal = dict.fromkeys(follower.action_features, 0.0) | {"elbow_flex.pos": 30.0}
    goal["gripper.pos"] = 50.0
    for _ in range(60):
        follower.send_action(goal)
        seen = follower.get_observation()
        if abs(seen["elbow_flex.pos"] - 30.0) < 0.5 and abs(seen["gripper.pos"] - 50.0) < 1.0:
            break
        time.sleep(0.02)
    assert seen["elbow_flex.pos"] == pytest.approx(30.0, abs=0.5)
    assert arm.position_rad()[2] == pytest.approx(np.radians(30.0), abs=HALF_DEGREE)
    assert arm.position_rad()[5] == pytest.approx(
        (robot.lower_rad[5] + robot.upper_rad[5]) / 2, abs=0.02
    )
    follower.disconnect()
    assert not arm.bus.servos[1].torque_on


def test_a_servo_goes_no_faster_than_it_can_and_not_beyond_its_range():
    bus = ServoBus([1])
    servo = bus.servos[1]
    servo.put(Register.MIN_POSITION, 1000)
    servo.write(Register.TORQUE_ENABLE, b"\x01")
    servo.put(Register.GOAL_POSITION, 0)
    bus.advance(0.1)
    assert servo.present == pytest.approx(2048 - 307, abs=1)
    assert servo.table[Register.MOVING]
    bus.advance(1.0)
    assert servo.present == 1000
    servo.write(Register.TORQUE_ENABLE, b"\x00")
    bus.move(1, 3000)
    bus.advance(1.0)
    assert servo.present == 3000


def test_the_middle_can_be_set_where_the_shaft_is():
    servo = ServoBus([1]).servos[1]
    for shaft in (2500, 1200):
        servo.shaft = shaft
        servo.write(Register.TORQUE_ENABLE, bytes((128,)))
        assert servo.offset == shaft - 2048
        assert servo.present == 2048


PING_1 = bytes((0xFF, 0xFF, 1, 2, 1, 0xFB))


@pytest.mark.parametrize(
    "pieces",
    [
        [PING_1],
        [PING_1[:3], PING_1[3:]],
        [b"\x00\xff\x13" + PING_1],
        [bytes((0xFF, 0xFF, 1, 2, 1, 0x00)) + PING_1],  # a wrong checksum, then a sound one
        [b"\xff" + PING_1],
        [bytes((0xFF, 0xFF, 1, 0)) + PING_1],
    ],
)
def test_packets_are_found_in_what_comes(pieces):
    bus = ServoBus([1, 2])
    assert b"".join(map(bus.feed, pieces)) == bytes((0xFF, 0xFF, 1, 2, 0, 0xFC))


def test_noise_is_answered_by_silence_and_no_error():
    import random

    random.seed(3)
    bus = ServoBus([1, 2, 3])
    for _ in range(500):
        bus.feed(random.randbytes(random.randint(0, 30)))
        bus.advance(0.001)
