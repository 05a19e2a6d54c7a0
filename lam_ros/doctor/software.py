"""Checks of what is installed: Python, ROS 2, our interfaces, packages, the checkpoint."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from lam_ros.core.errors import LamError
from lam_ros.doctor.check import Check
from lam_ros.environment import Installation
from lam_sim.metaworld.tasks import INSTALL

SET_UP_AGAIN = "run `make setup` in the repository"


def python_version(running: tuple[int, int, int]) -> Check:
    """Check that Python is 3.12: ROS 2 Jazzy is built for it, and LeRobot needs it."""
    found = ".".join(map(str, running))
    if running[:2] == (3, 12):
        return Check("python", True, found)
    return Check("python", False, found, f"Python 3.12 is needed: {SET_UP_AGAIN}")


def ros_source(env: Mapping[str, str], installation: Installation, rclpy_file: str | None) -> Check:
    """Check that ROS 2 Jazzy is there, from pip or installed, and that no two are mixed.

    Args:
        env: the environment of this process.
        installation: where ROS 2 and LAM are.
        rclpy_file: where `import rclpy` comes from, or None if it is not there.
    """
    if rclpy_file is None:
        return Check("ros", False, "rclpy cannot be imported", SET_UP_AGAIN)
    inside = Path(rclpy_file).is_relative_to(installation.prefix)
    distro = env.get("ROS_DISTRO", "")
    if installation.from_wheels:
        mixed = [
            name for name in ("LD_LIBRARY_PATH", "PYTHONPATH") if "/opt/ros/" in env.get(name, "")
        ]
        if mixed or not inside:
            return Check(
                "ros",
                False,
                f"from pip, mixed with another: {', '.join(mixed) or rclpy_file}",
                "open a terminal in which no ROS 2 is sourced, or start things through `lam`",
            )
        return Check("ros", True, f"Jazzy from pip, rclpy {_version('ros-rclpy')}")
    if distro != "jazzy":
        return Check(
            "ros",
            False,
            f"ROS 2 '{distro or 'unknown'}' at {rclpy_file}",
            f"Jazzy is needed: {SET_UP_AGAIN}",
        )
    return Check("ros", True, f"Jazzy, installed: {rclpy_file}")


def interfaces(import_module: Callable[[str], object] = importlib.import_module) -> Check:
    """Check that our messages, services and actions are built for this Python."""
    try:
        kinds = [import_module(f"lam_interfaces.{kind}") for kind in ("msg", "srv", "action")]
    except ImportError as error:
        return Check("interfaces", False, f"lam_interfaces: {error}", SET_UP_AGAIN)
    count = sum(sum(name[0].isupper() and "_" not in name for name in dir(kind)) for kind in kinds)
    return Check("interfaces", True, f"lam_interfaces, {count} types")


def opencv(installed: Iterable[str]) -> Check:
    """Check that only one of the distributions that write the module `cv2` is installed."""
    found = sorted(name for name in installed if name.startswith("opencv-"))
    others = [name for name in found if name != "opencv-python-headless"]
    if not found:
        return Check("opencv", False, "none", SET_UP_AGAIN)
    if others:
        return Check(
            "opencv",
            False,
            " and ".join(found),
            f"pip uninstall -y {' '.join(found)}; then pip install opencv-python-headless",
        )
    return Check("opencv", True, f"{found[0]} {_version(found[0])}")


def checkpoint(policy_config: Path, folder: Path, load: Callable[[Path], object]) -> Check:
    """Check that the configured policy's checkpoint is there, whole, and can be loaded.

    Args:
        policy_config: the YAML file that names it.
        folder: of the checkpoints that come with LAM.
        load: loads one; raises a LamError if it cannot, also on a wrong checksum.
    """
    try:
        name = str(yaml.safe_load(policy_config.read_text(encoding="utf-8"))["checkpoint"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        return Check("checkpoint", False, f"{policy_config.name}: {error}", "mend config/policy")
    path = folder / name
    weights = path / "model.safetensors"
    remedy = "fetch the repository's files again (no git-lfs is needed), or train: `lam train`"
    if not weights.is_file():
        return Check("checkpoint", False, f"'{name}' is not in {folder}", remedy)
    with weights.open("rb") as file:
        if file.read(40).startswith(b"version https://git-lfs"):
            return Check("checkpoint", False, f"'{name}' is a git-lfs pointer, not weights", remedy)
    try:
        load(path)
    except LamError as error:
        return Check("checkpoint", False, str(error), remedy)
    return Check("checkpoint", True, f"'{name}', {weights.stat().st_size / 1e6:.1f} MB, loads")


def yardstick() -> Check:
    """Tell whether Meta-World is installed, which only `env=metaworld` needs."""
    try:
        return Check("metaworld", True, version("metaworld"))
    except PackageNotFoundError:
        return Check("metaworld", True, f"not installed; only env=metaworld needs it: {INSTALL}")


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of unknown version"
