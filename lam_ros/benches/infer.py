"""`lam bench infer`: from observation to chunk, our serving against LeRobot's own calls.

The same weights answer the same observations twice: through what the policy node calls, and
through LeRobot's processors and `select_action` with an empty queue of actions, so that
each call makes a chunk.  LeRobot's async server wraps the same calls in pickles over gRPC and
so is not faster; it refuses plugins.  Both take turns with one thread each, so that the
machine's load meets both alike.  `infer` measures the shipped policy and an ACT of LeRobot's usual
size with random weights, whose work is the same as trained.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import (
    get_policy_class,
    make_policy_config,
    make_pre_post_processors,
)
from lerobot.utils.constants import ACTION, OBS_STATE
from lerobot.utils.import_utils import register_third_party_plugins

from lam_policies.loader import load_policy
from lam_policies.robot_features import features_of
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import percentiles_ms
from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import Observation
from lam_ros.paths import find_checkpoint

PROMPTS = ("put the red cube in the blue bowl", "put the green cube on the yellow spot")
N_OBSERVATIONS = 8
WARM_UP = 3

Ask = Callable[[Observation, str], npt.NDArray[np.float64]]


def run(seconds: float) -> BenchReport:
    """Measure for about `seconds` [s], half of them for each policy."""
    torch.set_num_threads(1)
    register_third_party_plugins()
    robot = load_robot("so101")
    with TemporaryDirectory() as folder:
        act = save_act(robot, Path(folder) / "act")
        found = {
            "": _compare(find_checkpoint("lam_so101"), robot, seconds / 2),
            "act_": _compare(act, robot, seconds / 2),
        }
    metrics: dict[str, Any] = {}
    ratios: dict[str, float] = {}
    for prefix, (ours_ms, lerobot_ms, apart_rad) in found.items():
        ours, theirs = percentiles_ms(ours_ms), percentiles_ms(lerobot_ms)
        metrics |= {f"{prefix}ours_ms": ours, f"{prefix}lerobot_ms": theirs}
        metrics[f"{prefix}largest_difference_rad"] = round(apart_rad, 6)
        for p in ("p50", "p99"):
            ratios[f"{prefix}speedup_{p}"] = round(theirs[p] / ours[p], 2)
    metrics["peer"] = "LeRobot's processors and select_action"
    metrics["threads"] = torch.get_num_threads()
    return BenchReport("infer", metrics, ratios, machine())


def _compare(folder: Path, robot: RobotDescription, seconds: float) -> tuple[Any, Any, float]:
    """Return the times of both [ms], and how far apart their answers are at most [rad]."""
    rng = np.random.default_rng(0)
    seen = [_observation(robot, rng) for _ in range(N_OBSERVATIONS)]
    askers = {"ours": our_ask(folder, robot), "lerobot": lerobots_ask(folder, robot)}
    times: dict[str, list[float]] = {name: [] for name in askers}
    apart = 0.0
    deadline, k = time.perf_counter() + seconds, 0
    while time.perf_counter() < deadline or k < WARM_UP + N_OBSERVATIONS:
        observation, prompt = seen[k % len(seen)], PROMPTS[k // 4 % 2]
        answers = {}
        for name, ask in askers.items():
            started = time.perf_counter_ns()
            answers[name] = ask(observation, prompt)
            taken_ms = (time.perf_counter_ns() - started) / 1e6
            if k >= WARM_UP:
                times[name].append(taken_ms)
        apart = max(apart, float(np.abs(answers["ours"] - answers["lerobot"]).max()))
        k += 1
    return times["ours"], times["lerobot"], apart


def our_ask(folder: Path, robot: RobotDescription) -> Ask:
    """Return what the policy node calls; answers with the first row, shape (J,)."""
    policy = load_policy(folder, robot, "cpu")
    policy.warm_up()
    return lambda observation, prompt: policy.infer(observation, prompt).targets_rad[0]


def lerobots_ask(folder: Path, robot: RobotDescription) -> Ask:
    """Return LeRobot's own way for the same weights; answers with the first row, shape (J,)."""
    config = PreTrainedConfig.from_pretrained(folder)
    config.device = "cpu"
    policy: Any = get_policy_class(config.type).from_pretrained(folder, config=config)
    before, after = make_pre_post_processors(config, pretrained_path=str(folder))

    def ask(observation: Observation, prompt: str) -> npt.NDArray[np.float64]:
        policy.reset()
        batch: dict[str, Any] = {OBS_STATE: torch.tensor(observation.state_rad).float()}
        for camera, picture in observation.images.items():
            floats = torch.tensor(picture).permute(2, 0, 1).contiguous().float() / 255
            batch[robot.image_feature(camera)] = floats
        action = after(policy.select_action(before({**batch, "task": prompt})))
        rows: npt.NDArray[np.float64] = action[0].double().numpy()
        return np.clip(rows, robot.lower_rad, robot.upper_rad)

    return ask


def _observation(robot: RobotDescription, rng: np.random.Generator) -> Observation:
    images = {
        c.name: rng.integers(0, 255, (c.height_px, c.width_px, 3), dtype=np.uint8)
        for c in robot.cameras
    }
    state_rad = np.array(robot.poses.home_rad) + rng.normal(0, 0.1, len(robot.joints))
    return Observation(0, state_rad, images)


def save_act(robot: RobotDescription, folder: Path) -> Path:
    """Write an ACT of LeRobot's usual size with random weights."""
    torch.manual_seed(0)
    joints = (len(robot.joints),)
    config = make_policy_config(
        "act",
        device="cpu",
        push_to_hub=False,
        pretrained_backbone_weights=None,
        **features_of(robot),
    )
    get_policy_class("act")(config).save_pretrained(folder)
    joint = {"mean": torch.zeros(joints), "std": torch.full(joints, 0.4)}
    picture = {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)}
    stats = {OBS_STATE: joint, ACTION: joint, **dict.fromkeys(config.image_features, picture)}
    for processor in make_pre_post_processors(config, dataset_stats=stats):
        processor.save_pretrained(folder)
    return folder
