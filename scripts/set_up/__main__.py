"""Make everything that LAM needs, in .venv beside this repository; the second run does nothing.

    python3 scripts/set_up [--force]

Standard library only, because it runs before anything is installed; any Python from
3.8 on can run it.  Each step is stamped with a hash of what it was made from, so only
what changed is made again.  ROS 2 comes from pip, or from a Jazzy installation where
there is one.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from common import BIN, ROOT, STATE, VENV, SetUpError, clean_environment, digest, run, say
from installed_ros import build_workspace
from machine import PYTHON, find_python, find_ros, provide_packages, python_candidates
from pip_ros import build_interfaces

LACKING = 4  # exit code: the machine lacks something
PLUGINS = ("policies/lerobot_policy_lam", "sim/lerobot_env_lam", "sim/lerobot_robot_lam")
STAMPS = STATE / "stamps.json"


def make_venv(ros: Optional[Path]) -> None:
    python = find_python(python_candidates(ros))
    say(f"making .venv with {python}")
    shutil.rmtree(str(VENV), ignore_errors=True)
    command = [python, "-m", "venv", str(VENV)] + (["--system-site-packages"] if ros else [])
    done = subprocess.run(
        command,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if done.returncode:
        raise SetUpError(f"'{' '.join(command)}' failed:\n{done.stdout}")


def venv_fits(venv: Path, made_over: str, ros: str) -> bool:
    """Return whether the environment works, is of our Python, and over the same ROS 2."""
    config = venv / "pyvenv.cfg"
    complete = [venv / "bin/python", venv / "bin/pip", config]  # pip comes last
    if not all(path.exists() for path in complete):
        return False
    lines = [line.split("=", 1) for line in config.read_text().splitlines() if "=" in line]
    values = {name.strip(): value.strip() for name, value in lines}
    return values.get("version", "").startswith(PYTHON + ".") and made_over == ros


def pip(*arguments: object) -> List[object]:
    quiet = ["-q", "--no-input", "--disable-pip-version-check"]
    return [BIN / "python", "-m", "pip", "install", *quiet, *arguments]


def requirements(ros: Optional[Path]) -> List[Path]:
    names = ["requirements.txt"] + ([] if ros else ["requirements-ros.txt"])
    return [ROOT / name for name in names]


def install_requirements(ros: Optional[Path]) -> None:
    say("installing Python packages (the first time 2 minutes and 6 GB)")
    files = [word for file in requirements(ros) for word in ("-r", file)]
    run(pip("-c", ROOT / "constraints.txt", *files), "requirements")


def distributions() -> List[Path]:
    """Return the folders that are installed editable: ours, and our plugins for LeRobot."""
    plugins = [ROOT / name for name in PLUGINS if (ROOT / name / "pyproject.toml").is_file()]
    return [ROOT, *plugins]


def package_inputs() -> str:
    """Hash what an editable installation is made from: metadata, and the packages it lists."""
    names = ("setup.py", "setup.cfg", "pyproject.toml")
    files = [d / name for d in distributions() for name in names if (d / name).is_file()]
    packages = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("*/*/__init__.py"))
    return digest(files, *packages)


def install_packages() -> None:
    folders = distributions()
    say("installing " + ", ".join("lam_ros" if f == ROOT else f.name for f in folders))
    editable = [word for folder in folders for word in ("-e", folder)]
    run(pip("--no-deps", "--no-build-isolation", *editable), "packages")


def read_stamps() -> Dict[str, str]:
    return json.loads(STAMPS.read_text()) if STAMPS.is_file() else {}


def write_stamps(stamps: Mapping[str, str]) -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    part = STAMPS.with_suffix(".part")
    part.write_text(json.dumps(stamps, indent=1))
    part.replace(STAMPS)


def set_up(force: bool) -> bool:
    """Bring everything up to date; return whether anything had to be done."""
    ros = find_ros(os.environ)
    kind = str(ros or "pip")
    stamps = read_stamps()
    if not stamps:
        provide_packages()
    if force or not venv_fits(VENV, stamps.get("ros", kind), kind):
        make_venv(ros)
        stamps = {}
    stamps["ros"] = kind

    interfaces = [ROOT / "lam_interfaces"]
    if ros:
        interfaces += [ROOT / "setup.py", ROOT / "package.xml"]
    steps = [
        (
            "requirements",
            digest([*requirements(ros), ROOT / "constraints.txt"]),
            lambda: install_requirements(ros),
        ),
        (
            "interfaces",
            digest(interfaces),
            lambda: build_workspace(ros) if ros else build_interfaces(),
        ),
        ("packages", package_inputs(), install_packages),
    ]
    stale = [step for step in steps if stamps.get(step[0]) != step[1]]
    for name, wanted, make in stale:
        make()
        stamps[name] = wanted
        write_stamps(stamps)
    return bool(stale)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--force", action="store_true", help="make .venv anew")
    force = parser.parse_args().force
    started_s = time.monotonic()
    distro = os.environ.get("ROS_DISTRO", "jazzy")
    if distro != "jazzy":
        say(f"ROS 2 {distro} is sourced here; LAM needs Jazzy and keeps apart from it")
    with (ROOT / ".set_up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once take turns
        try:
            worked = set_up(force)
        except SetUpError as error:
            print(f"set-up: {error}", file=sys.stderr)
            return LACKING
        except KeyboardInterrupt:
            print("set-up: interrupted; the next run goes on from here", file=sys.stderr)
            return 130
    if worked:
        say(f"ready after {time.monotonic() - started_s:.0f} s; 'make demo' moves the arm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
