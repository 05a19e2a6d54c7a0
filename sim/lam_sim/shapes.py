"""The shapes of the objects: what is seen, and what is touched."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco
import numpy as np
import numpy.typing as npt

from lam_sim import catalog
from lam_sim.fixtures import CONTACT_ALL, CONTACT_GROUP, add_button, add_drawer

BOWL_MESH_FACETS = 32


def add_shape(body: mujoco.MjsBody, kind: str) -> None:
    """Add the geoms of a kind of object to its body."""
    _SHAPES[kind](body)


def _cube(body: mujoco.MjsBody) -> None:
    half = catalog.CUBE_EDGE_M / 2
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[half] * 3,
        mass=0.020,
        condim=4,
        friction=[0.8, 0.01, 0.0005],
        **CONTACT_ALL,
    )


def _bowl(body: mujoco.MjsBody) -> None:
    """Add one smooth mesh to see, and a floor disc and convex wall segments to touch."""
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH, meshname="bowl", mass=0, contype=0, conaffinity=0
    )
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[catalog.BOWL_BASE_RADIUS_M, 0.002, 0],
        pos=[0, 0, 0.002 - catalog.BOWL_HEIGHT_M / 2],
        mass=0.060,
        condim=4,
        friction=[0.9, 0.01, 0.0005],
        group=CONTACT_GROUP,
        **CONTACT_ALL,
    )
    for segment in range(catalog.BOWL_SEGMENTS):
        _bowl_segment(body, 2 * math.pi * segment / catalog.BOWL_SEGMENTS)


def _bowl_segment(body: mujoco.MjsBody, angle_rad: float) -> None:
    """Add the piece of wall in one direction; it leans outwards."""
    rise = catalog.BOWL_HEIGHT_M - catalog.BOWL_WALL_M
    run = catalog.BOWL_RADIUS_M - catalog.BOWL_BASE_RADIUS_M - catalog.BOWL_WALL_M / 2
    radius_m = catalog.BOWL_BASE_RADIUS_M + run / 2
    half_width = catalog.BOWL_RADIUS_M * math.tan(math.pi / catalog.BOWL_SEGMENTS)
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[catalog.BOWL_WALL_M / 2, half_width, math.hypot(rise, run) / 2],
        pos=[radius_m * math.cos(angle_rad), radius_m * math.sin(angle_rad), 0.0],
        quat=_yaw_then_pitch_wxyz(angle_rad, math.atan2(run, rise)),
        mass=0.040 / catalog.BOWL_SEGMENTS,
        condim=3,
        friction=[0.6, 0.01, 0.0005],
        group=CONTACT_GROUP,
        **CONTACT_ALL,
    )


def add_meshes(spec: mujoco.MjSpec) -> None:
    """Add what is no primitive shape: the bowl."""
    half, wall = catalog.BOWL_HEIGHT_M / 2, catalog.BOWL_WALL_M
    base, rim = catalog.BOWL_BASE_RADIUS_M, catalog.BOWL_RADIUS_M
    profile = [  # (radius, z), outside from the foot up, over the rim, inside down
        (0.0, -half), (base - 0.004, -half), (base + 0.002, -half + 0.004),
        (0.6 * base + 0.4 * rim, -half + 0.012), (rim - 0.002, half - 0.006),
        (rim, half - 0.001), (rim - wall / 2, half), (rim - wall, half - 0.002),
        (0.6 * base + 0.4 * rim - wall, -half + 0.014), (base - 0.003, -half + 0.006),
        (0.55 * base, -half + 0.004), (0.0, -half + 0.004),
    ]  # fmt: skip
    vertices, faces = _revolve(profile, BOWL_MESH_FACETS)
    spec.add_mesh(
        name="bowl",
        uservert=vertices.ravel().tolist(),
        userface=faces.ravel().tolist(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )


def _revolve(
    profile: Sequence[tuple[float, float]], facets: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the surface that a profile (radius, z) sweeps about z.

    Returns:
        Vertices, shape (V, 3), and triangles of vertex indices, shape (F, 3).
    """
    turns = 2 * math.pi * np.arange(facets) / facets
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    rings = [np.column_stack([radius * around, np.full(facets, z)]) for radius, z in profile]
    here, right = np.arange(facets), (np.arange(facets) + 1) % facets
    faces = []
    for ring in range(len(profile) - 1):
        low, high = ring * facets, (ring + 1) * facets
        faces.append(np.column_stack([low + here, low + right, high + right]))
        faces.append(np.column_stack([low + here, high + right, high + here]))
    return np.concatenate(rings), np.concatenate(faces)


