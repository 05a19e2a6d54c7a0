"""`lam bench seams`: is the command as smooth where one chunk goes over into the next?

The shipped policy drives episodes in lockstep, with a latency, through the controller that the
control node runs; every command that passes is kept.  Jerk is its third difference, of the
arm's joints.  A difference that spans a seam counts as the seam's, all others as inside.
Beside the way that is shipped, the same episodes are driven with overlapping chunks averaged,
with the step between chunks left as it is, and as LeRobot's queue of actions does it: from
the first row of each chunk when it arrives, however old the picture, without fading.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lam_policies.loader import load_policy
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import percentiles
from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.controller import ControlConfig
from lam_ros.core.skills import canonical_prompt, words
from lam_ros.core.types import ActionChunk, FloatArray, Observation
from lam_ros.evaluation.rollout import Timing, drive
from lam_ros.evaluation.settings import load_settings
from lam_ros.paths import find_checkpoint
from lam_sim.judge import Judge
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import initial_scene, sample_episode
from lam_sim.world import LockstepSim, SimConfig

FIRST_SEED = 1_400_000
REPLAN_S, LATENCY_S = 0.16, 0.04
ENSEMBLE_DECAY = 0.01
"""ACT's (Zhao et al., 2023)."""
LEAST_SEAM_DIFFERENCES = 3

WAYS = ("ours", "ensemble", "jump", "queue")


@dataclass
class _Found:
    """Jerks of one way [rad/s^3], and what became of its episodes."""

    seam: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    done: int = 0
    episodes: int = 0

    def add(self, sent_rad: FloatArray, seams: list[int], period_s: float) -> None:
        """Add the commands of an episode, shape (T, J), with the ticks of its seams."""
        jerk = np.abs(np.diff(sent_rad, n=3, axis=0)).max(1) / period_s**3
        at_seam = np.zeros(len(jerk), bool)
        for tick in seams[1:]:  # the first chunk begins from standing
            at_seam[max(0, tick - 3) : tick + 1] = True
        first = seams[0] + LEAST_SEAM_DIFFERENCES if seams else len(jerk)
        self.seam += jerk[first:][at_seam[first:]].tolist()
        self.inside += jerk[first:][~at_seam[first:]].tolist()


def run(seconds: float) -> BenchReport:
    """Drive episodes for about `seconds` [s], each in every way."""
    torch.set_num_threads(1)
    bench = _Bench()
    found = {way: _Found() for way in WAYS}
    deadline, seed = time.monotonic() + seconds, FIRST_SEED
    while time.monotonic() < deadline or seed == FIRST_SEED:
        for way in WAYS:
            bench.episode(seed, way, found[way])
        seed += 1
    metrics: dict[str, Any] = {"episodes": found["ours"].episodes}
    ratios: dict[str, float] = {}
    for way, one in found.items():
        metrics[f"{way}_done"] = one.done
        for part, values in (("seam", one.seam), ("inside", one.inside)):
            metrics[f"{way}_{part}_jerk_rad_s3"] = percentiles(values, digits=1)
        for percent in (50, 95, 99):
            inside = max(1e-9, float(np.percentile(one.inside, percent)))
            ratio = float(np.percentile(one.seam, percent)) / inside
            ratios[f"{way}_seam_over_inside_p{percent}"] = round(ratio, 2)
    return BenchReport("seams", metrics, ratios, machine())


class _Bench:
    def __init__(self) -> None:
        settings = load_settings([])
        self._robot = settings.robot
        self._control = settings.control
        self._sim = _Recorded(self._robot, SimConfig(render=True))
        self._policy = load_policy(find_checkpoint("lam_so101"), self._robot, "cpu")
        self._policy.warm_up()

    def episode(self, seed: int, way: str, found: _Found) -> None:
        """Drive one episode in one way."""
        sim, robot = self._sim, self._robot
        episode = sample_episode(SceneConfig(), seed)
        prompt = canonical_prompt(words(episode.step, initial_scene(episode.scene)))
        sim.reset(episode.scene)
        self._policy.reset()
        judge = Judge(episode.step, sim.truth())
        started_ns = sim.now_ns
        asked_ns: list[int] = []

        def infer(observation: Observation, text: str) -> ActionChunk:
            asked_ns.append(sim.now_ns)
            chunk = self._policy.infer(observation, text)
            late_ns = seconds_to_ns(LATENCY_S) if way == "queue" else 0
            return replace(chunk, obs_stamp_ns=chunk.obs_stamp_ns + late_ns)

        sim.sent_rad = []
        timing = Timing(20.0, REPLAN_S, LATENCY_S)
        drive(sim, infer, prompt, judge, _control(self._control, way), timing)
        tick_ns = robot.control_period_ns
        seams = [-(-(at + seconds_to_ns(LATENCY_S) - started_ns) // tick_ns) for at in asked_ns]
        arm = [k for k in range(len(robot.joints)) if k != robot.gripper_index]
        commands = np.array(sim.sent_rad)[:, arm]
        found.add(commands, [s for s in seams if s < len(commands)], tick_ns / 1e9)
        found.done += judge.succeeded
        found.episodes += 1


class _Recorded(LockstepSim):
    """Keeps every command that reaches the arm."""

    sent_rad: list[FloatArray]

    def step(self, target_rad: npt.ArrayLike) -> None:
        """Keep a command and carry it out."""
        self.sent_rad.append(np.array(target_rad, float))
        super().step(target_rad)


def _control(config: ControlConfig, way: str) -> ControlConfig:
    chunk = config.chunk
    if way == "ensemble":
        chunk = replace(chunk, ensemble_decay=ENSEMBLE_DECAY)
    elif way in ("jump", "queue"):
        chunk = replace(chunk, blend_s=0.0)
    return replace(config, chunk=chunk)
