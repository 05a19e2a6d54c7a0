"""The SO-101's driver after LeRobot's own calibration, made by an emulated pair of hands."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.arm.port import Silence
from lam_ros.arm.so101 import So101Arm, So101Config
from lam_ros.config import load_robot
from lam_sim.feetech import COUNTS, MIDDLE, Register
from lam_sim.so101_bus import SerialPort, So101Bus

ROBOT = load_robot("so101")
HORNS = np.array([-310, 120, 45, -200, 77, 260])
"""How each horn sits on its shaft [counts]: no two arms are put together alike."""

HALF_DEGREE = np.radians(0.5)


class Hands:
    """A person who holds the arm, and presses Enter."""

    def __init__(self, arm: So101Bus) -> None:
        self._arm = arm
        self._poses = [ROBOT.lower_rad, ROBOT.upper_rad]
        self.asked: list[str] = []

    def put(self, position_rad: np.ndarray) -> None:
        """Turn the shafts, whatever the servos make of it."""
        for index, angle in enumerate(position_rad):
            servo = self._arm.bus.servos[index + 1]
            servo.shaft = MIDDLE + HORNS[index] + angle * COUNTS / (2 * np.pi)

    def answer(self, question: str) -> str:
        """Do what the calibration asks for."""
        self.asked.append(question)
        if "middle" in question:
            middle = (ROBOT.lower_rad + ROBOT.upper_rad) / 2
            self.put(np.where(np.array(ROBOT.joint_names) == "wrist_roll", 0.0, middle))
        return ""

    def has_pressed_enter(self) -> bool:
        """Go to the next end of all ranges; when all have been reached, press Enter."""
        if not self._poses:
            return True
        self.put(self._poses.pop(0))
        return False


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let the driver wait a second for an answer, not 50 ms: this machine may be busy."""
    from lerobot.motors.feetech import feetech

    def wait(port, packet_length):
        port.packet_start_time = port.getCurrentTime()
        port.packet_timeout = 1000.0

    monkeypatch.setattr(feetech, "patch_setPacketTimeout", wait)


@pytest.fixture
def calibrated(tmp_path, monkeypatch):
    """Return an arm that LeRobot has calibrated, on its port, the hands, and the driver."""
    from lerobot.motors import motors_bus
    from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig

    arm = So101Bus(ROBOT)
    hands = Hands(arm)
    hands.put(np.zeros(6))
    monkeypatch.setattr("builtins.input", hands.answer)
    monkeypatch.setattr(motors_bus, "enter_pressed", hands.has_pressed_enter)
    with SerialPort(arm.bus) as port:
        config = SO101FollowerConfig(port=port.path, id="mine", calibration_dir=tmp_path)
        follower = SO101Follower(config)
        follower.connect()
        follower.disconnect()
        assert any("middle" in question for question in hands.asked)
        driver = So101Arm(ROBOT, So101Config(port.path, "mine", str(tmp_path)))
        yield arm, hands, driver
        driver.close()


def test_after_lerobots_calibration_every_pose_is_read_as_it_is(calibrated):
    arm, hands, driver = calibrated
    driver.open()
    for servo in arm.bus.servos.values():
        servo.write(Register.TORQUE_ENABLE, b"\x00")
    for pose in (ROBOT.poses.home_rad, ROBOT.poses.rest_rad, 0.9 * ROBOT.lower_rad):
        hands.put(np.array(pose))
        read = driver.read()
        assert not isinstance(read, Silence)
        np.testing.assert_allclose(read, pose, atol=HALF_DEGREE)


def test_a_target_is_where_the_shafts_end(calibrated):
    arm, hands, driver = calibrated
    hands.put(np.zeros(6))
    driver.open()
    target = np.array([0.3, -0.4, 0.5, 0.6, -0.7, 0.8])
    assert driver.write(target) is None
    driver.read()  # answered after the write, which has no answer of its own
    for _ in range(100):
        arm.bus.advance(0.02)
    shafts = [servo.shaft for servo in arm.bus.servos.values()]
    reached = (np.array(shafts) - MIDDLE - HORNS) * 2 * np.pi / COUNTS
    np.testing.assert_allclose(reached, target, atol=HALF_DEGREE)


def test_vitals_are_in_degrees_and_amperes_and_name_each_alarm(calibrated):
    arm, _, driver = calibrated
    driver.open()
    servo = arm.bus.servos[4]
    servo.put(Register.PRESENT_CURRENT, 200 | 0x8000)  # 200 counts, backwards
    servo.table[Register.PRESENT_TEMPERATURE] = 41
    servo.error_bits = 32 | 4
    vitals = driver.vitals()
    assert not isinstance(vitals, Silence)
    assert vitals.current_a[3] == pytest.approx(1.3)
    assert vitals.temperature_c[3] == 41
    assert vitals.alarms == ("", "", "", "overheat and overload", "", "")
