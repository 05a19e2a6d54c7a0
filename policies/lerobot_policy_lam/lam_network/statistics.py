"""What is usual: centre and scale of states and of chunks, by step and joint."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MIN_SCALE_RAD = 0.01
PLACE_UNIT_M = 0.05
NEAR_UNIT_M = 0.01


class ActionStatistics(nn.Module):
    """Turns chunks in radians into numbers about 1 and back.

    Arm joints are differences from the present position; `absolute_joints` are not.
    Set at once by `set_chunks`, or gathered from the first batches by `observe`.
    """

    state_mean: Tensor
    state_std: Tensor
    center: Tensor
    scale: Tensor
    relative: Tensor
    n_seen: Tensor

    def __init__(
        self, horizon: int, n_joints: int, absolute_joints: tuple[int, ...], wanted_samples: int
    ) -> None:
        """Start without statistics: centre 0, scale 1."""
        super().__init__()
        self.wanted_samples = wanted_samples
        relative = torch.ones(n_joints)
        relative[list(absolute_joints)] = 0
        self.register_buffer("relative", relative)
        self.register_buffer("state_mean", torch.zeros(n_joints))
        self.register_buffer("state_std", torch.ones(n_joints))
        self.register_buffer("center", torch.zeros(horizon, n_joints))
        self.register_buffer("scale", torch.ones(horizon, n_joints))
        self.register_buffer("n_seen", torch.zeros(()))

    @property
    def is_calibrated(self) -> bool:
        """Tell whether enough samples have been seen."""
        return bool(self.n_seen >= self.wanted_samples)

    def set_state(self, mean_rad: Tensor, std_rad: Tensor) -> None:
        """Set the state's statistics, shape (J,)."""
        self.state_mean.copy_(mean_rad.float())
        self.state_std.copy_(std_rad.float().clamp(min=MIN_SCALE_RAD))

    def set_chunks(self, center_rad: Tensor, scale_rad: Tensor) -> None:
        """Set the chunks' statistics, shape (H, J), once and for all."""
        self.center.copy_(center_rad.float())
        self.scale.copy_(scale_rad.float().clamp(min=MIN_SCALE_RAD))
        self.n_seen.fill_(self.wanted_samples)

    @torch.no_grad()
    def observe(self, state_rad: Tensor, action_rad: Tensor) -> None:
        """Gather statistics from a batch: shapes (B, J) and (B, H, J); NaN where nobody acts."""
        acts = action_rad.isfinite().flatten(1).all(1)
        if not acts.any():
            return
        state_rad, action_rad = state_rad[acts], action_rad[acts]
        differences = action_rad - (state_rad * self.relative)[:, None]
        weight = len(state_rad) / (self.n_seen + len(state_rad))
        shift = differences.mean(0) - self.center
        old, new = self.scale.square(), differences.var(0, unbiased=False)
        variance = torch.lerp(old, new, weight) + weight * (1 - weight) * shift.square()
        self.center.add_(shift * weight)
        self.scale.copy_(variance.sqrt().clamp(min=MIN_SCALE_RAD))
        self.n_seen.add_(len(state_rad))

    def normalize_state(self, state_rad: Tensor) -> Tensor:
        """Return the state about 0 with spread about 1, shape (B, J)."""
        return (state_rad - self.state_mean) / self.state_std

    def normalize(self, action_rad: Tensor, state_rad: Tensor) -> Tensor:
        """Return the network's numbers for chunks of shape (B, H, J)."""
        return (action_rad - (state_rad * self.relative)[:, None] - self.center) / self.scale

    def denormalize(self, chunk: Tensor, state_rad: Tensor) -> Tensor:
        """Return joint targets in radians, shape (B, H, J)."""
        return chunk * self.scale + self.center + (state_rad * self.relative)[:, None]

    @staticmethod
    def normalize_place(place_m: Tensor) -> Tensor:
        """Return places in units that the position heads predict, shape (B, 3)."""
        return place_m / PLACE_UNIT_M

    @staticmethod
    def normalize_near(offset_m: Tensor) -> Tensor:
        """Return offsets from the tool, in centimetres near it and compressed far from it."""
        return torch.asinh(offset_m / NEAR_UNIT_M)
