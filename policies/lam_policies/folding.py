"""Convolutions that take over the frozen normalisation behind them; pictures channels last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

_TOLERANCE = 1e-3


def fold_norms(policy: nn.Module, answer: Callable[[], Tensor]) -> int:
    """Fold frozen normalisations into their convolutions, and lay the latter channels last.

    The answer to the same picture is compared before and after; if it differs, everything
    is as it was.

    Args:
        policy: in evaluation mode.
        answer: asks the policy, always the same.

    Returns:
        How many were folded; 0 if it was undone.
    """
    pairs = [pair for module in policy.modules() for pair in _pairs(module)]
    if not pairs:
        return 0
    before = answer()
    kept = []
    for parent, name, conv, norm in pairs:
        kept.append((parent, name, norm, conv, conv.weight.data, conv.bias))
        _fold(conv, norm)
        setattr(parent, name, nn.Identity())
        conv.to(memory_format=torch.channels_last)
    if torch.allclose(answer(), before, rtol=_TOLERANCE, atol=_TOLERANCE):
        return len(kept)
    for parent, name, norm, conv, weight, bias in kept:
        setattr(parent, name, norm)
        conv.weight.data, conv.bias = weight, bias
    return 0


def _pairs(module: nn.Module) -> list[tuple[nn.Module, str, nn.Conv2d, FrozenBatchNorm2d]]:
    """Return each convolution whose normalisation is the next child."""
    children = list(module.named_children())
    return [
        (module, name, conv, norm)
        for (_, conv), (name, norm) in pairwise(children)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, FrozenBatchNorm2d)
    ]


def _fold(conv: nn.Conv2d, norm: FrozenBatchNorm2d) -> None:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = norm.bias - norm.running_mean * scale
    if conv.bias is not None:
        bias = bias + conv.bias.data * scale
    conv.weight.data = conv.weight.data * scale[:, None, None, None]
    conv.bias = nn.Parameter(bias, requires_grad=False)
