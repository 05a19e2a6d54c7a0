"""Drawing a scene from a seed: which objects, where, and how everything looks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lam_ros.core.errors import ConfigError
from lam_sim import catalog
from lam_sim.arms import ArmModel, arm_model
from lam_sim.naming import include, largest_first, parse_names
from lam_sim.placement import (
    DRAWER_TURN_RAD,
    Placed,
    Point,
    draw_free,
    draw_piece,
    front_of_drawer,
    polar,
)
from lam_sim.scenes import (
    FIXTURES,
    CameraShift,
    LightSpec,
    ObjectSpec,
    SceneConfig,
    SceneSpec,
    TextureSpec,
)
from lam_sim.textures import PATTERNS

_LAYOUT_TRIES = 200
_PLACEABLE = ("bowl", "spot", "tray", "cube")


def sample_scene(config: SceneConfig, seed: int, arm: ArmModel | None = None) -> SceneSpec:
    """Draw one scene; the same configuration and seed give the same scene.

    Args:
        config: the family of scenes.
        seed: which of them.
        arm: which begins near its home pose; the SO-101 if None.

    Raises:
        ConfigError: if so many objects do not fit on the table.
    """
    rng = np.random.default_rng([seed, 0x5CE2E])
    layout, look, start = rng.spawn(3)
    strength = config.randomization
    return SceneSpec(
        seed=seed,
        objects=_draw_objects(layout, config),
        arm_offset_rad=_draw_arm_offset(start, config, arm or arm_model()),
        light=_draw_light(look, strength.light),
        texture=_draw_texture(look, strength.texture),
        cameras=_draw_cameras(look, strength.camera),
    )


def _draw_objects(rng: np.random.Generator, config: SceneConfig) -> tuple[ObjectSpec, ...]:
    wanted = _draw_wanted(rng, config)
    for attempt in range(_LAYOUT_TRIES):
        points = _draw_points(rng, [catalog.kind_named(kind) for kind, _ in wanted])
        if points is not None:
            objects = _make_objects(rng, wanted, points, config)
            return _settle_some(rng, config, objects)
        if attempt % 20 == 19:
            wanted = _drop_distractor(wanted)
    raise ConfigError(
        f"scene '{config.name}': {len(wanted)} objects do not fit within reach; ask for fewer"
    )


def _draw_wanted(rng: np.random.Generator, config: SceneConfig) -> list[tuple[str, str]]:
    """Return (kind, color) of everything, the largest first, since it is hardest to place."""
    if config.objects:
        return largest_first(parse_names(config.objects))
    trays = _between(rng, config.trays)
    bowls = _between(rng, config.bowls)
    spots = _between(rng, config.spots)
    while trays + bowls + spots > config.max_targets:
        if spots > config.spots[0] and (bowls <= config.bowls[0] or rng.random() < 0.5):
            spots -= 1
        elif bowls > config.bowls[0]:
            bowls -= 1
        else:
            trays -= 1
    wanted = [("tray", str(rng.choice(config.tray_colors))) for _ in range(trays)]
    wanted += [("bowl", color) for color in _distinct(rng, config.target_colors, bowls)]
    wanted += [("spot", color) for color in _distinct(rng, config.target_colors, spots)]
    cubes = _between(rng, config.cubes)
    wanted += [("cube", color) for color in _distinct(rng, config.cube_colors, cubes)]
    for _ in range(_between(rng, config.distractors)):
        kind = str(rng.choice(config.distractor_kinds))
        wanted.append((kind, str(rng.choice(config.distractor_colors))))
    wanted = [*_draw_fixtures(rng, config), *wanted]
    named = parse_names(config.include)
    return include(wanted, named) if named else wanted


def _draw_fixtures(rng: np.random.Generator, config: SceneConfig) -> list[tuple[str, str]]:
    """Return (kind, color) of the fixtures; a family without any draws nothing."""
    if not any(getattr(config, name)[1] for name in FIXTURES):
        return []
    drawers = _between(rng, config.drawers)
    wanted = [("drawer", str(rng.choice(config.drawer_colors))) for _ in range(drawers)]
    regions = _between(rng, config.regions)
    wanted += [("region", color) for color in _distinct(rng, config.target_colors, regions)]
    buttons = _between(rng, config.buttons)
    wanted += [("button", color) for color in _distinct(rng, config.cube_colors, buttons)]
    color = str(rng.choice(config.piece_colors))
    return wanted + [("piece", color)] * _between(rng, config.pieces)


def _between(rng: np.random.Generator, limits: tuple[int, int]) -> int:
    return int(rng.integers(limits[0], limits[1] + 1))


def _distinct(rng: np.random.Generator, colors: Sequence[str], count: int) -> list[str]:
    return [str(color) for color in rng.choice(colors, size=count, replace=False)]


def _drop_distractor(wanted: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the list without its last distractor, if it has one."""
    if wanted and catalog.kind_named(wanted[-1][0]).is_distractor:
        return wanted[:-1]
    return wanted


