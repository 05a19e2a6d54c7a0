"""The one compiled model: the arm, the table, and slots for every object.

Compiling a model and making its GL context cost far more than a reset may.  So there
is one model with a slot for each object that any scene can hold; a scene fills some of
them, and the rest sleeps weightless far above the table, drawn by no camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_sim import catalog

ARM_XML = Path(__file__).parent / "assets" / "so101.xml"

PHYSICS_STEP_S = 0.002
TABLE_SIZE_M = (0.42, 0.46)
TABLE_CENTER_X_M = 0.16
TEXTURE_SIZE_PX = 256
PARKED_GROUP = 4
"""Geom group of objects that are not in the scene; no camera draws it."""

CONTACT_GROUP = 3
"""Geom group of shapes that are there for contacts only; no camera draws it."""

BOWL_MESH_FACETS = 32

CONTACT_ALL = {"contype": 1, "conaffinity": 3}


@dataclass(frozen=True)
class Slot:
    """Where one possible object lives in the model.

    Attributes:
        kind: its kind in the catalogue.
        body_id: index of its body.
        geom_ids: its geoms.
        drawn_groups: for each geom, the group that it has while in the scene.
        qpos_adr: first index of its free joint in qpos; -1 if fixed to the table.
        mocap_id: index of its mocap body if fixed to the table; -1 if free.
    """

    kind: catalog.Kind
    body_id: int
    geom_ids: tuple[int, ...]
    drawn_groups: tuple[int, ...]
    qpos_adr: int
    mocap_id: int


def load_arm_spec() -> mujoco.MjSpec:
    """Return an editable copy of the arm's own description."""
    return mujoco.MjSpec.from_file(str(ARM_XML))


def build_spec() -> mujoco.MjSpec:
    """Return arm, table, lights, cameras and all object slots, not yet compiled."""
    spec = load_arm_spec()
    _set_options(spec)
    _add_table(spec)
    _add_lights_and_cameras(spec)
    _add_bowl_mesh(spec)
    for kind in catalog.KINDS.values():
        for index in range(kind.slots):
            _add_object(spec, kind, index)
    return spec


def arm_joint_names(robot: RobotDescription) -> tuple[str, ...]:
    """Return the names of the arm's joints without the gripper's, in order."""
    return tuple(name for name in robot.joint_names if name != robot.gripper.joint)


def slots_of(model: mujoco.MjModel) -> dict[str, tuple[Slot, ...]]:
    """Return the slots of each kind, in order."""
    return {
        name: tuple(_slot(model, kind, index) for index in range(kind.slots))
        for name, kind in catalog.KINDS.items()
    }


def _slot(model: mujoco.MjModel, kind: catalog.Kind, index: int) -> Slot:
    body = model.body(f"{kind.name}_{index}")
    geoms = tuple(range(int(body.geomadr[0]), int(body.geomadr[0] + body.geomnum[0])))
    qpos_adr = int(model.jnt_qposadr[body.jntadr[0]]) if kind.is_free else -1
    groups = tuple(int(model.geom_group[geom]) for geom in geoms)
    return Slot(kind, int(body.id), geoms, groups, qpos_adr, int(body.mocapid[0]))


def _set_options(spec: mujoco.MjSpec) -> None:
    spec.modelname = "lam_scene"
    spec.option.timestep = PHYSICS_STEP_S
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations = 20
    spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    spec.option.sleep_tolerance = 2e-3
    spec.visual.headlight.active = 0
    spec.visual.map.znear = 0.005
    spec.visual.map.zfar = 4.0
    spec.stat.extent = 1.0
    spec.stat.center = [0.18, 0.0, 0.05]
    spec.memory = 8 * 1024 * 1024


def _add_table(spec: mujoco.MjSpec) -> None:
    texture = spec.add_texture(
        name="table",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        width=TEXTURE_SIZE_PX,
        height=TEXTURE_SIZE_PX,
        rgb1=[0.6, 0.5, 0.4],
        rgb2=[0.6, 0.5, 0.4],
    )
    material = spec.add_material(name="table", specular=0.15, shininess=0.2)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture.name
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        width=32,
        height=192,
        rgb1=[0.80, 0.83, 0.86],
        rgb2=[0.42, 0.44, 0.48],
    )
    world = spec.worldbody
    world.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[*TABLE_SIZE_M, 0.05],
        pos=[TABLE_CENTER_X_M, 0, 0],
        material="table",
        friction=[0.8, 0.01, 0.0005],
        condim=4,
        **CONTACT_ALL,
    )
    world.add_geom(
        name="table_edge",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[*TABLE_SIZE_M, 0.014],
        pos=[TABLE_CENTER_X_M, 0, -0.015],
        rgba=[0.30, 0.27, 0.24, 1],
        contype=0,
        conaffinity=0,
        group=1,
    )


