"""LeRobot teleoperators by their names: a plugin of our own, and what goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.teleop.leader import LeaderConfig, leader
from lam_ros.teleop.lerobot import LeRobotConfig, LeRobotTeleoperator
from lam_ros.teleop.port import JointTarget, View

MS = 1_000_000
PLUGINS = str(Path(__file__).resolve().parents[2] / "plugins")


@pytest.fixture(autouse=True)
def plugins(monkeypatch, tmp_path):
    """Have LeRobot find the plugins of the tests, and keep its calibrations out of the home."""
    monkeypatch.setattr(sys, "path", [PLUGINS, *sys.path])


def scripted(robot, tmp_path, *arguments, **more):
    given = (f"--calibration_dir={tmp_path}", *arguments)
    return LeRobotTeleoperator(robot, LeRobotConfig("scripted", given, **more))


def test_a_plugin_moves_the_joints_in_radians(robot, tmp_path):
    device = scripted(robot, tmp_path, "--swing_deg=0", "--joint=elbow_flex")
    device.open()
    reading = device.read(View(0))
    assert reading.engaged
    assert isinstance(reading.command, JointTarget)
    np.testing.assert_allclose(reading.command.position_rad, robot.poses.home_rad, atol=0.01)
    device.close()
    device.close()


def test_a_flipped_joint_goes_the_other_way(robot, tmp_path):
    device = scripted(robot, tmp_path, "--swing_deg=0", flip=("elbow_flex",))
    device.open()
    assert device.read(View(0)).command.position_rad[2] == pytest.approx(-0.9, abs=0.01)
    device.close()


def test_a_device_that_breaks_is_an_error_with_its_name(robot, tmp_path):
    device = scripted(robot, tmp_path, "--breaks=true")
    device.open()
    assert device.read(View(MS)).command is None  # it may have been a moment
    with pytest.raises(MachineError, match="scripted: the bus is silent"):
        device.read(View(400 * MS))
    device.close()


def test_a_device_that_is_not_calibrated_is_refused_with_the_command(robot, tmp_path):
    device = scripted(robot, tmp_path, "--calibrated=false")
    with pytest.raises(MachineError, match=r"lerobot-calibrate --teleop\.type=scripted"):
        device.open()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("so101_leder", (), "Did you mean 'so101_leader'"),
        ("so101_leader", (), "port"),
        ("so101_leader", ("--prt=x",), "unrecognized arguments: --prt=x"),
        ("scripted", ("--swing_deg=far",), "swing_deg"),
    ],
)
def test_wrong_names_and_options_are_answered_in_one_line(robot, name, arguments, message):
    with pytest.raises(ConfigError, match=message) as caught:
        LeRobotTeleoperator(robot, LeRobotConfig(name, arguments)).open()
    assert "\n" not in str(caught.value)


def test_a_leader_that_is_not_there_is_an_error(robot, tmp_path):
    device = leader(robot, LeaderConfig(port=str(tmp_path / "tty"), calibration_dir=str(tmp_path)))
    with pytest.raises(MachineError, match="so101_leader: cannot connect"):
        device.open()
