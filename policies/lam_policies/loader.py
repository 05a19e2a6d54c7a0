"""From a checkpoint folder to a policy that answers, checked on the way.

Only files that cannot run code are read: JSON and safetensors.  LeRobot's processor
files, which may name arbitrary imports, are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lam_policies.checkpoint import CONFIG, RETRIEVE, WEIGHTS, Checkpoint, open_checkpoint
from lam_policies.lam_served import LamServed
from lam_policies.served import LoadedPolicy
from lam_ros.core.errors import CheckpointError, MachineError, unknown_name
from lam_ros.core.robot import RobotDescription
from lerobot_policy_lam.configuration_lam import LamConfig
from lerobot_policy_lam.modeling_lam import LamPolicy


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
            f"checkpoint '{name}': {WEIGHTS} is no safetensors file ({error}); {RETRIEVE}"
        ) from None
    except (RuntimeError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} and {CONFIG} do not fit together ({reason}); {RETRIEVE}"
        ) from None
    return LamServed(policy.to(device).eval(), checkpoint.info, device)


_LOADERS: Mapping[str, Callable[[Checkpoint, torch.device], LoadedPolicy]] = {"lam": _load_lam}
"""Policy type -> what loads it."""
