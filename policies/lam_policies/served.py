"""What serving a policy means, whoever made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ActionChunk, Observation


@dataclass(frozen=True)
class PolicyInfo:
    """What a policy is.

    Attributes:
        policy_id: name and short hash of the weights.
        skills: skills that it was trained for.
        horizon: rows of a chunk (H).
        dt_ns: time between two rows.
        robot: the robot that it was trained on.
        looks_back: whether it wants the observations before this one, too.
    """

    policy_id: str
    skills: tuple[str, ...]
    horizon: int
    dt_ns: int
    robot: RobotDescription
    looks_back: bool = False

    def chunk(
        self, observation: Observation, targets_rad: np.ndarray, sequence: int
    ) -> ActionChunk:
        """Return targets, shape (H, J), as this policy's chunk for what was seen."""
        return ActionChunk(
            obs_stamp_ns=observation.stamp_ns,
            dt_ns=self.dt_ns,
            joint_names=self.robot.joint_names,
            targets_rad=targets_rad,
            policy_id=self.policy_id,
            sequence=sequence,
        )


class LoadedPolicy(Protocol):
    """A policy that is ready to answer."""

    @property
    def info(self) -> PolicyInfo:
        """What the policy is."""
        ...

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return joint targets for what is seen and said."""
        ...

    def infer_batch(
        self, observations: Sequence[Observation], prompts: Sequence[str]
    ) -> list[ActionChunk]:
        """Return a chunk for each observation with its prompt."""
        ...

    def observe(self, observation: Observation) -> None:
        """Remember an observation that is not asked about; a policy may look back."""
        ...

    def warm_up(self) -> None:
        """Do what is slow the first time."""
        ...

    def reset(self) -> None:
        """Start a new task: forget everything about the one before."""
        ...


def seen_by(observation: Observation, camera: str, size: tuple[int, int, int]) -> np.ndarray:
    """Return a camera's picture, shape (H, W, 3).

    Raises:
        ValueError: if it is missing or has another size.
    """
    picture = observation.images.get(camera)
    if picture is None:
        raise ValueError(f"camera '{camera}' is missing in the observation")
    if picture.shape != size:
        raise ValueError(f"camera '{camera}': shape {picture.shape} came, {size} is needed")
    return picture
