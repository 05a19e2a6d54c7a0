"""Loading: what is damaged, foreign or unknown is refused in one line with a remedy."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lam_policies.checkpoint import CARD, CONFIG, WEIGHTS, sha256_of
from lam_policies.loader import load_policy
from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError, FingerprintMismatch, LamError, MachineError

ROBOT = load_robot("so101")

Damage = Callable[[Path], None]


def _edit_card(folder: Path, **changes: Any) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def _truncate_weights(folder: Path) -> None:
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def _truncate_weights_and_card(folder: Path) -> None:
    _truncate_weights(folder)
    _edit_card(folder, sha256=sha256_of(folder / WEIGHTS))


def _widen_network(folder: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "hidden_dim": 48}))


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no card": (lambda folder: (folder / CARD).unlink(), "lam.json is missing"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "model.safetensors is missing"),
    "truncated weights": (_truncate_weights, "model.safetensors is damaged"),
    "no safetensors": (_truncate_weights_and_card, "is no safetensors file"),
    "other hash": (lambda folder: _edit_card(folder, sha256="0" * 64), "00000000 is written"),
    "other network": (_widen_network, "do not fit together"),
    "no sizes": (lambda folder: (folder / CONFIG).write_text("{}"), "do not fit together"),
    "config is no JSON": (lambda folder: (folder / CONFIG).write_text("{"), "config.json is not"),
    "card is no JSON": (lambda folder: (folder / CARD).write_text("{"), "lam.json is not JSON"),
    "card is a list": (lambda folder: (folder / CARD).write_text("[]"), "is no JSON object"),
    "later format": (lambda folder: _edit_card(folder, format=99), "is of format 99"),
    "no robot": (lambda folder: _edit_card(folder, robot={}), "robot in lam.json"),
}


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the small checkpoint, to be damaged."""
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def _refusal(folder: Path, kind: type[LamError]) -> str:
    with pytest.raises(kind) as caught:
        load_policy(folder, ROBOT, device="cpu")
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_refused_with_a_remedy(name: str, copy: Path) -> None:
    damage, told = DAMAGES[name]
    damage(copy)
    message = _refusal(copy, CheckpointError)
    assert "checkpoint 'copy'" in message
    assert told in message
    assert "lam train" in message


def test_our_checkpoint_is_loaded_and_asked_without_waiting_for_lerobot(checkpoint: Path) -> None:
    code = f"""
import sys
from lam_policies.loader import load_policy
from lam_ros.config import load_robot
load_policy({str(checkpoint)!r}, load_robot("so101"), "cpu").warm_up()
print(*sorted({{"lerobot", "transformers", "torchvision"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    message = _refusal(tmp_path / "nowhere", CheckpointError)
    assert "no such folder" in message
    assert "lam train" in message


def test_an_unknown_type_is_answered_with_those_known(copy: Path) -> None:
    _edit_card(copy, policy_type="lan")
    message = _refusal(copy, CheckpointError)
    assert "unknown policy type 'lan'" in message
    assert "Did you mean 'lam'?" in message


def test_a_checkpoint_for_another_robot_is_refused(copy: Path) -> None:
    card = json.loads((copy / CARD).read_text())
    card["robot"]["joints"][0]["upper_rad"] += 0.1
    _edit_card(copy, robot=card["robot"])
    assert "checkpoint 'copy'" in _refusal(copy, FingerprintMismatch)


def test_an_unknown_device_is_answered_with_those_known(checkpoint: Path) -> None:
    with pytest.raises(MachineError, match="unknown device 'gpu'; allowed: auto, cpu, cuda"):
        load_policy(checkpoint, ROBOT, device="gpu")