def _draw_points(rng: np.random.Generator, kinds: Sequence[catalog.Kind]) -> list[Point] | None:
    taken: list[Placed] = []
    points: list[Point] = []
    pieces: list[Point] = []
    for kind in kinds:
        point = draw_piece(rng, pieces, taken) if kind.name == "piece" else None
        if point is None:
            point = draw_free(rng, kind, taken)
        if point is None:
            return None
        points.append(point)
        taken.append(Placed(point, kind.footprint_m))
        if kind.name == "piece":
            pieces.append(point)
        if kind.name == "drawer":
            taken.append(front_of_drawer(point))
    return points


def _make_objects(
    rng: np.random.Generator,
    wanted: Sequence[tuple[str, str]],
    points: Sequence[Point],
    config: SceneConfig,
) -> list[ObjectSpec]:
    counts: dict[tuple[str, str], int] = {}
    objects = []
    for (kind_name, color), point in zip(wanted, points, strict=True):
        counts[kind_name, color] = counts.get((kind_name, color), 0) + 1
        kind = catalog.kind_named(kind_name)
        objects.append(
            ObjectSpec(
                id=f"{color}_{kind_name}_{counts[kind_name, color]}",
                kind=kind_name,
                color=color,
                rgba=_shade(rng, color, config.randomization.color),
                position_m=(*point, kind.size_m[2] / 2),
                yaw_rad=_draw_yaw(rng, kind_name, point),
                out=_draw_out(rng, config) if kind_name == "drawer" else 0.0,
            )
        )
    return objects


def _draw_yaw(rng: np.random.Generator, kind: str, point: Point) -> float:
    """Return a yaw; a tray stays parallel to the base's axes, its long side across the reach."""
    yaw = float(rng.uniform(-math.pi, math.pi))
    if kind == "drawer":  # opens towards the arm
        return polar(point)[1] + yaw * DRAWER_TURN_RAD / math.pi
    if kind != "tray":
        return yaw
    return 0.0 if abs(point[1]) > abs(point[0]) else math.pi / 2


def _draw_out(rng: np.random.Generator, config: SceneConfig) -> float:
    """Return how far a drawer is out: nearly shut or nearly fully out, as hands leave it."""
    is_out = rng.random() < config.open_probability
    return float(rng.uniform(0.85, 1.0) if is_out else rng.uniform(0.0, 0.12))


def _shade(
    rng: np.random.Generator, color: str, strength: float
) -> tuple[float, float, float, float]:
    noise = rng.uniform(-0.06, 0.06, 3) * strength
    brightness = 1.0 + rng.uniform(-0.12, 0.12) * strength
    red, green, blue = np.clip(np.array(catalog.rgb_of(color)) * brightness + noise, 0.02, 1.0)
    return float(red), float(green), float(blue), 1.0


def _settle_some(
    rng: np.random.Generator, config: SceneConfig, objects: list[ObjectSpec]
) -> tuple[ObjectSpec, ...]:
    """Move one or two cubes into, onto or on top of other things, as after earlier steps."""
    if rng.random() >= config.placed_probability:
        return tuple(objects)
    cubes = [index for index, item in enumerate(objects) if item.kind == "cube"]
    rng.shuffle(cubes)
    for index in cubes[: int(rng.integers(1, 3))]:
        if len(cubes) < 3:
            break
        supports = free_supports(objects, objects[index])
        if supports:
            objects[index] = resting_on(objects[index], supports[int(rng.integers(len(supports)))])
    return tuple(objects)


def free_supports(objects: list[ObjectSpec], cube: ObjectSpec) -> list[ObjectSpec]:
    """Return what a cube can start in or on; nothing if something starts on the cube itself."""
    used = {item.held_by for item in objects if item.held_by}
    if cube.id in used:
        return []
    return [
        item
        for item in objects
        if item.kind in _PLACEABLE and item.id not in used and item.id != cube.id
        and not item.held_by
    ]  # fmt: skip


