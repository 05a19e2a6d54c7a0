"""Checkpoints of one network are averaged, and what does not belong together is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lam_policies.checkpoint import CARD, WEIGHTS, open_checkpoint, sha256_of
from lam_policies.training.mean import main, mean
from lam_ros.core.errors import CheckpointError


def changed(checkpoint: Path, folder: Path, name: str) -> Path:
    """Return a copy of a checkpoint in which a weight, or all whose name begins so, is 2 more."""
    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / WEIGHTS)
    weights = {n: v + 2 if n.startswith(name) else v for n, v in weights.items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, "sha256": sha256_of(folder / WEIGHTS)}))
    return folder


def test_each_weight_is_the_mean_and_the_statistics_stay(checkpoint: Path, tmp_path: Path) -> None:
    other = changed(checkpoint, tmp_path / "other", "network.")
    out = mean([checkpoint, other], tmp_path / "out")
    before, after = load_file(checkpoint / WEIGHTS), load_file(out / WEIGHTS)
    assert before.keys() == after.keys()
    for name, value in after.items():
        raised = 1.0 if name.startswith("network.") else 0.0
        torch.testing.assert_close(value, before[name] + raised)


def test_the_card_tells_of_all_of_them_and_of_no_path(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(checkpoint, tmp_path / "other", "network.")
    assert main([str(tmp_path / "out"), str(checkpoint), str(other)]) == 0
    card = open_checkpoint(tmp_path / "out").card
    assert [told["sha256"] for told in card["mean_of"]] == [
        sha256_of(checkpoint / WEIGHTS), sha256_of(other / WEIGHTS),
    ]  # fmt: skip
    assert str(tmp_path) not in json.dumps(dict(card))
    assert "the mean of 2" in capsys.readouterr().out


def test_statistics_that_differ_are_refused_with_their_name(
    checkpoint: Path, tmp_path: Path
) -> None:
    other = changed(checkpoint, tmp_path / "other", "statistics.scale")
    with pytest.raises(CheckpointError, match=r"checkpoint 'other': its statistics.scale is not"):
        mean([checkpoint, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()