def _yaw_then_pitch_wxyz(yaw_rad: float, pitch_rad: float) -> np.ndarray:
    """Return the rotation by `pitch_rad` about y, then by `yaw_rad` about z."""
    yaw, pitch, both = np.empty(4), np.empty(4), np.empty(4)
    mujoco.mju_axisAngle2Quat(yaw, np.array([0.0, 0.0, 1.0]), yaw_rad)
    mujoco.mju_axisAngle2Quat(pitch, np.array([0.0, 1.0, 0.0]), pitch_rad)
    mujoco.mju_mulQuat(both, yaw, pitch)
    return both


def _spot(body: mujoco.MjsBody) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[catalog.SPOT_RADIUS_M, catalog.SPOT_HEIGHT_M / 2, 0],
        contype=0,
        conaffinity=0,
    )


def _tray(body: mujoco.MjsBody) -> None:
    half_x, half_y = (edge / 2 for edge in catalog.TRAY_SIZE_M)
    bottom, rim = -catalog.TRAY_HEIGHT_M / 2, catalog.TRAY_RIM_M / 2
    parts = [
        ((0, 0, bottom + catalog.TRAY_FLOOR_M / 2), (half_x, half_y, catalog.TRAY_FLOOR_M / 2)),
        *(((s * (half_x - rim), 0, 0), (rim, half_y, -bottom)) for s in (-1, 1)),
        *(((0, s * (half_y - rim), 0), (half_x, rim, -bottom)) for s in (-1, 1)),
    ]
    for pos, size in parts:
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=pos,
            size=size,
            condim=4,
            friction=[0.8, 0.01, 0.0005],
            **CONTACT_ALL,
        )


def _ball(body: mujoco.MjsBody) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        size=[catalog.BALL_RADIUS_M, 0, 0],
        mass=0.015,
        condim=6,
        friction=[0.8, 0.01, 0.004],
        **CONTACT_ALL,
    )


def _cylinder(body: mujoco.MjsBody) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[catalog.CYLINDER_RADIUS_M, catalog.CYLINDER_HEIGHT_M / 2, 0],
        mass=0.020,
        condim=6,
        friction=[0.8, 0.01, 0.002],
        **CONTACT_ALL,
    )


def _prism(body: mujoco.MjsBody) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[edge / 2 for edge in catalog.PRISM_SIZE_M],
        mass=0.018,
        condim=4,
        friction=[0.8, 0.01, 0.0005],
        **CONTACT_ALL,
    )


def _region(body: mujoco.MjsBody) -> None:
    half = catalog.REGION_EDGE_M / 2
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[half, half, catalog.REGION_HEIGHT_M / 2],
        contype=0,
        conaffinity=0,
    )


def _piece(body: mujoco.MjsBody) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[catalog.PIECE_EDGE_M / 2] * 3,
        mass=0.005,
        condim=4,
        friction=[0.6, 0.01, 0.0005],
        **CONTACT_ALL,
    )


_SHAPES = {
    "cube": _cube,
    "bowl": _bowl,
    "spot": _spot,
    "tray": _tray,
    "ball": _ball,
    "cylinder": _cylinder,
    "prism": _prism,
    "region": _region,
    "piece": _piece,
    "drawer": add_drawer,
    "button": add_button,
}
