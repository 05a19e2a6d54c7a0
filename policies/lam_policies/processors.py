"""LeRobot's pre- and post-processors of a checkpoint, read without running what it names.

A processor file may name any class to import, or a step that does (LeRobot's issue 4219).
Only steps that LeRobot or an installed plugin has registered are made; a name to import
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lerobot.processor import (
    PolicyProcessorPipeline,
    ProcessorStepRegistry,
    policy_action_to_transition,
    transition_to_policy_action,
)
from torch import Tensor

from lam_policies.checkpoint import RETRIEVE
from lam_policies.kinds import missing_download
from lam_ros.core.errors import CheckpointError

BEFORE = "policy_preprocessor.json"
AFTER = "policy_postprocessor.json"
_OURS = ("lerobot.", "lerobot_policy_")
_DEVICE = "device_processor"
_TOKENS = "tokenizer_processor"
TOKENIZER = "tokenizer"
"""Folder in a checkpoint with the tokenizer that its processors name; then no hub is asked."""


@dataclass(frozen=True)
class Processors:
    """What stands before and after a policy."""

    before: PolicyProcessorPipeline[dict[str, Any], dict[str, Any]]
    after: PolicyProcessorPipeline[Tensor, Tensor]

    def reset(self) -> None:
        """Start a new task."""
        self.before.reset()
        self.after.reset()


def open_processors(folder: Path, kind: str, device: torch.device) -> Processors:
    """Return the processors of a checkpoint for a device.

    Raises:
        CheckpointError: if a file is missing or damaged, or names what may not be imported.
        MachineError: if a step needs a tokenizer that is not here.
    """
    steps = {name: check_steps(folder, name) for name in (BEFORE, AFTER)}
    changed: dict[str, Any] = {}
    if _DEVICE in steps[BEFORE]:
        changed[_DEVICE] = {"device": str(device)}
    if _TOKENS in steps[BEFORE] and (folder / TOKENIZER).is_dir():
        changed[_TOKENS] = {"tokenizer_name": str(folder / TOKENIZER)}
    try:
        before: PolicyProcessorPipeline[Any, Any] = PolicyProcessorPipeline.from_pretrained(
            str(folder), BEFORE, overrides=changed
        )
        after: PolicyProcessorPipeline[Any, Any] = PolicyProcessorPipeline.from_pretrained(
            str(folder),
            AFTER,
            to_transition=policy_action_to_transition,
            to_output=transition_to_policy_action,
        )
    except Exception as error:  # noqa: BLE001  a step's constructor may raise whatever it likes
        reason = " ".join(str(error).split())[:160]
        if _TOKENS in steps[BEFORE]:
            raise missing_download(kind, f"its tokenizer: {reason}") from None
        raise CheckpointError(
            f"checkpoint '{folder.name}': its processors cannot be made ({reason}); {RETRIEVE}"
        ) from None
    return Processors(before, after)


def check_steps(folder: Path, file: str) -> tuple[str, ...]:
    """Return the names of the steps in a processor file.

    Raises:
        CheckpointError: if the file is missing or no processor file, or a step is not one
            that LeRobot or an installed plugin registered.
    """
    where = f"checkpoint '{folder.name}': {file}"
    try:
        data = json.loads((folder / file).read_text(encoding="utf-8"))
        steps = list(data["steps"])
    except FileNotFoundError:
        raise CheckpointError(f"{where} is missing; {RETRIEVE}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{where} is no processor file ({error}); {RETRIEVE}") from None
    return tuple(_names(steps, where))


def _names(steps: list[Any], where: str) -> Iterator[str]:
    for step in steps:
        name = step.get("registry_name") if isinstance(step, dict) else None
        if not name:
            named = step.get("class") if isinstance(step, dict) else step
            raise CheckpointError(
                f"{where} names '{named}' to import, which could run anything; only registered "
                "steps are taken: save the checkpoint again with LeRobot 0.6, or trust another one"
            )
        try:
            owner = ProcessorStepRegistry.get(name).__module__
        except KeyError:
            owner = ""
        if not owner.startswith(_OURS):
            raise CheckpointError(
                f"{where}: step '{name}' is not known here; install the plugin that registers it"
            )
        _refuse_remote_code(step, where)
        yield str(name)


def _refuse_remote_code(step: dict[str, Any], where: str) -> None:
    if '"trust_remote_code": true' in json.dumps(step):
        raise CheckpointError(f"{where}: step '{step['registry_name']}' asks to run remote code")
