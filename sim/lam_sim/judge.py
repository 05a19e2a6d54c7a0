"""Judging an attempt from ground truth: success, what was touched first, why it failed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.scene import Scene
from lam_ros.core.skills import TRAINED, Skill, Step, achieved, swept

LIFTED_M = 0.020
"""How far an object must rise to count as lifted."""

DISTURBED_M = 0.025
"""How far another object must move to count as disturbed."""


class Failure(StrEnum):
    """Why a task failed, in the order in which the judge asks."""

    WRONG_OBJECT = "wrong_object"
    NEVER_GRASPED = "never_grasped"
    DROPPED = "dropped"
    MISSED_TARGET = "missed_target"
    DISTURBED = "disturbed"
    TIMEOUT = "timeout"
    NOT_DONE = "not_done"


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt.

    Attributes:
        success: the goal held for long enough, with the gripper off the object.
        first_lifted: id of the object that was lifted first; empty if none was.
        named_first: whether that was the object that the task names.
        failure: why it failed; None on success.
        disturbed: objects that the task does not name and that moved.
        duration_s: from the start until success, or until now.
    """

    success: bool
    first_lifted: str
    named_first: bool
    failure: Failure | None
    disturbed: tuple[str, ...]
    duration_s: float


class Judge:
    """Watches one attempt at a step; show it the scene at every frame."""

    def __init__(self, step: Step, start: Scene, hold_s: float = 0.3) -> None:
        """Remember how things lay at the start.

        Args:
            step: what is to be done.
            start: ground truth before anything moved.
            hold_s: how long the goal must hold without the gripper.
        """
        self._step = step
        self._start = start
        self._hold_ns = seconds_to_ns(hold_s)
        self._since_ns: int | None = None
        self._success_ns: int | None = None
        self._first_lifted = ""
        self._was_held = False
        self._last = start

    @property
    def succeeded(self) -> bool:
        """Whether the goal has held for long enough, and still does."""
        return self._success_ns is not None

    def watch(self, scene: Scene) -> None:
        """Take in the present ground truth."""
        self._last = scene
        self._was_held = self._was_held or scene.held == self._step.object_id
        if not self._first_lifted:
            self._first_lifted = self._lifted(scene)
        if not achieved(self._step, scene):
            self._since_ns = self._success_ns = None
            return
        if self._since_ns is None:
            self._since_ns = scene.stamp_ns
        if self._success_ns is None and scene.stamp_ns - self._since_ns >= self._hold_ns:
            self._success_ns = scene.stamp_ns

    def outcome(self) -> Outcome:
        """Return the verdict on what was seen so far."""
        end_ns = self._success_ns if self._success_ns is not None else self._last.stamp_ns
        return Outcome(
            success=self.succeeded,
            first_lifted=self._first_lifted,
            named_first=self._first_lifted == self._step.object_id,
            failure=None if self.succeeded else self._failure(),
            disturbed=self._disturbed(),
            duration_s=(end_ns - self._start.stamp_ns) / seconds_to_ns(1.0),
        )

    def _lifted(self, scene: Scene) -> str:
        for item in scene.objects:
            if item.bottom_m - self._start[item.id].bottom_m > LIFTED_M and scene.held == item.id:
                return item.id
        return ""

    def _failure(self) -> Failure:
        if self._step.skill not in TRAINED:
            return Failure.DISTURBED if self._disturbed() else Failure.NOT_DONE
        if self._first_lifted and self._first_lifted != self._step.object_id:
            return Failure.WRONG_OBJECT
        if not self._first_lifted:
            return Failure.DISTURBED if self._disturbed() else Failure.NEVER_GRASPED
        if self._last.held == self._step.object_id:
            return Failure.TIMEOUT
        return Failure.MISSED_TARGET if self._is_near_target() else Failure.DROPPED

    def _is_near_target(self) -> bool:
        item, target = self._last[self._step.object_id], self._last[self._step.target_id]
        return item.distance_xy_m(target) < target.radius_m + item.radius_m + 0.03

    def _disturbed(self) -> tuple[str, ...]:
        named = {self._step.object_id, self._step.target_id}
        if self._step.skill is Skill.SWEEP:
            named |= {item.id for item in swept(self._step, self._start)}
        return tuple(
            item.id
            for item in self._last.objects
            if item.id not in named
            and math.dist(item.position_m, self._start[item.id].position_m) > DISTURBED_M
        )
