"""Processors that only scale and shift, as one operation.

LeRobot's pipelines copy a dictionary at each step.  Most of them do nothing to a tensor
but a factor and an offset an element; those are found by asking the pipeline itself, with
zeros and ones, and are believed only if random values come out alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]
_TOLERANCE = 1e-4
_TRIALS = 2


@dataclass(frozen=True)
class Affine:
    """`x * scale + shift` for each named tensor, each of the tensor's shape or broadcast to it."""

    scale: Tensors
    shift: Tensors

    def __call__(self, name: str, value: Tensor) -> Tensor:
        """Return what the processor makes of a tensor, shape (B, ...)."""
        made = torch.addcmul(self.shift[name], value, self.scale[name])
        return made.contiguous(memory_format=torch.channels_last) if made.ndim == 4 else made


def affine_of(process: Callable[[dict[str, Tensor]], Tensors], like: Tensors) -> Affine | None:
    """Return a processor as one operation, or None if it does more than scale and shift.

    One that makes other tensors, too, such as the tokens of a sentence, does more.

    Args:
        process: the processor.
        like: tensors as it gets them, shape (1, ...).
    """
    zero = process({name: torch.zeros_like(value) for name, value in like.items()})
    one = process({name: torch.ones_like(value) for name, value in like.items()})
    if zero.keys() != like.keys():
        return None
    if not all(_alike(zero[name], value) for name, value in like.items()):
        return None
    shift = {name: zero[name].clone() for name in like}
    scale = {name: one[name] - shift[name] for name in like}
    found = Affine(
        {name: _thin(value) for name, value in scale.items()},
        {name: _thin(value) for name, value in shift.items()},
    )
    for _ in range(_TRIALS):
        some = {name: torch.rand_like(value) for name, value in like.items()}
        wanted = process({name: value.clone() for name, value in some.items()})
        if not all(_close(wanted[name], found(name, some[name])) for name in like):
            return None
    return found


def _alike(came: object, wanted: Tensor) -> bool:
    return isinstance(came, Tensor) and came.shape == wanted.shape and came.dtype == wanted.dtype


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE)


def _thin(value: Tensor) -> Tensor:
    """Return one number a channel, if every element of a channel has the same."""
    if value.ndim != 4:
        return value
    first = value[..., :1, :1]
    return first.contiguous() if torch.equal(first.expand_as(value), value) else value
