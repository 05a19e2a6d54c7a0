"""LeRobot's Meta-World environment with pictures of any size, taken only when somebody looks.

Tasks, seeds, goals, success and the length of an episode are LeRobot's.  What is ours is how
the picture is drawn: LeRobot's, of 480 x 480 with shadows and four samples a pixel, costs
110 ms without a GPU.  Import this module only where Meta-World is installed.
"""

from __future__ import annotations

import warnings

import numpy as np
from lerobot.envs.metaworld import MetaworldEnv

from lam_ros.core.types import FloatArray, ImageArray

warnings.filterwarnings("ignore", "Constant.s. may be too high")  # said of every expert

CAMERA = "corner2"
CONTROL_PERIOD_NS = 12_500_000
"""80 Hz: five steps of physics of 2.5 ms."""


class YardstickEnv(MetaworldEnv):
    """One task.

    `plain` draws without shadows and reflections, twice as large as asked, and takes the mean
    of four pixels: 7 ms.  Otherwise the picture is drawn as LeRobot does.
    """

    def __init__(self, task: str, size_px: int, *, plain: bool = True) -> None:
        """Prepare the task by its name; the simulator is made at the first reset."""
        super().__init__(
            task,
            camera_name=CAMERA,
            obs_type="pixels_agent_pos",
            observation_width=size_px,
            observation_height=size_px,
        )
        self._size_px = size_px
        self._plain = plain
        self.full_state: FloatArray = np.zeros(39)

    @property
    def longest(self) -> int:
        """Steps after which an episode has failed."""
        return int(self._max_episode_steps)

    @property
    def sees(self) -> FloatArray:
        """What a policy may know beside the picture: hand position [m] and opening, shape (4,)."""
        return np.array(self.full_state[:4])

    @property
    def object_m(self) -> FloatArray:
        """Where the (first) object is, in the world's frame, shape (3,); ground truth."""
        return np.array(self.full_state[4:7])

    @property
    def target_m(self) -> FloatArray:
        """Where the task's goal is, in the world's frame, shape (3,); ground truth."""
        return np.array(self._env._target_pos, float)

    def expert_action(self) -> FloatArray:
        """Return what Meta-World's scripted expert does now, within -1 to 1, shape (4,)."""
        return np.clip(self.expert_policy.get_action(self.full_state), -1.0, 1.0)

    def picture(self) -> ImageArray:
        """Draw what the camera sees now, shape (S, S, 3), upright as LeRobot turns it."""
        self._ensure_env()
        image = np.flip(self._env.render(), (0, 1))
        if self._plain:
            size = self._size_px
            image = image.reshape(size, 2, size, 2, 3).mean((1, 3), dtype=np.float32)
            image = np.rint(image).astype(np.uint8)
        return np.ascontiguousarray(image)

    def camera_pose(self) -> tuple[FloatArray, FloatArray, float]:
        """Return the camera's position [m], its rotation as the picture is turned, and fovy [deg]."""
        camera = self._env.data.camera(CAMERA)
        turned = np.array(camera.xmat).reshape(3, 3) @ np.diag([-1.0, -1.0, 1.0])
        return np.array(camera.xpos), turned, float(self._env.model.camera(CAMERA).fovy[0])

    def _ensure_env(self) -> None:
        made = self._env is None
        super()._ensure_env()
        if not made:
            return
        model, renderer = self._env.model, self._env.mujoco_renderer
        size = self._size_px * (2 if self._plain else 1)
        renderer.width = renderer.height = size
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, size)
        model.vis.global_.offheight = max(model.vis.global_.offheight, size)
        if self._plain:
            model.light_castshadow[:] = 0
            model.mat_reflectance[:] = 0
            model.vis.quality.offsamples = 0

    def _format_raw_obs(self, raw_obs: FloatArray) -> dict[str, FloatArray]:
        """Keep the whole state; nothing is drawn before somebody asks for a picture."""
        self.full_state = np.array(raw_obs, float)
        return {"agent_pos": self.sees}
