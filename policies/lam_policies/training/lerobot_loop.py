"""Training of LeRobot's policies: their networks, losses, optimisers and processors; our data path.

What is ours is what is slow there: pictures are decoded once, a batch is prepared while the
one before is learnt, normalisation is one operation, and the network computes in bfloat16 where
the processor does.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import (
    get_policy_class,
    make_policy_config,
    make_pre_post_processors,
)
from torch import Tensor

from lam_policies.affine import Affine, affine_of
from lam_policies.kinds import require_libraries
from lam_policies.precision import has_bfloat16
from lam_policies.robot_features import features_of
from lam_policies.training import report as reports
from lam_policies.training import state as states
from lam_policies.training.closed_loop import Judging
from lam_policies.training.export import write_checkpoint
from lam_policies.training.frames import Frames
from lam_policies.training.lerobot_batches import LerobotBatcher
from lam_policies.training.lerobot_config import LerobotTrainConfig
from lam_policies.training.lerobot_statistics import statistics
from lam_policies.training.memory import told_if_too_large
from lam_policies.training.sound import require_finite
from lam_policies.training.tracking import open_tracker
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.robot import RobotDescription

LOG_EVERY_STEPS = 10
CHECKPOINT = "checkpoint"


def make_policy(config: LerobotTrainConfig, robot: RobotDescription) -> Any:
    """Return LeRobot's policy with fresh weights, and its configuration inside.

    Raises:
        ConfigError: if a setting is unknown or out of range.
        MachineError: if a library is missing.
    """
    require_libraries(config.policy)
    allowed = {field.name for field in fields(PreTrainedConfig.get_choice_class(config.policy))}
    for name in config.settings:
        if name not in allowed:
            raise ConfigError(
                f"train: policy={config.policy}: {unknown_name('setting', name, allowed)}"
            )
    try:
        settings = make_policy_config(
            config.policy,
            device="cpu",
            push_to_hub=False,
            **features_of(robot, config.cameras),
            **{"pretrained_backbone_weights": None, **config.settings},
        )
        return get_policy_class(config.policy)(settings)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"train: policy={config.policy}: settings: {reason}") from None


class LerobotTrainer:
    """One run."""

    def __init__(
        self, config: LerobotTrainConfig, robot: RobotDescription, parts: Sequence[Frames]
    ) -> None:
        """Build the policy, and take up where the run stopped if there is a state.

        Raises:
            CheckpointError: if the run in `out` cannot be taken up.
            DataError: if there are no statistics, or numbers that are not finite.
        """
        torch.manual_seed(config.seed)
        self.config, self.robot, self.parts = config, robot, tuple(parts)
        self.is_mixed = config.bf16 and has_bfloat16(torch.device("cpu"))
        for part in parts:
            require_finite(part)
        self.policy = make_policy(config, robot)
        settings = self.policy.config
        self.before, self.after = make_pre_post_processors(
            settings, dataset_stats=statistics(config.data, parts, settings.image_features)
        )
        optimizing = settings.get_optimizer_preset()
        if config.learning_rate:
            optimizing.lr = config.learning_rate
        self.clip_norm = float(optimizing.grad_clip_norm)
        self.optimizer = optimizing.build(self.policy.get_optim_params())
        self.average = states.Average(self.policy, 0.0)
        self.state = states.load(config.out_path, self.policy, self.average, self.optimizer)
        scaling = self._scaling()
        self.prepare = None if scaling else self.before
        self.batcher = LerobotBatcher(
            parts,
            robot,
            [
                c.name
                for c in robot.cameras
                if robot.image_feature(c.name) in settings.image_features
            ],
            action_steps=settings.action_delta_indices,
            seen_steps=settings.observation_delta_indices,
            batch_size=config.batch_size,
            seed=config.seed,
            scaling=scaling,
        )

    @property
    def share_done(self) -> float:
        """How much of the run is done, 0 to 1."""
        return self.state.share_done(self.config.steps, self.config.budget_minutes)

    def run(self) -> Path:
        """Train until the steps or the time are used up, and return the checkpoint.

        Raises:
            MachineError: if a batch does not fit the memory.
        """
        torch.set_num_threads(self.config.threads or os.cpu_count() or 1)
        config, state = self.config, self.state
        self.policy.train()
        tracker = open_tracker(config.tracker, config.out_path, self._settings(), state.step)
        with reports.Report(config.out_path, tracker) as report:
            report.say(
                f"{config.policy}: {sum(len(part) for part in self.parts)} samples of "
                f"{sum(part.n_episodes for part in self.parts)} episodes, from step {state.step}"
            )
            batches = self.batcher.from_step(state.step)
            saved_s, began_s = state.trained_s, time.monotonic()
            losses: list[float] = []
            while self.share_done < 1:
                before_s = time.monotonic()
                with told_if_too_large(config.batch_size):
                    losses.append(self._step(next(batches)))
                state.trained_s += time.monotonic() - before_s
                if state.step % LOG_EVERY_STEPS == 0:
                    self._log(report, losses, time.monotonic() - began_s)
                    losses, began_s = [], time.monotonic()
                if state.trained_s - saved_s > 60 * config.checkpoint_minutes:
                    self._judged(report)
                    saved_s, began_s, losses = state.trained_s, time.monotonic(), []
            batches.close()
            report.say(f"done: {self._judged(report)}")
        return config.out_path / CHECKPOINT

    def _step(self, batch: dict[str, Any]) -> float:
        torch.manual_seed(hash((self.config.seed, self.state.step)) & 0x7FFFFFFF)
        if self.prepare is not None:
            batch = self.prepare(batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.is_mixed):
            loss, _ = self.policy(batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.clip_norm)
        if math.isfinite(float(norm)):
            self.optimizer.step()
        self.optimizer.zero_grad()
        self.state.step += 1
        return float(loss.detach())

    def _log(self, report: reports.Report, losses: Sequence[float], taken_s: float) -> None:
        state, share, loss = self.state, self.share_done, float(np.mean(losses))
        state.curve.append((state.step, state.trained_s, loss, loss))
        left_min = state.trained_s * (1 - share) / max(share, 1e-6) / 60
        report.row(
            share,
            {
                "step": state.step,
                "loss": round(loss, 4),
                "samples_per_s": round(len(losses) * self.config.batch_size / taken_s, 2),
                "left_min": round(left_min, 1),
            },
        )

    def _judged(self, report: reports.Report) -> Path:
        """Save, and let the checkpoint drive if that is wanted; the best by success is kept."""
        folder, config = self.save(), self.config
        judging = Judging(config.policy, config.eval_episodes, config.eval_suite)
        judging.judge(folder, self.state.step, report)
        return folder

    def _settings(self) -> dict[str, Any]:
        return {
            "policy": self.config.policy,
            "settings": dict(self.config.settings),
            "batch_size": self.config.batch_size,
            "seed": self.config.seed,
            "bf16": self.config.bf16,
        }

    def save(self) -> Path:
        """Write the run's state, and a checkpoint that can be served."""
        folder = self.config.out_path
        states.save(folder, self.state, self.policy, self.average, self.optimizer)
        reports.draw_curve(folder / reports.CURVE_FILE, [row[2] for row in self.state.curve])
        thin = max(1, len(self.state.curve) // 100)
        settings = self.policy.config
        return write_checkpoint(
            self.policy,
            (self.before, self.after),
            folder / CHECKPOINT,
            robot=self.robot,
            horizon=len(settings.action_delta_indices),
            dt_ns=self.robot.cameras[0].period_ns,
            skills=sorted(
                {w if isinstance(w, str) else str(w.skill) for p in self.parts for w in p.said}
            ),
            provenance={
                "looks_back": settings.observation_delta_indices is not None,
                "training": self._settings(),
                "data": [
                    {**part.made, "episodes": part.n_episodes, "samples": len(part)}
                    for part in self.parts
                ],
                "steps": self.state.step,
                "trained_s": round(self.state.trained_s, 1),
                "curve": [[round(v, 5) for v in row] for row in self.state.curve[::thin]],
            },
        )

    def _scaling(self) -> Affine | None:
        """Return the pre-processor as one operation, if it is no more than that."""
        settings = self.policy.config
        like = {
            name: torch.zeros(1, *feature.shape)
            for name, feature in {**settings.input_features, **settings.output_features}.items()
        }

        def process(some: dict[str, Tensor]) -> dict[str, Tensor]:
            made = self.before({**some, "task": [""]})
            return {name: value for name, value in made.items() if name in some}

        return affine_of(process, like)
