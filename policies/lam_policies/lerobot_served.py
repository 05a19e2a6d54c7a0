"""Any policy of LeRobot's, ready to answer, with its own processors.

A chunk's row 0 is what LeRobot would do with this observation; it is reached one step
after it.  A policy that wants several observations gets those that were a step apart, as
in its training; while there are none yet, the first is repeated, as LeRobot does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_IMAGES, OBS_STATE
from torch import Tensor

from lam_policies.affine import Affine, affine_of
from lam_policies.compiling import Ask, compile_for, compiled
from lam_policies.folding import fold_norms
from lam_policies.precision import Precision
from lam_policies.processors import Processors
from lam_policies.realtime import RealTimeChunking
from lam_policies.served import PolicyInfo, seen_by
from lam_ros.core.types import ActionChunk, Observation

WARM_UP_ROUNDS = 2
_HISTORY = 64
_SLACK = 0.5


class LerobotServed:
    """Answers with chunks."""

    def __init__(
        self,
        policy: PreTrainedPolicy,
        processors: Processors,
        info: PolicyInfo,
        device: torch.device,
    ) -> None:
        """Serve a policy whose weights are in place."""
        self._policy = policy
        self._processors = processors
        self._info = info
        self._device = device
        self._sequence = 0
        self._n_seen = int(getattr(policy.config, "n_obs_steps", 1) or 1)
        self._seen: deque[Observation] = deque(maxlen=_HISTORY)
        robot = info.robot
        wanted = policy.config.image_features
        self._precision = Precision(device)
        self._cameras = [c for c in robot.cameras if robot.image_feature(c.name) in wanted]
        self._realtime: RealTimeChunking | None = None
        if RealTimeChunking.supports(policy, processors):
            self._realtime = RealTimeChunking(policy, info.horizon, info.dt_ns)
        self._ask: Ask = policy.predict_action_chunk
        # Real-time chunking asks for a gradient, which inference mode has no place for.
        self._no_grad = torch.no_grad if self._realtime else torch.inference_mode
        with self._no_grad():
            self._before, self._after = self._fold()
            fold_norms(policy, self._probe)
            self._precision.choose(policy, lambda: self._finished(self._probe()))
            if self._realtime is None:  # a rest of another length each time would be compiled anew
                self._ask = compiled(self._ask, self._answer_of, compile_for(device))

    @property
    def info(self) -> PolicyInfo:
        """What the policy is."""
        return self._info

    @property
    def policy(self) -> PreTrainedPolicy:
        """LeRobot's own object."""
        return self._policy

    @property
    def is_folded(self) -> bool:
        """True if the processors became one operation each."""
        return self._before is not None and self._after is not None

    @property
    def is_mixed(self) -> bool:
        """True if the heavy layers compute in bfloat16."""
        return self._precision.is_mixed

    @property
    def can_go_on(self) -> bool:
        """True if the next chunk can go on from the one that plays."""
        return self._realtime is not None

    def go_on_from(self, chunk: ActionChunk, late_ns: int) -> None:
        """Take the chunk that plays now, which came `late_ns` after its observation."""
        if self._realtime is not None:
            self._realtime.go_on_from(chunk, late_ns)

    def observe(self, observation: Observation) -> None:
        """Remember an observation for policies that look back."""
        if self._n_seen > 1 and (not self._seen or observation.stamp_ns > self._seen[-1].stamp_ns):
            self._seen.append(observation)

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return joint targets for what is seen and said.

        Raises:
            ValueError: if a camera is missing or a picture has the wrong size.
        """
        if self._n_seen == 1:
            return self.infer_batch([observation], [prompt])[0]
        self.observe(observation)
        steps = [self._batch([seen], [prompt]) for seen in self._look_back(observation)]
        return self._answer(steps, [observation])[0]

    def infer_batch(
        self, observations: Sequence[Observation], prompts: Sequence[str]
    ) -> list[ActionChunk]:
        """Return a chunk for each observation with its prompt, without looking back.

        Raises:
            ValueError: if a camera is missing or a picture has the wrong size.
        """
        return self._answer([self._batch(observations, prompts)] * self._n_seen, observations)

    def warm_up(self) -> None:
        """Do what is slow the first time."""
        for _ in range(WARM_UP_ROUNDS):
            self.infer(self._nothing_seen(), "")
        self.reset()

    def reset(self) -> None:
        """Start a new task: nothing has been seen, and chunks count from 0 again."""
        self._sequence = 0
        self._seen.clear()
        self._policy.reset()
        self._processors.reset()
        if self._realtime is not None:
            self._realtime.reset()

    # -- one answer --------------------------------------------------------------------

    def _answer(
        self, steps: Sequence[dict[str, Any]], observations: Sequence[Observation]
    ) -> list[ActionChunk]:
        with self._no_grad():
            targets_rad = self._targets_rad(steps, observations)
        robot = self._info.robot
        if not np.isfinite(targets_rad).all():
            raise ValueError(f"{self._info.policy_id} answers with NaN; its weights are damaged")
        targets_rad = np.clip(targets_rad, robot.lower_rad, robot.upper_rad)
        return [
            self._chunk(seen, rows) for seen, rows in zip(observations, targets_rad, strict=True)
        ]

    def _targets_rad(
        self, steps: Sequence[dict[str, Any]], observations: Sequence[Observation]
    ) -> np.ndarray:
        batches = [self._prepared(step) for step in steps]
        alone = self._realtime if len(observations) == 1 else None
        told = alone.arguments(observations[0].stamp_ns) if alone else {}
        rows = self._predict(batches, **told)
        if alone:
            alone.answered(observations[0].stamp_ns, rows[0])
        return self._finished(rows).cpu().double().numpy()

    def _predict(self, batches: Sequence[dict[str, Any]], **told: Any) -> Tensor:
        """Return the policy's chunk, shape (B, H, J), for the last of these batches."""
        batch = batches[-1]
        queues = dict(getattr(self._policy, "_queues", None) or {})
        queues.pop(ACTION, None)
        if queues:  # of the last observations; a policy that does not look back may have one, too
            stacked = [self._with_images(b) for b in batches]
            for key, queue in queues.items():
                if key in stacked[-1]:
                    queue.clear()
                    queue.extend(b[key] for b in stacked)
            batch = stacked[-1]
        with self._precision():
            return self._ask(batch, **told).float()

    def _with_images(self, batch: dict[str, Any]) -> dict[str, Any]:
        pictures = [batch[key] for key in self._policy.config.image_features]
        return {**batch, OBS_IMAGES: torch.stack(pictures, dim=-4)} if pictures else batch

    def _batch(self, observations: Sequence[Observation], prompts: Sequence[str]) -> dict[str, Any]:
        robot = self._info.robot
        states = np.stack([seen.state_rad for seen in observations]).astype(np.float32)
        batch: dict[str, Any] = {OBS_STATE: torch.from_numpy(states), "task": list(prompts)}
        for camera in self._cameras:
            size = (camera.height_px, camera.width_px, 3)
            pictures = np.stack([seen_by(seen, camera.name, size) for seen in observations])
            floats = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float()
            batch[robot.image_feature(camera.name)] = floats.div_(255)
        return batch

    def _prepared(self, batch: dict[str, Any]) -> dict[str, Any]:
        if self._before is None:
            return self._processors.before(dict(batch))
        made = {
            name: self._before(name, value.to(self._device))
            for name, value in batch.items()
            if isinstance(value, Tensor)
        }
        return {**made, "task": batch["task"]}

    def _finished(self, chunk: Tensor) -> Tensor:
        return self._processors.after(chunk) if self._after is None else self._after(ACTION, chunk)

    def _look_back(self, observation: Observation) -> list[Observation]:
        """Return the observations a step apart, the oldest first, this one last."""
        found, step_ns = [observation], self._info.dt_ns
        for _ in range(self._n_seen - 1):
            wanted_ns = found[0].stamp_ns - step_ns
            near = min(self._seen, key=lambda seen: abs(seen.stamp_ns - wanted_ns))
            close = abs(near.stamp_ns - wanted_ns) <= _SLACK * step_ns
            found.insert(0, near if close else found[0])
        return found

    # -- making it quick ---------------------------------------------------------------

    def _fold(self) -> tuple[Affine | None, Affine | None]:
        """Return the processors as one operation each, where they are no more than that."""
        batch = self._batch([self._nothing_seen()], [""])
        tensors = {
            name: value.to(self._device)
            for name, value in batch.items()
            if isinstance(value, Tensor)
        }
        before = affine_of(
            lambda some: _only_tensors(self._processors.before({**some, "task": [""]})), tensors
        )
        if before is None:
            return None, None
        chunk = torch.zeros(1, self._info.horizon, len(self._info.robot.joints))
        after = affine_of(
            lambda some: {ACTION: self._processors.after(some[ACTION])}, {ACTION: chunk}
        )
        # One row stands for all: the horizon that a checkpoint names need not be its chunk's.
        if after is not None:
            scale, shift = after.scale[ACTION], after.shift[ACTION]
            if not (_same_rows(scale) and _same_rows(shift)):
                return before, None
            rows = {ACTION: scale[:, :1].to(self._device)}, {ACTION: shift[:, :1].to(self._device)}
            after = Affine(*rows)
        return before, after

    def _probe(self) -> Tensor:
        """Return an answer to random pictures, to hold a faster network against."""
        batch = self._prepared(self._batch([self._nothing_seen()], [""]))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            some = {name: _random(value) for name, value in batch.items()}
            some[OBS_STATE] = batch[OBS_STATE]
            answer = self._predict([some] * self._n_seen)
        self._policy.reset()
        return answer

    def _answer_of(self, ask: Ask) -> Tensor:
        """Return what another way to ask the network answers to the same random pictures."""
        self._ask, before = ask, self._ask
        try:
            return self._finished(self._probe())
        finally:
            self._ask = before

    def _nothing_seen(self) -> Observation:
        robot = self._info.robot
        black = {c.name: np.zeros((c.height_px, c.width_px, 3), np.uint8) for c in robot.cameras}
        return Observation(0, np.array(robot.poses.home_rad), black)

    def _chunk(self, observation: Observation, targets_rad: np.ndarray) -> ActionChunk:
        chunk = self._info.chunk(observation, targets_rad, self._sequence)
        self._sequence += 1
        return chunk


def _random(value: object) -> object:
    if isinstance(value, Tensor) and value.is_floating_point():
        return torch.rand_like(value)
    return value


def _only_tensors(batch: dict[str, Any]) -> dict[str, Tensor]:
    tensors = {name: value for name, value in batch.items() if isinstance(value, Tensor)}
    extra = {"action", "next.reward", "next.done", "next.truncated"}
    return {name: value for name, value in tensors.items() if name not in extra}


def _same_rows(value: Tensor) -> bool:
    return torch.equal(value, value[:, :1].expand_as(value))
