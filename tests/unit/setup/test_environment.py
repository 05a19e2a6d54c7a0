"""Processes get what they need, and what a person set on purpose stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lam_ros.environment import (
    BOOTSTRAPPED,
    PROFILE,
    Installation,
    foreign_environment,
    node_environment,
    process_environment,
)

SITE = "/venv/lib/python3.12/site-packages"
PIP = Installation(Path("/venv"), ("/venv/lib", f"{SITE}/ros_rcl.libs"), Path("/lam/fastdds.xml"))
SYSTEM = Installation(Path("/venv"), (), Path("/lam/fastdds.xml"))
HUMBLE = {
    "ROS_DISTRO": "humble",
    "ROS_VERSION": "2",
    "AMENT_PREFIX_PATH": "/home/me/ws/install/arm:/opt/ros/humble",
    "LD_LIBRARY_PATH": "/home/me/ws/install/arm/lib:/opt/ros/humble/lib:/usr/local/cuda/lib64",
    "PYTHONPATH": "/opt/ros/humble/lib/python3.10/site-packages:/home/me/mine",
    "PATH": "/opt/ros/humble/bin:/venv/bin:/usr/bin",
    "RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp",
}
OTHER_PIP = {
    BOOTSTRAPPED: "1",
    "LD_LIBRARY_PATH": "/other/lib:/other/lib/python3.12/site-packages/ros_rcl.libs",
    "AMENT_PREFIX_PATH": "/other",
}


def test_a_bare_environment_gets_everything():
    env = process_environment({}, PIP, threads=1, domain_id=7)

    assert env == {
        "LD_LIBRARY_PATH": f"/venv/lib:{SITE}/ros_rcl.libs",
        "AMENT_PREFIX_PATH": "/venv",
        BOOTSTRAPPED: "1",
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        "MUJOCO_GL": "egl",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        PROFILE: "/lam/fastdds.xml",
        "OMP_NUM_THREADS": "1",
        "ROS_DOMAIN_ID": "7",
    }


@pytest.mark.parametrize(
    "base", [{}, HUMBLE, OTHER_PIP, dict(os.environ)], ids=["bare", "humble", "pip", "this"]
)
@pytest.mark.parametrize("installation", [PIP, SYSTEM], ids=["wheels", "system"])
def test_applying_it_twice_changes_nothing(base, installation):
    once = process_environment(base, installation, threads=2)

    assert process_environment(once, installation, threads=2) == once


def test_what_a_person_set_stays():
    chosen = {
        "MUJOCO_GL": "osmesa",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        PROFILE: "/mine.xml",
    }

    env = process_environment({**chosen, "ROS_DOMAIN_ID": "5", "OMP_NUM_THREADS": "3"}, PIP)

    assert {name: env[name] for name in chosen} == chosen
    assert env["ROS_DOMAIN_ID"] == "5"
    assert env["OMP_NUM_THREADS"] == "3"


def test_another_ros_is_put_out_of_sight():
    env = process_environment(HUMBLE, PIP)

    assert env["LD_LIBRARY_PATH"] == f"/venv/lib:{SITE}/ros_rcl.libs:/usr/local/cuda/lib64"
    assert env["PYTHONPATH"] == "/home/me/mine"
    assert env["AMENT_PREFIX_PATH"] == "/venv"
    assert env["PATH"] == "/venv/bin:/usr/bin"
    assert env["RMW_IMPLEMENTATION"] == "rmw_fastrtps_cpp"
    assert "ROS_DISTRO" not in env


def test_the_libraries_of_another_pip_ros_are_put_out_of_sight():
    env = process_environment(OTHER_PIP, PIP)

    assert env["LD_LIBRARY_PATH"] == f"/venv/lib:{SITE}/ros_rcl.libs"
    assert env["AMENT_PREFIX_PATH"] == "/venv"


def test_our_own_environment_inside_another_is_kept():
    nested = Installation(Path("/other/.venv"), ("/other/.venv/lib",), None)

    env = process_environment({**OTHER_PIP, "PATH": "/other/.venv/bin:/usr/bin"}, nested)

    assert env["PATH"] == "/other/.venv/bin:/usr/bin"


def test_an_installed_ros_is_left_as_it_was_sourced():
    jazzy = {name: value.replace("humble", "jazzy") for name, value in HUMBLE.items()}

    env = process_environment(jazzy, SYSTEM)

    assert {name: env[name] for name in jazzy} == jazzy


def test_the_base_is_not_changed():
    base = dict(HUMBLE)

    process_environment(base, PIP, threads=1)

    assert base == HUMBLE


def test_a_foreign_python_inherits_none_of_our_libraries():
    env = foreign_environment(process_environment({"HOME": "/home/me"}, PIP))

    assert not {"LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", BOOTSTRAPPED, PROFILE} & env.keys()
    assert env["HOME"] == "/home/me"


def test_the_real_installation_names_files_that_exist():
    here = Installation.here()

    assert here.profile is not None
    assert here.profile.is_file()
    assert all(Path(folder).is_dir() for folder in here.wheel_libraries)


PROBE = (
    "from lam_ros.environment import ensure; ensure(); import os, rclpy, lam_interfaces.msg; "
    "print(os.environ['MUJOCO_GL'], rclpy.__file__, os.environ.get('PYTHONPATH', ''))"
)


def test_a_process_started_under_a_foreign_ros_starts_itself_again(tmp_path):
    """A sourced ROS 2 puts its own rclpy first; `ensure` must win over it."""
    wrong = tmp_path / "opt/ros/humble/lib/python3.10/site-packages"
    (wrong / "rclpy").mkdir(parents=True)
    (wrong / "rclpy/__init__.py").write_text("raise ImportError('the wrong rclpy')")
    env = {
        **foreign_environment(node_environment()),
        "ROS_DISTRO": "humble",
        "AMENT_PREFIX_PATH": str(tmp_path / "opt/ros/humble"),
        "PYTHONPATH": str(wrong),
    }

    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == env.get("MUJOCO_GL", "egl")
    assert str(wrong) not in done.stdout


def test_any_command_can_be_run_in_it():
    command = [sys.executable, "-m", "lam_ros.environment", "printenv", PROFILE]
    bare = foreign_environment(os.environ)

    done = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=60)

    assert done.stdout.strip() == str(Installation.here().profile)


def test_a_command_that_is_not_there_is_named():
    command = [sys.executable, "-m", "lam_ros.environment", "no-such-command"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert done.stderr == "no-such-command: No such file or directory\n"
