"""Start-up hook of a .venv over an installed ROS 2: what `source setup.bash` would have given.

The set-up copies this file into .venv as `_lam_ros_environment`, beside a .pth file that
imports it at each start of that Python.  The linker reads its path at start only, so the
process starts itself again, once, with the variables that the set-up noted.
"""

import json
import os
import sys
from pathlib import Path

GUARD = "_LAM_ROS_ENVIRONMENT"


def merged(base, noted):
    """Return `base` with the noted variables; path-like ones get the noted entries in front."""
    env = dict(base)
    for name, value in noted.items():
        if name.endswith("PATH"):
            wanted = value.split(os.pathsep)
            kept = [
                part for part in env.get(name, "").split(os.pathsep) if part not in ["", *wanted]
            ]
            env[name] = os.pathsep.join([*wanted, *kept])
        else:
            env[name] = value
    return env


_noted = Path(sys.prefix) / "lam" / "ros_environment.json"
if os.environ.get(GUARD) != sys.prefix and _noted.is_file():
    _env = merged(os.environ, json.loads(_noted.read_text()))
    _env[GUARD] = sys.prefix
    os.execve(sys.executable, sys.orig_argv, _env)
