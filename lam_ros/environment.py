"""The environment variables that LAM's processes need, so that nobody exports or sources any.

`process_environment` is pure: it turns one environment into another.  Whoever starts a
node passes `node_environment()`; every entry point calls `ensure()` before it imports
ROS 2, torch or MuJoCo.  To run any command with it:

    python -m lam_ros.environment pytest -q
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lam_ros import paths

PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"
BOOTSTRAPPED = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"  # the ROS wheels' start-up hook has run
# Read by the dynamic linker or the interpreter at start: a change takes effect in a new process only.
START_ONLY = ("LD_LIBRARY_PATH", "PYTHONPATH")
_WHEEL_LIBRARIES = re.compile(r"^(?P<prefix>.*)/lib/python3\.\d+/site-packages/ros_[^/]*\.libs$")


@dataclass(frozen=True)
class Installation:
    """Where this Python's packages and its ROS 2 are."""

    prefix: Path
    """The environment's prefix (`sys.prefix`)."""

    wheel_libraries: tuple[str, ...] = ()
    """Folders with the shared libraries of a ROS 2 from pip; empty with an installed ROS 2."""

    profile: Path | None = None
    """The Fast DDS profile."""

    @property
    def from_wheels(self) -> bool:
        """Return whether ROS 2 comes from pip."""
        return bool(self.wheel_libraries)

    @classmethod
    def here(cls) -> Installation:
        """Look at the running interpreter."""
        prefix = Path(sys.prefix)
        site = (
            prefix
            / "lib"
            / f"python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        )
        wheels = (site / "ros_wheels_bootstrapper").is_dir()
        libraries = [
            str(prefix / "lib"),
            *sorted(str(p.resolve()) for p in site.glob("ros_*.libs")),
        ]
        return cls(prefix, tuple(libraries) if wheels else (), paths.dds_profile())


def process_environment(
    base: Mapping[str, str],
    installation: Installation,
    *,
    threads: int | None = None,
    domain_id: int | None = None,
) -> dict[str, str]:
    """Return `base` with what a LAM process needs; applying it twice changes nothing.

    What a person has set on purpose stays (renderer, DDS profile, discovery range).

    Args:
        base: the environment to start from.
        installation: where ROS 2 and LAM are.
        threads: of OpenMP and so of torch; None leaves it alone.
        domain_id: of ROS 2; None leaves it alone.
    """
    env = _on_wheels(base, installation) if installation.from_wheels else dict(base)
    env.setdefault("MUJOCO_GL", "egl")
    # One arm, one machine: nobody on the same network hears or moves it unless asked for.
    env.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if installation.profile is not None:
        env.setdefault(PROFILE, str(installation.profile))
    if threads is not None:
        env["OMP_NUM_THREADS"] = str(threads)
    if domain_id is not None:
        env["ROS_DOMAIN_ID"] = str(domain_id)
    return env


def node_environment(*, threads: int = 1, domain_id: int | None = None) -> dict[str, str]:
    """Return the environment in which this process should start a node."""
    return process_environment(
        os.environ, Installation.here(), threads=threads, domain_id=domain_id
    )


def foreign_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` for starting a Python of another environment, free of our ROS 2 libraries."""
    dropped = {BOOTSTRAPPED, PROFILE, *START_ONLY, "PYTHONHOME", "AMENT_PREFIX_PATH"}
    return {name: value for name, value in base.items() if name not in dropped}


def ensure() -> None:
    """Give this process its environment; starts it again where a variable is read at start only."""
    wanted = process_environment(os.environ, Installation.here())
    if any(_parts(wanted, name) != _parts(os.environ, name) for name in START_ONLY):
        os.execve(sys.executable, sys.orig_argv, wanted)
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


def _on_wheels(base: Mapping[str, str], installation: Installation) -> dict[str, str]:
    """Return `base` with the pip ROS 2 in force and every other ROS 2 out of sight."""
    env = dict(base)
    foreign = _foreign_prefixes(base, installation)
    for name in ("LD_LIBRARY_PATH", "PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "PATH"):
        if name in env:
            kept = [
                part
                for part in _parts(env, name)
                if _under(part, [str(installation.prefix)]) or not _under(part, foreign)
            ]
            env[name] = os.pathsep.join(kept)
            if not kept:
                del env[name]
    if foreign:
        for name in ("ROS_DISTRO", "ROS_VERSION", "ROS_PYTHON_VERSION", "COLCON_PREFIX_PATH"):
            env.pop(name, None)
    _add(env, "LD_LIBRARY_PATH", installation.wheel_libraries)
    _add(env, "AMENT_PREFIX_PATH", [str(installation.prefix)])
    env[BOOTSTRAPPED] = "1"
    env["RMW_IMPLEMENTATION"] = "rmw_fastrtps_cpp"  # pip has no other
    return env


def _foreign_prefixes(base: Mapping[str, str], installation: Installation) -> list[str]:
    """Return the prefixes of every other ROS 2 that has left its paths in `base`."""
    own = str(installation.prefix)
    ament = [*_parts(base, "AMENT_PREFIX_PATH"), *_parts(base, "COLCON_PREFIX_PATH")]
    found = ["/opt/ros"] if any("/opt/ros/" in value for value in base.values()) else []
    if found or "ROS_DISTRO" in base:
        found += ament  # work spaces built over that ROS 2
    for part in _parts(base, "LD_LIBRARY_PATH"):
        match = _WHEEL_LIBRARIES.match(part)
        if match:
            found.append(match["prefix"])
    return [prefix for prefix in found if prefix != own]


def _under(path: str, prefixes: Iterable[str]) -> bool:
    return any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)


def _parts(env: Mapping[str, str], name: str) -> list[str]:
    return [part for part in env.get(name, "").split(os.pathsep) if part]


def _add(env: dict[str, str], name: str, wanted: Sequence[str]) -> None:
    """Put what is missing of `wanted` in front of a path-like variable."""
    present = _parts(env, name)
    env[name] = os.pathsep.join([*(part for part in wanted if part not in present), *present])


def main(argv: Sequence[str]) -> None:
    """Become the given command, in LAM's environment."""
    if not argv:
        sys.exit("usage: python -m lam_ros.environment COMMAND [ARGUMENT ...]")
    wanted = process_environment(os.environ, Installation.here())
    try:
        os.execvpe(argv[0], list(argv), wanted)
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
