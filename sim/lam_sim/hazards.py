"""What must not happen to arm and objects, watched in any model that holds both.

The twin and the full simulator are judged by the same eyes, so that one can be measured
against the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from lam_ros.core.preview import Hazard, PreviewConfig
from lam_ros.core.types import FloatArray

TABLE = "table"
BALL = "ball"


@dataclass(frozen=True)
class Watched:
    """One object of the scene in a model.

    Attributes:
        body_id: its body.
        is_free: whether it moves.
        may_roll: whether turning means nothing, as with a ball.
        max_force_n: with which the arm may press on it; infinite for the one to be taken.
        may_move: whether it may be moved and tilted, as what is taken is, and what
            something is put in, which gives way a little.
    """

    body_id: int
    is_free: bool
    max_force_n: float
    may_move: bool
    may_roll: bool = False


def watched(
    config: PreviewConfig,
    object_id: str,
    kind: str,
    body_id: int,
    wanted: str,
    target: str,
    *,
    is_free: bool,
) -> Watched:
    """Return what is allowed with an object of a kind."""
    if object_id == wanted:
        return Watched(body_id, is_free, math.inf, may_move=True)
    if object_id == target:
        return Watched(body_id, is_free, config.max_target_n, may_move=True)
    rolls = kind == BALL
    return Watched(body_id, is_free, config.max_object_n, may_move=False, may_roll=rolls)


class HazardWatch:
    """Looks at one state after the other, from the first that it is shown."""

    def __init__(
        self,
        config: PreviewConfig,
        model: mujoco.MjModel,
        objects: Mapping[str, Watched],
        of_arm: npt.NDArray[np.bool_] | None = None,
        share: float = 1.0,
    ) -> None:
        """Watch objects by their ids in a model.

        Args:
            config: the limits.
            model: holds arm and objects.
            objects: what is allowed with each.
            of_arm: what `arm_geoms` says, if known.
            share: of each limit that may be used.
        """
        self._model, self._objects = model, objects
        self._max_table_n = share * config.max_table_n
        self._max_n = {name: share * item.max_force_n for name, item in objects.items()}
        self._max_shift_m = share * config.max_shift_m
        self._least_cosine = math.cos(share * config.max_tilt_rad)
        self._of_body = {item.body_id: name for name, item in objects.items()}
        self._table = model.geom(TABLE).id
        self._is_arm = arm_geoms(model) if of_arm is None else of_arm
        limited = [item.body_id for item in objects.values() if math.isfinite(item.max_force_n)]
        is_limited = np.isin(model.geom_bodyid, limited)
        is_limited[self._table] = True
        self._counts = np.outer(self._is_arm, is_limited)
        self._counts |= self._counts.T
        self._force = np.empty(6)
        standing = [item for item in objects.values() if item.is_free and not item.may_move]
        self._standing = np.array([item.body_id for item in standing], dtype=np.int64)
        self._rolls = np.array([item.may_roll for item in standing], dtype=bool)
        self._place_m: FloatArray = np.zeros((0, 3))
        self._up: FloatArray = np.zeros((0, 3))
        self.peaks: dict[str, float] = {}

    def begin(self, data: mujoco.MjData) -> None:
        """Remember where the objects stand."""
        self._place_m, self._up = self._standing_now(data)

    def _standing_now(self, data: mujoco.MjData) -> tuple[FloatArray, FloatArray]:
        """Return places and upward axes of what must not be moved, each of shape (N, 3)."""
        bodies = self._standing
        return data.xpos[bodies], data.xmat[bodies][:, 6:9]

    def look(self, data: mujoco.MjData, after_s: float) -> Hazard | None:
        """Return what has happened, if anything that must not."""
        return self.pressed(data, after_s) or self.moved(data, after_s)

    def pressed(self, data: mujoco.MjData, after_s: float) -> Hazard | None:
        """Return what the arm presses on too hard now."""
        if not data.ncon:
            return None
        pairs = data.contact.geom
        for index in self._counts[pairs[:, 0], pairs[:, 1]].nonzero()[0]:
            first, second = pairs[index]
            other = int(second if self._is_arm[first] else first)
            mujoco.mj_contactForce(self._model, data, int(index), self._force)
            found = self._judge(other, float(self._force[0]), after_s)
            if found is not None:
                return found
        return None

    def _judge(self, geom: int, force_n: float, after_s: float) -> Hazard | None:
        if geom == self._table:
            self._note(TABLE, force_n)
            if force_n > self._max_table_n:
                return Hazard("table", after_s, f"the arm hits the table with {force_n:.0f} N")
            return None
        name = self._of_body[int(self._model.geom_bodyid[geom])]
        self._note(name, force_n)
        if force_n > self._max_n[name]:
            return Hazard("object", after_s, f"the arm hits {name} with {force_n:.0f} N")
        return None

    def moved(self, data: mujoco.MjData, after_s: float) -> Hazard | None:
        """Return what has been pushed away or has toppled since `begin`."""
        if not len(self._standing):
            return None
        place_m, up = self._standing_now(data)
        shift_m = np.sqrt(((place_m - self._place_m) ** 2).sum(axis=1))
        worst = int(shift_m.argmax())
        if shift_m[worst] > self._max_shift_m:
            name = self._of_body[int(self._standing[worst])]
            return Hazard("shift", after_s, f"{name} is pushed {shift_m[worst] * 1e3:.0f} mm away")
        cosine = (up * self._up).sum(axis=1)
        cosine[self._rolls] = 1.0
        worst = int(cosine.argmin())
        if cosine[worst] < self._least_cosine:
            return Hazard("topple", after_s, f"{self._of_body[int(self._standing[worst])]} topples")
        return None

    def _note(self, name: str, force_n: float) -> None:
        self.peaks[name] = max(force_n, self.peaks.get(name, 0.0))


def arm_geoms(model: mujoco.MjModel) -> npt.NDArray[np.bool_]:
    """Return which geoms belong to what moves with the arm's joints, shape (ngeom,)."""
    jointed = {
        int(body)
        for joint, body in enumerate(model.jnt_bodyid)
        if int(model.jnt_type[joint]) in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)
    }
    moving = [body for body in range(model.nbody) if _has_ancestor(model, body, jointed)]
    return np.isin(model.geom_bodyid, moving)


def _has_ancestor(model: mujoco.MjModel, body: int, wanted: set[int]) -> bool:
    while body:
        if body in wanted:
            return True
        body = int(model.body_parentid[body])
    return False
