"""What is installed is what is in the repository, for pip, colcon and ros2 alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

import lam_ros

ROOT = Path(__file__).resolve().parents[3]
SHOW = """
import json, setuptools
setuptools.setup = lambda **given: print(json.dumps(given))
import runpy
runpy.run_path("setup.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def arguments():
    """What setup.py gives to setuptools."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def installed(arguments):
    """Installed path -> source path of every data file."""
    return {
        f"{folder}/{Path(file).name}": file
        for folder, files in arguments["data_files"]
        for file in files
    }


def files_below(folder):
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return [path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts]


@pytest.mark.parametrize("folder", ["config", "launch"])
def test_every_file_of_the_folder_is_installed_in_its_place(installed, folder):
    for file in files_below(folder):
        assert installed.get(f"share/lam_ros/{file}") == str(file)


def test_every_checkpoint_is_installed(installed):
    for file in files_below("policies/checkpoints"):
        place = file.relative_to("policies/checkpoints")
        assert installed.get(f"share/lam_ros/checkpoints/{place}") == str(file)


def test_ros2_finds_the_package(installed):
    assert "share/ament_index/resource_index/packages/lam_ros" in installed
    assert "share/lam_ros/package.xml" in installed


def test_every_node_has_an_executable(installed):
    nodes = [
        file
        for file in (ROOT / "lam_ros/nodes").glob("[a-z]*.py")
        if "\ndef main(" in file.read_text()
    ]
    for node in nodes:
        source = installed.get(f"lib/lam_ros/{node.stem}")
        assert source, f"ln -s ../node_launcher scripts/nodes/{node.stem}"
        assert os.access(ROOT / source, os.X_OK)


def test_every_executable_has_a_node():
    for launcher in (ROOT / "scripts/nodes").iterdir():
        assert (ROOT / "lam_ros/nodes" / f"{launcher.name}.py").is_file(), launcher.name


@pytest.mark.parametrize(
    ("executables", "python"),
    [
        ("lib/lam_ros", "bin/python3"),
        ("install/lam_ros/lib/lam_ros", ".venv/bin/python3"),
        ("install/lib/lam_ros", ".venv/bin/python3"),
        ("elsewhere/lib/lam_ros", "path/python3"),
    ],
    ids=["pip", "colcon", "colcon merged", "colcon in a work space"],
)
def test_a_node_is_started_in_the_python_of_its_installation(tmp_path, executables, python):
    launcher = tmp_path / executables / "control"
    launcher.parent.mkdir(parents=True)
    launcher.symlink_to(ROOT / "scripts/node_launcher")
    interpreter = tmp_path / python
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text('#!/bin/sh\necho "$0 $*"\n')
    interpreter.chmod(0o755)
    env = {"PATH": f"{tmp_path}/path:{os.environ['PATH']}"}

    done = subprocess.run(
        [launcher, "--ros-args"], env=env, capture_output=True, text=True, timeout=60
    )

    words = done.stdout.split()
    assert Path(words[0]).resolve() == interpreter.resolve()
    assert words[1:3] == ["-m", "lam_ros.environment"]
    assert words[-3:] == ["-m", "lam_ros.nodes.control", "--ros-args"]


def test_every_module_is_in_a_package(arguments):
    places = {"lam_ros": "lam_ros", **arguments["package_dir"]}
    for name, folder in places.items():
        for file in files_below(folder):
            if file.suffix != ".py":
                continue
            package = ".".join([name, *file.relative_to(folder).parent.parts])
            assert package in arguments["packages"], f"{file}: __init__.py is missing beside it"


def test_versions_agree():
    versions = {
        ElementTree.parse(ROOT / file).getroot().findtext("version")
        for file in ("package.xml", "lam_interfaces/package.xml")
    }
    assert versions == {lam_ros.__version__}


def test_colcon_is_told_of_both_packages():
    defaults = yaml.safe_load((ROOT / "colcon_defaults.yaml").read_text())
    for verb in defaults.values():
        for path in verb["base-paths"]:
            assert (ROOT / path / "package.xml").is_file()
        assert len(verb["base-paths"]) == 2


def test_the_interfaces_name_every_package_that_their_fields_come_from():
    depends = {
        item.text
        for item in ElementTree.parse(ROOT / "lam_interfaces/package.xml").getroot().iter("depend")
    }
    cmake = (ROOT / "lam_interfaces/CMakeLists.txt").read_text()
    for folder in ("msg", "srv", "action"):
        for file in (ROOT / "lam_interfaces" / folder).iterdir():
            for line in file.read_text().splitlines():
                package, slash, _ = line.split("#")[0].strip().partition("/")
                if slash and package != "lam_interfaces":
                    assert package in depends, f"{file.name}: {package}"
                    assert f"find_package({package} REQUIRED)" in cmake


def test_each_requirement_is_pinned_and_locked():
    locked = (ROOT / "constraints.txt").read_text().splitlines()
    locked = {line.split("==")[0].lower().replace("_", "-"): line for line in locked}
    for name in ("requirements.txt", "requirements-ros.txt"):
        for line in (ROOT / name).read_text().splitlines():
            wanted = line.split("#")[0].strip()
            if not wanted:
                continue
            project, equals, version = wanted.partition("==")
            assert equals, f"{wanted} has no pin"
            pin = locked[project.split("[")[0].lower().replace("_", "-")]
            assert pin.split("==")[1] == version, "run scripts/lock.py"


@pytest.mark.parametrize(
    "folder", ["policies/lerobot_policy_lam", "sim/lerobot_env_lam", "sim/lerobot_robot_lam"]
)
def test_lerobot_finds_the_plugin_by_its_distribution(folder):
    """LeRobot imports the module that has the name of the distribution, underscores and all."""
    if not (ROOT / folder).is_dir():
        pytest.skip(f"no {folder}")
    name = Path(folder).name

    names = {found.metadata["Name"] for found in distributions()}

    assert name in names
    assert find_spec(name) is not None
