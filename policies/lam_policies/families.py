"""What data are collected of: families of scenes, one for each group of skills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from lam_ros.core.errors import DataError, unknown_name
from lam_ros.evaluation.settings import load_settings
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import TRAINING_MIX, Episode, TaskType, sample_episode

PLACING = "placing"
"""Picking and placing, stacking among it: the family of the first checkpoints."""

SHARES: Mapping[str, float] = MappingProxyType(
    {
        PLACING: 0.40,
        "drawer": 0.13,
        "push": 0.11,
        "sweep": 0.11,
        "button": 0.06,
        "home": 0.04,
        "chains": 0.15,
    }
)
"""Share of each family where all are collected; all but placing are suites of `lam eval`."""

_ROAMING = 0.15


@dataclass(frozen=True)
class Family:
    """A family of scenes, what is done in them, and how much of the data it makes.

    Attributes:
        scene: what the scenes can be.
        mix: share of each type of task.
        share: of all seeds.
        chain: steps done one after the other in each scene; 0 for single steps.
    """

    name: str
    scene: SceneConfig
    mix: Mapping[TaskType, float]
    share: float
    chain: int = 0

    def episode(self, seed: int) -> Episode:
        """Return the episode of a seed."""
        return sample_episode(self.scene, seed, self.mix)


def families(
    names: Sequence[str], camera: float = 1.0, alike_distractors: bool = False
) -> tuple[Family, ...]:
    """Return families by name; `all` stands for every one.

    Args:
        names: of `SHARES`.
        camera: how strongly the cameras' places vary, as in `Randomization`.
        alike_distractors: whether distractors may have the colours of what tasks name, too.

    Raises:
        DataError: if a name is unknown.
    """
    chosen = tuple(SHARES) if "all" in names else tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in SHARES:
            raise DataError(unknown_name("family of skills", name, [*SHARES, "all"]))
    return tuple(_varied(_family(name), camera, alike_distractors) for name in chosen)


def _family(name: str) -> Family:
    if name == PLACING:
        return Family(name, SceneConfig(), TRAINING_MIX, SHARES[name])
    suite = load_settings([f"suite={name}"]).suite
    scene = replace(suite.scene, roaming_start_probability=_ROAMING)
    return Family(name, scene, suite.mix, SHARES[name], suite.chain)


def _varied(family: Family, camera: float, alike_distractors: bool) -> Family:
    scene = family.scene
    scene = replace(scene, randomization=replace(scene.randomization, camera=camera))
    if alike_distractors:
        colors = (*scene.distractor_colors, *scene.cube_colors)
        scene = replace(scene, distractor_colors=colors)
    return replace(family, scene=scene)


def family_of(seed: int, among: Sequence[Family]) -> Family:
    """Return the family that a seed belongs to, drawn by the shares."""
    if len(among) == 1:
        return among[0]
    shares = np.array([family.share for family in among])
    index = np.random.default_rng([seed, 0xFA3]).choice(len(among), p=shares / shares.sum())
    return among[int(index)]
