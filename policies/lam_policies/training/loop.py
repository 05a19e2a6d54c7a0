"""The training loop: batches in, weights out, resumable at any time."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from lam_policies.checkpoint import WEIGHTS
from lam_policies.kinds import LAM
from lam_policies.precision import has_bfloat16
from lam_policies.robot_features import features_of
from lam_policies.training import provenance
from lam_policies.training import report as reports
from lam_policies.training import state as states
from lam_policies.training.batches import Batcher
from lam_policies.training.closed_loop import Judging
from lam_policies.training.config import TrainConfig
from lam_policies.training.export import export
from lam_policies.training.frames import Frames, chunk_statistics
from lam_policies.training.memory import told_if_too_large
from lam_policies.training.sound import require_known
from lam_policies.training.tracking import open_tracker
from lam_ros.core.errors import CheckpointError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.skills import StepWords
from lerobot_policy_lam.configuration_lam import LamConfig
from lerobot_policy_lam.modeling_lam import LamPolicy

LOG_EVERY_STEPS = 50
CLIP_NORM = 1.0
CHECKPOINT = "checkpoint"
FINAL_RATE = 0.01
_SENSES = ("network.cameras.", "network.text.")
_NAMES = "network.slots."
"""The heads that name skills, colours and kinds: as long as the data's lists of names."""


def policy_config(
    config: TrainConfig, robot: RobotDescription, parts: Sequence[Frames]
) -> LamConfig:
    """Return the configuration of the policy for a robot and the words in the data."""
    said = {words for part in parts for words in part.said if isinstance(words, StepWords)}
    settings: dict[str, Any] = {
        "absolute_joints": [robot.gripper_index],
        "colors": sorted({w.object_color for w in said} | {w.target_color for w in said}),
        "kinds": sorted({w.object_kind for w in said} | {w.target_kind for w in said}),
        "skills": sorted({str(w.skill) for w in said}),
        **config.policy,
    }
    return LamConfig(
        device="cpu",
        **features_of(robot),
        **settings,
    )


