"""From pictures, joint positions and a sentence to joint targets in radians."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from lam_network.network import LamNetwork, NetworkOutput
from lam_network.sizes import LamSizes
from lam_network.statistics import ActionStatistics
from lam_network.tokenizer import Tokenizer

STATE = "observation.state"
"""LeRobot's name of the joint positions, shape (B, J) [rad]."""

Shapes = Mapping[str, tuple[int, ...]]


class Acting(nn.Module):
    """The network with its words and statistics; `build` makes them, named as in a checkpoint.

    Attributes:
        cameras: feature name -> shape of its pictures (channels, rows, columns), in the
            order in which the network takes them.
    """

    cameras: Shapes
    tokenizer: Tokenizer
    network: LamNetwork
    statistics: ActionStatistics

    def build(
        self, sizes: LamSizes, cameras: Shapes, n_joints: int, calibration_samples: int = 0
    ) -> None:
        """Make the modules, with random weights.

        Args:
            sizes: what the network is made of.
            cameras: see the class.
            n_joints: joints of the arm, the gripper's among them (J).
            calibration_samples: see `ActionStatistics`.
        """
        self.cameras = dict(cameras)
        self.tokenizer = Tokenizer(sizes.text_buckets, sizes.text_max_words, sizes.text_max_pieces)
        self.network = LamNetwork(sizes.shape(len(cameras), n_joints))
        self.statistics = ActionStatistics(
            sizes.chunk_size, n_joints, tuple(sizes.absolute_joints), calibration_samples
        )

    def words(self, pieces: Tensor) -> Tensor:
        """Return the sentence vectors of piece ids, shape (B, W, P); may be kept."""
        vectors: Tensor = self.network.text(pieces)
        return vectors

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Return the sentence vectors of texts, shape (N, D)."""
        pieces = torch.from_numpy(self.tokenizer.encode_batch(sentences))
        return self.words(pieces.to(self.statistics.state_mean.device))

    def infer(self, batch: Mapping[str, Tensor], words: Tensor) -> Tensor:
        """Return joint targets in radians, shape (B, H, J), for kept sentence vectors.

        Args:
            batch: pictures (B, 3, rows, columns), bytes or floats in [0, 1], by camera, and
                the joint positions under `STATE`.
            words: of `encode`, shape (B, D).
        """
        state = batch[STATE].float()
        return self.statistics.denormalize(self.run(batch, state, words).chunk, state)

    def run(
        self, batch: Mapping[str, Tensor], state: Tensor, words: Tensor, keep: Tensor | None = None
    ) -> NetworkOutput:
        """Return everything that the network says; `keep` (B, 1) is 0 where no state is told."""
        images = [_centred(batch[name]) for name in self.cameras]
        out: NetworkOutput = self.network(
            images, self.statistics.normalize_state(state), words, keep
        )
        return out


def acting_from(config: Mapping[str, Any]) -> Acting:
    """Return what a checkpoint's `config.json` describes, with random weights.

    Raises:
        ValueError, TypeError, KeyError: if it describes none.
    """
    names = {field.name for field in fields(LamSizes)}
    sizes = LamSizes(**{name: value for name, value in config.items() if name in names})
    sizes.check_sizes()
    inputs: Mapping[str, Any] = config["input_features"]
    cameras = {n: tuple(f["shape"]) for n, f in inputs.items() if f["type"] == "VISUAL"}
    acting = Acting()
    acting.build(sizes, cameras, int(inputs[STATE]["shape"][0]))
    return acting


def _centred(image: Tensor) -> Tensor:
    """Return a picture in [-1, 1], from bytes or from floats in [0, 1]."""
    quick = torch.is_autocast_enabled(image.device.type)
    if image.dtype == torch.uint8:  # bytes are exact in bfloat16
        image = image.to(torch.bfloat16 if quick else torch.float32)
        return image.mul_(1 / 127.5).sub_(1)
    return image * 2 - 1
