"""The training data in memory: what one batch is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lam_ros.core import language
from lam_ros.core.skills import StepWords

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

REST_RAD = 0.05
"""How far from where it ends an arm stands there: gravity keeps it from getting all the way."""

Said = StepWords | str
"""A step, which can be said in many ways, or a sentence of somebody else's."""


@dataclass(frozen=True)
class Frames:
    """Episodes laid end to end; R rows at the control rate, N of them with pictures.

    Attributes:
        pictures: camera -> memory map, uint8, shape (N, 3, H, W).
        picture_row: the row of each picture, shape (N,).
        state_rad, action_rad: shape (R, J); action NaN where nobody acted, and the
            pictures only show where things are.
        episode_end: for each row, one past the last row of its episode, shape (R,).
        progress: for each row, the share of its episode that is over, shape (R,).
        said: the steps that are said, or sentences that are read as they are; and for each
            row which, shape (R,).
        said_index: see `said`.
        places_m: position of the named object and of the named target in the base
            frame, shape (R, 2, 3); NaN where not known.
        yaw_rad: the named object's rotation about z, shape (R,); NaN where not known.
        pixels: by camera, where both are seen: x, y in [-1, 1], 1 if visible; shape
            (N, cameras, 2, 3).
        made: how the data were made, for the record: name, seeds.
    """

    pictures: Mapping[str, npt.NDArray[np.uint8]]
    picture_row: Ints
    state_rad: Floats
    action_rad: Floats
    episode_end: Ints
    progress: Floats
    said: tuple[Said, ...]
    said_index: Ints
    places_m: Floats
    yaw_rad: Floats
    pixels: Floats
    made: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of samples: rows with pictures."""
        return len(self.picture_row)

    @property
    def n_episodes(self) -> int:
        """Return the number of episodes."""
        return len(np.unique(self.episode_end))


@dataclass(frozen=True)
class Sample:
    """One batch of B samples, as plain arrays; see `Frames` for the meaning."""

    pictures: Mapping[str, npt.NDArray[np.uint8]]
    state_rad: Floats
    chunk_rad: Floats
    prompts: tuple[str, ...]
    said: tuple[Said, ...]
    places_m: Floats
    yaw_rad: Floats
    pixels: Floats
    progress: Floats


def chunk_rows(frames: Frames, rows: Ints, horizon: int) -> Ints:
    """Return the rows of each chunk, shape (B, horizon); the last row of an episode repeats."""
    ahead = rows[:, None] + np.arange(horizon)
    return np.minimum(ahead, frames.episode_end[rows][:, None] - 1)


def fewer_rests(frames: Frames, share: float) -> Ints:
    """Return the samples that are left if only a share is kept of those at rest to the end.

    A demonstration ends with the arm standing, done; where a scene looks done and is not,
    one begins with it standing.  As many as there are of the first, a policy stands there, too.

    Args:
        frames: the data, N samples.
        share: from 0, none of them, to 1, all.
    """
    rests = np.flatnonzero(_are_at_rest(frames)[frames.picture_row])
    kept = np.diff(np.floor(np.arange(len(rests) + 1) * share)) > 0
    return np.delete(np.arange(len(frames)), rests[~kept])


def _are_at_rest(frames: Frames) -> npt.NDArray[np.bool_]:
    """Tell for each row whether the arm stands where the last row of its episode wants it."""
    last = frames.action_rad[frames.episode_end - 1]
    away = np.maximum(np.abs(frames.action_rad - last), np.abs(frames.state_rad - last)).max(1)
    is_there = away < REST_RAD
    moves = np.flatnonzero(~is_there)  # also where nobody acts: NaN is not less
    last_move = np.full(len(is_there) + 1, -1)
    ends = frames.episode_end[moves]
    np.maximum.at(last_move, ends, moves)
    return np.arange(len(is_there)) > last_move[frames.episode_end]


def draw(
    frames: Frames,
    batch_size: int,
    horizon: int,
    rng: np.random.Generator,
    split: language.Split,
    among: Ints | None = None,
) -> Sample:
    """Return a batch of samples drawn with equal chance, each in fresh words.

    `among` are the indices that are drawn from, all if None.
    """
    indices = rng.integers(len(frames if among is None else among), size=batch_size)
    return take(frames, indices if among is None else among[indices], horizon, rng, split)


def take(
    frames: Frames, indices: Ints, horizon: int, rng: np.random.Generator, split: language.Split
) -> Sample:
    """Return the samples of the given picture indices, shape (B,)."""
    order = np.sort(indices)
    rows = frames.picture_row[order]
    said = tuple(frames.said[i] for i in frames.said_index[rows])
    return Sample(
        pictures={camera: stack[order] for camera, stack in frames.pictures.items()},
        state_rad=frames.state_rad[rows],
        chunk_rad=frames.action_rad[chunk_rows(frames, rows, horizon)],
        prompts=tuple(
            words if isinstance(words, str) else language.sample(words, rng, split)
            for words in said
        ),
        said=said,
        places_m=frames.places_m[rows],
        yaw_rad=frames.yaw_rad[rows],
        pixels=frames.pixels[order],
        progress=frames.progress[rows],
    )


def joined(samples: Sequence[Sample]) -> Sample:
    """Return several samples as one, in their order."""
    if len(samples) == 1:
        return samples[0]
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(sample, name) for sample in samples])
        for name in ("state_rad", "chunk_rad", "places_m", "yaw_rad", "pixels", "progress")
    }
    return Sample(
        pictures={
            camera: np.concatenate([sample.pictures[camera] for sample in samples])
            for camera in samples[0].pictures
        },
        prompts=tuple(prompt for sample in samples for prompt in sample.prompts),
        said=tuple(words for sample in samples for words in sample.said),
        **whole,
    )


def chunk_statistics(
    parts: Sequence[Frames],
    horizon: int,
    absolute_joints: tuple[int, ...],
    n_samples: int = 50_000,
) -> tuple[Floats, Floats]:
    """Return centre and scale of the chunks, each of shape (horizon, J), in radians."""
    rng, total, found = np.random.default_rng(0), sum(map(len, parts)), []
    for frames in parts:
        count = round(n_samples * len(frames) / total)
        rows = frames.picture_row[rng.integers(len(frames), size=count)]
        chunks = frames.action_rad[chunk_rows(frames, rows, horizon)]
        relative = np.ones(frames.state_rad.shape[1], np.float32)
        relative[list(absolute_joints)] = 0
        found.append(chunks - (frames.state_rad[rows] * relative)[:, None])
    together = np.concatenate(found)
    return together.mean(0), together.std(0)
