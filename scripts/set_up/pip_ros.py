"""lam_interfaces against ROS 2 from pip, into the environment's own prefix."""

import os
import shutil
from pathlib import Path

from common import BIN, ROOT, STATE, VENV, clean_environment, run, say

BUILD = STATE / "build/lam_interfaces"


def build_interfaces() -> None:
    """Configure, compile and install; an earlier build's files go first."""
    say("building lam_interfaces (half a minute)")
    remove_installed(BUILD / "install_manifest.txt", VENV)
    shutil.rmtree(str(BUILD), ignore_errors=True)
    env = {**clean_environment(), "CMAKE_PREFIX_PATH": str(VENV), "AMENT_PREFIX_PATH": str(VENV)}
    source = ROOT / "lam_interfaces"
    configure = [BIN / "cmake", "-S", source, "-B", BUILD, "-Wno-dev", "-DBUILD_TESTING=OFF"]
    configure += [
        f"-DCMAKE_INSTALL_PREFIX={VENV}",
        f"-DPython3_EXECUTABLE={BIN}/python",
        f"-DCMAKE_PROJECT_INCLUDE={source}/cmake/drop_missing_includes.cmake",
    ]
    run(configure, "cmake-configure", env)
    run([BIN / "cmake", "--build", BUILD, "-j", os.cpu_count() or 1], "cmake-build", env)
    run([BIN / "cmake", "--install", BUILD], "cmake-install", env)


def remove_installed(manifest: Path, prefix: Path) -> None:
    """Remove what an earlier build installed, so that no withdrawn message stays importable."""
    if not manifest.is_file():
        return
    for line in manifest.read_text().splitlines():
        file = Path(line)
        if prefix in file.parents and file.is_file():
            file.unlink()
