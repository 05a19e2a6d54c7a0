"""What the parts of the set-up share: places, messages, running a command, hashing files."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Dict, Iterable, Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STATE = VENV / "lam"  # stamps, logs and build trees
BIN = VENV / "bin"


class SetUpError(Exception):
    """The set-up cannot go on; the message says what to do."""


def say(message: str) -> None:
    print(f"  {message}", flush=True)


def clean_environment() -> Dict[str, str]:
    """Return this process's environment without what ties it to a Python or a ROS."""
    dropped = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "ROS_DISTRO"}
    dropped |= {"AMENT_PREFIX_PATH", "COLCON_PREFIX_PATH", "CMAKE_PREFIX_PATH"}
    dropped |= {"_ROS_WHEELS_BOOTSTRAP_COMPLETE", "_LAM_ROS_ENVIRONMENT"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


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
            words,
            cwd=str(ROOT),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if code:
        tail = "\n".join(path.read_text(errors="replace").splitlines()[-25:])
        raise SetUpError(f"'{' '.join(words)}' failed with {code}:\n{tail}\n(all of it: {path})")


def digest(paths: Iterable[Path], *more: object, root: Path = ROOT) -> str:
    """Hash names and contents of files, those in folders included, and anything else given."""
    total = hashlib.sha256(repr(more).encode())
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(str(file.relative_to(root)).encode())
            total.update(file.read_bytes())
    return total.hexdigest()
