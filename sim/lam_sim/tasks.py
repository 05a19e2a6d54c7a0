"""Tasks: which steps a scene allows, and drawing one of them.

A task is a `Step` of the core's vocabulary (skill, object, target), the same that the
planner hands to a policy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.scene import Literal, Scene, SceneObject, within_regions
from lam_ros.core.skills import TRAINED, Skill, Step, achieved
from lam_sim import catalog
from lam_sim.moves import can_shove
from lam_sim.placement import PICK, polar
from lam_sim.placing import contents, place_point
from lam_sim.sampling import sample_scene
from lam_sim.scenes import ObjectSpec, SceneConfig, SceneSpec
from lam_sim.truth import is_open


class TaskType(StrEnum):
    """A skill with a kind of target: what evaluation reports separately."""

    IN_BOWL = "in_bowl"
    ON_SPOT = "on_spot"
    IN_TRAY = "in_tray"
    STACK = "stack"
    NEXT_TO = "next_to"
    PUSH = "push"
    OPEN = "open"
    CLOSE = "close"
    PRESS = "press"
    SWEEP = "sweep"
    HOME = "home"


TRAINING_MIX: Mapping[TaskType, float] = MappingProxyType(
    {
        TaskType.IN_BOWL: 0.45,
        TaskType.ON_SPOT: 0.27,
        TaskType.IN_TRAY: 0.08,
        TaskType.STACK: 0.12,
        TaskType.NEXT_TO: 0.08,
    }
)
"""Share of each type of task among the demonstrations."""

_SKILL_OF = {
    TaskType.IN_BOWL: (Skill.PLACE_IN, ("bowl",)),
    TaskType.ON_SPOT: (Skill.PLACE_ON, ("spot",)),
    TaskType.IN_TRAY: (Skill.PLACE_IN, ("tray",)),
    TaskType.STACK: (Skill.PLACE_ON, ("cube",)),
    TaskType.NEXT_TO: (Skill.PLACE_NEXT_TO, ("cube", "bowl", "spot")),
    TaskType.PUSH: (Skill.PUSH, ("region",)),
    TaskType.OPEN: (Skill.OPEN, ("",)),
    TaskType.CLOSE: (Skill.CLOSE, ("",)),
    TaskType.PRESS: (Skill.PRESS, ("",)),
    TaskType.SWEEP: (Skill.SWEEP, ("region",)),
    TaskType.HOME: (Skill.HOME, ("",)),
}

_EPISODE_TRIES = 100
_FULL_TRIES = 3


@dataclass(frozen=True)
class Episode:
    """A scene and what is to be done in it."""

    scene: SceneSpec
    task_type: TaskType
    step: Step


def sample_episode(
    config: SceneConfig, seed: int, mix: Mapping[TaskType, float] = TRAINING_MIX
) -> Episode:
    """Draw a type of task, then a scene that allows it, then one task; all from the seed.

    Raises:
        ConfigError: if no such scene allows any task of the type drawn, or several
            had no room for their objects.
    """
    rng = np.random.default_rng([seed, 0x7A5C])
    task_type = _draw_type(rng, config, mix)
    wanted = _with_targets(config, task_type)
    too_full = 0
    for attempt in range(_EPISODE_TRIES):
        try:
            spec = replace(sample_scene(wanted, seed + (attempt << 40)), seed=seed)
        except ConfigError:  # by bad luck, one draw in some thousands
            too_full += 1
            if too_full == _FULL_TRIES:
                raise
            continue
        steps = feasible_steps(initial_scene(spec), task_type)
        if steps:
            return Episode(spec, task_type, steps[int(rng.integers(len(steps)))])
    raise ConfigError(
        f"scene '{config.name}': none of {_EPISODE_TRIES} scenes allows '{task_type}'; "
        "change its counts or the mix"
    )


def feasible_steps(scene: Scene, task_type: TaskType) -> list[Step]:
    """Return every step of a type that the expert can do and that is not yet done."""
    skill, target_kinds = _SKILL_OF[task_type]
    if skill not in TRAINED:
        return [step for step in _moves(scene, skill) if not achieved(step, scene)]
    steps = [
        Step(skill, item.id, target.id)
        for item in scene.of_kind("cube")
        if _is_graspable(scene, item)
        for kind in target_kinds
        for target in scene.of_kind(kind)
        if target.id != item.id
    ]
    return [
        step
        for step in steps
        if not scene.holds(step.goal) and place_point(step, scene) is not None
    ]


def next_link(
    last: Episode, scene: Scene, mix: Mapping[TaskType, float], rng: np.random.Generator
) -> Episode | None:
    """Return another step in the same scene as it stands now; None if nothing is left to do.

    Args:
        last: the link before; its object is not asked for again at once if another can be.
        scene: ground truth.
        mix: share of each type of task.
        rng: where chance comes from.
    """
    types = [task_type for task_type in TaskType if mix.get(task_type, 0.0) > 0]
    shares = np.array([mix[task_type] for task_type in types])
    order = (
        rng.permutation(len(types))
        if len(types) == 1
        else rng.choice(len(types), len(types), replace=False, p=shares / shares.sum())
    )
    spare: Episode | None = None
    for index in order:
        steps = feasible_steps(scene, types[index])
        steps = [steps[k] for k in rng.permutation(len(steps))]
        for step in steps:
            link = Episode(last.scene, types[index], step)
            if step.object_id != last.step.object_id:
                return link
            spare = spare or link
    return spare


def task_type_of(step: Step, scene: Scene) -> TaskType:
    """Return the type of a step.

    Raises:
        ConfigError: if no type has its skill and kind of target.
    """
    kind = scene[step.target_id].kind if step.target_id else ""
    for task_type, (skill, kinds) in _SKILL_OF.items():
        if step.skill == skill and kind in kinds:
            return task_type
    known = [f"{skill} {kind}" for skill, kinds in _SKILL_OF.values() for kind in kinds]
    raise ConfigError(unknown_name("task", f"{step.skill} {kind}", known))


def initial_scene(spec: SceneSpec) -> Scene:
    """Return the scene as the spec describes it, before any physics."""
    return Scene(tuple(within_regions([_as_object(item) for item in spec.objects], "")))


def _as_object(item: ObjectSpec) -> SceneObject:
    kind = catalog.kind_named(item.kind)
    size = np.array(kind.size_m)
    if not kind.is_round:
        turn = np.abs([[np.cos(item.yaw_rad), np.sin(item.yaw_rad)]])
        size[:2] = (turn @ size[:2]).item(), (turn[:, ::-1] @ size[:2]).item()
    is_drawer = item.kind == "drawer"
    out_m = item.out * catalog.DRAWER_TRAVEL_M if is_drawer else 0.0
    x, y, z = item.position_m
    return SceneObject(
        id=item.id,
        kind=item.kind,
        color=item.color,
        position_m=(
            (x - out_m * math.cos(item.yaw_rad), y - out_m * math.sin(item.yaw_rad), z)
            if is_drawer
            else item.position_m
        ),
        size_m=(float(size[0]), float(size[1]), float(size[2])),
        yaw_rad=item.yaw_rad,
        is_open=is_open(out_m) if is_drawer else None,
        is_on=False if item.kind == "button" else None,
        opening=item.out if is_drawer else None,
    )


def _moves(scene: Scene, skill: Skill) -> list[Step]:
    """Return the steps of a skill other than placing that the expert can do."""
    match skill:
        case Skill.OPEN | Skill.CLOSE:
            return [Step(skill, item.id, "") for item in scene.of_kind("drawer")]
        case Skill.PRESS:
            return [Step(skill, item.id, "") for item in scene.of_kind("button")]
        case Skill.HOME:
            return [Step(skill, "", "")]
        case Skill.PUSH:
            things = [item for item in scene.of_kind("cube") if _is_graspable(scene, item)]
        case _:
            things = list(scene.of_kind("piece")[:1])
    return [
        Step(skill, item.id, region.id)
        for item in things
        for region in scene.of_kind("region")
        if can_shove(Step(skill, item.id, region.id), scene)
    ]


def _is_graspable(scene: Scene, item: SceneObject) -> bool:
    """Tell whether the gripper can take it: within reach, nothing on it, not in a bowl."""
    radius, angle = polar((item.position_m[0], item.position_m[1]))
    reachable = PICK.inner_m <= radius <= PICK.outer_m + 0.01 and abs(angle) <= PICK.angle_rad + 0.2
    in_bowl = any(scene.holds(Literal("in", (item.id, bowl.id))) for bowl in scene.of_kind("bowl"))
    return reachable and not in_bowl and not contents(scene, item.id, "")


def _draw_type(
    rng: np.random.Generator, config: SceneConfig, mix: Mapping[TaskType, float]
) -> TaskType:
    possible = [task_type for task_type in TaskType if _allows(config, task_type)]
    weights = np.array([mix.get(task_type, 0.0) for task_type in possible])
    if not weights.sum() > 0:
        raise ConfigError(f"scene '{config.name}': the mix of tasks has none that it allows")
    return possible[int(rng.choice(len(possible), p=weights / weights.sum()))]


def _allows(config: SceneConfig, task_type: TaskType) -> bool:
    if task_type in _NEEDS:
        return all(getattr(config, name)[1] > 0 for name in _NEEDS[task_type])
    least_cubes = 2 if task_type in (TaskType.STACK, TaskType.NEXT_TO) else 1
    targets = {
        TaskType.IN_BOWL: config.bowls[1],
        TaskType.ON_SPOT: config.spots[1],
        TaskType.IN_TRAY: config.trays[1],
    }
    return config.cubes[1] >= least_cubes and targets.get(task_type, 1) > 0


_NEEDS: Mapping[TaskType, tuple[str, ...]] = {
    TaskType.PUSH: ("cubes", "regions"),
    TaskType.OPEN: ("drawers",),
    TaskType.CLOSE: ("drawers",),
    TaskType.PRESS: ("buttons",),
    TaskType.SWEEP: ("pieces", "regions"),
    TaskType.HOME: (),
}
"""What a family of scenes must have for a type of task."""


def _with_targets(config: SceneConfig, task_type: TaskType) -> SceneConfig:
    """Return the configuration with at least one target of the type."""
    if task_type is TaskType.IN_TRAY:
        return replace(config, trays=(1, config.trays[1]), spots=(0, config.spots[1]))
    if task_type is TaskType.IN_BOWL:
        return replace(config, bowls=(max(1, config.bowls[0]), config.bowls[1]))
    if task_type is TaskType.ON_SPOT:
        return replace(config, spots=(max(1, config.spots[0]), config.spots[1]))
    if task_type in (TaskType.OPEN, TaskType.CLOSE):
        return replace(config, open_probability=float(task_type is TaskType.CLOSE))
    if task_type is TaskType.HOME:
        return replace(config, roaming_start_probability=1.0)
    return config
