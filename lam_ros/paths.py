"""Where LAM's own files are: in the source checkout, or installed beside the modules.

Three kinds of installation are found alike: a checkout (also an editable or a
symlinked one), a plain pip installation, and a colcon build.
"""

from __future__ import annotations

import os
from pathlib import Path

from lam_ros.core.errors import CheckpointError, MachineError, unknown_name

_MODULE = Path(__file__)


def checkout_dir(module: Path = _MODULE) -> Path | None:
    """Return the root of the source checkout that this module is in, or None if installed."""
    root = module.resolve().parent.parent
    return root if (root / "package.xml").is_file() and (root / "config").is_dir() else None


def share_dir(module: Path = _MODULE) -> Path:
    """Return the folder that holds `config/` and `launch/`.

    Raises:
        MachineError: if the installation lacks its data files.
    """
    checkout = checkout_dir(module)
    if checkout is not None:
        return checkout
    for folder in module.resolve().parents:
        share = folder / "share" / "lam_ros"
        if (share / "package.xml").is_file():
            return share
    raise MachineError(
        f"LAM's data files (share/lam_ros) are not beside {module.resolve().parent}: install it again"
    )


def config_dir() -> Path:
    """Return the folder of the hydra configuration."""
    return share_dir() / "config"


def checkpoints_dir() -> Path:
    """Return the folder of the checkpoints that come with LAM."""
    checkout = checkout_dir()
    return checkout / "policies" / "checkpoints" if checkout else share_dir() / "checkpoints"


def dds_profile() -> Path:
    """Return the Fast DDS profile whose shared-memory segment holds camera pictures."""
    return config_dir() / "dds" / "fastdds.xml"


def state_dir() -> Path:
    """Return the folder of what LAM remembers for this user (XDG_STATE_HOME or ~/.local/state)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "lam"


def find_checkpoint(name: str) -> Path:
    """Return the folder of a shipped checkpoint by its name, or the path that was given.

    Raises:
        CheckpointError: if what looks like a name is neither.
    """
    shipped = checkpoints_dir() / name
    if "/" not in name and shipped.is_dir():
        return shipped
    if "/" not in name and not Path(name).exists():
        known = [path.name for path in checkpoints_dir().glob("*/")]
        raise CheckpointError(f"{unknown_name('checkpoint', name, known)} Or give a folder")
    return Path(name)