_FLOOR_M = {"bowl": 0.004, "tray": catalog.TRAY_FLOOR_M, "spot": 0.0, "cube": catalog.CUBE_EDGE_M}


def resting_on(cube: ObjectSpec, support: ObjectSpec) -> ObjectSpec:
    """Return a cube that starts in or on a support."""
    x, y, _ = support.position_m
    z = _FLOOR_M[support.kind] + catalog.CUBE_EDGE_M / 2
    yaw = support.yaw_rad if support.kind == "cube" else cube.yaw_rad
    return ObjectSpec(cube.id, cube.kind, cube.color, cube.rgba, (x, y, z), yaw, support.id)


def _draw_arm_offset(
    rng: np.random.Generator, config: SceneConfig, arm: ArmModel
) -> tuple[float, ...]:
    """Return joint offsets from home, or a pose anywhere above the table, shape (J,)."""
    strength = config.randomization.arm_pose
    roams = rng.random() < config.roaming_start_probability * min(strength, 1.0)
    spread = np.array(arm.roam_spread_rad if roams else arm.start_spread_rad)
    return tuple(float(value) for value in rng.uniform(-spread, spread) * strength)


def _draw_light(rng: np.random.Generator, strength: float) -> LightSpec:
    usual = LightSpec()
    azimuth = math.pi * rng.uniform(-1, 1) * min(strength, 1.0) + math.radians(-132)
    elevation = math.radians(63) + math.radians(22) * rng.uniform(-1, 1) * strength
    direction = (
        math.cos(elevation) * math.cos(azimuth),
        math.cos(elevation) * math.sin(azimuth),
        -math.sin(elevation),
    )
    tint = 1.0 + rng.uniform(-0.10, 0.10, 3) * strength
    return LightSpec(
        key_direction=direction,
        key_rgb=_scaled(usual.key_rgb, tint * (1.0 + rng.uniform(-0.45, 0.40) * strength)),
        fill_rgb=_scaled(usual.fill_rgb, tint * (1.0 + rng.uniform(-0.60, 0.60) * strength)),
        ambient_rgb=_scaled(usual.ambient_rgb, tint * (1.0 + rng.uniform(-0.40, 0.50) * strength)),
    )


def _scaled(rgb: tuple[float, float, float], factor: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = np.clip(np.asarray(rgb) * factor, 0.0, 1.0)
    return float(red), float(green), float(blue)


def _draw_texture(rng: np.random.Generator, strength: float) -> TextureSpec:
    """Return a table: any pattern, two muted colours not far from each other."""
    usual = TextureSpec()
    if strength == 0.0:
        return usual
    level = rng.uniform(0.25, 0.85)
    first = np.clip(level + rng.uniform(-0.10, 0.10, 3) * strength, 0.05, 0.95)
    second = np.clip(first + rng.uniform(-0.13, 0.13) + rng.uniform(-0.05, 0.05, 3), 0.05, 0.95)
    blend = min(strength, 1.0)
    sky = np.clip(rng.uniform(0.2, 0.9) + rng.uniform(-0.1, 0.1, 3), 0, 1)
    return TextureSpec(
        pattern=str(rng.choice(sorted(PATTERNS))),
        first_rgb=_blend(usual.first_rgb, first, blend),
        second_rgb=_blend(usual.second_rgb, second, blend),
        grain_seed=int(rng.integers(1 << 16)),
        sky_rgb=_blend(usual.sky_rgb, sky, blend),
    )


def _blend(
    usual: tuple[float, float, float], other: np.ndarray, share: float
) -> tuple[float, float, float]:
    red, green, blue = (1 - share) * np.asarray(usual) + share * other
    return float(red), float(green), float(blue)


def _draw_cameras(rng: np.random.Generator, strength: float) -> tuple[tuple[str, CameraShift], ...]:
    front = _draw_shift(rng, 0.015 * strength, math.radians(2) * strength, 1.0 * strength)
    wrist = _draw_shift(rng, 0.003 * strength, math.radians(2) * strength, 1.0 * strength)
    return ("front", front), ("wrist", wrist)


def _draw_shift(
    rng: np.random.Generator, offset_m: float, angle_rad: float, fovy_deg: float
) -> CameraShift:
    offset, turn = rng.uniform(-offset_m, offset_m, 3), rng.uniform(-angle_rad, angle_rad, 3)
    return CameraShift(
        (float(offset[0]), float(offset[1]), float(offset[2])),
        (float(turn[0]), float(turn[1]), float(turn[2])),
        float(rng.uniform(-fovy_deg, fovy_deg)),
    )
