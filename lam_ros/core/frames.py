"""The frames of an arm: read from its URDF, placed by its joint positions.

Only the kinematics are read (links, joints, origins, axes); shapes and masses are not.
Metres and radians; a frame's parent stands before it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lam_ros.core.errors import RobotError, unknown_name
from lam_ros.core.types import FloatArray

_MOVING = ("revolute", "continuous", "prismatic")
_KINDS = ("fixed", *_MOVING)


@dataclass(frozen=True)
class Transform:
    """Where a frame stands in its parent: `p_parent = rotate(quat, p_child) + position`."""

    parent: str
    child: str
    position_m: FloatArray
    quat_xyzw: FloatArray


@dataclass(frozen=True)
class _Link:
    joint: str
    kind: str
    parent: str
    child: str
    position_m: FloatArray
    quat_xyzw: FloatArray
    axis: FloatArray
    follows: str = ""
    multiplier: float = 1.0
    offset: float = 0.0

    def of(self, position: Mapping[str, float]) -> float | None:
        """Return the joint's own position; None if it is not known."""
        value = position.get(self.follows or self.joint)
        return None if value is None else self.multiplier * value + self.offset

    def at(self, value: float) -> Transform:
        """Return the transform with the joint at `value` [rad, or m if it slides]."""
        position, quat = self.position_m, self.quat_xyzw
        if self.kind == "prismatic":
            position = position + rotate(quat, self.axis * value)
        elif self.kind != "fixed":
            half = value / 2
            turn = np.append(self.axis * np.sin(half), np.cos(half))
            quat = multiply(quat, turn)
        return Transform(self.parent, self.child, position, quat)


class FrameTree:
    """All frames of one arm."""

    def __init__(self, links: tuple[_Link, ...], root: str) -> None:
        """Hold the links, parents first; made by `from_urdf`."""
        self._links = links
        self.root = root

    @classmethod
    def from_urdf(cls, text: str) -> FrameTree:
        """Read a URDF.

        Raises:
            RobotError: if it is no URDF, or its links are no tree.
        """
        try:
            robot = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise RobotError(f"URDF: not XML ({error}); give a URDF, not xacro source") from None
        names = {link.get("name", "") for link in robot.findall("link")}
        links = [_link(joint, names) for joint in robot.findall("joint")]
        children = [link.child for link in links]
        roots = sorted(names - set(children))
        if robot.tag != "robot" or len(roots) != 1 or len(set(children)) != len(children):
            raise RobotError(f"URDF: links must form one tree; roots {', '.join(roots) or 'none'}")
        return cls(_parents_first(links, roots[0]), roots[0])

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints that move, without those that follow another (`mimic`)."""
        moving = (link for link in self._links if link.kind in _MOVING)
        return tuple(link.joint for link in moving if not link.follows)

    def fixed(self) -> tuple[Transform, ...]:
        """Return the transforms that never change."""
        return tuple(link.at(0.0) for link in self._links if link.kind == "fixed")

    def moving(self, position: Mapping[str, float]) -> tuple[Transform, ...]:
        """Return the transforms of the joints whose position is given [rad or m]."""
        moving = ((link, link.of(position)) for link in self._links if link.kind in _MOVING)
        return tuple(link.at(value) for link, value in moving if value is not None)

    def in_root(self, position: Mapping[str, float]) -> dict[str, Transform]:
        """Return every frame in the root frame; joints not given are at zero."""
        placed = {self.root: Transform(self.root, self.root, np.zeros(3), np.array([0, 0, 0, 1.0]))}
        for link in self._links:
            here, parent = link.at(link.of(position) or 0.0), placed[link.parent]
            placed[link.child] = Transform(
                self.root,
                link.child,
                parent.position_m + rotate(parent.quat_xyzw, here.position_m),
                multiply(parent.quat_xyzw, here.quat_xyzw),
            )
        return placed


def rotate(quat_xyzw: FloatArray, vector: FloatArray) -> FloatArray:
    """Return a vector, shape (3,), turned by a unit quaternion, shape (4,)."""
    axis, w = quat_xyzw[:3], quat_xyzw[3]
    return np.asarray(vector + 2 * np.cross(axis, np.cross(axis, vector) + w * vector))


def multiply(first_xyzw: FloatArray, second_xyzw: FloatArray) -> FloatArray:
    """Return the product of two unit quaternions, shape (4,): the second turn, seen in the first."""
    a, b = first_xyzw, second_xyzw
    vector = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.append(vector, a[3] * b[3] - a[:3] @ b[:3])


def quat_from_matrix(rotation: FloatArray) -> FloatArray:
    """Return the unit quaternion (xyzw, w not negative) of a rotation matrix, shape (3, 3).

    The eigenvector of Bar-Itzhack's matrix (J. Guidance 23(6), 2000), which has no special cases.
    """
    r = rotation
    trace, twist = np.trace(r), r - r.T
    k = np.empty((4, 4))
    k[:3, :3] = r + r.T - trace * np.eye(3)
    k[:3, 3] = k[3, :3] = twist[2, 1], twist[0, 2], twist[1, 0]
    k[3, 3] = trace
    quat: FloatArray = np.linalg.eigh(k)[1][:, -1]
    return quat if quat[3] >= 0.0 else -quat


def quat_from_rpy(rpy_rad: FloatArray) -> FloatArray:
    """Return the quaternion (xyzw) of URDF's roll, pitch, yaw: about fixed x, then y, then z."""
    quat = np.array([0.0, 0.0, 0.0, 1.0])
    for index, angle in enumerate(rpy_rad):
        turn = np.zeros(4)
        turn[index], turn[3] = np.sin(angle / 2), np.cos(angle / 2)
        quat = multiply(turn, quat)
    return quat


