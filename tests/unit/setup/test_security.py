"""Security is had in full or refused; whoever opens the traffic is told what that means."""

from __future__ import annotations

from pathlib import Path

import pytest

from lam_ros import security
from lam_ros.core.errors import MachineError
from lam_ros.environment import PROFILE, Installation

WHEELS = Installation(Path("/env"), ("/env/lib",))
INSTALLED = Installation(Path("/env"))


@pytest.mark.parametrize(
    "env",
    [
        {"ROS_SECURITY_ENABLE": value}
        for value in ("true", "True", "TRUE", "1", "yes", "on", "enable")
    ]
    + [
        {"ROS_SECURITY_KEYSTORE": "/keys"},
        {"ROS_SECURITY_STRATEGY": "Permissive"},
        {"ROS_SECURITY_STRATEGY": "Enforce"},
        {"ROS_SECURITY_ENCLAVE_OVERRIDE": "/lam/control"},
        {"ROS_SECURITY_ENABLE": "false", "ROS_SECURITY_KEYSTORE": "/keys"},
    ],
)
def test_whoever_asks_for_security_of_the_wheels_is_refused_in_one_line(env) -> None:
    with pytest.raises(MachineError) as raised:
        security.require(env, WHEELS)
    assert "has no DDS security" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("env", [{}, {"ROS_SECURITY_ENABLE": "false"}, {"ROS_SECURITY_ENABLE": ""}])
def test_whoever_does_not_ask_is_not_refused(env) -> None:
    security.require(env, WHEELS)


def test_with_an_installed_ros_only_the_settings_that_close_it_are_taken(tmp_path) -> None:
    (tmp_path / "enclaves").mkdir()
    full = {
        "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
        "ROS_SECURITY_KEYSTORE": str(tmp_path),
    }
    security.require(full, INSTALLED)
    for name, value in (
        ("ROS_SECURITY_ENABLE", "1"),
        ("ROS_SECURITY_STRATEGY", "Permissive"),
        ("ROS_SECURITY_KEYSTORE", "/nowhere"),
    ):
        with pytest.raises(MachineError, match=name):
            security.require(full | {name: value}, INSTALLED)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "can hear and move the arm"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT"}, "can hear and move the arm"),
        ({"ROS_STATIC_PEERS": "10.0.0.7"}, "ROS_STATIC_PEERS=10.0.0.7"),
        ({PROFILE: "/mine.xml"}, "a profile of your own decides"),
    ],
)
def test_whoever_opens_the_traffic_is_told_what_that_means_in_one_line(env, words) -> None:
    line = security.exposure(env, Path("/lam/fastdds.xml"))
    assert words in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", PROFILE: "/lam/fastdds.xml"},
        {"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"},
    ],
)
def test_on_this_machine_alone_nothing_is_said(env) -> None:
    assert security.exposure(env, Path("/lam/fastdds.xml")) == ""
