"""The network: pictures, joint positions and words in, a chunk of joint targets out.

Pure torch; `acting` gives it words and units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8

PLACES, NEAR = 6, 8
"""Numbers that say where things are in the base frame, and as the tool sees them."""


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the network; see `LamSizes` for their meaning."""

    n_cameras: int
    n_joints: int
    horizon: int
    widths: tuple[int, int, int]
    blocks: tuple[int, int, int]
    n_queries: int
    camera_dim: int
    hidden_dim: int
    hidden_blocks: int
    text_buckets: int
    text_max_words: int
    text_dim: int
    text_layers: int
    text_heads: int
    slot_sizes: tuple[int, ...]


@dataclass(frozen=True)
class NetworkOutput:
    """What one forward pass gives; B samples.

    Attributes:
        chunk: normalised joint targets, shape (B, H, J).
        object_m, target_m: where the named object and the named target are, in the
            base frame, shape (B, 3).
        near: the same as the tool sees them, shape (B, 8); see `LamPolicy`.
        progress: how much of the skill is done, logit, shape (B,).
        slots: one tensor of logits for each slot of the sentence.
        attention: log of the attention of the first two queries, by camera, shape
            (B, 2, rows, columns).
    """

    chunk: Tensor
    object_m: Tensor
    target_m: Tensor
    near: Tensor
    progress: Tensor
    slots: tuple[Tensor, ...]
    attention: tuple[Tensor, ...]


