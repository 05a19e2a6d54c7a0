"""Batches as the policy reads them, prepared one ahead by a thread."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from lerobot.utils.constants import ACTION, OBS_LANGUAGE_TOKENS, OBS_STATE
from torch import Tensor

from lam_network.tokenizer import Tokenizer
from lam_policies.training.frames import Frames, Sample, draw, fewer_rests, joined
from lam_policies.training.near import ToolFrame
from lam_policies.training.reading import Reading, slot_labels
from lam_ros.core.robot import RobotDescription
from lerobot_policy_lam.configuration_lam import LamConfig
from lerobot_policy_lam.modeling_lam import (
    NEAR_M,
    OBJECT_M,
    PIXELS,
    PROGRESS,
    READ_SLOTS,
    READ_TOKENS,
    SLOTS,
    TARGET_M,
    TURN,
)

Batch = dict[str, Tensor]

SHIFT_PX = 1
"""Largest shift of a picture: as if the camera had been mounted a little differently."""

GAIN = 0.10
"""Usual change of a channel's brightness; the light common to all changes as much."""

OFFSET = 0.02
"""Usual shift of a channel, of the full range."""


class Batcher:
    """Draws batches; batch number `step` depends on the seed and the step alone."""

    def __init__(
        self,
        parts: Sequence[Frames],
        config: LamConfig,
        robot: RobotDescription,
        *,
        batch_size: int,
        seed: int,
        jitter: float,
        dtype: torch.dtype,
        rest_share: float = 1.0,
    ) -> None:
        """Draw from `parts` in proportion to their samples; see `fewer_rests`."""
        self.parts = tuple(parts)
        self.among = [fewer_rests(part, rest_share) for part in self.parts]
        self.config = config
        self.robot = robot
        self.batch_size = batch_size
        self.seed = seed
        self.jitter = jitter
        self.dtype = dtype
        self.tokenizer = Tokenizer(
            config.text_buckets, config.text_max_words, config.text_max_pieces
        )
        self.tool = ToolFrame.of(robot)
        self.reading = Reading.of(config)
        sizes = np.array([len(among) for among in self.among], float)
        self.shares = sizes / sizes.sum()

    def batch(self, step: int) -> Batch:
        """Return batch number `step`."""
        rng = np.random.default_rng((self.seed, step))
        counts = rng.multinomial(self.batch_size, self.shares)
        horizon = self.config.chunk_size
        drawn = [
            draw(part, int(count), horizon, rng, "train", among)
            for part, among, count in zip(self.parts, self.among, counts, strict=True)
            if count
        ]
        batch = self._tensors(joined(drawn), rng)
        batch[OBS_LANGUAGE_TOKENS] = as_long_as_needed(batch[OBS_LANGUAGE_TOKENS])
        if self.reading is not None:
            sentences, labels = self.reading.draw(self.batch_size, rng)
            pieces = torch.from_numpy(self.tokenizer.encode_batch(sentences))
            batch[READ_TOKENS] = as_long_as_needed(pieces)
            batch[READ_SLOTS] = torch.tensor(labels)
        return batch

    def from_step(self, step: int) -> Generator[Batch]:
        """Yield the batches from number `step` on, for ever; close it to stop the thread."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            ahead = [pool.submit(self.batch, step + i) for i in range(2)]
            while True:
                step += 1
                yield ahead.pop(0).result()
                ahead.append(pool.submit(self.batch, step + 1))

    def _tensors(self, sample: Sample, rng: np.random.Generator) -> Batch:
        if self.jitter:
            sample = shift(sample, self.robot.camera_names, rng)
        batch = to_batch(sample, self.config, self.robot, self.tokenizer)
        if self.tool is not None:
            offsets_m, turn = self.tool.see(sample.state_rad, sample.places_m, sample.yaw_rad)
            batch[NEAR_M], batch[TURN] = torch.from_numpy(offsets_m), torch.from_numpy(turn)
        for camera in self.robot.camera_names:
            name = self.robot.image_feature(camera)
            batch[name] = self._jitter(batch[name], rng)
        return batch

    def _jitter(self, pictures: Tensor, rng: np.random.Generator) -> Tensor:
        """Return bytes as numbers in about [0, 1] under a slightly different light."""
        shape = (len(pictures), 3, 1, 1)
        gain = 1 + GAIN * self.jitter * (
            rng.standard_normal((len(pictures), 1, 1, 1)) + 0.5 * rng.standard_normal(shape)
        )
        offset = OFFSET * self.jitter * rng.standard_normal(shape)
        scale = torch.from_numpy(np.clip(gain, 0.5, 1.6) / 255).to(self.dtype)
        return torch.addcmul(
            torch.from_numpy(offset).to(self.dtype), pictures.to(self.dtype), scale
        )


def as_long_as_needed(pieces: Tensor) -> Tensor:
    """Return the pieces of sentences, shape (B, W, P), without words that none of them has."""
    return pieces[:, : int(pieces.any(2).any(0).nonzero().max()) + 1]


def shift(sample: Sample, cameras: Sequence[str], rng: np.random.Generator) -> Sample:
    """Return a sample whose pictures are moved by some pixels, and the places in them too.

    A small turn of a camera does the same.  What remains in the picture of the arm still
    tells where the camera looks, so the true position of a thing stays as it is.
    """
    pictures, pixels = {}, sample.pixels.copy()
    for i, camera in enumerate(cameras):
        stack = sample.pictures[camera]
        count, _, height, width = stack.shape
        by_px = rng.integers(-SHIFT_PX, SHIFT_PX + 1, size=(count, 2))
        wide = np.pad(stack, ((0, 0), (0, 0), (SHIFT_PX, SHIFT_PX), (SHIFT_PX, SHIFT_PX)), "edge")
        moved = np.empty_like(stack)
        for k, (dx, dy) in enumerate(by_px):
            x, y = SHIFT_PX - dx, SHIFT_PX - dy
            moved[k] = wide[k, :, y : y + height, x : x + width]
        pictures[camera] = moved
        pixels[:, i, :, :2] += 2 * by_px[:, None] / np.array([width, height])
        pixels[:, i, :, 2] *= (np.abs(pixels[:, i, :, :2]) < 1).all(-1)
    return replace(sample, pictures=pictures, pixels=pixels)


def to_batch(
    sample: Sample, config: LamConfig, robot: RobotDescription, tokenizer: Tokenizer
) -> Batch:
    """Return a sample under the names that the policy reads; pictures stay bytes."""
    batch = {
        OBS_STATE: torch.from_numpy(sample.state_rad),
        ACTION: torch.from_numpy(sample.chunk_rad),
        OBS_LANGUAGE_TOKENS: torch.from_numpy(tokenizer.encode_batch(sample.prompts)),
        OBJECT_M: torch.from_numpy(sample.places_m[:, 0]),
        TARGET_M: torch.from_numpy(sample.places_m[:, 1]),
        PIXELS: torch.from_numpy(sample.pixels),
        PROGRESS: torch.from_numpy(sample.progress),
        SLOTS: torch.tensor([slot_labels(words, config) for words in sample.said]),
    }
    for camera, pictures in sample.pictures.items():
        batch[robot.image_feature(camera)] = torch.from_numpy(pictures)
    return batch
