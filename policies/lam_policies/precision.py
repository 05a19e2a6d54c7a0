"""Mixed precision where the processor has it, if the arm could not show the difference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

TOLERANCE_RAD = 0.01
"""Largest difference of a target that is taken; a servo's backlash is half as much again."""
_HEAVY = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.MultiheadAttention)


class Precision:
    """Either float32, or bfloat16 with the weights of the heavy layers kept so."""

    def __init__(self, device: torch.device) -> None:
        """Start with float32."""
        self._device = device
        self.is_mixed = False

    def __call__(self) -> AbstractContextManager[object]:
        """Return what to ask the policy within."""
        if not self.is_mixed:
            return nullcontext()
        return torch.autocast(self._device.type, torch.bfloat16)

    def choose(self, policy: nn.Module, answer: Callable[[], Tensor]) -> None:
        """Take bfloat16 if the device computes in it and answers to the same picture agree.

        Args:
            policy: in evaluation mode.
            answer: asks the policy within this object; the same picture each time; radians.
        """
        if not has_bfloat16(self._device):
            return
        wanted = answer().float()
        kept = _to_bfloat16(policy)
        self.is_mixed = True
        try:
            apart_rad = float((answer().float() - wanted).abs().max())
        except RuntimeError:  # a policy that mixes types by itself
            apart_rad = float("nan")
        if apart_rad <= TOLERANCE_RAD:  # NaN is not
            return
        self.is_mixed = False
        for parameter, data in kept:
            parameter.data = data


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 itself, so that it gains by it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _to_bfloat16(policy: nn.Module) -> list[tuple[nn.Parameter, Tensor]]:
    """Convert the heavy layers; returns what each parameter was."""
    kept = []
    for module in policy.modules():
        if isinstance(module, _HEAVY):
            for parameter in module.parameters(recurse=False):
                if parameter.dtype == torch.float32:
                    kept.append((parameter, parameter.data))
                    parameter.data = parameter.data.bfloat16()
    return kept