class TextEncoder(nn.Module):
    """A sentence's piece ids, shape (B, W, P), to a vector, shape (B, D)."""

    def __init__(self, shape: NetworkShape) -> None:
        """Make the tables and layers."""
        super().__init__()
        dim = shape.text_dim
        self.table = nn.Parameter(torch.randn(shape.text_buckets + 1, dim) * 0.3)
        self.position = nn.Parameter(torch.randn(shape.text_max_words, dim) * 0.1)
        self.layers = nn.ModuleList(
            TextLayer(dim, shape.text_heads) for _ in range(shape.text_layers)
        )
        self.pool = nn.Linear(dim, 4)
        self.out = nn.Linear(4 * dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the sentence vector; a sentence without words gives a constant one."""
        batch, n_words, n_pieces = pieces.shape
        used = pieces != 0
        rows = F.embedding_bag(
            pieces.reshape(-1, n_pieces), self.table, mode="sum", padding_idx=0
        ).view(batch, n_words, -1)
        rows = rows / used.sum(-1, keepdim=True).clamp(min=1).sqrt()
        is_word = used.any(-1)
        is_word[:, 0] = True
        x = rows + self.position[:n_words]
        mask = torch.where(is_word, 0.0, -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        scores = self.pool(x).float().masked_fill(~is_word[..., None], -1e4)
        weights = scores.softmax(1).to(x.dtype)
        pooled = torch.einsum("bwk,bwd->bkd", weights, x).flatten(1)
        return self.norm(self.out(pooled).float())


class TextLayer(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int) -> None:
        """Make the projections."""
        super().__init__()
        self.heads = heads
        self.norm_in = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.norm_mlp = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Attend among words; `mask`, shape (B, 1, 1, W), is added to the scores."""
        batch, n_words, dim = x.shape
        qkv = self.qkv(self.norm_in(x)).view(batch, n_words, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5 + mask  # quicker than fused here
        attended = scores.softmax(-1).to(v.dtype) @ v
        x = x + self.out(attended.transpose(1, 2).reshape(batch, n_words, dim))
        return x + self.down(F.gelu(self.up(self.norm_mlp(x))))


class FilmBlock(nn.Module):
    """A residual block whose first activation the words scale and shift."""

    def __init__(self, channels: int, text_dim: int) -> None:
        """Make the convolutions; the block starts as the identity."""
        super().__init__()
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm_in = nn.GroupNorm(GROUPS, channels)
        self.film = nn.Linear(text_dim, 2 * channels)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """Return x plus what the block adds, shape of x."""
        scale, shift = self.film(words)[:, :, None, None].chunk(2, dim=1)
        h = self.norm_in(self.conv_in(x))
        h = F.relu(torch.addcmul(shift.to(h.dtype), h, 1 + scale.to(h.dtype)))
        return F.relu(x + self.conv_out(h))


class CameraEncoder(nn.Module):
    """One camera's picture, shape (B, 3, H, W) in [-1, 1], and words to a vector."""

    def __init__(self, shape: NetworkShape) -> None:
        """Make the residual pyramid and the attention over it."""
        super().__init__()
        fine, middle, coarse = shape.widths
        text_dim = shape.text_dim
        self.stem = nn.Conv2d(12, fine, 3, stride=2, padding=1)
        self.stem_norm = nn.GroupNorm(GROUPS, fine)
        self.downs = nn.ModuleList(
            [
                nn.Conv2d(fine, middle, 3, stride=2, padding=1),
                nn.Conv2d(middle, coarse, 3, stride=2, padding=1),
            ]
        )
        self.stages = nn.ModuleList(
            nn.ModuleList(FilmBlock(width, text_dim) for _ in range(count))
            for width, count in zip(shape.widths, shape.blocks, strict=True)
        )
        self.dim = 48
        self.laterals = nn.ModuleList(nn.Conv2d(width, self.dim, 1) for width in shape.widths)
        self.map_norm = nn.GroupNorm(GROUPS, self.dim)
        self.n_queries = shape.n_queries
        self.queries = nn.Parameter(torch.randn(shape.n_queries, self.dim) * 0.3)
        self.query_of_words = nn.Linear(text_dim, shape.n_queries * self.dim)
        self.out = nn.Linear(shape.n_queries * (self.dim + 2) + coarse, shape.camera_dim)

    def forward(self, image: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features, shape (B, camera_dim), and the first queries' attention."""
        x = F.relu(self.stem_norm(self._begin(image)))
        levels = []
        for i, stage in enumerate(self.stages):
            if i:
                x = F.relu(self.downs[i - 1](x))
            for block in stage:
                x = block(x, words)
            levels.append(x)
        merged = self._merge(levels)
        attention, points, pooled = self._attend(merged, words)
        features = torch.cat([points.flatten(1), pooled.flatten(1), x.mean((2, 3))], dim=1)
        return F.relu(self.out(features)), attention[:, :2].unflatten(2, merged.shape[2:])

    def _begin(self, image: Tensor) -> Tensor:
        """Return the stem of a picture whose squares of 2 x 2 pixels lie behind each other.

        The same sums in one convolution of the picture as it is, which need not be moved.
        """
        weight = self.stem.weight.unflatten(1, (3, 2, 2)).permute(0, 1, 4, 2, 5, 3)
        weight = weight.flatten(4, 5).flatten(2, 3)
        return F.conv2d(image, weight, self.stem.bias, stride=4, padding=2)

    def _merge(self, levels: Sequence[Tensor]) -> Tensor:
        merged = self.laterals[-1](levels[-1])
        for level, lateral in zip(reversed(levels[:-1]), reversed(self.laterals[:-1]), strict=True):
            merged = F.interpolate(merged, scale_factor=2.0, mode="nearest") + lateral(level)
        return F.relu(self.map_norm(merged))

    def _attend(self, features: Tensor, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, dim, rows, columns = features.shape
        flat = features.flatten(2)
        queries = self.queries + self.query_of_words(words).view(batch, self.n_queries, dim)
        log_attention = torch.bmm(queries.to(flat.dtype), flat).float().log_softmax(-1)
        attention = log_attention.exp()
        pooled = torch.bmm(attention.to(flat.dtype), flat.transpose(1, 2)).float()
        return log_attention, attention @ _grid(rows, columns, attention.device), pooled


def _grid(rows: int, columns: int, device: torch.device) -> Tensor:
    """Return the (x, y) of each cell in [-1, 1], shape (rows * columns, 2)."""
    y = (torch.arange(rows, device=device) + 0.5) / rows * 2 - 1
    x = (torch.arange(columns, device=device) + 0.5) / columns * 2 - 1
    return torch.stack([x.repeat(rows), y.repeat_interleave(columns)], dim=1)


class MlpBlock(nn.Module):
    """A residual layer on a vector, scaled and shifted by the words."""

    def __init__(self, dim: int, text_dim: int) -> None:
        """Make the layers."""
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.film = nn.Linear(text_dim, 2 * dim)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """Return x plus what the layer adds, shape of x."""
        scale, shift = self.film(words).float().chunk(2, dim=1)
        h = torch.addcmul(shift, self.norm(x), 1 + scale)
        return x + self.down(F.relu(self.up(h))).float()


class LamNetwork(nn.Module):
    """Everything together."""

    def __init__(self, shape: NetworkShape) -> None:
        """Make one encoder a camera, the text encoder and the heads."""
        super().__init__()
        self.shape = shape
        self.text = TextEncoder(shape)
        self.cameras = nn.ModuleList(CameraEncoder(shape) for _ in range(shape.n_cameras))
        self.state = nn.Linear(shape.n_joints, 64)
        seen = shape.n_cameras * shape.camera_dim
        self.trunk_in = nn.Linear(seen + 64 + shape.text_dim, shape.hidden_dim)
        self.trunk = nn.ModuleList(
            MlpBlock(shape.hidden_dim, shape.text_dim) for _ in range(shape.hidden_blocks)
        )
        self.trunk_norm = nn.LayerNorm(shape.hidden_dim)
        self.chunk = nn.Linear(shape.hidden_dim, shape.horizon * shape.n_joints)
        # Where things are is said half-way, and what is said is read again.
        self.half_norm = nn.LayerNorm(shape.hidden_dim)
        self.where = nn.Linear(shape.hidden_dim, PLACES + NEAR)
        self.guide_in = nn.Linear(PLACES + NEAR + shape.n_joints, shape.hidden_dim)
        self.guide_out = nn.Linear(shape.hidden_dim, shape.hidden_dim)
        self.progress = nn.Linear(shape.hidden_dim, 1)
        self.slots = nn.ModuleList(nn.Linear(shape.text_dim, size) for size in shape.slot_sizes)

    def forward(
        self,
        images: Sequence[Tensor],
        state: Tensor,
        words: Tensor,
        keep_state: Tensor | None = None,
    ) -> NetworkOutput:
        """Run the network.

        Args:
            images: one tensor a camera, shape (B, 3, H, W), in [-1, 1].
            state: normalised joint positions, shape (B, J).
            words: the sentence vectors that `self.text` gives, shape (B, D).
            keep_state: 1 or 0 a sample, shape (B, 1): whether the state may be seen.
        """
        seen, attention = [], []
        for encoder, image in zip(self.cameras, images, strict=True):
            features, looked_at = encoder(image, words)
            seen.append(features.float())
            attention.append(looked_at)
        state_features = F.relu(self.state(state)).float()
        if keep_state is not None:
            state_features = state_features * keep_state
        h = self.trunk_in(torch.cat([*seen, state_features, words], dim=1)).float()
        half = len(self.trunk) // 2
        for block in self.trunk[:half]:
            h = block(h, words)
        where = self.where(F.relu(self.half_norm(h))).float()
        guide = F.relu(self.guide_in(torch.cat([where, state], dim=1)))
        h = h + self.guide_out(guide).float()
        for block in self.trunk[half:]:
            h = block(h, words)
        h = F.relu(self.trunk_norm(h))
        return NetworkOutput(
            chunk=self.chunk(h).float().view(len(h), self.shape.horizon, self.shape.n_joints),
            object_m=where[:, :3],
            target_m=where[:, 3:PLACES],
            near=where[:, PLACES:],
            progress=self.progress(h).float().squeeze(1),
            slots=tuple(head(words).float() for head in self.slots),
            attention=tuple(attention),
        )
