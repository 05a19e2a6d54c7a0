"""The state of a run on disk: everything that is needed to go on as if never stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lam_ros.core.errors import CheckpointError

STATE_FILE = "state.pt"


@dataclass
class RunState:
    """Where a run stands.

    Attributes:
        step: optimiser steps done.
        trained_s: seconds spent training, over all resumptions.
        curve: rows of (step, trained_s, loss, action loss).
    """

    step: int = 0
    trained_s: float = 0.0
    curve: list[tuple[int, float, float, float]] = field(default_factory=list)

    def share_done(self, steps: int, budget_minutes: float) -> float:
        """Return how much of the run is done, 0 to 1: of the steps, or without any of the time."""
        if steps:
            return min(1.0, self.step / steps)
        return min(1.0, self.trained_s / (60 * budget_minutes))


class Average:
    """Exponential moving average of a module's parameters."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        """Start at the present weights."""
        self.decay = decay
        self.values = [parameter.detach().clone() for parameter in module.parameters()]

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Follow the module; faster in the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, _data(module.parameters()), 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Write the average into a module of the same kind."""
        for parameter, value in zip(module.parameters(), self.values, strict=True):
            parameter.copy_(value)


def fitting(taken: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return those of a checkpoint's weights that a network has, too, in the same shape."""
    return {k: v for k, v in taken.items() if k in own and own[k].shape == v.shape}


def save(
    folder: Path,
    state: RunState,
    module: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the state so that a kill at any time leaves the old or the new one, whole."""
    content = {
        "step": state.step,
        "trained_s": state.trained_s,
        "curve": state.curve,
        "module": module.state_dict(),
        "average": average.values,
        "optimizer": optimizer.state_dict(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / (STATE_FILE + ".part")
    with part.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / STATE_FILE)


def load(
    folder: Path, module: nn.Module, average: Average, optimizer: torch.optim.Optimizer
) -> RunState:
    """Take up the state of a run; a folder without one gives the state of a new run.

    Raises:
        CheckpointError: if there is a state and it cannot be read or does not fit.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return RunState()
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict(content["module"])
        optimizer.load_state_dict(content["optimizer"])
        for kept, value in zip(average.values, content["average"], strict=True):
            kept.copy_(value)
    except (RuntimeError, KeyError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"run {folder}: its state cannot be taken up ({reason}); choose another out= folder, "
            "or the settings that the run was started with"
        ) from error
    curve = [tuple(row) for row in content["curve"]]
    return RunState(content["step"], content["trained_s"], curve)


def _data(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.detach() for parameter in parameters]