def _link(joint: ElementTree.Element, names: set[str]) -> _Link:
    name, kind = joint.get("name", ""), joint.get("type", "")
    if kind not in _KINDS:
        raise RobotError(f"URDF joint '{name}': {unknown_name('type', kind, _KINDS)}")
    ends = []
    for tag in ("parent", "child"):
        element = joint.find(tag)
        end = "" if element is None else element.get("link", "")
        if end not in names:
            raise RobotError(f"URDF joint '{name}': {unknown_name(f'{tag} link', end, names)}")
        ends.append(end)
    origin, axis = joint.find("origin"), joint.find("axis")
    direction = _numbers(name, axis, "xyz", "1 0 0")
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        raise RobotError(f"URDF joint '{name}': its axis is zero; give a direction")
    position = _numbers(name, origin, "xyz", "0 0 0")
    quat = quat_from_rpy(_numbers(name, origin, "rpy", "0 0 0"))
    link = _Link(name, kind, ends[0], ends[1], position, quat, direction / length)
    return _following(link, joint.find("mimic"))


def _following(link: _Link, mimic: ElementTree.Element | None) -> _Link:
    if mimic is None:
        return link
    try:
        numbers = [float(mimic.get(k, d)) for k, d in (("multiplier", "1"), ("offset", "0"))]
    except ValueError:
        raise RobotError(f"URDF joint '{link.joint}': its mimic is no number") from None
    return replace(link, follows=mimic.get("joint", ""), multiplier=numbers[0], offset=numbers[1])


def _numbers(
    joint: str, element: ElementTree.Element | None, attribute: str, default: str
) -> FloatArray:
    text = default if element is None else element.get(attribute, default)
    try:
        values = np.array([float(part) for part in text.split()])
    except ValueError:
        values = np.empty(0)
    if values.shape != (3,) or not np.isfinite(values).all():
        raise RobotError(f"URDF joint '{joint}': {attribute} '{text}' came, 3 numbers are needed")
    return values


def _parents_first(links: list[_Link], root: str) -> tuple[_Link, ...]:
    placed, ordered, left = {root}, list[_Link](), list(links)
    while left:
        ready = [link for link in left if link.parent in placed]
        if not ready:
            raise RobotError(f"URDF: {left[0].child} hangs in a loop; links must form one tree")
        ordered += ready
        placed |= {link.child for link in ready}
        left = [link for link in left if link.child not in placed]
    return tuple(ordered)
