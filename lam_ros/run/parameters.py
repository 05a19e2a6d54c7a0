"""From the settings of a run to the parameters of its nodes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lam_ros.core.errors import CheckpointError
from lam_ros.core.skills import Skill
from lam_ros.graph import GraphParameters
from lam_ros.paths import find_checkpoint
from lam_ros.run.pictures import RECORDING
from lam_ros.run.settings import RunSettings, write_groups

CARD = "lam.json"
"""In a checkpoint: what it is, and which skills it was trained for."""

_EXPERT_SCENE_RATE_HZ = 50.0
"""The scripted teleoperator steers by the scene; the planner is content with less."""


def graph_parameters(
    settings: RunSettings, seed: int, run_dir: Path, *, video: bool, single_process: bool
) -> GraphParameters:
    """Return every node's parameters, and write the files that they name into the run's folder.

    Raises:
        CheckpointError: if the policy's checkpoint is not there.
    """
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
        policy=_policy(settings),
        planner={"planner": files["planner"], "skills": ",".join(skills_of(settings))},
    )


def skills_of(settings: RunSettings) -> list[str]:
    """Return the skills that whoever drives is able to do.

    Raises:
        CheckpointError: if the checkpoint is missing, or does not say.
    """
    if settings.is_scripted:
        return [str(skill) for skill in Skill]
    folder = find_checkpoint(settings.policy.checkpoint)
    card = folder / CARD
    remedy = "fetch it again, or train one with `lam train`"
    if not card.is_file():
        what = f"{CARD} is missing" if folder.is_dir() else "no such folder"
        raise CheckpointError(f"checkpoint '{settings.policy.checkpoint}': {what}; {remedy}")
    try:
        skills = [str(Skill(name)) for name in json.loads(card.read_text("utf-8"))["skills"]]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"checkpoint '{settings.policy.checkpoint}': {CARD} cannot be read ({error}); {remedy}"
        ) from None
    return skills


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
    folder = find_checkpoint(settings.policy.checkpoint)
    return {
        "checkpoint": str(folder.resolve()),
        "device": settings.policy.device,
        "replan_every_s": settings.replan_every_s,
    }
