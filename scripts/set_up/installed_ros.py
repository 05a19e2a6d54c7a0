"""Both packages with colcon over an installed ROS 2, and its environment without sourcing."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Mapping

from common import BIN, ROOT, STATE, VENV, SetUpError, clean_environment, run, say

NOT_OURS = {"PWD", "OLDPWD", "SHLVL", "_"}


def build_workspace(ros: Path) -> None:
    """Build both packages, and note the environment that sourcing them would give."""
    say(f"building lam_interfaces and lam_ros with colcon, over {ros}")
    colcon = shutil.which("colcon")
    if colcon is None:
        pip = [BIN / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        run([*pip, "-c", "constraints.txt", "colcon-common-extensions"], "colcon-install")
        colcon = str(BIN / "colcon")
    env = sourced(ros / "setup.bash")
    # Built for numpy as .venv has it; the system's is older.
    arguments = ["-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={BIN}/python"]
    run([colcon, "build", "--cmake-args", *arguments], "colcon", env)
    noted = changed(
        clean_environment(), sourced(ros / "setup.bash", ROOT / "install/local_setup.bash")
    )
    (STATE / "ros_environment.json").write_text(json.dumps(noted, indent=1))
    site = next((VENV / "lib").glob("python3*/site-packages"))
    hook = Path(__file__).with_name("ros_environment_hook.py")
    shutil.copy(str(hook), str(site / "_lam_ros_environment.py"))
    (site / "_lam_ros_environment.pth").write_text("import _lam_ros_environment\n")


def sourced(*scripts: Path) -> Dict[str, str]:
    """Return the environment after sourcing these scripts, starting from a clean one."""
    lines = " && ".join(f"source '{script}' >&2" for script in scripts)
    done = subprocess.run(
        ["bash", "-c", f"{lines} && env -0"],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=str(ROOT),
    )
    if done.returncode:
        raise SetUpError(f"sourcing {scripts[-1]} failed: {done.stderr.decode(errors='replace')}")
    pairs = done.stdout.decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> Dict[str, str]:
    """Return what sourcing has set or put in front, without what was there before."""
    found = {}
    for name, value in after.items():
        if name in NOT_OURS or not name.isupper() or before.get(name) == value:
            continue
        old = before.get(name, "").split(os.pathsep)
        new = [part for part in value.split(os.pathsep) if part and part not in old]
        if new:
            found[name] = os.pathsep.join(new)
    return found
