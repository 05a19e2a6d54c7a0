"""Reduced models of arm, table and objects: no textures, no lights, nothing that is only seen.

Objects sleep until the arm, or one that the arm has moved, touches them: while they do,
a step costs what the arm alone costs.  A model is compiled for each set of shapes that
is asked for, and kept.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import mujoco
import numpy as np
import numpy.typing as npt

from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import SceneObject
from lam_ros.core.types import FloatArray, ImageArray, JointState
from lam_sim import catalog
from lam_sim.guard import coupled_joints
from lam_sim.hazards import TABLE, arm_geoms
from lam_sim.model import load_arm_spec
from lam_sim.shapes import CONTACT_ALL, add_meshes, add_shape

STEP_S = 0.005
BOX = "box"
"""What is known by its size only; it does not move."""

_MIN_SIZE_M = 0.004
_PLAIN_RGB, _TABLE_RGB = (0.85, 0.85, 0.83), (0.55, 0.47, 0.40)


def shape_of(item: SceneObject) -> str:
    """Return the shape that stands for an object: its kind's own, or a box of its size."""
    return item.kind if item.kind in catalog.KINDS else BOX


@lru_cache(maxsize=64)
def _compiled(model: str, shapes: tuple[str, ...]) -> mujoco.MjModel:
    spec = load_arm_spec(model)
    spec.option.timestep = STEP_S
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations = 20
    spec.option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    spec.option.sleep_tolerance = 2e-3
    for body in spec.bodies:
        for geom in body.geoms:
            if not geom.contype:
                spec.delete(geom)
    bits = {"contype": 1, "conaffinity": 3}
    spec.worldbody.add_geom(
        name=TABLE,
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[1.0, 1.0, 0.1],
        condim=4,
        friction=[0.8, 0.01, 0.0005],
        **bits,
    )
    spec.worldbody.add_light(name="lamp", pos=[0.3, 0.2, 1.0], dir=[-0.1, -0.2, -1.0])
    if "bowl" in shapes:
        add_meshes(spec)
    for index, shape in enumerate(shapes):
        _add(spec, shape, index)
    return spec.compile()


def _add(spec: mujoco.MjSpec, shape: str, index: int) -> None:
    kind = catalog.KINDS.get(shape)
    is_free = kind is not None and kind.is_free
    body = spec.worldbody.add_body(name=f"object_{index}", mocap=not is_free)
    if is_free:
        body.add_freejoint()
        body.sleep = mujoco.mjtSleepPolicy.mjSLEEP_INIT
    if kind is not None:
        add_shape(body, shape)
    else:
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.01] * 3, **CONTACT_ALL)
    for geom in body.geoms:
        if not geom.contype:
            spec.delete(geom)


def stage_for(robot: RobotDescription, shapes: tuple[str, ...]) -> Stage:
    """Return a stage with the robot's arm and as many objects as shapes, in this order."""
    return _stage(robot.model, robot.joint_names, shapes)


@lru_cache(maxsize=64)
def _stage(model_name: str, joints: tuple[str, ...], shapes: tuple[str, ...]) -> Stage:
    model = _compiled(model_name, shapes)
    return Stage(
        model=model,
        data=mujoco.MjData(model),
        shapes=shapes,
        bodies=tuple(model.body(f"object_{index}").id for index in range(len(shapes))),
        coupled=tuple(coupled_joints(model)),
        qpos=np.array([model.joint(name).qposadr[0] for name in joints]),
        dofs=np.array([model.joint(name).dofadr[0] for name in joints]),
        actuators=np.array([model.actuator(name).id for name in joints]),
        of_arm=arm_geoms(model),
    )


