"""What the machine has: ROS 2, Python 3.12, and the system's packages."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable, List, Mapping, Optional

from common import SetUpError, clean_environment, run, say

PYTHON = "3.12"
HOW_TO_GET_PYTHON = (
    "Python 3.12 with its headers is needed and was not found. Install it with one of: "
    "'sudo apt-get install python3.12-venv python3.12-dev' (Ubuntu 24.04; on older ones from "
    "deadsnakes), 'uv python install 3.12', 'pyenv install 3.12'."
)
JAZZY = Path("/opt/ros/jazzy")


def find_ros(environment: Mapping[str, str], default: Path = JAZZY) -> Optional[Path]:
    """Return the prefix of a ROS 2 Jazzy installation, or None to take ROS 2 from pip."""
    distro = environment.get("ROS_DISTRO")
    if distro == "jazzy":
        for prefix in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
            if prefix and (Path(prefix) / "share/rclpy/package.xml").is_file():
                return Path(prefix)
    return default if (default / "setup.bash").is_file() else None


def python_candidates(ros: Optional[Path]) -> Iterable[str]:
    """Yield Pythons that may be 3.12; an installed ROS 2 is built for the system's."""
    if ros is not None:
        yield "/usr/bin/python3"
    yield sys.executable
    yield "python3.12"
    yield "/usr/bin/python3.12"
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    for path in sorted(pyenv.glob("versions/3.12*/bin/python3.12"), reverse=True):
        yield str(path)
    if shutil.which("uv"):
        command = ["uv", "python", "find", PYTHON]
        found = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True)
        if found.returncode == 0:
            yield found.stdout.strip()


def find_python(candidates: Iterable[str]) -> str:
    """Return the first Python 3.12 that can make an environment and compile extensions."""
    probe = (
        "import sys, sysconfig, os, ensurepip, venv; "
        "ok = sys.version_info[:2] == (3, 12); "
        "h = os.path.join(sysconfig.get_path('include'), 'Python.h'); "
        "base = getattr(sys, '_base_executable', sys.executable); "  # never .venv itself
        "print(base if ok and os.path.isfile(h) else '')"
    )
    for candidate in candidates:
        try:
            found = subprocess.run(
                [candidate, "-I", "-c", probe],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                universal_newlines=True,
                env=clean_environment(),
                timeout=30,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.returncode == 0 and found.stdout.strip():
            return found.stdout.strip()
    raise SetUpError(HOW_TO_GET_PYTHON)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_packages() -> List[str]:
    """Return the Debian packages that the machine still lacks."""
    needed = [(name, shutil.which(name) is not None) for name in ("gcc", "g++", "make")]
    needed += [("libegl1", _loads("libEGL.so.1")), ("libgl1", _loads("libGL.so.1"))]
    return [name for name, present in needed if not present]


def provide_packages() -> None:
    """Install the Debian packages that are missing where we may, or say the command."""
    missing = missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetUpError(f"this machine lacks {', '.join(missing)}: sudo {' '.join(command)}")
    say(f"installing {', '.join(missing)} (apt)")
    run(["apt-get", "update", "-q"], "apt-update")
    run(command, "apt-install", DEBIAN_FRONTEND="noninteractive")
