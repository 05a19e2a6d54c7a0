"""From a checkpoint folder to a policy that answers, checked on the way.

Only files that cannot run code are read: JSON and safetensors.  LeRobot's processor
files, which may name arbitrary imports, are checked before (`lam_policies.processors`).
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lam_network.acting import acting_from
from lam_policies.checkpoint import CONFIG, RETRIEVE, WEIGHTS, Checkpoint, checkpoint_for, read_json
from lam_policies.kinds import LAM
from lam_policies.lam_served import LamServed
from lam_policies.served import LoadedPolicy
from lam_ros.core.errors import CheckpointError, MachineError, unknown_name
from lam_ros.core.robot import RobotDescription


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
    checkpoint = checkpoint_for(Path(path), robot)
    if checkpoint.kind == LAM:
        return _load_lam(checkpoint, _device(device))
    from lam_policies.lerobot_loader import load_lerobot  # takes 5 times as long to import as torch

    return load_lerobot(checkpoint, _device(device))


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
        policy = acting_from(read_json(checkpoint.folder / CONFIG, name))
        weights = load_file(checkpoint.folder / WEIGHTS)
        policy.load_state_dict({key: value.float() for key, value in weights.items()})
    except SafetensorError as error:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} is no safetensors file ({error}); {RETRIEVE}"
        ) from None
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} and {CONFIG} do not fit together ({reason}); {RETRIEVE}"
        ) from None
    return LamServed(policy.to(device).eval(), checkpoint.info, device)
