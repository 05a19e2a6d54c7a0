"""The wordings: complete, disjoint between the splits, and true to the step."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.language import KIND_SYNONYMS, SPLITS, Split, sample, wordings
from lam_ros.core.skills import Skill, StepWords, canonical_prompt

STEPS = [
    StepWords(Skill.PLACE_IN, "red", "cube", "blue", "bowl"),
    StepWords(Skill.PLACE_IN, "green", "cube", "white", "tray"),
    StepWords(Skill.PLACE_ON, "orange", "cube", "purple", "spot"),
    StepWords(Skill.PLACE_ON, "yellow", "cube", "red", "cube"),
    StepWords(Skill.PLACE_NEXT_TO, "purple", "cube", "orange", "bowl"),
    StepWords(Skill.PUSH, "red", "cube", "white", "region"),
    StepWords(Skill.SWEEP, "brown", "piece", "blue", "region"),
    StepWords(Skill.OPEN, "white", "drawer", "", ""),
    StepWords(Skill.CLOSE, "green", "drawer", "", ""),
    StepWords(Skill.PRESS, "yellow", "button", "", ""),
    StepWords(Skill.HOME, "", "", "", ""),
]


def _bare(text: str) -> str:
    return text.lower().strip(" .!?")


@pytest.mark.parametrize("said", STEPS)
def test_splits_share_no_sentence(said: StepWords) -> None:
    rng = np.random.default_rng(0)
    seen = {_bare(sample(said, rng, "train")) for _ in range(20_000)}
    seen |= {_bare(text) for text in wordings(said, "train")}
    unseen = {_bare(sample(said, rng, "heldout")) for _ in range(2_000)}
    unseen |= {_bare(text) for text in wordings(said, "heldout")}
    assert not seen & unseen


@pytest.mark.parametrize("said", STEPS)
def test_every_skill_has_at_least_eight_heldout_wordings(said: StepWords) -> None:
    assert len(wordings(said, "heldout")) >= 8


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("said", STEPS)
def test_plain_wordings_name_both_things(said: StepWords, split: Split) -> None:
    for text in wordings(said, split):
        for word in (said.object_color, said.object_kind, said.target_color, said.target_kind):
            assert word in text
        assert not set("{=}") & set(text)


@pytest.mark.parametrize("said", STEPS)
def test_heldout_wordings_are_clean(said: StepWords) -> None:
    rng = np.random.default_rng(1)
    for _ in range(500):
        text = sample(said, rng, "heldout")
        assert said.object_color in text
        assert said.target_color in text
        names = KIND_SYNONYMS.get(said.target_kind, ("",))
        assert any(name in text for name in names)


def test_the_planners_wording_is_the_commonest() -> None:
    rng = np.random.default_rng(2)
    texts = [sample(STEPS[0], rng, "train") for _ in range(2_000)]
    commonest = max(set(texts), key=texts.count)
    assert commonest == canonical_prompt(STEPS[0])


def test_the_same_chance_gives_the_same_words() -> None:
    first = [sample(STEPS[0], np.random.default_rng(3)) for _ in range(20)]
    assert first == [sample(STEPS[0], np.random.default_rng(3)) for _ in range(20)]


def test_unknown_kinds_and_missing_colors_are_said_as_they_are() -> None:
    said = StepWords(Skill.PLACE_ON, "", "gear", "", "shelf")
    for split in SPLITS:
        text = sample(said, np.random.default_rng(4), split).lower()
        assert "  " not in text
    assert "the gear" in wordings(said, "train")[0]
