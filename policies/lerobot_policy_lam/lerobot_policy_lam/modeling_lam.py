"""The LAM policy behind LeRobot's interface."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_LANGUAGE_TOKENS, OBS_STATE
from torch import Tensor, nn

from lam_network.acting import Acting
from lam_network.network import NetworkOutput
from lerobot_policy_lam.configuration_lam import LamConfig

OBJECT_M = "lam.object_m"
TARGET_M = "lam.target_m"
NEAR_M = "lam.near_m"
TURN = "lam.turn"
PIXELS = "lam.pixels"
SLOTS = "lam.slots"
PROGRESS = "lam.progress"
READ_TOKENS = "lam.read_tokens"
READ_SLOTS = "lam.read_slots"
"""Keys of a batch that teach the auxiliary heads; each may be missing, or NaN in part.

`NEAR_M`, shape (B, 6): offsets of the object and of the target from the tool, about the
base's z turned into the tool's yaw.  `TURN`, shape (B, 2): cosine and sine of four times
the object's yaw seen from the tool, since a cube's four sides are alike.  `READ_TOKENS` and
`READ_SLOTS` are sentences without pictures, as many as one likes, and what they name.
"""

NO_SLOT = -1
ATTENTION_SIGMA = 0.06
"""Width of the attention that the network is taught, in half pictures."""


class LamPolicy(PreTrainedPolicy, Acting):
    """Pictures, joint positions and a sentence to a chunk of joint targets."""

    config_class = LamConfig
    name = "lam"

    def __init__(
        self,
        config: LamConfig,
        dataset_stats: Mapping[str, Mapping[str, Any]] | None = None,
        **kwargs: object,
    ) -> None:
        """Build the network that the configuration describes.

        Args:
            config: sizes, losses and features.
            dataset_stats: LeRobot's statistics; those of the state are used.
            kwargs: what LeRobot passes to every policy; not used.
        """
        super().__init__(config)
        config.validate_features()
        assert config.robot_state_feature is not None
        cameras = {name: tuple(f.shape) for name, f in config.image_features.items()}
        n_joints = config.robot_state_feature.shape[0]
        self.build(config, cameras, n_joints, config.calibration_samples)
        if dataset_stats and OBS_STATE in dataset_stats:
            self.statistics.set_state(
                torch.as_tensor(dataset_stats[OBS_STATE]["mean"]),
                torch.as_tensor(dataset_stats[OBS_STATE]["std"]),
            )
        self.reset()

    def get_optim_params(self) -> list[dict[str, Any]]:
        """Return two groups: matrices, which decay, and the rest, which does not."""
        groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
        for name, parameter in self.named_parameters():
            groups[parameter.ndim > 1 and "table" not in name].append(parameter)
        return [
            {"params": groups[True]},
            {"params": groups[False], "weight_decay": 0.0},
        ]

    def reset(self) -> None:
        """Forget the rest of the last chunk."""
        self._queue: deque[Tensor] = deque()

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Return the training loss and its parts.

        `batch["action"]` has shape (B, H, J) in radians; see the keys above for what
        else may teach.
        """
        state = batch[OBS_STATE].float()
        if self.training and not self.statistics.is_calibrated:
            self.statistics.observe(state, batch[ACTION].float())
        state, keep = self._disturb(state)
        out = self.run(batch, state, self.network.text(self._drop_words(self._pieces(batch))), keep)
        wanted = self.statistics.normalize(batch[ACTION].float(), state)
        parts = {"action": _known_l1(out.chunk, wanted)}
        total = parts["action"]
        for name, weight, value in self._auxiliary(out, batch):
            parts[name] = value
            total = total + weight * value
        return total, {f"{name}_loss": float(value.detach()) for name, value in parts.items()}

    @torch.no_grad()
    def predict_action_chunk(self, batch: dict[str, Tensor], **kwargs: object) -> Tensor:
        """Return joint targets in radians, shape (B, H, J)."""
        self.eval()
        return self.infer(batch, self.words(self._pieces(batch)))

    @torch.no_grad()
    def select_action(self, batch: dict[str, Tensor], **kwargs: object) -> Tensor:
        """Return the next joint targets, shape (B, J)."""
        if not self._queue:
            chunk = self.predict_action_chunk(batch)[:, : self.config.n_action_steps]
            self._queue.extend(chunk.transpose(0, 1))
        return self._queue.popleft()

    def read(self, pieces: Tensor) -> list[Tensor]:
        """Return the logits of what sentences name, one tensor a slot, for pieces (B, W, P).

        While training some words are hidden, as they are beside pictures.
        """
        words = self.words(self._drop_words(pieces))
        return [head(words).float() for head in self.network.slots]

    def _pieces(self, batch: dict[str, Any]) -> Tensor:
        if OBS_LANGUAGE_TOKENS in batch:
            return batch[OBS_LANGUAGE_TOKENS]
        task = batch.get("task", "")
        n_samples = len(batch[OBS_STATE])
        sentences = [task] * n_samples if isinstance(task, str) else list(task)
        return torch.from_numpy(self.tokenizer.encode_batch(sentences)).to(batch[OBS_STATE].device)

    def _disturb(self, state: Tensor) -> tuple[Tensor, Tensor | None]:
        if not self.training:
            return state, None
        shape = (len(state), 1)
        noisy = torch.rand(shape, device=state.device) < 0.5
        noise = torch.randn_like(state) * self.config.state_noise * noisy
        keep = torch.rand(shape, device=state.device) >= self.config.state_dropout
        return state + noise, keep.float()

    def _drop_words(self, pieces: Tensor) -> Tensor:
        """Hide some whole words, so that their pieces learn to stand for them."""
        if not self.training:
            return pieces
        pieces = pieces.clone()
        hidden = torch.rand(pieces.shape[:2], device=pieces.device) < self.config.word_dropout
        pieces[..., 0].masked_fill_(hidden, 0)
        return pieces

    def _auxiliary(
        self, out: NetworkOutput, batch: dict[str, Tensor]
    ) -> Iterator[tuple[str, float, Tensor]]:
        for key, name, guess in (
            (OBJECT_M, "object", out.object_m),
            (TARGET_M, "target", out.target_m),
        ):
            if key in batch:
                wanted = self.statistics.normalize_place(batch[key].float())
                yield name, self.config.position_weight, _known_l1(guess, wanted)
        if NEAR_M in batch:
            offsets = self.statistics.normalize_near(batch[NEAR_M].float())
            wanted = torch.cat([offsets, batch[TURN].float()], dim=1)
            yield "near", self.config.near_weight, _known_l1(out.near, wanted)
        if PIXELS in batch:
            yield "pixels", self.config.pixel_weight, _attention_loss(out.attention, batch[PIXELS])
        if SLOTS in batch:
            yield "slots", self.config.slot_weight, _slots_loss(out.slots, batch[SLOTS])
        if READ_TOKENS in batch:
            guesses = self.read(batch[READ_TOKENS])
            yield "reading", self.config.reading_weight, _slots_loss(guesses, batch[READ_SLOTS])
        if PROGRESS in batch:
            yield "progress", self.config.progress_weight, _known_bce(out.progress, batch[PROGRESS])


