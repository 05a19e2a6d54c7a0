"""What serving a policy means, whoever made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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
