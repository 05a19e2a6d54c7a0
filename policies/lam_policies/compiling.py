"""On a GPU a network is compiled into CUDA graphs, and stays as it is where that is no gain.

A small network keeps a GPU waiting for PyTorch to start its kernels one by one; `torch.compile`
with `reduce-overhead` joins and records them.  The policy's answer decides: what cannot be
compiled, or then says something else, is asked as before.  On the CPU nothing is compiled:
there the `lam` policy has ONNX Runtime, which is faster than what Inductor makes of it, and needs no
compiler.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lam_policies.precision import TOLERANCE_RAD

Ask = Callable[..., Tensor]
Compile = Callable[[Ask], Ask]

_ROUNDS = 3
"""The first compiles, the second records, the third plays what was recorded."""


def compile_for(device: torch.device) -> Compile | None:
    """Return how a network is compiled for a device, None for not at all."""
    if device.type != "cuda":
        return None
    return partial(torch.compile, mode="reduce-overhead", dynamic=False)


def compiled(ask: Ask, probe: Callable[[Ask], Tensor], make: Compile | None) -> Ask:
    """Return `ask` compiled by `make`, or `ask` itself where that fails or answers otherwise.

    Args:
        ask: the network.
        probe: asks a network the same as ever, and returns its answer in radians.
        make: see `compile_for`.
    """
    if make is None:
        return ask
    wanted = probe(ask).clone()
    quick = make(ask)
    try:
        for _ in range(_ROUNDS):
            apart_rad = float((probe(quick) - wanted).abs().max())
            if not apart_rad <= TOLERANCE_RAD:  # NaN is not
                return _told(ask, f"its answer is {apart_rad:g} rad off")
    except Exception as error:  # noqa: BLE001  compilers fail in any way; the network works without
        return _told(ask, " ".join(str(error).split())[:160] or type(error).__name__)
    return quick


def _told(ask: Ask, why: str) -> Ask:
    logging.getLogger("lam").info("the network is asked as it is, not compiled: %s", why)
    return ask


class Compiled:
    """The `lam` policy's network, compiled, in the place of `Engine`."""

    def __init__(self, ask: Ask) -> None:
        """Use a compiled `Acting.infer`."""
        self._ask = ask

    def infer(self, batch: dict[str, Any], words: Tensor) -> Tensor:
        """Return joint targets in radians, shape (B, H, J), as `Acting.infer` does."""
        return self._ask(batch, words)
