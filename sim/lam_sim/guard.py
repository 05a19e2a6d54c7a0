"""The geometric rules of the safety room, by the arm's MuJoCo model.

One small model holds the arm's contact shapes, the table and the boxes to keep out of.
Only positions and contacts are worked out, no forces: a pose takes some tens of
microseconds, so that the control node can ask at its own rate.

Parts that share a joint, or overlap in the robot's home or rest pose, are let overlap as
much as they do there: the shapes are rounder than the arm.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from lam_ros.core.geometry import Box, GeometryConfig, Intrusion
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_sim.model import load_arm_spec

_SITE = "pinch"
_TABLE = "table"
_KEEP_OUT = "keep_out/"
_SOLID = 3
"""Contact bits of the arm's shapes: they meet everything, and each other."""

_ROOM_SIZE_M = 2.0


def guard_for(robot: RobotDescription, config: GeometryConfig) -> ArmGuard | None:
    """Return the guard of a robot, or None if it is switched off or the arm's shape is unknown."""
    if not config.enabled or not knows(robot):
        return None
    return ArmGuard(robot, config)


def knows(robot: RobotDescription) -> bool:
    """Tell whether there is a model of this robot's shape.

    Raises:
        ConfigError: if the robot names a model that does not exist.
    """
    names = {joint.name for joint in load_arm_spec(robot.model).joints}
    return set(robot.joint_names) <= names


class ArmGuard:
    """Says what a pose breaks.  Deterministic; not for use in several threads at once."""

    def __init__(self, robot: RobotDescription, config: GeometryConfig) -> None:
        """Compile the arm's shapes with table and boxes."""
        self._config = config
        self._model = _compile(robot.model, config)
        self._data = mujoco.MjData(self._model)
        self._qpos = np.array([self._model.joint(n).qposadr[0] for n in robot.joint_names])
        self._coupled = coupled_joints(self._model)
        self._site = self._model.site(_SITE).id
        model = self._model
        self._body = model.geom_bodyid.copy()
        self._geom_names = [model.geom(index).name for index in range(model.ngeom)]
        self._body_names = [model.body(index).name for index in range(model.nbody)]
        self._moving = np.flatnonzero(
            (model.geom_contype > 0) & (model.body_weldid[self._body] > 0)
        )
        self._half_m = model.geom_aabb[self._moving, 3:].copy()
        self._allowed_m = np.full((model.nbody, model.nbody), config.self_tolerance_m)
        for pose in (robot.poses.home_rad, robot.poses.rest_rad):
            self._allow(np.array(pose))

    def intrusions(self, position_rad: FloatArray) -> Sequence[Intrusion]:
        """Return what a pose, shape (J,), breaks: the deepest intrusion of each rule, in order."""
        self._move(position_rad)
        found = []
        if self._config.workspace is not None:
            found += _outside(self._data.site_xpos[self._site], self._config.workspace)
        contacts = self._data.contact
        if self._data.ncon:
            worst: dict[str, Intrusion] = {}
            for (first, second), distance in zip(contacts.geom, contacts.dist, strict=True):
                intrusion = self._judge(int(first), int(second), -float(distance))
                if intrusion and intrusion.depth_m > worst.get(intrusion.rule, _NONE).depth_m:
                    worst[intrusion.rule] = intrusion
            order = ("keep_out", "self_collision", "table")
            found += [worst[rule] for rule in order if rule in worst]
        return found

    def clearances(self, points_m: FloatArray) -> tuple[FloatArray, float]:
        """Return how far points are from the moving arm, and how high above the table it is.

        Of the pose that was judged last.

        Args:
            points_m: in the base frame, shape (N, 3).

        Returns:
            Distances from the boxes around the arm's shapes, shape (N,), and the height of
            the lowest point of those boxes above the table, infinite without a table.
        """
        place, half = self._data.geom_xpos[self._moving], self._half_m
        turn = self._data.geom_xmat[self._moving].reshape(-1, 3, 3)
        away = points_m[:, None, :] - place[None]
        local = np.einsum("ngi,gij->ngj", away, turn)
        outside = np.maximum(np.abs(local) - half, 0.0)
        gaps: FloatArray = np.sqrt((outside**2).sum(axis=2)).min(axis=1, initial=np.inf)
        height = self._config.table_height_m
        if height is None:
            return gaps, np.inf
        low = place[:, 2] - (np.abs(turn[:, 2]) * half).sum(axis=1)
        return gaps, float(low.min()) - height

    def tool_m(self, position_rad: FloatArray) -> FloatArray:
        """Return the point between the finger tips at a pose, shape (3,)."""
        self._move(position_rad)
        point: FloatArray = self._data.site_xpos[self._site].copy()
        return point

    def _move(self, position_rad: FloatArray) -> None:
        qpos = self._data.qpos
        qpos[self._qpos] = position_rad
        for follower, leader, polynomial in self._coupled:
            qpos[follower] = np.polynomial.polynomial.polyval(qpos[leader], polynomial)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_collision(self._model, self._data)

    def _judge(self, first: int, second: int, depth_m: float) -> Intrusion | None:
        """Return what a contact between two shapes breaks, with what is allowed taken off."""
        names = (self._geom_names[first], self._geom_names[second])
        bodies = (self._body[first], self._body[second])
        part = self._body_names[max(bodies)]
        if _TABLE in names:
            depth_m -= self._config.table_tolerance_m
            return _intrusion("table", depth_m, f"{part} reaches into the table")
        box = next((name for name in names if name.startswith(_KEEP_OUT)), "")
        if box:
            return _intrusion("keep_out", depth_m, f"{part} enters {box.removeprefix(_KEEP_OUT)}")
        if not self._config.self_collision:
            return None
        depth_m -= self._allowed_m[bodies]
        other = self._body_names[min(bodies)]
        return _intrusion("self_collision", depth_m, f"{part} meets {other}")

    def _allow(self, pose_rad: FloatArray) -> None:
        """Let parts overlap as much as they do in a pose."""
        self._move(pose_rad)
        contacts = self._data.contact
        for pair, distance in zip(contacts.geom, contacts.dist, strict=True):
            one, two = self._body[pair]
            if one and two:
                depth_m = self._config.self_tolerance_m - float(distance)
                for bodies in ((one, two), (two, one)):
                    self._allowed_m[bodies] = max(self._allowed_m[bodies], depth_m)