@dataclass(frozen=True, eq=False)
class Stage:
    """A compiled model, and where arm and objects are in it."""

    model: mujoco.MjModel
    data: mujoco.MjData
    shapes: tuple[str, ...]
    bodies: tuple[int, ...]
    coupled: tuple[tuple[int, int, FloatArray], ...]
    qpos: npt.NDArray[np.int64]
    dofs: npt.NDArray[np.int64]
    actuators: npt.NDArray[np.int64]
    of_arm: npt.NDArray[np.bool_]

    def set(
        self, joints: JointState, command_rad: FloatArray, objects: Sequence[SceneObject]
    ) -> None:
        """Begin with the arm as measured, a command in force, and objects where they are seen."""
        data = self.data
        for item, body in zip(objects, self.bodies, strict=True):
            if self.is_free(body):  # where a sleeping body is, is worked out at a reset only
                start = int(self.model.jnt_qposadr[self.model.body_jntadr[body]])
                self.model.qpos0[start : start + 7] = [*_place(item), *_quat_wxyz(item)]
        mujoco.mj_resetData(self.model, data)
        for item, body, shape in zip(objects, self.bodies, self.shapes, strict=True):
            if not self.is_free(body):
                self._fix(item, body, shape)
        data.qpos[self.qpos] = joints.position_rad
        for follower, leader, polynomial in self.coupled:
            data.qpos[follower] = np.polynomial.polynomial.polyval(data.qpos[leader], polynomial)
        if joints.velocity_rad_s is not None:
            data.qvel[self.dofs] = joints.velocity_rad_s
        data.ctrl[self.actuators] = command_rad
        mujoco.mj_kinematics(self.model, data)

    def step(self, command_rad: FloatArray, steps: int) -> None:
        """Go on for some steps, in which the command rises to the next one."""
        model, data = self.model, self.data
        rise = (command_rad - data.ctrl[self.actuators]) / steps
        for _ in range(steps):
            data.ctrl[self.actuators] += rise
            mujoco.mj_step(model, data)

    @property
    def awake(self) -> int:
        """How many things move or may, the arm among them."""
        return int(self.data.ntree_awake)

    def is_free(self, body: int) -> bool:
        """Tell whether an object moves when it is pushed."""
        return int(self.model.body_mocapid[body]) < 0

    def shot(self, objects: Sequence[SceneObject] = ()) -> StageShot:
        """Return the present state, kept; objects, in the order of the shapes, in their colours."""
        colors = {
            body: catalog.COLOR_RGB[item.color]
            for item, body in zip(objects, self.bodies, strict=False)
            if item.color in catalog.COLOR_RGB
        }
        return StageShot(self.model, copy.copy(self.data), colors)

    def _fix(self, item: SceneObject, body: int, shape: str) -> None:
        mocap = self.model.body_mocapid[body]
        self.data.mocap_pos[mocap], self.data.mocap_quat[mocap] = _place(item), _quat_wxyz(item)
        if shape == BOX:
            # Its extent is along the base frame's axes, so it is not turned.
            self.data.mocap_quat[mocap] = (1.0, 0.0, 0.0, 0.0)
            geom = int(self.model.body_geomadr[body])
            half = np.maximum(item.size_m, _MIN_SIZE_M) / 2
            self.model.geom_size[geom] = self.model.geom_aabb[geom, 3:] = half
            self.model.geom_rbound[geom] = np.linalg.norm(half)


def _place(item: SceneObject) -> tuple[float, float, float]:
    """Return where an object is put: as seen, but not into the table."""
    x, y, z = item.position_m
    return x, y, max(z, item.size_m[2] / 2)


def _quat_wxyz(item: SceneObject) -> tuple[float, float, float, float]:
    return math.cos(item.yaw_rad / 2), 0.0, 0.0, math.sin(item.yaw_rad / 2)


@dataclass(frozen=True, eq=False)
class StageShot:
    """One instant on a stage, kept to be drawn when there is time."""

    model: mujoco.MjModel
    data: mujoco.MjData
    colors: Mapping[int, tuple[float, float, float]]

    def draw(self, width_px: int = 640, height_px: int = 480) -> ImageArray:
        """Return a picture for people, rgb8."""
        camera = mujoco.MjvCamera()
        camera.lookat[:] = (0.18, 0.0, 0.06)
        camera.distance, camera.azimuth, camera.elevation = 0.75, 140.0, -25.0
        option = mujoco.MjvOption()
        option.geomgroup[:] = 1
        model = self.model
        shades = np.full((model.ngeom, 3), _PLAIN_RGB)
        shades[model.geom(TABLE).id] = _TABLE_RGB
        for body, color in self.colors.items():
            shades[model.geom_bodyid == body] = color
        model.geom_rgba[:, :3] = shades
        model.vis.headlight.ambient[:] = 0.35
        model.vis.headlight.diffuse[:] = 0.45
        with mujoco.Renderer(model, height_px, width_px) as renderer:
            renderer.update_scene(self.data, camera, option)
            picture: ImageArray = renderer.render().copy()
        return picture
