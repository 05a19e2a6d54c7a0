"""From the settings of a run to the parameters of its nodes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lam_policies.checkpoint import checkpoint_for, find_policy
from lam_ros.core.skills import DEMONSTRATED
from lam_ros.graph import GraphParameters
from lam_ros.planning.decision_log import FILE as DECISIONS
from lam_ros.run.recording import RECORDING
from lam_ros.run.settings import RunSettings, write_groups

_EXPERT_SCENE_RATE_HZ = 50.0
"""The scripted teleoperator steers by the scene; the planner is content with less."""


def graph_parameters(
    settings: RunSettings,
    driver: Driver,
    seed: int,
    run_dir: Path,
    *,
    video: bool,
    single_process: bool,
) -> GraphParameters:
    """Return every node's parameters, and write the files that they name into the run's folder."""
    files = write_groups(settings, run_dir / "config")
    return GraphParameters(
        policy_type=settings.policy.type,
        policy_threads=settings.policy.threads,
        shared={"robot": files["robot"]},
        sim=_sim(settings, seed, run_dir, video=video),
        control={
            "control": files["control"],
            "safety": files["safety"],
            "discovery_s": 0.0,  # the domain is this run's alone
            "realtime": not single_process,
        },
        policy={
            **_policy(settings),
            "control": files["control"],
            "safety": files["safety"],
            "preview_dir": str((run_dir / "rejected").resolve()),
        },
        planner={
            "planner": files["planner"],
            "skills": ",".join(driver.skills),
            "decision_log": str((run_dir / DECISIONS).resolve()),
            "policy_id": driver.name,
        },
        perception={} if settings.plans_on_what_is_seen and not single_process else None,
    )


@dataclass(frozen=True)
class Driver:
    """Who drives the arm: a name for reports, and what it was trained for."""

    name: str
    skills: tuple[str, ...]


def driver_of(settings: RunSettings) -> Driver:
    """Return who drives; a checkpoint that cannot is refused here, before anything starts.

    Raises:
        CheckpointError: if the checkpoint is missing, damaged or of an unknown kind.
        FingerprintMismatch: if it was made for another robot.
    """
    if settings.is_scripted:
        return Driver("expert (scripted, sees ground truth)", DEMONSTRATED)
    checkpoint = checkpoint_for(_folder(settings), settings.robot, settings.policy.type)
    return Driver(checkpoint.policy_id, checkpoint.info.skills)


def _sim(settings: RunSettings, seed: int, run_dir: Path, *, video: bool) -> dict[str, Any]:
    parameters = {
        "seed": seed,
        "scene": json.dumps(asdict(settings.scene)),
        "record_path": str((run_dir / RECORDING).resolve()) if video else "",
        "record_rate_hz": settings.video.rate_hz,
        "stop_camera": settings.faults.stop_camera,
        "stop_camera_after_s": settings.faults.stop_camera_after_s,
    }
    if settings.is_scripted:
        parameters["scene_rate_hz"] = _EXPERT_SCENE_RATE_HZ
    return parameters


def _policy(settings: RunSettings) -> dict[str, Any]:
    folder = Path() if settings.is_scripted else _folder(settings)
    return {
        "checkpoint": str(folder.resolve()),
        "device": settings.policy.device,
        "stitch": str(settings.policy.stitch),
        "retries": settings.policy.retries,
        "replan_every_s": settings.replan_every_s,
    }


def _folder(settings: RunSettings) -> Path:
    policy = settings.policy
    return find_policy(policy.type, policy.checkpoint, policy.path)
