"""Dependencies point inward: nodes -> bridge -> core; simulation and policies -> core."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROS = {"rclpy", "lam_interfaces", "rosidl_runtime_py", "launch", "launch_ros"}
MESSAGES = ("_msgs", "_interfaces", "_srvs")
HEAVY = {"torch", "torchvision", "lerobot", "mujoco", "mink", "cv2", "hydra", "omegaconf"}
OPTIONAL = {"transformers": "lam_ros/perception/open_vocabulary.py"}
"""What is used only where a user has installed it, and the one file that does."""

OURS = {
    "lam_ros",
    "lam_sim",
    "lam_policies",
    "lam_network",
    "lerobot_policy_lam",
    "lerobot_env_lam",
    "lerobot_robot_lam",
}


def imports_of(file: Path) -> set[str]:
    """Return the dotted names that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def files_below(room: str) -> Iterator[Path]:
    folder = ROOT / room
    yield from ([folder] if folder.is_file() else sorted(folder.rglob("*.py")))


def is_ros(name: str) -> bool:
    top = name.split(".")[0]
    return top in ROS or top.endswith(MESSAGES)


def in_rooms(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize("file", files_below("lam_ros/core"), ids=lambda p: p.name)
def test_the_core_imports_numpy_and_the_standard_library_only(file):
    for name in imports_of(file):
        top = name.split(".")[0]
        assert (
            top in sys.stdlib_module_names | {"numpy"}
            or in_rooms(name, "lam_ros.core")
            or (name == "lam_ros")
        ), f"{file.name} imports {name}"


@pytest.mark.parametrize(
    "room",
    [
        "lam_ros/planning",
        "lam_ros/recording",
        "lam_ros/config.py",
        "lam_ros/paths.py",
        "sim",
        "policies",
    ],
)
def test_only_the_graph_knows_ros(room):
    for file in files_below(room):
        for name in imports_of(file):
            assert not is_ros(name), f"{file.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        (
            "lam_ros/planning",
            ["lam_ros.bridge", "lam_ros.nodes", "lam_ros.run", "lam_sim", "lam_policies"],
        ),
        ("lam_ros/bridge", ["lam_ros.nodes", "lam_ros.run", "lam_sim", "lam_policies"]),
        ("lam_ros/run", ["lam_ros.nodes"]),
        ("lam_ros/evaluation", ["lam_ros.nodes", "lam_ros.bridge"]),
        ("sim/lam_sim", ["lam_ros.bridge", "lam_ros.nodes", "lam_ros.run", "lam_policies"]),
        ("policies", ["lam_ros.bridge", "lam_ros.nodes", "lam_ros.run"]),
    ],
)
def test_no_room_imports_outward(room, forbidden):
    for file in files_below(room):
        for name in imports_of(file):
            assert not in_rooms(name, *forbidden), f"{file.relative_to(ROOT)} imports {name}"


def test_teleoperators_know_no_ros():
    for file in files_below("lam_ros/teleop"):
        if file.name in ("session.py", "command.py"):  # what starts a graph around them
            continue
        for name in imports_of(file):
            assert not is_ros(name), f"{file.relative_to(ROOT)} imports {name}"
            assert not in_rooms(name, "lam_ros.bridge", "lam_ros.nodes", "lam_ros.run"), file


def test_the_planner_needs_nothing_heavy():
    for file in files_below("lam_ros/planning"):
        for name in imports_of(file):
            assert name.split(".")[0] not in HEAVY, f"{file.name} imports {name}"


@pytest.mark.parametrize("room", ["lam_ros/bridge", "lam_ros/nodes"])
def test_the_graph_is_the_same_on_a_real_arm(room):
    """Only lam_sim knows which physics there is."""
    for file in files_below(room):
        tops = {name.split(".")[0] for name in imports_of(file)}
        assert not tops & {"mujoco", "mink"}, file.relative_to(ROOT)


def test_the_network_needs_numpy_and_torch_alone():
    for file in files_below("policies/lerobot_policy_lam/lam_network"):
        tops = {name.split(".")[0] for name in imports_of(file)}
        assert tops <= sys.stdlib_module_names | {"numpy", "torch", "lam_network"}, file.name


def test_what_we_import_is_in_the_requirements():
    text = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-ros.txt").read_text()
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    required = {
        line.split("==")[0].split("[")[0].lower().replace("_", "-") for line in lines if line
    }
    distributions = packages_distributions()
    for room in ("lam_ros", "sim", "policies"):
        for file in files_below(room):
            for top in {name.split(".")[0] for name in imports_of(file)}:
                if top in sys.stdlib_module_names | OURS or is_ros(top):
                    continue
                if OPTIONAL.get(top) == str(file.relative_to(ROOT)):
                    continue
                names = {name.lower().replace("_", "-") for name in distributions.get(top, [])}
                assert names & required, (
                    f"{file.relative_to(ROOT)} imports {top}: not in requirements"
                )
