"""Writing a scene's spec into the compiled model: objects, colours, light, table, cameras.

Everything here edits `MjModel` and `MjData` in place and is complete: whatever the scene
before it changed is written again, so that a scene never depends on the one before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import mujoco
import numpy as np

from lam_ros.core.errors import ConfigError
from lam_ros.core.types import FloatArray
from lam_sim import catalog
from lam_sim import model as models
from lam_sim.fixtures import FIXED_RGBA
from lam_sim.scenes import CameraShift, LightSpec, ObjectSpec, SceneSpec, TextureSpec
from lam_sim.textures import paint

_PARKING_M = np.array([0.0, 3.0, 4.0])


class Dresser:
    """Knows a model's undressed values and writes scenes over them."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Remember what shifts are relative to."""
        self._model = model
        self._slots = models.slots_of(model)
        self._camera_pos = model.cam_pos.copy()
        self._camera_quat = model.cam_quat.copy()
        self._camera_fovy = model.cam_fovy.copy()
        self._table = model.texture("table")
        self._sky = model.texture("sky")
        self._sky_pixels = self._pixels(self._sky).astype(np.float32)

    @property
    def texture_ids(self) -> tuple[int, int]:
        """Textures that `dress` edits; renderers must upload them again."""
        return int(self._table.id), int(self._sky.id)

    def dress(self, spec: SceneSpec) -> dict[str, models.Slot]:
        """Write a scene over the model and return the slot of each object id.

        The data must be reset afterwards: with sleeping bodies, MuJoCo works out where
        fixed lights and cameras are at a reset and not again.

        Raises:
            ConfigError: if the scene holds more objects of a kind than the model has slots.
        """
        taken = self._assign(spec)
        for kind_slots in self._slots.values():
            for slot in kind_slots:
                self._hide(slot)
        for item in spec.objects:
            self._show(taken[item.id], item)
        self._light(spec.light)
        self._paint(spec.texture)
        self._turn_cameras(dict(spec.cameras))
        return taken

    def place(self, data: mujoco.MjData, spec: SceneSpec, taken: Mapping[str, models.Slot]) -> None:
        """Put the objects of a dressed scene into freshly reset data, and park the others."""
        for kind_slots in self._slots.values():
            for index, slot in enumerate(kind_slots):
                away = np.array([0.3 * index, 0.0, 0.3 * slot.body_id])
                _put(data, slot, _PARKING_M + away, 0.0)
        for item in spec.objects:
            slot = taken[item.id]
            _put(data, slot, np.array(item.position_m), item.yaw_rad)
            if item.kind == "drawer":
                data.qpos[slot.part_qpos] = item.out * catalog.DRAWER_TRAVEL_M

    def _assign(self, spec: SceneSpec) -> dict[str, models.Slot]:
        free = {name: list(slots) for name, slots in self._slots.items()}
        taken = {}
        for item in spec.objects:
            if not free.get(item.kind):
                raise ConfigError(
                    f"scene {spec.seed}: no room for another '{item.kind}'; the model holds "
                    f"{len(self._slots.get(item.kind, ()))}"
                )
            taken[item.id] = free[item.kind].pop(0)
        return taken

    def _hide(self, slot: models.Slot) -> None:
        for geom in slot.geom_ids:
            self._model.geom_group[geom] = models.PARKED_GROUP
        if slot.kind.is_free:
            self._model.body_gravcomp[slot.body_id] = 1.0

    def _show(self, slot: models.Slot, item: ObjectSpec) -> None:
        for geom, group in zip(slot.geom_ids, slot.drawn_groups, strict=True):
            self._model.geom_group[geom] = group
            self._model.geom_rgba[geom] = item.rgba
        for geom in slot.geom_ids[: slot.fixed_geoms]:
            self._model.geom_rgba[geom] = FIXED_RGBA
        if slot.part_qpos >= 0:
            self._model.qpos_spring[slot.part_qpos] = 0.0
        if slot.kind.is_free:
            self._model.body_gravcomp[slot.body_id] = 0.0

    def _light(self, light: LightSpec) -> None:
        key, fill = self._model.light("key").id, self._model.light("fill").id
        direction = np.asarray(light.key_direction)
        self._model.light_dir[key] = direction / np.linalg.norm(direction)
        self._model.light_pos[key] = np.array([0.2, 0.0, 0.0]) - 1.2 * self._model.light_dir[key]
        self._model.light_diffuse[key] = light.key_rgb
        self._model.light_specular[key] = 0.4 * np.asarray(light.key_rgb)
        self._model.light_diffuse[fill] = light.fill_rgb
        self._model.light_ambient[key] = light.ambient_rgb
        self._model.light_ambient[fill] = 0.0

    def _paint(self, texture: TextureSpec) -> None:
        pixels = paint(
            texture.pattern, texture.first_rgb, texture.second_rgb, texture.grain_seed,
            models.TEXTURE_SIZE_PX,
        )  # fmt: skip
        self._pixels(self._table)[:] = pixels.reshape(-1)
        tint = np.tile(np.asarray(texture.sky_rgb, dtype=np.float32), len(self._sky_pixels) // 3)
        self._pixels(self._sky)[:] = self._sky_pixels * tint

    def _pixels(self, texture: object) -> np.ndarray:
        """Return the texture's bytes in the model, a writable view."""
        start = int(self._model.tex_adr[texture.id])  # type: ignore[attr-defined]
        width = int(self._model.tex_width[texture.id])  # type: ignore[attr-defined]
        height = int(self._model.tex_height[texture.id])  # type: ignore[attr-defined]
        return self._model.tex_data[start : start + 3 * width * height]

    def _turn_cameras(self, shifts: Mapping[str, CameraShift]) -> None:
        self._model.cam_pos[:] = self._camera_pos
        self._model.cam_quat[:] = self._camera_quat
        self._model.cam_fovy[:] = self._camera_fovy
        for name, shift in shifts.items():
            camera = self._model.camera(name).id
            self._model.cam_pos[camera] += shift.offset_m
            self._model.cam_fovy[camera] += shift.fovy_deg
            mujoco.mju_quatIntegrate(
                self._model.cam_quat[camera], np.asarray(shift.rotation_rad), 1.0
            )


def _put(data: mujoco.MjData, slot: models.Slot, position_m: FloatArray, yaw_rad: float) -> None:
    quat_wxyz = [math.cos(yaw_rad / 2), 0.0, 0.0, math.sin(yaw_rad / 2)]
    if slot.kind.is_free:
        data.qpos[slot.qpos_adr : slot.qpos_adr + 7] = [*position_m, *quat_wxyz]
    else:
        data.mocap_pos[slot.mocap_id] = position_m
        data.mocap_quat[slot.mocap_id] = quat_wxyz
