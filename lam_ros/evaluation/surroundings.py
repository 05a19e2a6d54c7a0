"""What happens around a policy in one attempt: an axis's disturbances, and counted mishaps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.scene import Scene
from lam_ros.core.types import Observation
from lam_ros.evaluation.axes import Axis
from lam_sim.placement import PICK
from lam_sim.world import LockstepSim

Film = Callable[[LockstepSim], None]
"""Is shown the simulation at the cameras' rate."""

_LIMIT_RAD = 0.005
_CARRIED_M = 0.020
_FALLEN_M = 0.015
_FALL_NS = seconds_to_ns(0.4)
_KICK_AT_S = (0.4, 1.2)
_KICK_WAYS = 24
_KICK_REACHES_M = 0.035


class Surroundings:
    """Disturbs one attempt as an axis says, and counts what a safe arm would avoid."""

    def __init__(self, axis: Axis, seed: int, object_id: str, film: Film | None = None) -> None:
        """Draw when and how the attempt is disturbed; the same seed gives the same.

        Args:
            axis: what is made harder.
            seed: of the scene.
            object_id: what is kicked.
            film: is shown the simulation as it goes.
        """
        self._axis = axis
        self._rng = np.random.default_rng([seed, 0xA815])
        self._object_id = object_id
        self._film = film
        self._kick_after_ns = seconds_to_ns(self._rng.uniform(*_KICK_AT_S))
        self._ways_rad = self._rng.uniform(-math.pi, math.pi, _KICK_WAYS)
        self._start_ns: int | None = None
        self._kicked = not axis.kick_m_s
        self._counts = {"limits": 0, "collisions": 0, "drops": 0}
        self._before = {"limits": False, "collisions": False}
        self._carried: tuple[str, float] = ("", 0.0)
        self._let_go: tuple[str, float, int] = ("", 0.0, 0)

    @property
    def delay_ns(self) -> int:
        """How much later an answer arrives."""
        return seconds_to_ns(self._axis.delay_s)

    @property
    def mishaps(self) -> dict[str, int]:
        """How often each happened."""
        return dict(self._counts)

    def seen(self, observation: Observation) -> Observation:
        """Return what the policy is shown of an observation."""
        if not self._axis.joint_noise_rad:
            return observation
        noise = self._rng.normal(0.0, self._axis.joint_noise_rad, len(observation.state_rad))
        return Observation(observation.stamp_ns, observation.state_rad + noise, observation.images)

    def loses_answer(self) -> bool:
        """Tell whether the next answer gets lost."""
        return bool(self._axis.lost_share) and self._rng.random() < self._axis.lost_share

    def watch(self, sim: LockstepSim, scene: Scene) -> None:
        """Take in the present state, and act on it."""
        if self._start_ns is None:
            self._start_ns = scene.stamp_ns
        self._kick(sim, scene)
        joints, robot = sim.joint_state().position_rad, sim.robot
        near = (joints < robot.lower_rad + _LIMIT_RAD) | (joints > robot.upper_rad - _LIMIT_RAD)
        near[robot.gripper_index] = False
        self._count_start("limits", bool(near.any()))
        self._count_start("collisions", sim.strikes())
        self._count_drops(scene)
        if self._film is not None:
            self._film(sim)

    def _kick(self, sim: LockstepSim, scene: Scene) -> None:
        """Kick the object at its time, or once it is no longer held, to where it can be reached."""
        due = scene.stamp_ns - (self._start_ns or 0) >= self._kick_after_ns
        if self._kicked or not due or self._object_id not in scene or scene.held:
            return
        self._kicked = True
        x, y, _ = scene[self._object_id].position_m
        ends = [
            (x + _KICK_REACHES_M * math.cos(way), y + _KICK_REACHES_M * math.sin(way))
            for way in self._ways_rad
        ]
        way = next(
            (way for way, end in zip(self._ways_rad, ends, strict=True) if PICK.contains(end)),
            self._ways_rad[0],
        )
        speed = self._axis.kick_m_s
        sim.kick(self._object_id, (speed * math.cos(way), speed * math.sin(way)))

    def _count_start(self, name: str, now: bool) -> None:
        self._counts[name] += now and not self._before[name]
        self._before[name] = now

    def _count_drops(self, scene: Scene) -> None:
        """Count an object that was carried, and fell after the hand no longer held it."""
        if scene.held:
            self._carried = (scene.held, scene[scene.held].bottom_m)
            self._let_go = ("", 0.0, 0)
            return
        name, height_m = self._carried
        self._carried = ("", 0.0)
        if name and height_m > _CARRIED_M:
            self._let_go = (name, height_m, scene.stamp_ns)
        fallen, from_m, since_ns = self._let_go
        if not fallen:
            return
        if from_m - scene[fallen].bottom_m > _FALLEN_M + _room_below(scene, fallen):
            self._counts["drops"] += 1
            self._let_go = ("", 0.0, 0)
        elif scene.stamp_ns - since_ns > _FALL_NS:
            self._let_go = ("", 0.0, 0)


def _room_below(scene: Scene, object_id: str) -> float:
    """Return how far a thing may fall into what it is meant for: a bowl's or a drawer's depth."""
    item = scene[object_id]
    depths = [
        other.size_m[2]
        for other in scene.objects
        if other.kind in ("bowl", "drawer") and item.distance_xy_m(other) < other.radius_m
    ]
    return max(depths, default=0.0)
