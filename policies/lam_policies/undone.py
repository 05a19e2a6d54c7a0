"""Scenes in which a step looks as good as done, and is not.

A policy that sees one moment at a time learns from whole demonstrations that it is done where
the arm is back home and things look about right.  That a drawer half out is not open, a cube
beside a bowl not in it, and a cube on top of another not next to it, it never learns from them:
nobody leaves things so.  Here things lie so at the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lam_ros.core.skills import Skill
from lam_sim import catalog
from lam_sim.placement import PICK, SECTORS, Point, Sector
from lam_sim.sampling import free_supports, resting_on
from lam_sim.scenes import ObjectSpec
from lam_sim.tasks import Episode, feasible_steps, initial_scene

_OUT = MappingProxyType({Skill.OPEN: (0.14, 0.68), Skill.CLOSE: (0.26, 0.88)})
"""How far out a drawer is that is not yet open, or not yet closed: share of its travel."""

_BESIDE_M = (0.001, 0.014)
"""Gap between a cube and what it ought to be in or on."""
_SHORT_M = (0.052, 0.080)
"""Gap between a cube and what it ought to be next to: more than counts as next to."""
_OUTSIDE_M = (0.051, 0.072)
"""From the middle of a region to what ought to be in it: as near as it can be pushed from."""
_WITHIN_M = 0.028
_APART_M = 0.002
_TRIES = 24

_Change = Callable[[Episode, np.random.Generator], Sequence[ObjectSpec] | None]


def nearly_done(episode: Episode, rng: np.random.Generator) -> Episode | None:
    """Return an episode with its step nearly done, or seemingly; None where that cannot be.

    The step is the same and can be done; a press and the way home cannot look done.
    """
    changes = list(_CHANGES.get(episode.step.skill, ()))
    for index in rng.permutation(len(changes)):
        for _ in range(_TRIES):
            objects = changes[index](episode, rng)
            if objects is None:
                break
            changed = replace(episode, scene=replace(episode.scene, objects=tuple(objects)))
            if episode.step in feasible_steps(initial_scene(changed.scene), episode.task_type):
                return changed
    return None


def _slid(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec]:
    out = float(rng.uniform(*_OUT[episode.step.skill]))
    return _with(episode, replace(episode.scene.object(episode.step.object_id), out=out))


def _beside(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    return _off_target(episode, rng, _BESIDE_M)


def _short(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    return _off_target(episode, rng, _SHORT_M)


def _off_target(
    episode: Episode, rng: np.random.Generator, gap_m: tuple[float, float]
) -> Sequence[ObjectSpec] | None:
    """Put the object down at a gap from the target, where it can be grasped."""
    item, target = _named(episode)
    reach = _outline_m(item) + _outline_m(target)
    ring = reach + gap_m[0], reach + gap_m[1]
    moved = _moved(item, target, ring, PICK, episode.scene.objects, rng)
    return _with(episode, moved) if moved else None


def _on_another(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    """Put the object on something that is not its target; from a bowl it could not be taken."""
    item, target = _named(episode)
    on = [support for support in _free(episode, item, target) if support.kind != "bowl"]
    return _rested(episode, item, on, rng)


def _target_on_another(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    """Put the cube that is the target in or on something: a stack to build on, a cube in a bowl."""
    item, target = _named(episode)
    return _rested(episode, target, _free(episode, target, item), rng)


def _free(episode: Episode, item: ObjectSpec, but: ObjectSpec) -> list[ObjectSpec]:
    """Return what an item can lie in or on, but for one thing; nothing if it is no cube."""
    if item.kind != "cube":
        return []
    free = free_supports(list(episode.scene.objects), item)
    return [support for support in free if support.id != but.id]


def _rested(
    episode: Episode, item: ObjectSpec, on: Sequence[ObjectSpec], rng: np.random.Generator
) -> Sequence[ObjectSpec] | None:
    return _with(episode, _resting(item, on[int(rng.integers(len(on)))], rng)) if on else None


def _on_target(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    """Put the object on what it ought to be next to."""
    item, target = _named(episode)
    if target not in free_supports(list(episode.scene.objects), item) or target.kind == "bowl":
        return None
    return _with(episode, _resting(item, target, rng))


def _pushed(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    """Put the object just outside the region."""
    item, region = _named(episode)
    others = [other for other in episode.scene.objects if other.kind != "region"]
    moved = _moved(item, region, _OUTSIDE_M, PICK, others, rng)
    return _with(episode, moved) if moved else None


def _swept(episode: Episode, rng: np.random.Generator) -> Sequence[ObjectSpec] | None:
    """Put all pieces but one or two into the region, and those just outside."""
    one, region = _named(episode)
    pieces = [o for o in episode.scene.objects if (o.kind, o.color) == (one.kind, one.color)]
    pieces = [pieces[index] for index in rng.permutation(len(pieces))]
    left = int(rng.integers(1, min(3, len(pieces) + 1)))
    objects = [o for o in episode.scene.objects if o not in pieces]
    for number, piece in enumerate(pieces):
        ring = _OUTSIDE_M if number < left else (0.0, _WITHIN_M)
        others = [other for other in objects if other.kind != "region"]
        moved = _moved(piece, region, ring, SECTORS["piece"], others, rng)
        if moved is None:
            return None
        objects.append(moved)
    order = {item.id: index for index, item in enumerate(episode.scene.objects)}
    return sorted(objects, key=lambda item: order[item.id])


_CHANGES: MappingProxyType[Skill, tuple[_Change, ...]] = MappingProxyType(
    {
        Skill.OPEN: (_slid,),
        Skill.CLOSE: (_slid,),
        Skill.PLACE_IN: (_beside, _on_another),
        Skill.PLACE_ON: (_beside, _on_another, _target_on_another),
        Skill.PLACE_NEXT_TO: (_on_target, _on_another, _short, _target_on_another),
        Skill.PUSH: (_pushed,),
        Skill.SWEEP: (_swept,),
    }
)


def _named(episode: Episode) -> tuple[ObjectSpec, ObjectSpec]:
    """Return the object and the target of an episode's step."""
    return episode.scene.object(episode.step.object_id), episode.scene.object(
        episode.step.target_id
    )


