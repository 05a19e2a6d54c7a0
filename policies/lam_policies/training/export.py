"""A checkpoint that can be served: LeRobot's files, and `lam.json` with where it comes from."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot.policies.pretrained import PreTrainedPolicy

from lam_policies.checkpoint import CARD, FORMAT, WEIGHTS, sha256_of
from lam_policies.training.model_card import MODEL_CARD, model_card
from lam_ros.core.robot import RobotDescription
from lerobot_policy_lam.modeling_lam import LamPolicy
from lerobot_policy_lam.processor_lam import make_lam_pre_post_processors


def export(
    policy: LamPolicy,
    folder: Path,
    *,
    robot: RobotDescription,
    dt_ns: int,
    provenance: Mapping[str, Any],
) -> Path:
    """Write a checkpoint folder, replacing an older one as a whole.

    Args:
        policy: with the weights to serve.
        folder: where; its parent is made.
        robot: the robot that the data were recorded with.
        dt_ns: time between two rows of a chunk.
        provenance: what to keep of the run: command, data, curve.
    """
    return write_checkpoint(
        policy,
        make_lam_pre_post_processors(policy.config),
        folder,
        robot=robot,
        horizon=policy.config.chunk_size,
        dt_ns=dt_ns,
        skills=policy.config.skills,
        provenance=provenance,
    )


def write_checkpoint(
    policy: PreTrainedPolicy,
    processors: tuple[Any, Any],
    folder: Path,
    *,
    robot: RobotDescription,
    horizon: int,
    dt_ns: int,
    skills: Sequence[str],
    provenance: Mapping[str, Any],
) -> Path:
    """Write any policy's checkpoint with its processors, replacing an older one as a whole."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    policy.save_pretrained(part)
    before, after = processors
    before.save_pretrained(part, config_filename="policy_preprocessor.json")
    after.save_pretrained(part, config_filename="policy_postprocessor.json")
    card = {
        "format": FORMAT,
        "policy_type": policy.name,
        "robot": robot.to_dict(),
        "fingerprint": robot.fingerprint(),
        "skills": list(skills),
        "dt_ns": dt_ns,
        "horizon": horizon,
        "sha256": sha256_of(part / WEIGHTS),
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **provenance,
    }
    (part / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (part / MODEL_CARD).write_text(model_card(card), encoding="utf-8")
    replace_folder(part, folder)
    return folder


def replace_folder(part: Path, folder: Path) -> None:
    """Put a finished folder in the place of an older one, if there is one."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(part, folder)
    shutil.rmtree(old, ignore_errors=True)
