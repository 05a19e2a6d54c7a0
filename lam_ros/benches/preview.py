"""`lam bench preview`: the twin against the full simulator as truth.

Good chunks are those of the scripted teleoperator and of the shipped policy in episodes
that succeed: each one refused is a false reject.  Planted ones swing the arm from where
it is then to anywhere; of those that hit, push, topple or leave the workspace in the full
simulator, the share that the twin refuses is what it catches.  The limits are the same
for both, but that the twin may use only a share of them (`safety.preview.share`).

The times are those of good chunks: one that is refused is done as soon as it goes wrong.
"""

from __future__ import annotations

import copy
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np

from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import percentiles_ms
from lam_ros.config import load_group, load_robot
from lam_ros.core.controller import ControlConfig
from lam_ros.core.preview import Hazard, Situation, commanded
from lam_ros.core.skills import canonical_prompt, words
from lam_ros.core.types import ActionChunk, FloatArray, Observation
from lam_ros.evaluation.rollout import Timing, drive
from lam_ros.evaluation.settings import control_config
from lam_ros.paths import find_checkpoint
from lam_sim.hazards import TABLE, HazardWatch, watched
from lam_sim.judge import Judge
from lam_sim.rollout import Demonstrator
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import Episode, TaskType, initial_scene, sample_episode
from lam_sim.twin import ChunkTwin
from lam_sim.world import LockstepSim, SimConfig

FIRST_SEED = 4_000_000
ROWS = 50
DT_NS = 40_000_000
EVERY = 6
"""Frames between two chunks of a demonstration."""

TRIES = 2
"""Planted beside each good chunk; most come to nothing, and then do not count."""

POLICY_SHARE = 0.35
"""Of the time, for the policy's episodes."""

_MIX = {TaskType.IN_BOWL: 0.6, TaskType.ON_SPOT: 0.4}


@dataclass(frozen=True, eq=False)
class _Case:
    """A chunk, and the world at the time of its release."""

    situation: Situation
    chunk: ActionChunk
    world: Any = None


@dataclass
class _Tally:
    times_ms: list[float] = field(default_factory=list)
    good: int = 0
    refused: int = 0
    planted: int = 0
    caught: int = 0


def run(seconds: float) -> BenchReport:
    """Measure for about `seconds` [s]."""
    bench = _Bench()
    began = time.perf_counter()
    seed = FIRST_SEED
    while time.perf_counter() - began < (1.0 - POLICY_SHARE) * seconds:
        bench.demonstration(seed)
        seed += 1
    while time.perf_counter() - began < seconds:
        bench.policy_episode(seed)
        seed += 1
    return bench.report()


