"""The lockstep simulator: deterministic, without ROS, as fast as the machine allows.

The same class stands behind training data, evaluation and the real-time ROS node; who
steps it, and when, is the caller's business.  Nothing resets by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np
import numpy.typing as npt

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.errors import RobotError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray, ImageArray, JointState, Observation, frozen_floats
from lam_sim import catalog
from lam_sim import model as models
from lam_sim.arms import mismatch, model_of
from lam_sim.dressing import Dresser
from lam_sim.render import POLICY, VIEWER, Quality, Renderer
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig, SceneSpec
from lam_sim.truth import true_scene

_RAMP_PARTS = 5
"""In how many parts the command rises within a control step; the servos are near bang-bang."""

_CLEAR_HEIGHT_M = 0.060
"""Least height of the fingers at the start."""


@dataclass(frozen=True)
class SimConfig:
    """What the simulator needs to know.

    Attributes:
        scene: the family of scenes that a seed draws from.
        render: whether `observe` draws the cameras; without, it has no images.
    """

    scene: SceneConfig = field(default_factory=SceneConfig)
    render: bool = True


class LockstepSim:
    """One arm and one table; `reset`, then alternate `step` and `observe`."""

    def __init__(self, robot: RobotDescription, config: SimConfig | None = None) -> None:
        """Compile the model.

        Raises:
            RobotError: if the arm in the model is not the robot described.
        """
        self.robot = robot
        self.config = config or SimConfig()
        self.arm = model_of(robot)
        self.model = models.build_spec(
            robot.model, furnished=self.config.scene.is_furnished
        ).compile()
        self.data = mujoco.MjData(self.model)
        self._qpos = _joint_addresses(self.model, robot)
        self._dofs = np.array([self.model.joint(n).dofadr[0] for n in robot.joint_names])
        self._actuators = np.array([self.model.actuator(n).id for n in robot.joint_names])
        self._substeps = round(1.0 / robot.control_rate_hz / models.PHYSICS_STEP_S / _RAMP_PARTS)
        self._physics_step_ns = seconds_to_ns(models.PHYSICS_STEP_S)
        self._lower_rad, self._upper_rad = robot.lower_rad, robot.upper_rad
        self._dresser = Dresser(self.model)
        self._arm_geoms, self._fixed_geoms = models.arm_and_fixed(self.model)
        fingers = [self.model.geom(name).bodyid[0] for name in ("fixed_pad", "moving_pad")]
        self._hand_geoms = np.isin(self.model.geom_bodyid, fingers)
        self._renderers: dict[tuple[int, int, Quality], Renderer] = {}
        self._slots: dict[str, models.Slot] = {}
        self._buttons: tuple[tuple[str, models.Slot], ...] = ()
        self._steps = 0
        self._home = np.array(robot.poses.home_rad)
        self._pressed: set[str] = set()
        self._target_rad = self._home.copy()
        self.spec = SceneSpec(seed=0, objects=())

    # -- time ------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Time since the reset [ns]."""
        return self._steps * self._physics_step_ns

    @property
    def target_rad(self) -> FloatArray:
        """The joint target in force, shape (J,)."""
        return frozen_floats(self._target_rad, "target_rad", 1)

    # -- stepping --------------------------------------------------------------------

    def reset(self, scene: int | SceneSpec) -> Observation:
        """Start a scene, drawn from a seed or given as a spec, and return what is seen."""
        if isinstance(scene, int):
            scene = sample_scene(self.config.scene, scene, self.arm)
        spec = scene
        self.spec = spec
        self._slots = self._dresser.dress(spec)
        self._buttons = tuple(
            (name, slot) for name, slot in self._slots.items() if slot.kind.name == "button"
        )
        mujoco.mj_resetData(self.model, self.data)
        self._dresser.place(self.data, spec, self._slots)
        self._steps = 0
        self._pressed.clear()
        self._place_arm(spec)
        for renderer in self._renderers.values():
            for texture in self._dresser.texture_ids:
                renderer.upload_texture(texture)
        return self.observe()

    def step(self, target_rad: npt.ArrayLike) -> None:
        """Advance by one control step, in which the joints go to a target, shape (J,).

        The command rises linearly from the target before; it is clipped to the joints'
        limits, as the servos do.
        """
        goal = np.clip(frozen_floats(target_rad, "target_rad", 1), self._lower_rad, self._upper_rad)
        start = self._target_rad
        for part in range(1, _RAMP_PARTS + 1):
            self.data.ctrl[self._actuators] = start + (goal - start) * (part / _RAMP_PARTS)
            mujoco.mj_step(self.model, self.data, self._substeps)
        self._target_rad = goal
        self._steps += self._substeps * _RAMP_PARTS
        mujoco.mj_kinematics(self.model, self.data)
        if self._buttons:
            self._latch()

    def _latch(self) -> None:
        """Let buttons that have been pressed far enough stay down."""
        for name, slot in self._buttons:
            if name not in self._pressed and (
                self.data.qpos[slot.part_qpos] > catalog.BUTTON_PRESSED_M
            ):
                self._pressed.add(name)
                self.model.qpos_spring[slot.part_qpos] = catalog.BUTTON_LATCHED_M

    def kick(self, object_id: str, velocity_m_s: tuple[float, float]) -> None:
        """Give a free object a velocity (x, y) along the table."""
        slot = self._slots[object_id]
        if slot.kind.is_free:
            dof = int(self.model.body(slot.body_id).dofadr[0])
            self.data.qvel[dof : dof + 2] = velocity_m_s

    # -- seeing ----------------------------------------------------------------------

    def joint_state(self) -> JointState:
        """Return what the joints' encoders say, and what their servos exert."""
        data = self.data
        effort_nm = data.actuator_force[self._actuators]
        return JointState(self.now_ns, data.qpos[self._qpos], data.qvel[self._dofs], effort_nm)

    def observe(self) -> Observation:
        """Return joint positions and, unless rendering is off, all camera pictures."""
        images = self._draw_cameras() if self.config.render else {}
        return Observation(self.now_ns, self.data.qpos[self._qpos], images)

    def strikes(self) -> bool:
        """Tell whether the arm touches the table, a cabinet or itself; its fingers may meet."""
        pairs = self.data.contact.geom[: self.data.ncon]
        mine = self._arm_geoms[pairs]
        fixed = self._fixed_geoms[pairs]
        itself = mine.all(axis=1) & ~self._hand_geoms[pairs].all(axis=1)
        return bool((itself | (mine & fixed[:, ::-1]).any(axis=1)).any())

    def truth(self) -> Scene:
        """Return the scene as it really is."""
        return true_scene(
            self.model,
            self.data,
            self.spec,
            self._slots,
            self.now_ns,
            pressed=self._pressed,
            at_home=self.robot.is_at_home(self.data.qpos[self._qpos]),
        )

    def render(
        self, camera: str, width_px: int = 640, height_px: int = 480, quality: Quality = VIEWER
    ) -> ImageArray:
        """Return a picture for people: rgb8, shape (height_px, width_px, 3)."""
        renderer = self._renderer(width_px, height_px, quality)
        mujoco.mj_camlight(self.model, self.data)
        renderer.update(self.data, camera)
        return renderer.draw()

    def close(self) -> None:
        """Free the GL contexts."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    # -- inside ----------------------------------------------------------------------

    def _draw_cameras(self) -> dict[str, ImageArray]:
        mujoco.mj_camlight(self.model, self.data)
        images = {}
        updated: set[Renderer] = set()
        for camera in self.robot.cameras:
            renderer = self._renderer(camera.width_px, camera.height_px, POLICY)
            if renderer in updated:
                renderer.turn_to(self.data, camera.name)
            else:
                renderer.update(self.data, camera.name)
                updated.add(renderer)
            images[camera.name] = renderer.draw()
        return images

    def _renderer(self, width_px: int, height_px: int, quality: Quality) -> Renderer:
        key = (width_px, height_px, quality)
        if key not in self._renderers:
            self._renderers[key] = Renderer(self.model, width_px, height_px, quality)
        return self._renderers[key]

    def _place_arm(self, spec: SceneSpec) -> None:
        """Put the arm at home plus the scene's offset, or nearer to home if it would touch."""
        home = np.array(self.robot.poses.home_rad)
        offset: FloatArray = np.zeros(len(home))
        if len(spec.arm_offset_rad) == len(home):  # else it was drawn for another arm
            offset = np.array(spec.arm_offset_rad)
        for share in (1.0, 0.6, 0.3, 0.0):
            pose = np.clip(home + share * offset, self._lower_rad, self._upper_rad)
            self.data.qpos[self._qpos] = pose
            self.data.ctrl[self._actuators] = pose
            mujoco.mj_forward(self.model, self.data)
            if self._arm_is_clear():
                break
        self._target_rad = pose

    def _arm_is_clear(self) -> bool:
        heights = [self.data.geom(name).xpos[2] for name in ("fixed_pad", "moving_pad")]
        return min(heights) > _CLEAR_HEIGHT_M


def _joint_addresses(model: mujoco.MjModel, robot: RobotDescription) -> npt.NDArray[np.int64]:
    """Return the index in qpos of each joint of the robot, in its order.

    Raises:
        RobotError: if a joint is missing in the model.
    """
    names = {model.joint(index).name for index in range(model.njnt)}
    missing = [name for name in robot.joint_names if name not in names]
    if missing:
        raise RobotError(mismatch(robot, tuple(missing)))
    return np.array([model.joint(name).qposadr[0] for name in robot.joint_names])
