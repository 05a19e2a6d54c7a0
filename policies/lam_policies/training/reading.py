"""Sentences by themselves: what a policy reads beside the data, and before any picture.

The data name few colours of each kind; a policy that reads nothing else forgets the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_policies.training.frames import Said
from lam_ros.core.language import sample
from lam_ros.core.skills import TRAINED, Skill, StepWords
from lerobot_policy_lam.configuration_lam import LamConfig
from lerobot_policy_lam.modeling_lam import NO_SLOT

_SKILLS_FOR = {
    "bowl": (Skill.PLACE_IN, Skill.PLACE_NEXT_TO),
    "tray": (Skill.PLACE_IN,),
    "spot": (Skill.PLACE_ON, Skill.PLACE_NEXT_TO),
    "cube": (Skill.PLACE_ON, Skill.PLACE_NEXT_TO),
}


class Reading:
    """Draws sentences, each with what it names."""

    def __init__(self, config: LamConfig) -> None:
        """Draw from every step that the configuration has names for."""
        self._config = config
        self._steps = every_step(config.colors, config.skills)

    @classmethod
    def of(cls, config: LamConfig) -> Reading | None:
        """Return what there is to read, None if nothing is to be or no step has a name."""
        reading = cls(config)
        return reading if config.reading_weight and reading._steps else None

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[str], list[tuple[int, ...]]]:
        """Return sentences, and the classes of what each names."""
        said = [self._steps[k] for k in rng.integers(len(self._steps), size=count)]
        labels = [slot_labels(words, self._config) for words in said]
        return [sample(words, rng) for words in said], labels


def every_step(colors: Sequence[str], skills: Sequence[str] = TRAINED) -> list[StepWords]:
    """Return every step that the colours allow, of the skills that are to be read."""
    named = [color for color in colors if color]
    return [step for step in _placing(named) + _moving(named) if str(step.skill) in skills]


def _moving(colors: Sequence[str]) -> list[StepWords]:
    """Return pushes, sweeps, drawers, buttons and the way home."""
    pairs = [
        StepWords(skill, item, kind, target, "region")
        for skill, kind in ((Skill.PUSH, "cube"), (Skill.SWEEP, "piece"))
        for item in colors
        for target in colors
    ]
    single = ((Skill.OPEN, "drawer"), (Skill.CLOSE, "drawer"), (Skill.PRESS, "button"))
    alone = [StepWords(skill, color, kind, "", "") for skill, kind in single for color in colors]
    return [*pairs, *4 * alone, *16 * [StepWords(Skill.HOME, "", "", "", "")]]


def _placing(colors: Sequence[str]) -> list[StepWords]:
    """Return every step of placing a cube."""
    return [
        StepWords(skill, item, "cube", target, kind)
        for kind, skills in _SKILLS_FOR.items()
        for skill in skills
        for item in colors
        for target in colors
        if not (kind == "cube" and item == target)
    ]


def slot_labels(said: Said, config: LamConfig) -> tuple[int, ...]:
    """Return the class of skill and of each colour and kind; `NO_SLOT` where unknown."""
    if isinstance(said, str):
        return (NO_SLOT,) * 5
    pairs = (
        (str(said.skill), config.skills),
        (said.object_color, config.colors),
        (said.object_kind, config.kinds),
        (said.target_color, config.colors),
        (said.target_kind, config.kinds),
    )
    return tuple(names.index(name) if name in names else NO_SLOT for name, names in pairs)