class Trainer:
    """One run."""

    def __init__(
        self, config: TrainConfig, robot: RobotDescription, parts: Sequence[Frames]
    ) -> None:
        """Build the policy, and take up where the run stopped if there is a state."""
        torch.manual_seed(config.seed)
        self.config = config
        self.robot = robot
        self.parts = tuple(parts)
        for part in parts:
            require_known(part)
        self.policy = LamPolicy(policy_config(config, robot, parts))
        self._set_statistics()
        if config.start_from:
            self._start_from(Path(config.start_from))
        self.started_from = provenance.start(config)
        self.optimizer = torch.optim.AdamW(
            self.policy.get_optim_params(),
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.average = states.Average(self.policy, config.ema_decay)
        self.state = states.load(config.out_path, self.policy, self.average, self.optimizer)
        self.is_mixed = config.bf16 and has_bfloat16(torch.device("cpu"))
        self.batcher = Batcher(
            parts,
            self.policy.config,
            robot,
            batch_size=config.batch_size,
            seed=config.seed,
            jitter=config.jitter,
            dtype=torch.bfloat16 if self.is_mixed else torch.float32,
            rest_share=config.rest_share,
        )

    def _set_statistics(self) -> None:
        """Take the statistics of the first data in which somebody acts; they stay the run's.

        The parts of an environment are its tasks, so all of them count there.
        """
        acted = [part for part in self.parts if np.isfinite(part.action_rad[0]).all()]
        if not acted:
            return
        counted = acted if self.config.env else acted[:1]
        settings = self.policy.config
        center, scale = chunk_statistics(
            counted, settings.chunk_size, tuple(settings.absolute_joints)
        )
        statistics = self.policy.statistics
        statistics.set_chunks(torch.from_numpy(center), torch.from_numpy(scale))
        state = torch.from_numpy(np.concatenate([part.state_rad for part in counted]))
        statistics.set_state(state.mean(0), state.std(0))

    def _start_from(self, folder: Path) -> None:
        """Take over a checkpoint's weights with its statistics, which they are tied to.

        What looks and reads must fit; heads for names may start anew, since new skills bring
        new names.  If what acts is another network, it starts anew with the statistics of the
        data; so it does if the checkpoint has only learnt to look.
        """
        weights = folder / WEIGHTS
        if not weights.is_file():
            raise CheckpointError(f"start_from {folder}: {WEIGHTS} is missing; name a checkpoint")
        taken, own = load_file(weights), self.policy.state_dict()
        fitting = states.fitting(taken, own)
        missing = sorted(set(own) - set(fitting))
        if blind := [name for name in missing if name.startswith(_SENSES)]:
            raise CheckpointError(
                f"start_from {folder}: its network looks or reads in another way "
                f"({blind[0]} and {len(blind) - 1} more differ); give the same policy settings"
            )
        if not all(name.startswith(_NAMES) for name in missing) or not taken["statistics.n_seen"]:
            fitting.update(self.policy.statistics.state_dict(prefix="statistics."))
        self.policy.load_state_dict(fitting, strict=False)

    @property
    def share_done(self) -> float:
        """How much of the run is done, 0 to 1."""
        return self.state.share_done(self.config.steps, self.config.budget_minutes)

    def learning_rate(self) -> float:
        """Return the present learning rate: a short rise, then a cosine to almost nothing."""
        rise = min(1.0, (self.state.step + 1) / max(1, self.config.warmup_steps))
        fall = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * self.share_done))
        return self.config.learning_rate * rise * fall

    def run(self) -> Path:
        """Train until the steps or the time are used up, and return the checkpoint."""
        _use_threads(self.config.threads)
        config, state = self.config, self.state
        self.policy.train()
        settings = provenance.settings(config)
        tracker = open_tracker(config.tracker, config.out_path, settings, state.step)
        with reports.Report(config.out_path, tracker) as report:
            report.say(
                f"{sum(len(part) for part in self.parts)} samples of "
                f"{sum(part.n_episodes for part in self.parts)} episodes, from step {state.step}"
            )
            batches = self.batcher.from_step(state.step)
            saved_s = state.trained_s
            window = _Window()
            while self.share_done < 1:
                before_s = time.monotonic()
                with told_if_too_large(config.batch_size):
                    parts = self._step(next(batches))
                window.add(parts)
                state.trained_s += time.monotonic() - before_s
                if state.step % LOG_EVERY_STEPS == 0:
                    self._log(report, window)
                    window = _Window()
                if state.trained_s - saved_s > 60 * config.checkpoint_minutes:
                    self._judged(report)
                    saved_s, window = state.trained_s, _Window()
            batches.close()
            report.say(f"done: {self._judged(report)}")
        return config.out_path / CHECKPOINT

    def _step(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        torch.manual_seed(hash((self.config.seed, self.state.step)) & 0x7FFFFFFF)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.is_mixed):
            loss, parts = self.policy(batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), CLIP_NORM)
        if not math.isfinite(float(norm)):
            self.optimizer.zero_grad()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(self.policy, self.state.step)
        self.state.step += 1
        return {"loss": float(loss.detach()), **parts, "grad": float(norm)}

    def _log(self, report: reports.Report, window: _Window) -> None:
        state, share = self.state, self.share_done
        means = window.means()
        state.curve.append((state.step, state.trained_s, means["loss"], means["action_loss"]))
        left_min = state.trained_s * (1 - share) / max(share, 1e-6) / 60
        per_s = window.count * self.config.batch_size / window.seconds
        report.row(
            share,
            {
                "step": state.step,
                **{key.removesuffix("_loss"): round(value, 4) for key, value in means.items()},
                "lr": round(self.learning_rate(), 7),
                "samples_per_s": round(per_s, 1),
                "left_min": round(left_min, 1),
            },
        )

    def _judged(self, report: reports.Report) -> Path:
        """Save, and let the checkpoint drive if that is wanted; the best by success is kept."""
        folder, config = self.save(), self.config
        judging = Judging(LAM, config.eval_episodes, config.eval_suite)
        judging.judge(folder, self.state.step, report)
        return folder

    def save(self) -> Path:
        """Write the run's state, and a checkpoint of the averaged weights."""
        folder = self.config.out_path
        states.save(folder, self.state, self.policy, self.average, self.optimizer)
        served = LamPolicy(self.policy.config)
        served.load_state_dict(self.policy.state_dict())
        self.average.copy_to(served)
        reports.draw_curve(folder / reports.CURVE_FILE, [row[3] for row in self.state.curve])
        return export(
            served.eval(),
            folder / CHECKPOINT,
            robot=self.robot,
            dt_ns=self.robot.cameras[0].period_ns,
            provenance=self._provenance(),
        )

    def _provenance(self) -> dict[str, Any]:
        thin = max(1, len(self.state.curve) // 100)
        return {
            "command": provenance.command(self.config),
            "training": provenance.settings(self.config),
            "data": provenance.data(self.parts),
            "start_from": self.started_from,
            "steps": self.state.step,
            "trained_s": round(self.state.trained_s, 1),
            "curve": [[round(v, 5) for v in row] for row in self.state.curve[::thin]],
        }


class _Window:
    """Sums since the last log row."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return max(1e-6, time.monotonic() - self.started)

    def add(self, values: dict[str, float]) -> None:
        for key, value in values.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
        self.count += 1

    def means(self) -> dict[str, float]:
        return {key: value / self.count for key, value in self.sums.items()}


def _use_threads(threads: int) -> None:
    torch.set_num_threads(threads or os.cpu_count() or 1)
