"""One demonstration: Meta-World's scripted expert acts, and what it sees and does is kept.

The expert is a function of the present state, so it can be pushed off its path: what is
executed is its action and a slow disturbance, what is kept is the action (Laskey et al., 2017:
DART).  So the data hold ways back onto the path, and only those that ended in success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lam_policies.training.projection import Pinhole
from lam_ros.core.types import FloatArray, ImageArray

if TYPE_CHECKING:
    from lam_sim.metaworld.env import YardstickEnv

KEPT_FROM_STEP_TO_STEP = 0.9
"""How slowly the disturbance changes."""


@dataclass(frozen=True)
class Demonstration:
    """T steps of an episode that succeeded, of which N are pictured; see `Frames`.

    Attributes:
        state: hand position [m] and opening, shape (T, 4).
        action: what the expert did, in -1 to 1, shape (T, 4).
        places_m: object and goal in the world's frame, shape (T, 2, 3).
        pictures: shape (N, 3, S, S), of every `stride`-th step.
        pixels: where object and goal are in them, shape (N, 1, 2, 3).
    """

    state: FloatArray
    action: FloatArray
    places_m: FloatArray
    pictures: ImageArray
    pixels: FloatArray


def demonstrate(env: YardstickEnv, seed: int, *, noise: float, stride: int) -> Demonstration | None:
    """Let the expert do the task from a seed; None if it failed.

    Args:
        env: the task.
        seed: of the goals, and of the disturbance.
        noise: standard deviation of the disturbance of the hand's shift, in action units.
        stride: every how many steps a picture is kept.
    """
    env.reset(seed=seed)
    rng = np.random.default_rng([seed, 0xD157])
    pushed = np.zeros(3)
    fresh = noise * np.sqrt(1 - KEPT_FROM_STEP_TO_STEP**2)
    states, actions, places, pictures, pixels = [], [], [], [], []
    for step in range(env.longest):
        states.append(env.sees)
        places.append(np.stack([env.object_m, env.target_m]))
        if step % stride == 0:
            pictures.append(env.picture().transpose(2, 0, 1))
            pixels.append(_camera(env).see(places[-1])[None])
        action = env.expert_action()
        actions.append(action)
        pushed = KEPT_FROM_STEP_TO_STEP * pushed + fresh * rng.standard_normal(3)
        executed = np.clip(action + np.append(pushed, 0.0), -1.0, 1.0)
        if env.step(executed.astype(np.float32))[4]["is_success"]:
            return Demonstration(*map(np.array, (states, actions, places, pictures, pixels)))
    return None


def _camera(env: YardstickEnv) -> Pinhole:
    return Pinhole(*env.camera_pose())
