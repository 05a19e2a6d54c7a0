"""Reading is learnt from sentences alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from lam_policies.checkpoint import open_checkpoint
from lam_policies.training.words import WordsConfig, every_step, judge, learn, main, widened
from lam_ros.core.skills import DEMONSTRATED, Skill
from lerobot_policy_lam import LamPolicy


def test_every_step_is_named_once_and_nothing_goes_onto_itself() -> None:
    steps = every_step(["red", "blue"])
    assert len(set(steps)) == len(steps)
    assert not any(
        step.object_color == step.target_color and step.target_kind == "cube" for step in steps
    )
    assert {Skill.PLACE_IN, Skill.PLACE_ON, Skill.PLACE_NEXT_TO} == {step.skill for step in steps}


def test_sentences_teach_to_read(checkpoint: Path) -> None:
    policy = LamPolicy.from_pretrained(checkpoint)
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    untaught = judge(policy, "train")
    learn(policy, WordsConfig(steps=60, batch_size=64, learning_rate=1e-2), Console(quiet=True))
    assert judge(policy, "train") > untaught
    for name, value in policy.state_dict().items():
        if not name.startswith(("network.text", "network.slots")):
            assert torch.equal(value, before[name]), name


def test_the_command_writes_a_checkpoint_that_tells_its_source(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(checkpoint), str(tmp_path / "reads"), "--steps", "2"]) == 0
    card = open_checkpoint(tmp_path / "reads").card
    source = json.loads((checkpoint / "lam.json").read_text())
    assert card["start_from"]["sha256"] == source["sha256"]
    assert str(tmp_path) not in json.dumps(dict(card))


def test_a_checkpoint_that_learns_of_more_skills_keeps_all_weights_but_the_names(
    checkpoint: Path,
) -> None:
    policy = LamPolicy.from_pretrained(checkpoint)
    wide = widened(policy)
    assert set(wide.config.skills) == {str(skill) for skill in DEMONSTRATED}
    assert {"drawer", "button", "region", "piece"} <= set(wide.config.kinds)
    kept = wide.state_dict()
    for name, value in policy.state_dict().items():
        assert name.startswith("network.slots") or torch.equal(value, kept[name]), name
