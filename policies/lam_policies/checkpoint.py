"""A checkpoint's files: what is there, whether it is whole, and for which robot.

Read without torch, so that a checkpoint that cannot be served is refused at once.  Only
JSON is looked into; LeRobot's processor files, which may name arbitrary imports, are
left alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_policies.served import PolicyInfo
from lam_ros.core.errors import CheckpointError, RobotError
from lam_ros.core.robot import RobotDescription

FORMAT = 1
CARD = "lam.json"
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
RETRIEVE = "fetch it again, or train one with `lam train`"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder whose files are there and agree with each other."""

    folder: Path
    card: Mapping[str, Any]
    robot: RobotDescription

    @property
    def policy_id(self) -> str:
        """Name and short hash of the weights."""
        return f"{self.folder.name}-{self.card['sha256'][:8]}"

    @property
    def info(self) -> PolicyInfo:
        """What the policy in it is."""
        return PolicyInfo(
            policy_id=self.policy_id,
            skills=tuple(self.card["skills"]),
            horizon=int(self.card["horizon"]),
            dt_ns=int(self.card["dt_ns"]),
            robot=self.robot,
        )


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint's card and check its files.

    Raises:
        CheckpointError: if something is missing, damaged or of an unknown kind.
    """
    name = folder.name
    if not folder.is_dir():
        raise CheckpointError(f"checkpoint '{folder}': no such folder; {RETRIEVE}")
    for file in (CARD, CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise CheckpointError(f"checkpoint '{name}': {file} is missing; {RETRIEVE}")
    card = _read_json(folder / CARD, name)
    missing = {"policy_type", "robot", "skills", "dt_ns", "horizon", "sha256"} - set(card)
    if missing or card.get("format") != FORMAT:
        raise CheckpointError(
            f"checkpoint '{name}': {CARD} is of format {card.get('format')} and lacks "
            f"{sorted(missing)}, format {FORMAT} is needed; {RETRIEVE}"
        )
    found = sha256_of(folder / WEIGHTS)
    if found != card["sha256"]:
        raise CheckpointError(
            f"checkpoint '{name}': {WEIGHTS} is damaged (sha256 {found[:8]}, "
            f"{str(card['sha256'])[:8]} is written in {CARD}); {RETRIEVE}"
        )
    try:
        robot = RobotDescription.from_dict(card["robot"])
    except (RobotError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"checkpoint '{name}': robot in {CARD}: {error}; {RETRIEVE}"
        ) from None
    return Checkpoint(folder, card, robot)


def _read_json(path: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"checkpoint '{name}': {path.name} is not JSON ({error}); {RETRIEVE}"
        ) from None
    if not isinstance(data, dict):
        raise CheckpointError(f"checkpoint '{name}': {path.name} is no JSON object; {RETRIEVE}")
    return data


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
