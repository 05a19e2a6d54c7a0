"""Batches for LeRobot's policies from decoded pictures: no video is opened while training."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor

from lam_policies.affine import Affine
from lam_policies.training.frames import Frames, Said
from lam_ros.core.robot import RobotDescription
from lam_ros.core.skills import canonical_prompt

Ints = npt.NDArray[np.int64]


class LerobotBatcher:
    """Draws batches as LeRobot's loader gives them; batch `step` depends on seed and step alone."""

    def __init__(
        self,
        parts: Sequence[Frames],
        robot: RobotDescription,
        cameras: Sequence[str],
        *,
        action_steps: Sequence[int],
        seen_steps: Sequence[int] | None,
        batch_size: int,
        seed: int,
        scaling: Affine | None,
    ) -> None:
        """Draw from `parts` in proportion to their samples.

        Args:
            parts: decoded data.
            robot: whose features are named.
            cameras: those that the policy looks through.
            action_steps, seen_steps: LeRobot's `action_delta_indices` and
                `observation_delta_indices`.
            batch_size: samples a batch.
            seed: of the drawing.
            scaling: LeRobot's normalisation; None leaves it to the policy's processor.
        """
        self._parts = tuple(parts)
        self._robot = robot
        self._cameras = tuple(cameras)
        self._action_steps = np.array(action_steps)
        self._seen_steps = None if seen_steps is None else np.array(seen_steps)
        self._batch_size = batch_size
        self._seed = seed
        self._scaling = scaling
        sizes = np.array([len(part) for part in parts], float)
        self._shares = sizes / sizes.sum()
        self._starts = [_episode_starts(part.episode_end) for part in parts]

    def batch(self, step: int) -> dict[str, Any]:
        """Return batch number `step`."""
        rng = np.random.default_rng((self._seed, step))
        counts = rng.multinomial(self._batch_size, self._shares)
        drawn = [
            self._take(k, rng.integers(len(self._parts[k]), size=count))
            for k, count in enumerate(counts)
            if count
        ]
        merged: dict[str, Any] = {
            name: torch.cat([batch[name] for batch in drawn]) for name in drawn[0] if name != "task"
        }
        for name, value in merged.items():
            if self._scaling is not None and name in self._scaling.scale:
                merged[name] = torch.addcmul(
                    self._scaling.shift[name], value, self._scaling.scale[name]
                )
        merged["task"] = [sentence for batch in drawn for sentence in batch["task"]]
        return merged

    def from_step(self, step: int) -> Generator[dict[str, Any]]:
        """Yield the batches from number `step` on, for ever; close it to stop the thread."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            ahead = [pool.submit(self.batch, step + i) for i in range(2)]
            while True:
                step += 1
                yield ahead.pop(0).result()
                ahead.append(pool.submit(self.batch, step + 1))

    def _take(self, part: int, indices: Ints) -> Mapping[str, Any]:
        frames, starts = self._parts[part], self._starts[part]
        rows = frames.picture_row[np.sort(indices)]
        first, end = starts[rows][:, None], frames.episode_end[rows][:, None]
        wanted = rows[:, None] + self._action_steps
        inside = np.clip(wanted, first, end - 1)
        seen = rows[:, None] + (np.array([0]) if self._seen_steps is None else self._seen_steps)
        seen = np.clip(seen, first, end - 1)
        batch: dict[str, Any] = {
            OBS_STATE: _once(torch.from_numpy(frames.state_rad[seen]), self._seen_steps),
            ACTION: torch.from_numpy(frames.action_rad[inside]),
            "action_is_pad": torch.from_numpy(wanted != inside),
            "task": [_sentence(frames.said[i]) for i in frames.said_index[rows]],
        }
        pictures = np.searchsorted(frames.picture_row, seen, side="right") - 1
        for camera in self._cameras:
            stack = torch.from_numpy(frames.pictures[camera][pictures.ravel()])
            floats = stack.float().div_(255).view(*pictures.shape, *stack.shape[1:])
            batch[self._robot.image_feature(camera)] = _once(floats, self._seen_steps)
        return batch


def _sentence(said: Said) -> str:
    return said if isinstance(said, str) else canonical_prompt(said)


def _once(value: Tensor, steps: Ints | None) -> Tensor:
    """Return a tensor without the axis of time, if the policy does not look back."""
    return value[:, 0] if steps is None else value


def _episode_starts(ends: Ints) -> Ints:
    """Return for each row the first row of its episode."""
    bounds = np.concatenate([[0], np.unique(ends)])
    starts: Ints = bounds[np.searchsorted(bounds, ends) - 1]
    return starts
