"""Loading a policy of LeRobot's: its configuration, its weights, its processors."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
from typing import Any

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.import_utils import register_third_party_plugins
from safetensors import SafetensorError
from safetensors.torch import load_file

from lam_policies.checkpoint import CONFIG, RETRIEVE, WEIGHTS, Checkpoint
from lam_policies.kinds import KINDS, LAM, missing_download, require_libraries
from lam_policies.lerobot_served import LerobotServed
from lam_policies.processors import open_processors
from lam_ros.core.errors import CheckpointError, unknown_name

_NO_DOWNLOAD = {"pretrained_backbone_weights": None}
"""Settings that make a constructor fetch weights, which the checkpoint's own replace."""


def load_lerobot(checkpoint: Checkpoint, device: torch.device) -> LerobotServed:
    """Return a policy of LeRobot's with its own processors, on a device.

    Raises:
        CheckpointError: if something is missing, damaged or of an unknown kind.
        MachineError: if it needs a library or a download that is not here.
    """
    kind = checkpoint.kind
    register_third_party_plugins()
    known = PreTrainedConfig.get_known_choices()
    if kind not in known:
        raise CheckpointError(
            f"checkpoint '{checkpoint.folder.name}': "
            f"{unknown_name('policy type', kind, {LAM, *KINDS, *known})}"
        )
    require_libraries(kind)
    processors = open_processors(checkpoint.folder, kind, device)
    policy = _build(checkpoint, device)
    _take_weights(policy, checkpoint)
    if checkpoint.unchecked:
        logging.getLogger("lam").warning(
            "checkpoint '%s' fits by names and shapes; it does not tell %s",
            checkpoint.folder.name,
            checkpoint.unchecked,
        )
    return LerobotServed(policy.to(device).eval(), processors, checkpoint.info, device)


def _build(checkpoint: Checkpoint, device: torch.device) -> PreTrainedPolicy:
    name = checkpoint.folder.name
    try:
        config = _read_config(checkpoint, device)
        return get_policy_class(checkpoint.kind)(config)
    except (OSError, ImportError) as error:  # what the hub's client raises is an OSError
        raise missing_download(checkpoint.kind, _short(error)) from None
    except Exception as error:  # noqa: BLE001  a policy's constructor may raise whatever it likes
        raise CheckpointError(
            f"checkpoint '{name}': {CONFIG} makes no policy ({_short(error)}); {RETRIEVE}"
        ) from None


def _read_config(checkpoint: Checkpoint, device: torch.device) -> PreTrainedConfig:
    """Read the configuration; what would fetch weights is set to none."""
    stored = json.loads((checkpoint.folder / CONFIG).read_text(encoding="utf-8"))
    fields = {f.name for f in dataclasses.fields(PreTrainedConfig.get_choice_class(stored["type"]))}
    with contextlib.redirect_stderr(io.StringIO()):
        config = PreTrainedConfig.from_pretrained(checkpoint.folder, local_files_only=True)
    for key, value in _NO_DOWNLOAD.items():
        if key in fields:
            setattr(config, key, value)
    config.device = str(device)
    return config


def _take_weights(policy: PreTrainedPolicy, checkpoint: Checkpoint) -> None:
    name = checkpoint.folder.name
    try:
        weights: dict[str, Any] = load_file(checkpoint.folder / WEIGHTS)
        missing, unknown = policy.load_state_dict(weights, strict=False)
    except SafetensorError as error:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} is no safetensors file ({error}); {RETRIEVE}"
        ) from None
    except RuntimeError as error:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} and {CONFIG} do not fit together ({_short(error)}); "
            f"{RETRIEVE}"
        ) from None
    tied = {id(value) for key, value in policy.state_dict(keep_vars=True).items() if key in weights}
    own = policy.state_dict(keep_vars=True)
    lacking = [key for key in missing if id(own[key]) not in tied]
    if lacking or unknown:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} and {CONFIG} do not fit together ({len(lacking)} "
            f"missing, {len(unknown)} unknown, such as {[*lacking, *unknown][0]}); {RETRIEVE}"
        )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
