"""Which software a recording was made with."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from lam_ros import __version__

_DISTRIBUTIONS = ("ros-rclpy", "numpy", "opencv-python-headless", "mcap", "mujoco", "lerobot")


@cache
def software_versions() -> dict[str, str]:
    """Return the version of each distribution that is installed, by its name."""
    found = {"lam_ros": __version__, "python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
