"""The one compiled model: the arm, the table, and slots for every object.

Compiling a model and making its GL context cost far more than a reset may.  So there
is one model with a slot for each object that any scene can hold; a scene fills some of
them, and the rest sleeps weightless far above the table, drawn by no camera.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import mujoco
import numpy as np

from lam_ros.core.robot import DEFAULT_MODEL, RobotDescription
from lam_sim import catalog
from lam_sim.arms import ArmModel, arm_model, arm_xml
from lam_sim.shapes import CONTACT_ALL, add_meshes, add_shape

PHYSICS_STEP_S = 0.002
TABLE_SIZE_M = (0.42, 0.46)
TABLE_CENTER_X_M = 0.16
TEXTURE_SIZE_PX = 256
PARTS = ("drawer", "button")
"""Kinds with a part that moves."""

PARKED_GROUP = 4
"""Geom group of objects that are not in the scene; no camera draws it."""


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
        part_id: index of the body that moves in a fixture; -1 if it has none.
        part_qpos, part_dof: its joint in qpos and qvel; -1 if it has none.
        fixed_geoms: how many of the first geoms a scene does not colour.
    """

    kind: catalog.Kind
    body_id: int
    geom_ids: tuple[int, ...]
    drawn_groups: tuple[int, ...]
    qpos_adr: int
    mocap_id: int
    part_id: int = -1
    part_qpos: int = -1
    part_dof: int = -1
    fixed_geoms: int = 0


def load_arm_spec(model: str = DEFAULT_MODEL) -> mujoco.MjSpec:
    """Return an editable copy of an arm's own description; `model` is a robot description's.

    Raises:
        ConfigError: if there is no such arm.
    """
    return mujoco.MjSpec.from_file(str(arm_xml(model)))


def build_spec(model: str = DEFAULT_MODEL, *, furnished: bool = False) -> mujoco.MjSpec:
    """Return arm, table, lights, cameras and all object slots, not yet compiled.

    Args:
        model: a robot description's.
        furnished: with slots of fixtures too, which cost time in every step.

    Raises:
        ConfigError: if there is no such arm.
    """
    spec = load_arm_spec(model)
    _set_options(spec)
    _add_textures(spec)
    _add_table(spec)
    _add_lights_and_cameras(spec, arm_model(model))
    add_meshes(spec)
    for kind in _kinds(furnished=furnished):
        for index in range(kind.slots):
            _add_object(spec, kind, index)
    return spec


def arm_joint_names(robot: RobotDescription) -> tuple[str, ...]:
    """Return the names of the arm's joints without the gripper's, in order."""
    return tuple(name for name in robot.joint_names if name != robot.gripper.joint)


def slots_of(model: mujoco.MjModel) -> dict[str, tuple[Slot, ...]]:
    """Return the slots of each kind that the model holds, in order."""
    names = {model.body(index).name for index in range(model.nbody)}
    return {
        kind.name: tuple(_slot(model, kind, index) for index in range(kind.slots))
        for kind in _kinds(furnished=True)
        if f"{kind.name}_0" in names
    }


def arm_and_fixed(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each geom, whether it is the arm's, and whether it is one that stands fast."""
    parts = {slot.body_id: slot for slots in slots_of(model).values() for slot in slots}
    moving = {slot.part_id for slot in parts.values()}
    body_of = model.geom_bodyid
    fixed = [body == 0 or (body in parts and parts[body].kind.name in PARTS) for body in body_of]
    arm = [body != 0 and body not in parts and body not in moving for body in body_of]
    return np.array(arm), np.array(fixed)


def _kinds(*, furnished: bool) -> list[catalog.Kind]:
    return [kind for kind in catalog.KINDS.values() if furnished or not kind.is_fixture]


def _slot(model: mujoco.MjModel, kind: catalog.Kind, index: int) -> Slot:
    body = model.body(f"{kind.name}_{index}")
    geoms = tuple(range(int(body.geomadr[0]), int(body.geomadr[0] + body.geomnum[0])))
    qpos_adr = int(model.jnt_qposadr[body.jntadr[0]]) if kind.is_free else -1
    groups = tuple(int(model.geom_group[geom]) for geom in geoms)
    slot = Slot(kind, int(body.id), geoms, groups, qpos_adr, int(body.mocapid[0]))
    if kind.name in PARTS:
        return _with_part(model, slot, f"{kind.name}_{index}")
    return slot


def _with_part(model: mujoco.MjModel, slot: Slot, name: str) -> Slot:
    """Return the slot of a fixture, whose moving part is the body after its own."""
    part, joint = model.body(f"{name}_moving"), model.joint(name)
    more = tuple(range(int(part.geomadr[0]), int(part.geomadr[0] + part.geomnum[0])))
    groups = tuple(int(model.geom_group[geom]) for geom in more)
    return replace(
        slot,
        geom_ids=(*slot.geom_ids, *more),
        drawn_groups=(*slot.drawn_groups, *groups),
        part_id=int(part.id),
        part_qpos=int(joint.qposadr[0]),
        part_dof=int(joint.dofadr[0]),
        fixed_geoms=len(slot.geom_ids),
    )


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


def _add_textures(spec: mujoco.MjSpec) -> None:
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


def _add_table(spec: mujoco.MjSpec) -> None:
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


def _add_lights_and_cameras(spec: mujoco.MjSpec, arm: ArmModel) -> None:
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
    world.add_camera(name="front", **_looking((0.47, 0.0, 0.46), (0.145, 0.0, 0.015), 33.0))
    ex, ey, ez, x, y, z, fovy_deg = arm.viewer
    world.add_camera(name="viewer", **_looking((ex, ey, ez), (x, y, z), fovy_deg))


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
    add_shape(body, kind.name)