_NONE = Intrusion("", 0.0, "")


def _intrusion(rule: str, depth_m: float, what: str) -> Intrusion | None:
    if depth_m <= 0.0:
        return None
    return Intrusion(rule, depth_m, f"{what}, {depth_m * 1e3:.0f} mm too deep")


def _outside(point_m: FloatArray, box: Box) -> list[Intrusion]:
    beyond = np.maximum(np.array(box.lower_m) - point_m, point_m - np.array(box.upper_m))
    axis = int(np.argmax(beyond))
    if beyond[axis] <= 0.0:
        return []
    text = f"the fingers leave the workspace, {beyond[axis] * 1e3:.0f} mm along {'xyz'[axis]}"
    return [Intrusion("workspace", float(beyond[axis]), text)]


def coupled_joints(model: mujoco.MjModel) -> list[tuple[int, int, FloatArray]]:
    """Return, for each joint that an equality couples to another, both in qpos, and how."""
    found = []
    for index in np.flatnonzero(model.eq_type == mujoco.mjtEq.mjEQ_JOINT):
        follower, leader = (
            model.jnt_qposadr[ids[index]] for ids in (model.eq_obj1id, model.eq_obj2id)
        )
        found.append((int(follower), int(leader), model.eq_data[index, :5].copy()))
    return found


def _compile(name: str, config: GeometryConfig) -> mujoco.MjModel:
    spec = load_arm_spec(name)
    for body in spec.bodies:
        for geom in body.geoms:
            if geom.contype:
                geom.contype = geom.conaffinity = _SOLID
            elif geom.type != mujoco.mjtGeom.mjGEOM_MESH:
                spec.delete(geom)
        for child in body.bodies:
            if body.name and child.name and body.name != "world":
                spec.add_exclude(bodyname1=body.name, bodyname2=child.name)
    bits = {"contype": 1, "conaffinity": 1}
    world = spec.worldbody
    if config.table_height_m is not None:
        world.add_geom(
            name=_TABLE,
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            size=[_ROOM_SIZE_M, _ROOM_SIZE_M, 0.1],
            pos=[0, 0, config.table_height_m],
            **bits,
        )
    for box in config.keep_out:
        lower, upper = np.array(box.lower_m), np.array(box.upper_m)
        world.add_geom(
            name=f"{_KEEP_OUT}{box.name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=((upper - lower) / 2).tolist(),
            pos=((upper + lower) / 2).tolist(),
            **bits,
        )
    return spec.compile()