def _add_lights_and_cameras(spec: mujoco.MjSpec) -> None:
    world = spec.worldbody
    for name, pos, casts in (("key", (0.5, 0.35, 0.9), True), ("fill", (0.0, -0.6, 0.7), False)):
        direction = np.array([0.2, 0.0, 0.0]) - np.array(pos)
        world.add_light(
            name=name,
            pos=pos,
            dir=direction / np.linalg.norm(direction),
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            castshadow=casts,
            diffuse=[0.6] * 3,
            ambient=[0.2] * 3,
            specular=[0.2] * 3,
        )
    world.add_camera(name="front", **_looking((0.60, 0.0, 0.36), (0.185, 0.0, 0.015), 46.0))
    world.add_camera(name="viewer", **_looking((0.62, -0.44, 0.40), (0.15, 0.0, 0.07), 40.0))


def _looking(
    eye_m: tuple[float, float, float], at_m: tuple[float, float, float], fovy_deg: float
) -> dict[str, object]:
    """Return position, orientation (image up is world up) and field of view of a camera."""
    back = np.asarray(eye_m) - np.asarray(at_m)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    quat_wxyz = np.empty(4)
    mujoco.mju_mat2Quat(quat_wxyz, np.column_stack([right, np.cross(back, right), back]).flatten())
    return {"pos": eye_m, "quat": quat_wxyz, "fovy": fovy_deg}


def _add_object(spec: mujoco.MjSpec, kind: catalog.Kind, index: int) -> None:
    body = spec.worldbody.add_body(
        name=f"{kind.name}_{index}", gravcomp=float(kind.is_free), mocap=not kind.is_free
    )
    if kind.is_free:
        body.add_freejoint(name=f"{kind.name}_{index}")
    _SHAPES[kind.name](body)


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
    center_z = catalog.BOWL_HEIGHT_M / 2
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[catalog.BOWL_BASE_RADIUS_M, 0.002, 0],
        pos=[0, 0, 0.002 - center_z],
        mass=0.060,
        condim=4,
        friction=[0.9, 0.01, 0.0005],
        group=CONTACT_GROUP,
        **CONTACT_ALL,
    )
    rise = catalog.BOWL_HEIGHT_M - catalog.BOWL_WALL_M
    run = catalog.BOWL_RADIUS_M - catalog.BOWL_BASE_RADIUS_M - catalog.BOWL_WALL_M / 2
    lean_rad = math.atan2(run, rise)
    radius_m = catalog.BOWL_BASE_RADIUS_M + run / 2
    half_width = catalog.BOWL_RADIUS_M * math.tan(math.pi / catalog.BOWL_SEGMENTS)
    for segment in range(catalog.BOWL_SEGMENTS):
        angle = 2 * math.pi * segment / catalog.BOWL_SEGMENTS
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[catalog.BOWL_WALL_M / 2, half_width, math.hypot(rise, run) / 2],
            pos=[radius_m * math.cos(angle), radius_m * math.sin(angle), 0.0],
            quat=_yaw_then_pitch_wxyz(angle, lean_rad),
            mass=0.040 / catalog.BOWL_SEGMENTS,
            condim=3,
            friction=[0.6, 0.01, 0.0005],
            group=CONTACT_GROUP,
            **CONTACT_ALL,
        )


def _add_bowl_mesh(spec: mujoco.MjSpec) -> None:
    """Add the surface of revolution of the bowl's profile."""
    half, wall = catalog.BOWL_HEIGHT_M / 2, catalog.BOWL_WALL_M
    base, rim = catalog.BOWL_BASE_RADIUS_M, catalog.BOWL_RADIUS_M
    profile = np.array(  # (radius, z), outside from the foot up, over the rim, inside down
        [
            (0.0, -half), (base - 0.004, -half), (base + 0.002, -half + 0.004),
            (0.6 * base + 0.4 * rim, -half + 0.012), (rim - 0.002, half - 0.006),
            (rim, half - 0.001), (rim - wall / 2, half), (rim - wall, half - 0.002),
            (0.6 * base + 0.4 * rim - wall, -half + 0.014), (base - 0.003, -half + 0.006),
            (0.55 * base, -half + 0.004), (0.0, -half + 0.004),
        ]
    )  # fmt: skip
    turns = 2 * math.pi * np.arange(BOWL_MESH_FACETS) / BOWL_MESH_FACETS
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    rings = [np.column_stack([r * around, np.full(len(turns), z)]) for r, z in profile]
    count = BOWL_MESH_FACETS
    here, right = np.arange(count), (np.arange(count) + 1) % count
    faces = [
        face
        for ring in range(len(profile) - 1)
        for face in (
            np.column_stack(
                [ring * count + here, ring * count + right, (ring + 1) * count + right]
            ),
            np.column_stack(
                [ring * count + here, (ring + 1) * count + right, (ring + 1) * count + here]
            ),
        )
    ]
    spec.add_mesh(
        name="bowl",
        uservert=np.concatenate(rings).ravel().tolist(),
        userface=np.concatenate(faces).ravel().astype(int).tolist(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )


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


_SHAPES = {
    "cube": _cube,
    "bowl": _bowl,
    "spot": _spot,
    "tray": _tray,
    "ball": _ball,
    "cylinder": _cylinder,
    "prism": _prism,
}
