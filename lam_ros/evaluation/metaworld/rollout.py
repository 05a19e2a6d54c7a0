"""One worker's part: a task's environment, the policy, and episodes in closed loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lam_policies.served import LoadedPolicy
from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.types import FloatArray, ImageArray, Observation
from lam_ros.evaluation.metaworld.settings import Driver, MetaworldSettings
from lam_ros.evaluation.report import EpisodeResult
from lam_sim.metaworld.env import CAMERA, CONTROL_PERIOD_NS, YardstickEnv
from lam_sim.metaworld.tasks import MetaTask

TIMEOUT = "not done in time"
_FILMED_EVERY = 50
"""Steps between two pictures that are kept for people."""


@dataclass(frozen=True)
class Attempt:
    """An episode's result, and if it failed what could be seen."""

    result: EpisodeResult
    pictures: tuple[ImageArray, ...] = ()


class Evaluator:
    """Runs episodes with one policy; the environment of the last task is kept."""

    def __init__(self, settings: MetaworldSettings, driver: Driver) -> None:
        """Load the policy.

        Raises:
            CheckpointError: if it is damaged.
        """
        self._driver = driver
        self._policy = _load(settings, driver) if driver.folder else None
        self._env: YardstickEnv | None = None

    def run(self, task: MetaTask, seed: int) -> Attempt:
        """Run one episode until success, or until its time is up."""
        env = self._env_of(task)
        env.reset(seed=seed)
        act = self._by_policy(task) if self._policy else lambda step: env.expert_action()
        film: list[ImageArray] = []
        success, step = False, 0
        while not success and step < env.longest:
            if step % _FILMED_EVERY == 0 and self._policy:
                film.append(env.picture())
            action = act(step).astype(np.float32)
            success = bool(env.step(action)[4]["is_success"])
            step += 1
        result = EpisodeResult(
            seed=seed,
            prompt=task.sentence,
            task=task.name,
            success=success,
            failure="" if success else TIMEOUT,
            named_first=None,
            seconds=ns_to_seconds(step * CONTROL_PERIOD_NS),
            chunks=-(-step // self._driver.replan_steps),
            unsafe_events=0,
            done=int(success),
        )
        return Attempt(result, () if success else tuple(film))

    def close(self) -> None:
        """Give the renderer back."""
        if self._env is not None:
            self._env.close()
            self._env = None

    def _env_of(self, task: MetaTask) -> YardstickEnv:
        if self._env is None or self._env.task != task.name:
            self.close()
            size_px = self._driver.body.cameras[0].width_px
            self._env = YardstickEnv(task.name, size_px, plain=self._driver.plain)
        return self._env

    def _by_policy(self, task: MetaTask) -> Callable[[int], FloatArray]:
        """Return what asks the policy when its last chunk is played, as LeRobot's queue does."""
        policy, env = self._policy, self._env
        assert policy is not None
        assert env is not None
        policy.reset()
        rows: list[FloatArray] = []

        def act(step: int) -> FloatArray:
            if not rows or policy.info.looks_back:
                seen = Observation(step * CONTROL_PERIOD_NS, env.sees, {CAMERA: env.picture()})
                if not rows:
                    chunk = policy.infer(seen, task.sentence).targets_rad
                    rows.extend(chunk[: self._driver.replan_steps])
                else:
                    policy.observe(seen)
            return rows.pop(0)

        return act


def _load(settings: MetaworldSettings, driver: Driver) -> LoadedPolicy:
    import torch

    from lam_policies.loader import load_policy

    assert driver.folder is not None
    torch.set_num_threads(settings.policy.threads)
    policy = load_policy(driver.folder, driver.body, settings.policy.device)
    policy.warm_up()
    return policy
