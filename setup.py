"""The distribution lam_ros: the ROS 2 package, the simulator and what serves policies.

Read by pip and by colcon alike.  LeRobot finds plugins by distribution name, so ours
are distributions of their own (policies/lerobot_policy_lam, sim/lerobot_env_lam, sim/lerobot_robot_lam).
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent  # colcon runs a symlink to this file, elsewhere
# Import name -> folder. A new module under one of them needs no change here.
ROOMS = {"lam_ros": "lam_ros", "lam_sim": "sim/lam_sim", "lam_policies": "policies/lam_policies"}
SHARE = "share/lam_ros"


def packages() -> list[str]:
    """Return every package of every room that is there."""
    found = []
    for name, folder in ROOMS.items():
        if (ROOT / folder).is_dir():
            found += [name, *(f"{name}.{sub}" for sub in find_packages(str(ROOT / folder)))]
    return found


def tree(folder: str, target: str) -> list[tuple[str, list[str]]]:
    """Return every file below `folder` as setuptools' data_files, below `target`."""
    files = [p for p in sorted((ROOT / folder).rglob("*")) if p.is_file()]
    by_folder: dict[str, list[str]] = {}
    for file in (p for p in files if "__pycache__" not in p.parts):
        place = Path(target) / file.relative_to(ROOT / folder).parent
        by_folder.setdefault(str(place), []).append(str(file.relative_to(ROOT)))
    return sorted(by_folder.items())


def data_files() -> list[tuple[str, list[str]]]:
    """Return what ros2 and lam_ros/paths.py look for beside the modules."""
    return [
        ("share/ament_index/resource_index/packages", ["resource/lam_ros"]),
        (SHARE, ["package.xml"]),
        *tree("config", f"{SHARE}/config"),
        *tree("launch", f"{SHARE}/launch"),
        *tree("policies/checkpoints", f"{SHARE}/checkpoints"),
        *tree("scripts/nodes", "lib/lam_ros"),
    ]


def requirements() -> list[str]:
    """Return what LAM imports: the first part of requirements.txt, without its comments."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("# -- tools --")[0]
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def extras() -> dict[str, list[str]]:
    """Return what only some want, pinned among the tools: extra -> requirements."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return {"metaworld": re.findall(r"^metaworld==\S+", text, re.MULTILINE)}


def version() -> str:
    """Return what `lam_ros.__version__` says, without importing it."""
    text = (ROOT / "lam_ros/__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"', text, re.MULTILINE)[0]


setup(
    name="lam_ros",
    version=version(),
    description="A large action model for robot arms on ROS 2",
    license="Apache-2.0",
    python_requires=">=3.12",
    packages=packages(),
    package_dir={name: folder for name, folder in ROOMS.items() if name != folder},
    package_data={"": ["py.typed", "assets/*", "assets/**/*"]},
    data_files=data_files(),
    install_requires=requirements(),
    extras_require=extras(),
    entry_points={"console_scripts": ["lam = lam_ros.cli:main"]},
)
