"""Every teleoperator of config/teleop can be made, and wrong options are answered."""

from __future__ import annotations

import pytest

from lam_ros.config import options
from lam_ros.core.errors import ConfigError
from lam_ros.teleop.pilot import PilotConfig
from lam_ros.teleop.settings import (
    MAKERS,
    SwitchKind,
    TeleopSettings,
    load_teleop,
    make_teleoperator,
)
from lam_ros.teleop.switch import Switched


def test_there_is_a_file_for_every_kind():
    assert set(options("teleop")) == set(MAKERS)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_file_makes_its_teleoperator(name, robot, kinematics):
    settings = load_teleop(name)
    assert settings.type == name
    assert settings.pilot == PilotConfig()  # what stands in the files is what the code takes
    if name == "leader":
        with pytest.raises(ConfigError, match="no port"):
            make_teleoperator(settings, robot, kinematics)
        settings = TeleopSettings(name, {"port": "/dev/nowhere"}, settings.switch)
    device = make_teleoperator(settings, robot, kinematics)
    assert isinstance(device, Switched) == (settings.switch is SwitchKind.KEYBOARD)
    assert device.controls
    device.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TeleopSettings("keybord"), "Did you mean 'keyboard'"),
        (TeleopSettings("keyboard", {"liner_m_s": 1.0}), "Did you mean 'linear_m_s'"),
        (TeleopSettings("keyboard", {"frame": "world"}), "'base' or 'tool'"),
        (TeleopSettings("expert", {"still_s": -1.0}), "more than 0"),
        (TeleopSettings("lerobot", {"name": "x", "arguments": ["port=1"]}), "--key=value"),
        (TeleopSettings("lerobot", {"name": "x", "flip": ["elbow"]}), "Did you mean 'elbow_flex'"),
    ],
)
def test_what_does_not_exist_is_named(settings, message, robot, kinematics):
    with pytest.raises(ConfigError, match=message):
        make_teleoperator(settings, robot, kinematics)
