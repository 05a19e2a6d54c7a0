"""Who can hear and move the arm: what the middleware promises, and what was asked of it.

Traffic stays on this machine unless someone opens it.  The ROS 2 wheels have no DDS
security, and run open in some settings in which it was asked for; so whoever asks for it
gets it in full or is refused before anything is on the graph.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from lam_ros.core.errors import MachineError
from lam_ros.environment import PROFILE, Installation
from lam_ros.paths import dds_profile

ENABLE, STRATEGY = "ROS_SECURITY_ENABLE", "ROS_SECURITY_STRATEGY"
KEYSTORE = "ROS_SECURITY_KEYSTORE"
ASKING = (KEYSTORE, STRATEGY, "ROS_SECURITY_ENCLAVE_OVERRIDE")
"""Variables that nobody sets who does not want security."""

RANGE, PEERS = "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_STATIC_PEERS"
_OFF = ("", "0", "false", "no", "off")
_CLOSED = ("LOCALHOST", "OFF")


def asked_for(env: Mapping[str, str]) -> str:
    """Return the first setting by which security is asked for, or nothing."""
    if env.get(ENABLE, "").strip().lower() not in _OFF:
        return f"{ENABLE}={env[ENABLE]}"
    return next((f"{name}={env[name]}" for name in ASKING if env.get(name, "").strip()), "")


def why_open(env: Mapping[str, str], installation: Installation) -> str:
    """Return why the traffic would be open although security was asked for, or nothing."""
    if not asked_for(env):
        return ""
    if installation.from_wheels:
        return "this ROS 2 is from pip, and its middleware has no DDS security"
    if env.get(ENABLE) != "true":  # anything else leaves it off without a word
        return f"{ENABLE} is '{env.get(ENABLE, '')}', and only 'true' switches it on"
    if env.get(STRATEGY) != "Enforce":
        return f"{STRATEGY} is '{env.get(STRATEGY, '')}', and only 'Enforce' refuses what is open"
    keystore = env.get(KEYSTORE, "")
    if not (Path(keystore) / "enclaves").is_dir():
        return f"{KEYSTORE} is '{keystore}', which is no keystore"
    return ""


def require(env: Mapping[str, str] | None = None, installation: Installation | None = None) -> None:
    """Check that security, if it was asked for, can be had.

    Raises:
        MachineError: if it was asked for and the traffic would be open.
    """
    env = os.environ if env is None else env
    if not asked_for(env):
        return
    why = why_open(env, installation or Installation.here())
    if why:
        raise MachineError(
            f"security was asked for ({asked_for(env)}) and cannot be had: {why}; "
            "unset the ROS_SECURITY_ variables to run open on this machine alone, or see docs/security.md"
        )


def tell_exposure(env: Mapping[str, str] | None = None) -> None:
    """Say on standard error what it means that the traffic leaves this machine, if it does.

    Raises:
        MachineError: if security was asked for and cannot be had.
    """
    env = os.environ if env is None else env
    require(env)
    line = exposure(env, dds_profile())
    if line:
        print(f"network: {line}", file=sys.stderr)


def exposure(env: Mapping[str, str], own_profile: Path | None = None) -> str:
    """Return in one line what it means that the traffic leaves this machine, or nothing.

    Args:
        env: the environment of the nodes.
        own_profile: the middleware's profile that comes with this project.
    """
    opened = ""
    profile = env.get(PROFILE, "")
    if env.get(RANGE, "LOCALHOST").upper() not in _CLOSED:
        opened = f"{RANGE}={env[RANGE]}"
    elif env.get(PEERS, "").strip():
        opened = f"{PEERS}={env[PEERS]}"
    elif own_profile is not None and profile and Path(profile) != own_profile:
        return f"{PROFILE}={profile}: a profile of your own decides who on the network can hear and move the arm"
    if not opened:
        return ""
    if asked_for(env):
        return f"{opened}: other machines can reach the arm if they have a key of your keystore"
    return (
        f"{opened}: every machine that reaches this one over the network can hear and move the arm; "
        f"nothing is encrypted, nobody is asked who they are. Unset it to stay on this machine"
    )
