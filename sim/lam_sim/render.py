"""Offscreen pictures of a scene, one GL context for many resets.

Two qualities: `POLICY` is what the robot's cameras deliver (no shadows, no
multisampling, few facets: about half a millisecond a picture in software), `VIEWER`
is for people (shadows, antialiasing, trim).
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from lam_ros.core.errors import MachineError
from lam_ros.core.types import ImageArray


@dataclass(frozen=True)
class Quality:
    """How a picture is drawn.

    Attributes:
        samples: multisampling; 0 is off.
        shadows: whether lights cast shadows.
        facets: how many facets a round shape has around and along.
        trim: whether the decoration of group 1 is drawn.
        studio: whether it is lit for people, whatever the light of the scene.
        shadow_px: side of the map of shadows; in software it costs more than the picture.
    """

    samples: int
    shadows: bool
    facets: tuple[int, int]
    trim: bool
    studio: bool
    shadow_px: int = 4096


POLICY = Quality(samples=0, shadows=False, facets=(14, 8), trim=False, studio=False)
VIEWER = Quality(samples=4, shadows=True, facets=(40, 24), trim=True, studio=True)

_STUDIO_DIRECTION = (-0.42, 0.30, -0.86)
_STUDIO_RGB = (0.52, 0.52, 0.50)
_STUDIO_AMBIENT_RGB = (0.34, 0.34, 0.35)


class Renderer:
    """Draws named cameras of one model at one size; close it when done."""

    def __init__(
        self, model: mujoco.MjModel, width_px: int, height_px: int, quality: Quality = POLICY
    ) -> None:
        """Make a GL context of that size.

        Raises:
            MachineError: if the machine cannot make one.
        """
        self._model = model
        self._viewport = mujoco.MjrRect(0, 0, width_px, height_px)
        self._scene = mujoco.MjvScene(model, maxgeom=max(400, 2 * model.ngeom))
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = quality.shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._is_studio = quality.studio
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [1, int(quality.trim), 1, 0, 0, 0]
        self._option.flags[mujoco.mjtVisFlag.mjVIS_STATIC] = True
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._perturb = mujoco.MjvPerturb()
        self._flipped = np.empty((height_px, width_px, 3), dtype=np.uint8)
        self._gl = _make_gl(width_px, height_px)
        self._gl.make_current()
        _set_quality(model, quality, width_px, height_px)
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        atexit.register(self.close)  # freed by the interpreter's own teardown, EGL complains

    def upload_texture(self, texture_id: int) -> None:
        """Take over a texture that was edited in the model."""
        self._gl.make_current()
        mujoco.mjr_uploadTexture(self._model, self._context, texture_id)

    def update(self, data: mujoco.MjData, camera: str) -> None:
        """Take over geometry, lights and the camera from the present state."""
        self._camera.fixedcamid = self._model.camera(camera).id
        mujoco.mjv_updateScene(
            self._model, data, self._option, self._perturb, self._camera,
            mujoco.mjtCatBit.mjCAT_ALL, self._scene,
        )  # fmt: skip
        if self._is_studio:
            self._light_studio()

    def turn_to(self, data: mujoco.MjData, camera: str) -> None:
        """Look through another camera at the state that `update` took over."""
        self._camera.fixedcamid = self._model.camera(camera).id
        mujoco.mjv_updateCamera(self._model, data, self._camera, self._scene)

    def draw(self) -> ImageArray:
        """Return the picture: rgb8, shape (height_px, width_px, 3), first row on top."""
        self._gl.make_current()
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(self._flipped, None, self._viewport, self._context)
        return self._flipped[::-1].copy()

    def _light_studio(self) -> None:
        """Light the scene from the front left instead of as it says."""
        key, fill = self._scene.lights[0], self._scene.lights[1]
        key.dir = _STUDIO_DIRECTION
        key.pos = [0.15 - 1.2 * _STUDIO_DIRECTION[0], -1.2 * _STUDIO_DIRECTION[1], 1.0]
        key.diffuse, key.ambient = _STUDIO_RGB, (0.0, 0.0, 0.0)
        fill.ambient = _STUDIO_AMBIENT_RGB  # what the key light lights is black in its shadow
        key.specular = (0.25, 0.25, 0.25)

    def close(self) -> None:
        """Free the GL context."""
        atexit.unregister(self.close)
        self._context.free()
        self._gl.free()


def _make_gl(width_px: int, height_px: int) -> Any:
    """Return a GL context; by EGL if that is asked for, even if MuJoCo was imported before."""
    try:
        if os.environ.get("MUJOCO_GL") == "egl":
            from mujoco.egl import GLContext
        else:
            from mujoco import GLContext
        return GLContext(width_px, height_px)
    except (ImportError, AttributeError, RuntimeError) as error:
        raise MachineError(
            f"rendering: no GL context ({error}); install libegl1 and libgl1, and set MUJOCO_GL=egl"
        ) from error


def _set_quality(model: mujoco.MjModel, quality: Quality, width_px: int, height_px: int) -> None:
    """Write what a GL context reads from the model when it is made."""
    model.vis.quality.offsamples = quality.samples
    model.vis.quality.numslices, model.vis.quality.numstacks = quality.facets
    model.vis.quality.numquads = 1
    model.vis.quality.shadowsize = quality.shadow_px
    model.vis.map.shadowclip = 0.5
    model.vis.global_.offwidth = width_px
    model.vis.global_.offheight = height_px