def _known_l1(guess: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean distance over the samples whose place is known (not NaN)."""
    known = wanted.isfinite()
    distance = (guess - wanted.nan_to_num()).abs() * known
    return distance.sum() / known.sum().clamp(min=1)


def _known_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean cross-entropy over the samples whose class is known; 0 if none is."""
    total = F.cross_entropy(logits, wanted, ignore_index=NO_SLOT, reduction="sum")
    return total / (wanted != NO_SLOT).sum().clamp(min=1)


def _slots_loss(slots: Sequence[Tensor], wanted: Tensor) -> Tensor:
    """Return the entropies of what sentences name, summed; `wanted` has shape (B, slots)."""
    losses = [_known_entropy(logits, wanted[:, i].long()) for i, logits in enumerate(slots)]
    return torch.stack(losses).sum()


def _known_bce(logit: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean cross-entropy over the samples whose share is known (not NaN)."""
    known = wanted.isfinite()
    loss = F.binary_cross_entropy_with_logits(
        logit, wanted.float().nan_to_num(), weight=known.float(), reduction="sum"
    )
    return loss / known.sum().clamp(min=1)


def _attention_loss(attention: Sequence[Tensor], pixels: Tensor) -> Tensor:
    """Cross-entropy between the attention and a spot about where the thing is seen.

    `pixels` has shape (B, cameras, 2, 3): x and y in [-1, 1], and 1 where visible.
    """
    losses = []
    for i, log_attention in enumerate(attention):
        where, visible = pixels[:, i, :, :2].float(), pixels[:, i, :, 2].float()
        x = _spread(where[..., 0], log_attention.shape[3])
        y = _spread(where[..., 1], log_attention.shape[2])
        spot = y[..., :, None] * x[..., None, :]
        cross = -(spot * log_attention).sum((2, 3))
        losses.append((cross * visible).sum() / visible.sum().clamp(min=1))
    return torch.stack(losses).sum()


def _spread(where: Tensor, n_cells: int) -> Tensor:
    """Return how a spot about `where`, shape (B, 2), spreads over a side's cells."""
    cells = (torch.arange(n_cells, device=where.device) + 0.5) / n_cells * 2 - 1
    distance = (where[..., None] - cells).square()
    return (-distance / (2 * ATTENTION_SIGMA**2)).softmax(-1)