class _Bench:
    def __init__(self) -> None:
        self._robot = load_robot("so101")
        self._config: ControlConfig = control_config(
            load_group("control", "default"), load_group("safety", "default")
        )
        safety = self._config.safety
        self._preview = safety.preview
        self._twin = ChunkTwin(self._robot, safety.preview, safety.geometry)
        self._sim = LockstepSim(self._robot, SimConfig(render=True))
        self._full = LockstepSim(self._robot, SimConfig(render=False))
        self._demonstrator = Demonstrator(self._sim)
        self._policy: Any = None
        self._expert, self._driven = _Tally(), _Tally()
        self._planted_ms: list[float] = []
        self._refused_as: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()
        self._rng = np.random.default_rng(FIRST_SEED)

    def demonstration(self, seed: int) -> None:
        """Judge the chunks of one demonstration, and planted ones beside each."""
        self._sim.config = SimConfig(render=False)
        episode = sample_episode(SceneConfig(), seed, _MIX)
        seen: list[_Case] = []
        hold = np.tile(self._robot.poses.home_rad, (1, 1))
        execute = self._demonstrator._execute

        def watch(target_rad: FloatArray) -> None:
            seen.append(self._case(episode, hold))
            execute(target_rad)

        self._demonstrator._execute = watch  # type: ignore[method-assign]
        shown = self._demonstrator.run(episode)
        self._demonstrator._execute = execute  # type: ignore[method-assign]
        if not shown.outcome.success:
            return
        self._twin.prepare(seen[0].situation.scene)
        for index in range(0, len(seen) - EVERY, EVERY):
            case = seen[index]
            rows = shown.action_rad[index : index + ROWS].astype(np.float64)
            rows = np.vstack([rows, np.tile(rows[-1], (ROWS - len(rows), 1))])
            self._good(self._expert, case, rows)
            for _ in range(TRIES):
                self._planted(episode, case)

    def policy_episode(self, seed: int) -> None:
        """Judge the chunks of one episode that the shipped policy drives."""
        if self._policy is None:
            import torch

            from lam_policies.loader import load_policy

            torch.set_num_threads(1)
            self._policy = load_policy(find_checkpoint("lam_so101"), self._robot, "cpu")
        self._sim.config = SimConfig(render=True)
        episode = sample_episode(SceneConfig(), seed, _MIX)
        prompt = canonical_prompt(words(episode.step, initial_scene(episode.scene)))
        self._sim.reset(episode.scene)
        self._policy.reset()
        judge, cases = Judge(episode.step, self._sim.truth()), []

        def infer(observation: Observation, text: str) -> ActionChunk:
            chunk = self._policy.infer(observation, text)
            cases.append((self._case(episode, np.zeros((1, len(self._robot.joints)))), chunk))
            return chunk

        drive(self._sim, infer, prompt, judge, self._config, Timing(20.0, 0.16, 0.04))
        if not judge.succeeded:
            return
        self._twin.prepare(cases[0][0].situation.scene)
        for case, chunk in cases:
            self._good(self._driven, case, chunk.targets_rad)

    def report(self) -> BenchReport:
        """Return the figures."""
        expert, driven = self._expert, self._driven
        good = expert.good + driven.good
        return BenchReport(
            bench="preview",
            metrics={
                "ms": percentiles_ms([*expert.times_ms, *driven.times_ms]),
                "policy_chunk_ms": percentiles_ms(driven.times_ms),
                "planted_ms": percentiles_ms(self._planted_ms),
                "caught": round(expert.caught / max(1, expert.planted), 4),
                "planted": expert.planted,
                "false_rejects": round((expert.refused + driven.refused) / max(1, good), 4),
                "good_expert": expert.good,
                "good_policy": driven.good,
                "refused_as": dict(self._refused_as),
                "missed": dict(self._missed),
                "rows": ROWS,
                "ahead_s": self._preview.horizon_s,
            },
            ratios={},
            machine=machine(),
        )

    # -- inside ----------------------------------------------------------------------

    def _case(self, episode: Episode, rows: FloatArray) -> _Case:
        sim, step = self._sim, episode.step
        joints = sim.joint_state()
        situation = Situation(joints, sim.target_rad, sim.truth(), step.object_id, step.target_id)
        chunk = ActionChunk(joints.stamp_ns, DT_NS, self._robot.joint_names, rows)
        return _Case(situation, chunk, copy.copy(sim.data))

    def _path(self, case: _Case, rows: FloatArray) -> FloatArray:
        stamp_ns = case.situation.joints.stamp_ns
        return commanded(
            self._robot,
            ActionChunk(stamp_ns, DT_NS, self._robot.joint_names, rows),
            case.situation.command_rad,
            stamp_ns,
            blend_s=self._config.chunk.blend_s,
            horizon_s=self._preview.horizon_s,
        )

    def _ask(self, times_ms: list[float], case: _Case, rows: FloatArray) -> Hazard | None:
        began = time.perf_counter()
        hazard = self._twin.preview(case.situation, self._path(case, rows))
        times_ms.append((time.perf_counter() - began) * 1e3)
        return hazard

    def _good(self, tally: _Tally, case: _Case, rows: FloatArray) -> None:
        tally.good += 1
        hazard = self._ask(tally.times_ms, case, rows)
        if hazard is not None:
            tally.refused += 1
            self._refused_as[hazard.kind] += 1

    def _planted(self, episode: Episode, case: _Case) -> None:
        robot, start = self._robot, case.situation.joints.position_rad
        goal = self._rng.uniform(robot.lower_rad, robot.upper_rad)
        share = self._rng.uniform(0.2, 1.0) * np.linspace(1 / ROWS, 1, ROWS)[:, None]
        rows = start + (goal - start) * share
        truth = self._truly_bad(episode, case, self._path(case, rows))
        if not truth:
            return
        self._expert.planted += 1
        if self._ask(self._planted_ms, case, rows) is not None:
            self._expert.caught += 1
        else:
            self._missed[truth] += 1

    def _truly_bad(self, episode: Episode, case: _Case, path_rad: FloatArray) -> str:
        """Run a path in the full simulator from the same state; returns what goes wrong."""
        full, situation = self._full, case.situation
        full.reset(episode.scene)
        mujoco.mj_copyData(full.data, full.model, case.world)
        full._target_rad = situation.command_rad
        objects = {
            name: watched(
                self._preview, name, slot.kind.name, slot.body_id, situation.wanted, situation.target,
                is_free=slot.kind.is_free,
            )
            for name, slot in full._slots.items()
            if slot.kind.name != "spot"
        }  # fmt: skip
        watch = HazardWatch(self._preview, full.model, objects)
        watch.begin(full.data)
        guard = self._twin.guard
        wrong = (self._goes_wrong(watch, guard, row) for row in path_rad)
        return next(filter(None, wrong), "")

    def _goes_wrong(self, watch: HazardWatch, guard: Any, command_rad: FloatArray) -> str:
        full = self._full
        full.step(command_rad)
        found = watch.look(full.data, 0.0)
        if found is not None:
            return found.kind
        broken = guard.intrusions(full.joint_state().position_rad)
        return next((item.rule for item in broken if item.rule != TABLE), "")
