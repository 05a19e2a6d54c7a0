"""A checkpoint's files: what is there, whether it is whole, and for which robot.

Read without torch, so that a checkpoint that cannot be served is refused at once.  Only
JSON and statistics are looked into.  A folder with `lam.json` says which robot it was made
for; one that LeRobot alone wrote is held against the robot by names and shapes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_policies.features import NOT_IN_IT, require_features, require_radians
from lam_policies.kinds import KINDS, LAM, find_path
from lam_policies.served import PolicyInfo
from lam_ros.core.clock import period_ns
from lam_ros.core.errors import CheckpointError, RobotError, unknown_name
from lam_ros.core.robot import RobotDescription
from lam_ros.core.skills import TRAINED
from lam_ros.paths import find_checkpoint

FORMAT = 1
CARD = "lam.json"
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
STATISTICS = "statistics."
"""How the names of those weights begin that are kept as they are, whatever is done to the network's."""
RETRIEVE = "fetch it again, or train one with `lam train`"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder whose files are there and agree with each other.

    Attributes:
        unchecked: what of the robot it does not tell, so that nobody could check it.
    """

    folder: Path
    card: Mapping[str, Any]
    robot: RobotDescription
    unchecked: str = ""

    @property
    def kind(self) -> str:
        """Which kind of policy it is, for example `lam` or `act`."""
        return str(self.card["policy_type"])

    @property
    def policy_id(self) -> str:
        """Name and short hash of the weights."""
        plain = self.folder.name == "pretrained_model"  # what LeRobot calls every one
        name = self.kind if plain else self.folder.name
        return f"{name}-{self.card['sha256'][:8]}"

    @property
    def info(self) -> PolicyInfo:
        """What the policy in it is."""
        return PolicyInfo(
            policy_id=self.policy_id,
            skills=tuple(self.card["skills"]),
            horizon=int(self.card["horizon"]),
            dt_ns=int(self.card["dt_ns"]),
            robot=self.robot,
            looks_back=bool(self.card.get("looks_back")),
        )


def find_policy(kind: str, checkpoint: str, path: str = "") -> Path:
    """Return the folder that a configuration names: a shipped name, a folder, or one on the hub.

    Raises:
        CheckpointError: if there is none, or nothing is named.
        MachineError: if it has to be fetched and there is no network.
    """
    if path or (kind != LAM and not checkpoint):
        return find_path(kind, path)
    return find_checkpoint(checkpoint)


def checkpoint_for(folder: Path, robot: RobotDescription, kind: str = "") -> Checkpoint:
    """Read a checkpoint and check its files, and that it is made for a robot.

    Args:
        folder: with `lam.json`, or as LeRobot writes it.
        robot: whom it shall drive.
        kind: which kind of policy it is said to be; empty for any.

    Raises:
        CheckpointError: if something is missing, damaged or of an unknown kind.
        FingerprintMismatch: if it was made for another robot.
    """
    what = f"checkpoint '{folder.name}'"
    if folder.is_dir() and not (folder / CARD).is_file() and (folder / CONFIG).is_file():
        checkpoint = _of_lerobot(folder, robot)
    else:
        checkpoint = open_checkpoint(folder)
        robot.require_match(checkpoint.robot, what)
    if kind and checkpoint.kind != kind:
        if kind not in (LAM, *KINDS):
            raise CheckpointError(unknown_name("policy", kind, (LAM, *KINDS)))
        raise CheckpointError(
            f"{what} is a policy of kind '{checkpoint.kind}', policy={kind} was said; "
            f"give policy={checkpoint.kind}"
        )
    return checkpoint


def _of_lerobot(folder: Path, robot: RobotDescription) -> Checkpoint:
    """Return a checkpoint that LeRobot wrote, checked as far as it tells."""
    name = folder.name
    config = read_json(folder / CONFIG, name)
    kind = str(config.get("type", ""))
    if kind == LAM:  # its robot is told by lam.json alone
        raise CheckpointError(f"checkpoint '{name}': {CARD} is missing; {RETRIEVE}")
    if not kind:
        raise CheckpointError(f"checkpoint '{name}': {CONFIG} names no type of policy; {RETRIEVE}")
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(f"checkpoint '{name}': {WEIGHTS} is missing; {RETRIEVE}")
    require_features(config, robot, f"checkpoint '{name}'")
    require_radians(folder, robot, f"checkpoint '{name}'")
    horizon = next((config[key] for key in _HORIZONS if config.get(key)), 1)
    card = {
        "policy_type": kind,
        "skills": list(TRAINED),
        "horizon": horizon,
        "dt_ns": _step_ns(folder, robot),
        "looks_back": int(config.get("n_obs_steps") or 1) > 1,
        "sha256": sha256_of(folder / WEIGHTS),
    }
    return Checkpoint(folder, card, robot, NOT_IN_IT)


_HORIZONS = ("chunk_size", "action_chunk_size", "n_action_steps", "horizon")
"""What LeRobot's policies call the number of rows of a chunk."""


def _step_ns(folder: Path, robot: RobotDescription) -> int:
    """Return the time between two rows: of the data that it was trained on, if they are here."""
    try:
        trained = json.loads((folder / "train_config.json").read_text(encoding="utf-8"))
        root = Path(trained["dataset"]["root"])
        return period_ns(json.loads((root / "meta" / "info.json").read_text())["fps"])
    except (OSError, ValueError, KeyError, TypeError):
        return robot.cameras[0].period_ns


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
    card = read_json(folder / CARD, name)
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


def read_json(path: Path, name: str) -> dict[str, Any]:
    """Return the object in a file of the checkpoint of that name.

    Raises:
        CheckpointError: if there is none.
    """
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
