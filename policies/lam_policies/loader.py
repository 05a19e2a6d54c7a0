"""From a checkpoint folder to a policy that answers, checked on the way.

Only files that cannot run code are read: JSON and safetensors.  LeRobot's processor
files, which may name arbitrary imports, are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lam_policies.lam_served import LamServed
from lam_policies.served import LoadedPolicy, PolicyInfo
from lam_policies.training.export import CARD, FORMAT, WEIGHTS, sha256_of
from lam_ros.core.errors import CheckpointError, MachineError, RobotError, unknown_name
from lam_ros.core.robot import RobotDescription
from lerobot_policy_lam.configuration_lam import LamConfig
from lerobot_policy_lam.modeling_lam import LamPolicy

CONFIG = "config.json"
_RETRIEVE = "fetch it again, or train one with `lam train`"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder whose files are there and agree with each other."""

    folder: Path
    card: Mapping[str, Any]
    robot: RobotDescription

    @property
    def policy_id(self) -> str:
        """Name and short hash of the weights."""
        return f"{self.folder.name}-{self.card['sha256'][:8]}"

    @property
    def info(self) -> PolicyInfo:
        """What the policy in it is."""
        return PolicyInfo(
            policy_id=self.policy_id,
            skills=tuple(self.card["skills"]),
            horizon=int(self.card["horizon"]),
            dt_ns=int(self.card["dt_ns"]),
            robot=self.robot,
        )


def load_policy(path: str | Path, robot: RobotDescription, device: str = "auto") -> LoadedPolicy:
    """Load a checkpoint for a robot.

    Args:
        path: the checkpoint's folder.
        robot: the robot that the policy shall drive.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        CheckpointError: if something is missing, damaged or of an unknown kind.
        FingerprintMismatch: if it was trained on another robot.
        MachineError: if the device is not there.
    """
    checkpoint = open_checkpoint(Path(path))
    robot.require_match(checkpoint.robot, f"checkpoint '{checkpoint.folder.name}'")
    kind = str(checkpoint.card["policy_type"])
    if kind not in _LOADERS:
        raise CheckpointError(
            f"checkpoint '{checkpoint.folder.name}': {unknown_name('policy type', kind, _LOADERS)}"
        )
    return _LOADERS[kind](checkpoint, _device(device))


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint's card and check its files.

    Raises:
        CheckpointError: if something is missing, damaged or of an unknown kind.
    """
    name = folder.name
    if not folder.is_dir():
        raise CheckpointError(f"checkpoint '{folder}': no such folder; {_RETRIEVE}")
    for file in (CARD, CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise CheckpointError(f"checkpoint '{name}': {file} is missing; {_RETRIEVE}")
    card = _read_json(folder / CARD, name)
    missing = {"policy_type", "robot", "skills", "dt_ns", "horizon", "sha256"} - set(card)
    if missing or card.get("format") != FORMAT:
        raise CheckpointError(
            f"checkpoint '{name}': {CARD} is of format {card.get('format')} and lacks "
            f"{sorted(missing)}, format {FORMAT} is needed; {_RETRIEVE}"
        )
    found = sha256_of(folder / WEIGHTS)
    if found != card["sha256"]:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} is damaged (sha256 {found[:8]}, "
            f"{str(card['sha256'])[:8]} is written in {CARD}); {_RETRIEVE}"
        )
    try:
        robot = RobotDescription.from_dict(card["robot"])
    except (RobotError, TypeError, KeyError) as error:
        raise CheckpointError(f"checkpoint '{name}': robot in {CARD}: {error}; {_RETRIEVE}") from None
    return Checkpoint(folder, card, robot)


def _read_json(path: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"checkpoint '{name}': {path.name} is not JSON ({error}); {_RETRIEVE}"
        ) from None
    if not isinstance(data, dict):
        raise CheckpointError(f"checkpoint '{name}': {path.name} is no JSON object; {_RETRIEVE}")
    return data


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise MachineError(unknown_name("device", name, ("auto", "cpu", "cuda"))) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise MachineError("device 'cuda': no CUDA device is here; use device=cpu or device=auto")
    return device


def _load_lam(checkpoint: Checkpoint, device: torch.device) -> LoadedPolicy:
    name = checkpoint.folder.name
    try:
        config = LamConfig.from_pretrained(checkpoint.folder)
        config.device = str(device)
        policy = LamPolicy(config)
        weights = load_file(checkpoint.folder / WEIGHTS)
        policy.load_state_dict({key: value.float() for key, value in weights.items()})
    except SafetensorError as error:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} is no safetensors file ({error}); {_RETRIEVE}"
        ) from None
    except (RuntimeError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} and {CONFIG} do not fit together ({reason}); {_RETRIEVE}"
        ) from None
    return LamServed(policy.to(device).eval(), checkpoint.info, device)


_LOADERS: Mapping[str, Callable[[Checkpoint, torch.device], LoadedPolicy]] = {"lam": _load_lam}
"""Policy type -> what loads it."""
