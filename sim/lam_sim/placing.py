"""Where exactly an object goes: from a step and the scene to one point.

The expert aims at it, and task sampling uses it to know whether a step can be done.
"""

from __future__ import annotations

import math

from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import TRAINED, Skill, Step
from lam_sim import catalog
from lam_sim.placement import Placed, Point, Sector, polar

Point3 = tuple[float, float, float]

_NEXT_TO_GAP_M = 0.016
_NEIGHBOR_GAP_M = 0.012
_DROP_M = 0.0015
_BOWL_FLOOR_M = 0.004
_BOWL_CAPACITY = 2
_TRAY_CAPACITY = 3
_TRAY_SPREAD_M = 0.032
_REACH = Sector(0.140, 0.240, math.radians(85))


def place_point(step: Step, scene: Scene) -> Point3 | None:
    """Return where the lower side of the object should be released, or None if nowhere.

    Raises:
        ValueError: if the skill is not one of placing.
    """
    target = scene[step.target_id]
    match step.skill:
        case Skill.PLACE_IN if target.kind == "tray":
            return _in_tray(step, scene)
        case Skill.PLACE_IN:
            return _in_bowl(step, scene)
        case Skill.PLACE_ON:
            return _on_top(step, scene)
        case Skill.PLACE_NEXT_TO:
            return _beside(step, scene)
        case skill:
            known = ", ".join(TRAINED)
            raise ValueError(f"skill '{skill}': the scripted teleoperator knows {known} only")


def contents(scene: Scene, target_id: str, without: str) -> tuple[SceneObject, ...]:
    """Return what lies in or on a target, leaving out one object."""
    target = scene[target_id]
    if target.kind not in ("bowl", "tray", "spot", "cube"):
        return ()
    predicate = "in" if target.kind in ("bowl", "tray") else "on"
    return tuple(
        item
        for item in scene.objects
        if item.id not in (target_id, without)
        and scene.holds(Literal(predicate, (item.id, target_id)))
    )


def _in_bowl(step: Step, scene: Scene) -> Point3 | None:
    bowl = scene[step.target_id]
    inside = contents(scene, bowl.id, step.object_id)
    if len(inside) >= _BOWL_CAPACITY:
        return None
    x, y, _ = bowl.position_m
    if inside:  # lean to the emptier side
        x -= 0.5 * sum(item.position_m[0] - x for item in inside) / len(inside)
        y -= 0.5 * sum(item.position_m[1] - y for item in inside) / len(inside)
    rim = bowl.bottom_m + catalog.BOWL_HEIGHT_M - 0.004
    top = max((item.top_m for item in inside), default=bowl.bottom_m + _BOWL_FLOOR_M)
    return x, y, max(rim, top + 0.004)


def _in_tray(step: Step, scene: Scene) -> Point3 | None:
    tray = scene[step.target_id]
    inside = contents(scene, tray.id, step.object_id)
    if len(inside) >= _TRAY_CAPACITY:
        return None
    x, y, _ = tray.position_m
    along_x = tray.size_m[0] > tray.size_m[1]
    shift = (_TRAY_SPREAD_M, 0.0) if along_x else (0.0, _TRAY_SPREAD_M)
    spots: list[Point] = [(x, y), (x - shift[0], y - shift[1]), (x + shift[0], y + shift[1])]
    room = [min((math.dist(s, o.position_m[:2]) for o in inside), default=1.0) for s in spots]
    best = max(range(len(spots)), key=lambda i: (round(room[i], 3), -polar(spots[i])[0]))
    if not inside:
        best = 0
    if room[best] < catalog.CUBE_EDGE_M + 0.010:
        return None
    return (*spots[best], tray.bottom_m + catalog.TRAY_FLOOR_M + _DROP_M)


def _on_top(step: Step, scene: Scene) -> Point3 | None:
    target = scene[step.target_id]
    if target.kind not in ("spot", "cube") or contents(scene, target.id, step.object_id):
        return None
    x, y, _ = target.position_m
    if not _reachable((x, y)):
        return None
    height = target.top_m if target.kind == "cube" else 0.0
    return x, y, height + _DROP_M


def _beside(step: Step, scene: Scene) -> Point3 | None:
    """Return the free place nearest to the middle line, first along the arc, then in or out."""
    target = scene[step.target_id]
    if target.bottom_m > 0.01:
        return None
    distance = target.radius_m + 0.020 + _NEXT_TO_GAP_M
    _, angle = polar((target.position_m[0], target.position_m[1]))
    inwards = -1.0 if angle > 0 else 1.0
    for turn in (inwards * math.pi / 2, -inwards * math.pi / 2, math.pi, 0.0):
        x = target.position_m[0] + distance * math.cos(angle + turn)
        y = target.position_m[1] + distance * math.sin(angle + turn)
        if _reachable((x, y)) and _is_clear((x, y), step, scene):
            return x, y, _DROP_M
    return None


def _reachable(point: Point) -> bool:
    return _REACH.contains(point)


def _is_clear(point: Point, step: Step, scene: Scene) -> bool:
    """Tell whether a cube put down at a point keeps clear of everything but the target."""
    others = [
        Placed((item.position_m[0], item.position_m[1]), _outline_m(item))
        for item in scene.objects
        if item.id not in (step.object_id, step.target_id)
    ]
    return all(
        math.dist(point, other.point_m) >= 0.020 + other.footprint_m + _NEIGHBOR_GAP_M
        for other in others
    )


def _outline_m(item: SceneObject) -> float:
    return catalog.KINDS[item.kind].footprint_m if item.kind in catalog.KINDS else item.radius_m
