"""LeRobot's policies: what each needs beside its weights, and where its authors put some."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lam_ros.core.errors import CheckpointError, MachineError

LAM = "lam"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_FILES = ("*.json", "*.safetensors")


@dataclass(frozen=True)
class Kind:
    """One kind of policy.

    Attributes:
        extra: LeRobot's extra that brings its libraries; empty if it needs none.
        module: a library of that extra, to tell whether it is there.
        base: a checkpoint on the hub to start from, empty if there is none for every arm.
        hub: repositories that it reads when it is built, beside its own weights.
    """

    extra: str = ""
    module: str = ""
    base: str = ""
    hub: tuple[str, ...] = ()


_PALIGEMMA = "google/paligemma-3b-pt-224"
KINDS: Mapping[str, Kind] = {
    "act": Kind(),
    "diffusion": Kind("diffusion", "diffusers"),
    "vqbet": Kind(),
    "smolvla": Kind(
        "smolvla",
        "transformers",
        "lerobot/smolvla_base",
        ("HuggingFaceTB/SmolVLM2-500M-Video-Instruct",),
    ),
    "pi0": Kind("pi", "transformers", "lerobot/pi0_base", (_PALIGEMMA,)),
    "pi05": Kind("pi", "transformers", "lerobot/pi05_base", (_PALIGEMMA,)),
    "pi0_fast": Kind(
        "pi", "transformers", "lerobot/pi0fast-base", (_PALIGEMMA, "physical-intelligence/fast")
    ),
    "groot": Kind("groot", "transformers", "nvidia/GR00T-N1.7-3B"),
    "xvla": Kind("xvla", "transformers", "lerobot/xvla-base"),
    "multi_task_dit": Kind("multi_task_dit", "transformers", "", ("openai/clip-vit-base-patch16",)),
}
"""Kinds that are known by name; another one that LeRobot registers is served all the same."""


def require_libraries(kind: str) -> None:
    """Check that the libraries of a kind of policy are installed.

    Raises:
        MachineError: with the command that installs them.
    """
    needed = KINDS.get(kind, Kind())
    if needed.module and importlib.util.find_spec(needed.module) is None:
        raise MachineError(
            f"policy {kind}: {needed.module} is not installed; "
            f'pip install "lerobot[{needed.extra}]", then {_to_fetch(kind)}'
        )


def missing_download(kind: str, reason: str) -> MachineError:
    """Return the error of a policy that needs the hub and does not get it."""
    return MachineError(f"policy {kind}: {_to_fetch(kind)} ({reason})")


def _to_fetch(kind: str) -> str:
    needed = KINDS.get(kind, Kind())
    repositories = [name for name in (needed.base, *needed.hub) if name]
    if not repositories:
        return "give policy.path=FOLDER of a checkpoint"
    fetch = " and ".join(f"hf download {name}" for name in repositories)
    return f"where there is a network: {fetch}"


def find_path(kind: str, path: str) -> Path:
    """Return the folder of a checkpoint that is given as a folder or by its name on the hub.

    What the hub's cache holds is taken from there; else it is fetched.

    Raises:
        CheckpointError: if nothing is given, or no such folder is there.
        MachineError: if it has to be fetched and there is no network.
    """
    if not path:
        base = KINDS.get(kind, Kind()).base
        example = f"FOLDER or {base}" if base else f"FOLDER, or train one: lam train policy={kind}"
        raise CheckpointError(
            f"policy={kind}: no checkpoint is named; give policy.path={example} (lam up: policy_path)"
        )
    if Path(path).is_dir():
        return Path(path)
    if path.startswith((".", "/", "~")) or not _HUB_ID.fullmatch(path):
        raise CheckpointError(
            f"checkpoint '{path}': no such folder; give a folder, or OWNER/NAME on the hub"
        )
    return _from_hub(kind, path)


def _from_hub(kind: str, name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    offline = (LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)
    try:
        return Path(snapshot_download(name, local_files_only=True, allow_patterns=list(_FILES)))
    except (LocalEntryNotFoundError, OSError):
        pass
    try:
        return Path(snapshot_download(name, etag_timeout=5, allow_patterns=list(_FILES)))
    except HfHubHTTPError as error:
        reason = " ".join(str(error).split())[:120]
    except offline:
        reason = "no such folder is here, and the hub does not answer"
    raise MachineError(
        f"policy {kind}: '{name}': {reason}; where there is a network: hf download {name}, "
        "or give policy.path=FOLDER"
    )
