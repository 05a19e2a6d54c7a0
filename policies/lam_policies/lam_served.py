"""The lam policy, ready to answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from lam_network.acting import STATE, Acting
from lam_policies.compiling import Compiled, compile_for, compiled
from lam_policies.engine import Engine, engine_for
from lam_policies.served import PolicyInfo, seen_by
from lam_ros.core.types import ActionChunk, Observation

PROMPTS_KEPT = 256
WARM_UP_ROUNDS = 3


class LamServed:
    """Answers with chunks; keeps the encodings of the last prompts."""

    def __init__(self, policy: Acting, info: PolicyInfo, device: torch.device) -> None:
        """Serve a policy whose weights are in place."""
        self._policy = policy
        self._info = info
        self._device = device
        self._sequence = 0
        self._engine: Engine | Compiled | None = None
        self._words = lru_cache(maxsize=PROMPTS_KEPT)(self._encode)

    @property
    def info(self) -> PolicyInfo:
        """What the policy is."""
        return self._info

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return joint targets for what is seen and said.

        Raises:
            ValueError: if a camera is missing or a picture has the wrong size.
        """
        return self.infer_batch([observation], [prompt])[0]

    def observe(self, observation: Observation) -> None:
        """Do nothing: this policy does not look back."""

    @torch.inference_mode()
    def infer_batch(
        self, observations: Sequence[Observation], prompts: Sequence[str]
    ) -> list[ActionChunk]:
        """Return a chunk for each observation with its prompt.

        Raises:
            ValueError: if a camera is missing or a picture has the wrong size.
        """
        robot = self._info.robot
        batch = {STATE: self._tensor(np.stack([o.state_rad for o in observations])).float()}
        for camera in robot.cameras:
            size = (camera.height_px, camera.width_px, 3)
            pictures = np.stack([seen_by(o, camera.name, size) for o in observations])
            name = robot.image_feature(camera.name)
            batch[name] = self._tensor(pictures).permute(0, 3, 1, 2).contiguous()
        words = torch.cat([self._words(prompt) for prompt in prompts])
        network = self._engine if self._engine and len(words) == 1 else self._policy
        targets_rad = network.infer(batch, words).cpu().double().numpy()
        targets_rad = np.clip(targets_rad, robot.lower_rad, robot.upper_rad)
        return [
            self._chunk(observation, targets)
            for observation, targets in zip(observations, targets_rad, strict=True)
        ]

    def warm_up(self) -> None:
        """Do what is slow the first time: among it, plan the network for one observation."""
        robot = self._info.robot
        self._engine = self._engine or engine_for(self._policy) or self._compiled()
        images = {
            camera.name: np.zeros((camera.height_px, camera.width_px, 3), np.uint8)
            for camera in robot.cameras
        }
        observation = Observation(0, np.array(robot.poses.home_rad), images)
        for _ in range(WARM_UP_ROUNDS):
            self.infer(observation, "")
        self.reset()

    @torch.inference_mode()
    def _compiled(self) -> Compiled | None:
        """Return the network compiled, on a device where that is a gain and if it goes."""
        robot = self._info.robot
        batch = {STATE: self._tensor(np.array([robot.poses.home_rad], np.float32))}
        for camera in robot.cameras:
            grey = np.full((1, 3, camera.height_px, camera.width_px), 127, np.uint8)
            batch[robot.image_feature(camera.name)] = self._tensor(grey)
        words, ask = self._words(""), self._policy.infer
        quick = compiled(ask, lambda asked: asked(batch, words), compile_for(self._device))
        return None if quick is ask else Compiled(quick)

    def reset(self) -> None:
        """Start a new task: chunks count from 0 again."""
        self._sequence = 0

    def _encode(self, prompt: str) -> Tensor:
        return self._policy.encode([prompt])

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self._device)

    def _chunk(self, observation: Observation, targets_rad: np.ndarray) -> ActionChunk:
        chunk = self._info.chunk(observation, targets_rad, self._sequence)
        self._sequence += 1
        return chunk