def _with(episode: Episode, changed: ObjectSpec) -> list[ObjectSpec]:
    return [changed if item.id == changed.id else item for item in episode.scene.objects]


def _moved(
    item: ObjectSpec,
    centre: ObjectSpec,
    ring_m: tuple[float, float],
    sector: Sector,
    others: Sequence[ObjectSpec],
    rng: np.random.Generator,
) -> ObjectSpec | None:
    """Return an item on the table, turned anyhow, in a ring around another; None without room."""
    for point in _around(centre, rng, *ring_m):
        if sector.contains(point) and _is_clear(point, item, others):
            at = (*point, catalog.kind_named(item.kind).size_m[2] / 2)
            yaw_rad = float(rng.uniform(-math.pi, math.pi))
            return replace(item, position_m=at, yaw_rad=yaw_rad, held_by="")
    return None


def _resting(item: ObjectSpec, support: ObjectSpec, rng: np.random.Generator) -> ObjectSpec:
    """Return a cube on a support, as little exactly as a hand puts it."""
    rests = resting_on(item, support)
    x, y, z = rests.position_m
    dx, dy = rng.uniform(-0.005, 0.005, 2)
    turn = float(rng.uniform(-0.4, 0.4))
    return replace(
        rests, position_m=(x + float(dx), y + float(dy), z), yaw_rad=rests.yaw_rad + turn
    )


def _around(
    item: ObjectSpec, rng: np.random.Generator, least_m: float, most_m: float
) -> Iterator[Point]:
    """Yield points at a distance from an item's centre, all around it."""
    for _ in range(_TRIES):
        way, far_m = rng.uniform(-math.pi, math.pi), rng.uniform(least_m, most_m)
        x, y, _ = item.position_m
        yield x + float(far_m * math.cos(way)), y + float(far_m * math.sin(way))


def _is_clear(point: Point, item: ObjectSpec, objects: Sequence[ObjectSpec]) -> bool:
    """Tell whether an item at a point touches nothing else; a drawer's knob has its room too."""
    return all(
        math.dist(point, place) >= _outline_m(item) + outline + _APART_M
        for other in objects
        if other.id != item.id
        for place, outline in _places(other)
    )


def _places(item: ObjectSpec) -> Iterator[tuple[Point, float]]:
    x, y, _ = item.position_m
    yield (x, y), _outline_m(item)
    if item.kind == "drawer":
        for out_m in (catalog.KNOB_OUT_M, catalog.KNOB_OUT_M + catalog.DRAWER_TRAVEL_M):
            knob = x - out_m * math.cos(item.yaw_rad), y - out_m * math.sin(item.yaw_rad)
            yield knob, catalog.KNOB_SIZE_M[0]


def _outline_m(item: ObjectSpec) -> float:
    return catalog.kind_named(item.kind).footprint_m
