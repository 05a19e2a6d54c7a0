"""Make everything that LAM needs, in .venv beside this repository; the second run does nothing.

    python3 scripts/set_up.py [--force]

Standard library only, because it runs before anything is installed; any Python from
3.8 on can run it.  Each step is stamped with a hash of what it was made from, so only
what changed is made again.  ROS 2 comes from pip, or from a Jazzy installation where
there is one (see `find_ros`).
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = VENV / "lam"  # stamps, logs and build trees
LACKING = 4  # exit code: the machine lacks something
PYTHON = "3.12"
PLUGINS = ("policies/lerobot_policy_lam", "sim/lerobot_env_lam")
HOW_TO_GET_PYTHON = (
    "Python 3.12 is needed and was not found. Install it with one of: "
    "'apt-get install python3.12-venv python3.12-dev' (Ubuntu 24.04; on others from "
    "deadsnakes), 'uv python install 3.12', 'pyenv install 3.12'."
)


class SetUpError(Exception):
    """The set-up cannot go on; the message says what to do."""


def say(message: str) -> None:
    print(f"  {message}", flush=True)


# ---------------------------------------------------------------- what is there


def find_ros(environment: Mapping[str, str]) -> Optional[Path]:
    """Return the prefix of a ROS 2 Jazzy installation, or None to take ROS 2 from pip."""
    distro = environment.get("ROS_DISTRO")
    if distro == "jazzy":
        for prefix in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
            if prefix and (Path(prefix) / "share/rclpy/package.xml").is_file():
                return Path(prefix)
    elif distro:
        say(f"ROS 2 {distro} is sourced here; LAM needs Jazzy and takes it from pip, apart from it")
    jazzy = Path("/opt/ros/jazzy")
    return jazzy if (jazzy / "setup.bash").is_file() else None


def clean_environment(keep_ros: bool = False) -> Dict[str, str]:
    """Return this process's environment without what ties it to another Python or ROS."""
    dropped = {"PYTHONHOME", "VIRTUAL_ENV", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    if not keep_ros:
        dropped |= {"PYTHONPATH", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "COLCON_PREFIX_PATH"}
        dropped |= {"CMAKE_PREFIX_PATH", "ROS_DISTRO"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def python_candidates(ros: Optional[Path]) -> Iterable[str]:
    """Yield Pythons that may be 3.12; ROS 2's own packages are built for the system's."""
    if ros is not None:
        yield "/usr/bin/python3"
    yield sys.executable
    yield "python3.12"
    yield "/usr/bin/python3.12"
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    for path in sorted(pyenv.glob("versions/3.12*/bin/python3.12"), reverse=True):
        yield str(path)
    if shutil.which("uv"):
        found = subprocess.run(["uv", "python", "find", PYTHON], capture_output=True, text=True)
        if found.returncode == 0:
            yield found.stdout.strip()


def find_python(ros: Optional[Path]) -> str:
    """Return a Python 3.12 that can make an environment and compile extensions."""
    probe = (
        "import sys, sysconfig, os, ensurepip, venv; "
        "ok = sys.version_info[:2] == (3, 12); "
        "h = os.path.join(sysconfig.get_path('include'), 'Python.h'); "
        "base = getattr(sys, '_base_executable', sys.executable); "  # never .venv itself
        "print(base if ok and os.path.isfile(h) else '')"
    )
    for candidate in python_candidates(ros):
        try:
            found = subprocess.run(
                [candidate, "-I", "-c", probe],
                capture_output=True, text=True, env=clean_environment(), timeout=30,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.returncode == 0 and found.stdout.strip():
            return found.stdout.strip()
    raise SetUpError(HOW_TO_GET_PYTHON)


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_packages() -> List[str]:
    """Return the Debian packages that the machine still lacks."""
    needed = [
        ("gcc", shutil.which("gcc") is not None),
        ("g++", shutil.which("g++") is not None),
        ("make", shutil.which("make") is not None),
        ("libegl1", loads("libEGL.so.1")),
        ("libgl1", loads("libGL.so.1")),
    ]
    return [name for name, present in needed if not present]


def install_packages() -> None:
    """Install what is missing where we may, or say the command."""
    missing = missing_packages()
    if not missing:
        return
    command = "apt-get install -y --no-install-recommends " + " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetUpError(f"This machine lacks {', '.join(missing)}: sudo {command}")
    say(f"installing {', '.join(missing)} (apt)")
    run(["apt-get", "update", "-q"], "apt")
    run(command.split(), "apt", DEBIAN_FRONTEND="noninteractive")


# ---------------------------------------------------------------- steps


def run(
    command: Sequence[object],
    log: str,
    environment: Optional[Mapping[str, str]] = None,
    **extra: str,
) -> None:
    """Run a command with its output in a log; on failure show the end of it."""
    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / f"{log}.log"
    words = [str(word) for word in command]
    env = {**(clean_environment() if environment is None else environment), **extra}
    with path.open("w") as output:
        code = subprocess.call(
            words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT,
        )
    if code:
        tail = "\n".join(path.read_text(errors="replace").splitlines()[-25:])
        raise SetUpError(f"'{' '.join(words)}' failed with {code}:\n{tail}\n(all of it: {path})")


def digest(paths: Iterable[Path], *more: object) -> str:
    """Hash names and contents of files, folders included, and anything else given."""
    total = hashlib.sha256(repr(more).encode())
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(str(file.relative_to(ROOT)).encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def make_venv(ros: Optional[Path]) -> None:
    python = find_python(ros)
    say(f"making .venv with {python}")
    if VENV.exists():
        shutil.rmtree(VENV)
    command = [python, "-m", "venv", str(VENV)]
    run_quietly(command + (["--system-site-packages"] if ros else []))


def run_quietly(command: Sequence[str]) -> None:
    """Run a command whose log cannot stand in .venv, because .venv is what it makes."""
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True)
    if done.returncode:
        raise SetUpError(f"'{' '.join(command)}' failed:\n{done.stdout}{done.stderr}")


def install_requirements(ros: Optional[Path]) -> None:
    say("installing Python packages (about 2 minutes and 6 GB the first time)")
    command = [VENV / "bin/python", "-m", "pip", "install", "-q", "--no-input"]
    command += ["--disable-pip-version-check", "-c", "constraints.txt"]
    files = requirement_files(ros)
    for file in files:
        command += ["-r", file]
    run(command, "pip")


def requirement_files(ros: Optional[Path]) -> List[Path]:
    names = ["requirements.txt"] + ([] if ros else ["requirements-ros.txt"])
    return [ROOT / name for name in names]


def build_interfaces() -> None:
    """Build lam_interfaces against ROS 2 from pip, into the environment's own prefix."""
    say("building lam_interfaces")
    build = STATE / "build/lam_interfaces"
    remove_installed(build)
    shutil.rmtree(build, ignore_errors=True)
    env = {**clean_environment(), "CMAKE_PREFIX_PATH": str(VENV), "AMENT_PREFIX_PATH": str(VENV)}
    cmake = VENV / "bin/cmake"
    mend = ROOT / "lam_interfaces/cmake/drop_missing_includes.cmake"
    run(
        [
            cmake, "-S", ROOT / "lam_interfaces", "-B", build, "-Wno-dev",
            f"-DCMAKE_INSTALL_PREFIX={VENV}", f"-DPython3_EXECUTABLE={VENV}/bin/python",
            "-DBUILD_TESTING=OFF", f"-DCMAKE_PROJECT_INCLUDE={mend}",
        ],
        "cmake", env,
    )
    run([cmake, "--build", build, "-j", os.cpu_count() or 1], "cmake-build", env)
    run([cmake, "--install", build], "cmake-install", env)


def remove_installed(build: Path) -> None:
    """Remove what an earlier build installed, so that no withdrawn message stays importable."""
    manifest = build / "install_manifest.txt"
    if not manifest.is_file():
        return
    for line in manifest.read_text().splitlines():
        file = Path(line)
        if VENV in file.parents and file.is_file():
            file.unlink()


def build_workspace(ros: Path) -> None:
    """Build both packages with colcon, and note the environment that their sourcing gives."""
    say(f"building lam_interfaces and lam_ros with colcon, over {ros}")
    colcon = shutil.which("colcon")
    if colcon is None:
        pip = [VENV / "bin/python", "-m", "pip", "install", "-q", "-c", "constraints.txt"]
        run([*pip, "colcon-common-extensions"], "colcon-pip")
        colcon = str(VENV / "bin/colcon")
    run(
        [colcon, "build", "--cmake-args", "-DBUILD_TESTING=OFF", "--event-handlers", "desktop_notification-"],
        "colcon", sourced(ros / "setup.bash"),
    )
    before, after = clean_environment(), sourced(ros / "setup.bash", ROOT / "install/local_setup.bash")
    names = sorted(name for name in after if after[name] != before.get(name) and name.isupper())
    noted = {name: after[name] for name in names if name not in ("PWD", "OLDPWD", "SHLVL")}
    (STATE / "ros_environment.json").write_text(json.dumps(noted, indent=1))
    site = next((VENV / "lib").glob("python3*/site-packages"))
    shutil.copy(ROOT / "scripts/ros_environment_hook.py", site / "_lam_ros_environment.py")
    (site / "_lam_ros_environment.pth").write_text("import _lam_ros_environment\n")


def sourced(*scripts: Path) -> Dict[str, str]:
    """Return the environment after sourcing these scripts, starting from a clean one."""
    lines = " && ".join(f"source '{script}' >&2" for script in scripts)
    done = subprocess.run(
        ["bash", "-c", f"{lines} && env -0"], env=clean_environment(), capture_output=True, cwd=ROOT
    )
    if done.returncode:
        raise SetUpError(f"sourcing {scripts[-1]} failed: {done.stderr.decode(errors='replace')}")
    pairs = done.stdout.decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def distributions() -> List[Path]:
    """Return the folders that are installed editable: ours, and LeRobot's plugins from us."""
    plugins = [ROOT / name for name in PLUGINS]
    return [ROOT] + [p for p in plugins if (p / "pyproject.toml").is_file() or (p / "setup.py").is_file()]


def package_files() -> List[Path]:
    names = ("setup.py", "setup.cfg", "pyproject.toml")
    return [d / name for d in distributions() for name in names if (d / name).is_file()]


def rooms() -> List[str]:
    """Return the importable packages that are there: an editable installation lists them."""
    return sorted(str(p.parent.relative_to(ROOT)) for p in ROOT.glob("*/*/__init__.py"))


def install_packages_editable() -> None:
    say("installing " + ", ".join("lam_ros" if d == ROOT else d.name for d in distributions()))
    command = [VENV / "bin/python", "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    for folder in distributions():
        command += ["-e", folder]
    run(command, "editable")


# ---------------------------------------------------------------- main


def set_up(force: bool) -> bool:
    """Bring everything up to date; return whether anything had to be done."""
    ros = find_ros(os.environ)
    stamps_file = STATE / "stamps.json"
    stamps: Dict[str, str] = json.loads(stamps_file.read_text()) if stamps_file.is_file() else {}
    kind = str(ros) if ros else "pip"
    if force or not venv_fits(kind, stamps):
        install_packages()
        make_venv(ros)
        stamps = {}
    elif not stamps:
        install_packages()
    stamps["ros"] = kind

    interfaces = [ROOT / "lam_interfaces"] + ([ROOT / "setup.py", ROOT / "package.xml"] if ros else [])
    steps = [
        ("requirements", digest([*requirement_files(ros), ROOT / "constraints.txt"]),
         lambda: install_requirements(ros)),
        ("interfaces", digest(interfaces),
         lambda: build_workspace(ros) if ros else build_interfaces()),
        ("packages", digest(package_files(), *rooms()), install_packages_editable),
    ]
    worked = False
    for name, wanted, make in steps:
        if stamps.get(name) == wanted:
            continue
        make()
        worked = True
        stamps[name] = wanted
        STATE.mkdir(parents=True, exist_ok=True)
        stamps_file.write_text(json.dumps(stamps, indent=1))
    return worked


def venv_fits(kind: str, stamps: Mapping[str, str]) -> bool:
    """Return whether .venv works, is of our Python, and was made for this source of ROS 2."""
    config = VENV / "pyvenv.cfg"
    if not (VENV / "bin/python").exists() or not config.is_file():
        return False
    lines = [line.split("=", 1) for line in config.read_text().splitlines() if "=" in line]
    values = {name.strip(): value.strip() for name, value in lines}
    return values.get("version", "").startswith(PYTHON + ".") and stamps.get("ros", "pip") == kind


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--force", action="store_true", help="make .venv anew")
    force = parser.parse_args().force
    started = time.monotonic()
    lock = (ROOT / ".set_up.lock").open("w")  # two makes at once take turns
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        worked = set_up(force)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return LACKING
    if worked:
        say(f"ready after {time.monotonic() - started:.0f} s; 'make demo' moves the arm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
