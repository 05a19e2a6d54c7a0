"""How the one step of a recording is said: skill, kinds and colours, for `lam train`."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from lam_ros.bridge import topics
from lam_ros.core.skills import TRAINED, Skill, StepWords
from lam_ros.recording.reader import EpisodeReader

PLAN_TYPE = "lam_interfaces/msg/Plan"
SCENE_TYPE = "lam_interfaces/msg/Scene"

_CANONICAL = re.compile(
    r"put the (?:(?P<object_color>\w+) )?(?P<object_kind>\w+) (?P<where>in|on|next to) "
    r"the (?:(?P<target_color>\w+) )?(?P<target_kind>\w+)",
)
_SKILLS = {"in": Skill.PLACE_IN, "on": Skill.PLACE_ON, "next to": Skill.PLACE_NEXT_TO}


def step_words(reader: EpisodeReader, text: str) -> dict[str, str] | None:
    """Return how the step of a recording is said, or None if that is not known.

    From the plan and the scene if they were recorded; else from a text in the planner's
    own wording.
    """
    said = _from_plan(reader, text) or _from_text(text)
    return {name: str(value) for name, value in asdict(said).items()} if said else None


def _from_plan(reader: EpisodeReader, text: str) -> StepWords | None:
    plans, scenes = f"/{topics.PLAN}", f"/{topics.SCENE}"
    kinds = {topic: info.type_name for topic, info in reader.topics.items() if info.count}
    if kinds.get(plans) != PLAN_TYPE or kinds.get(scenes) != SCENE_TYPE:
        return None
    plan = _last(reader, plans)
    scene = _first(reader, scenes)
    objects = {item.id: item for item in scene.objects}
    for step in plan.steps:
        if step.prompt == text and step.skill in TRAINED:
            item, target = objects.get(step.object_id), objects.get(step.target_id)
            if item and target:
                return StepWords(
                    Skill(step.skill), item.color, item.kind, target.color, target.kind
                )
    return None


def _from_text(text: str) -> StepWords | None:
    found = _CANONICAL.fullmatch(text.strip().rstrip(".").lower())
    if not found:
        return None
    parts = found.groupdict(default="")
    skill = _SKILLS[parts.pop("where")]
    return StepWords(skill=skill, **parts)


def _first(reader: EpisodeReader, topic: str) -> Any:
    return next(reader.messages([topic])).message


def _last(reader: EpisodeReader, topic: str) -> Any:
    *_, item = reader.messages([topic])
    return item.message
