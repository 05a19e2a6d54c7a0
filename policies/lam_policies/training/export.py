"""A checkpoint that can be served: LeRobot's files, and `lam.json` with where it comes from."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lam_policies.checkpoint import CARD, FORMAT, WEIGHTS, sha256_of
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
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    policy.save_pretrained(part)
    before, after = make_lam_pre_post_processors(policy.config)
    before.save_pretrained(part, config_filename="policy_preprocessor.json")
    after.save_pretrained(part, config_filename="policy_postprocessor.json")
    card = {
        "format": FORMAT,
        "policy_type": policy.name,
        "robot": robot.to_dict(),
        "fingerprint": robot.fingerprint(),
        "skills": list(policy.config.skills),
        "dt_ns": dt_ns,
        "horizon": policy.config.chunk_size,
        "sha256": sha256_of(part / WEIGHTS),
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **provenance,
    }
    (part / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
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
