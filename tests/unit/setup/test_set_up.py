"""The set-up's decisions: which ROS 2, which Python, what is stale."""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "scripts/set_up"


@pytest.fixture(scope="module", autouse=True)
def parts():
    """Make the parts importable as they are when the folder is run."""
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


@pytest.fixture
def machine():
    return importlib.import_module("machine")


@pytest.fixture
def common():
    return importlib.import_module("common")


@pytest.fixture
def main():
    return runpy.run_path(str(FOLDER / "__main__.py"))


@pytest.fixture
def jazzy(tmp_path):
    """A ROS 2 installation, as far as the set-up looks."""
    prefix = tmp_path / "opt/ros/jazzy"
    (prefix / "share/rclpy").mkdir(parents=True)
    (prefix / "share/rclpy/package.xml").touch()
    (prefix / "setup.bash").touch()
    return prefix


def test_ros_comes_from_pip_where_none_is_installed(machine, tmp_path):
    assert machine.find_ros({}, default=tmp_path / "none") is None


def test_an_installed_jazzy_is_used_without_sourcing(machine, jazzy):
    assert machine.find_ros({}, default=jazzy) == jazzy


def test_a_sourced_jazzy_is_used(machine, jazzy, tmp_path):
    env = {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": f"/my/overlay:{jazzy}"}

    assert machine.find_ros(env, default=tmp_path / "none") == jazzy


def test_another_distribution_is_not_used(machine, jazzy, tmp_path):
    env = {"ROS_DISTRO": "humble", "AMENT_PREFIX_PATH": str(jazzy)}

    assert machine.find_ros(env, default=tmp_path / "none") is None


def test_the_first_python_that_fits_is_taken(machine):
    found = machine.find_python(["/no/such/python", "/bin/false", sys.executable])

    assert Path(found).name.startswith("python")
    assert not Path(found).is_relative_to(sys.prefix)


def test_without_python_the_remedy_is_one_line(machine, common):
    with pytest.raises(
        common.SetUpError, match=r"python3\.12-venv.*uv python install 3\.12"
    ) as error:
        machine.find_python(["/bin/false"])

    assert "\n" not in str(error.value)


def test_this_machine_lacks_no_package(machine):
    assert machine.missing_packages() == []


def test_a_missing_package_is_named(machine, monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert machine.missing_packages()[:3] == ["gcc", "g++", "make"]


def test_the_hash_follows_contents_and_names(common, tmp_path):
    file = tmp_path / "msg/A.msg"
    file.parent.mkdir()
    file.write_text("int32 a\n")
    before = common.digest([tmp_path], root=tmp_path)

    assert common.digest([tmp_path], root=tmp_path) == before
    file.write_text("int64 a\n")
    changed = common.digest([tmp_path], root=tmp_path)
    file.rename(file.with_name("B.msg"))
    assert len({before, changed, common.digest([tmp_path], root=tmp_path)}) == 3


def test_a_failed_command_shows_the_end_of_its_output(common):
    with pytest.raises(common.SetUpError, match=r"failed with 3:\nthe reason\n"):
        common.run(["sh", "-c", "echo the reason; exit 3"], "test")


@pytest.fixture
def venv(tmp_path):
    """An environment, as far as the set-up looks."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    (tmp_path / "bin/pip").touch()
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.3\n")
    return tmp_path


def test_an_environment_is_kept_while_it_fits(main, venv):
    assert main["venv_fits"](venv, "pip", "pip")


def test_an_environment_of_another_python_is_made_anew(main, venv):
    (venv / "pyvenv.cfg").write_text("version = 3.11.2\n")

    assert not main["venv_fits"](venv, "pip", "pip")


def test_an_environment_over_another_ros_is_made_anew(main, venv):
    assert not main["venv_fits"](venv, "pip", "/opt/ros/jazzy")


@pytest.mark.parametrize("missing", ["bin/python", "bin/pip", "pyvenv.cfg"])
def test_a_broken_environment_is_made_anew(main, venv, missing):
    (venv / missing).unlink()

    assert not main["venv_fits"](venv, "pip", "pip")


def test_what_an_earlier_build_installed_is_removed(venv):
    pip_ros = importlib.import_module("pip_ros")
    old, foreign, manifest = venv / "lib/Old.msg", venv.parent / "keep", venv / "manifest.txt"
    old.parent.mkdir()
    old.touch()
    foreign.touch()
    manifest.write_text(f"{old}\n{foreign}\n{venv}/lib/gone\n")

    pip_ros.remove_installed(manifest, venv)

    assert not old.exists()
    assert foreign.exists()


def test_sourcing_is_noted_without_what_was_there_before():
    installed_ros = importlib.import_module("installed_ros")
    before = {"PATH": "/usr/bin", "HOME": "/home/me", "SHLVL": "1"}
    after = {
        "PATH": "/opt/ros/jazzy/bin:/usr/bin",
        "HOME": "/home/me",
        "LD_LIBRARY_PATH": ":",
        "SHLVL": "2",
        "ROS_DISTRO": "jazzy",
        "PYTHONPATH": "/opt/ros/jazzy/lib/python3.12/site-packages",
    }

    assert installed_ros.changed(before, after) == {
        "PATH": "/opt/ros/jazzy/bin",
        "ROS_DISTRO": "jazzy",
        "PYTHONPATH": "/opt/ros/jazzy/lib/python3.12/site-packages",
    }


def test_the_hook_puts_what_was_noted_in_front():
    merged = runpy.run_path(str(FOLDER / "ros_environment_hook.py"))["merged"]
    noted = {"LD_LIBRARY_PATH": "/a:/b", "PATH": "/opt/bin", "ROS_DISTRO": "jazzy"}

    env = merged({"LD_LIBRARY_PATH": "/c:/a", "PATH": "/usr/bin"}, noted)

    assert env == {
        "LD_LIBRARY_PATH": os.pathsep.join(["/a", "/b", "/c"]),
        "PATH": "/opt/bin:/usr/bin",
        "ROS_DISTRO": "jazzy",
    }
    assert merged(env, noted) == env
