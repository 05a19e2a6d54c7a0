"""A plain `pip install`, into a place of its own: what ros2 looks for is there, and runs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = sysconfig.get_path("purelib")

pytestmark = pytest.mark.slow


def run(*command: object, **more: object) -> subprocess.CompletedProcess[str]:
    texts = [str(word) for word in command]
    return subprocess.run(texts, capture_output=True, text=True, timeout=240, **more)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with LAM installed from its wheel; the rest is borrowed from ours."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    made = run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT, cwd=folder)
    assert made.returncode == 0, made.stderr
    (wheel,) = folder.glob("lam_ros-*.whl")
    prefix = folder / "env"
    venv.create(prefix, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = prefix / "lib" / version / "site-packages"
    done = run(
        *pip, "--python", prefix / "bin" / "python", "install", "--no-deps", "--no-index", wheel
    )
    assert done.returncode == 0, done.stderr
    (packages / "borrowed.pth").write_text(f"import site; site.addsitedir({HERE!r})\n")
    return prefix


def test_ros2_pkg_prefix_finds_it(prefix: Path) -> None:
    from ament_index_python import get_package_prefix, get_package_share_directory

    before = os.environ.get("AMENT_PREFIX_PATH", "")
    os.environ["AMENT_PREFIX_PATH"] = str(prefix)
    try:
        assert Path(get_package_prefix("lam_ros")) == prefix
        share = Path(get_package_share_directory("lam_ros"))
    finally:
        os.environ["AMENT_PREFIX_PATH"] = before
    for name in ("sim", "robot", "teleop", "record"):
        assert (share / "launch" / f"{name}.launch.py").is_file()
    assert (share / "config" / "camera" / "opencv.yaml").is_file()


def test_ros2_run_finds_an_executable_of_each_node_which_runs_the_installed_copy(
    prefix: Path,
) -> None:
    executables = prefix / "lib" / "lam_ros"
    nodes = {path.name for path in (ROOT / "scripts" / "nodes").iterdir()}
    assert {path.name for path in executables.iterdir()} == nodes
    assert all(os.access(executables / name, os.X_OK) for name in nodes)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "_ROS_WHEELS"))}
    for name, word in (("policy", "checkpoint"), ("camera", "cameras")):
        done = run(executables / name, "--ros-args", "-p", f"{word}:=nowhere", env=clean)
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        assert done.returncode == 2, done.stderr
        assert len(lines) == 1, done.stderr
        assert "'nowhere'; allowed: " in lines[0]


def test_its_simulator_has_its_arms_and_its_command_line_works(prefix: Path) -> None:
    code = "import lam_sim.arms as a; print(a.ASSETS, *a.names())"
    done = run(prefix / "bin" / "python", "-m", "lam_ros.environment", prefix / "bin" / "python", "-c", code)  # fmt: skip
    assert done.stdout.split()[1:] == ["franka", "so101"], done.stderr
    assert str(prefix) in done.stdout
    shown = run(prefix / "bin" / "lam", "up", "sim", "robot=franka", "--show")
    assert shown.returncode == 0, shown.stderr
    assert "/control" in shown.stderr
