"""The arm as URDF, made from the model that the simulator steps, so that the two cannot differ.

Link `<body>_link` for each body, `<camera>_optical_frame` for each camera (z forward, x
right, y down: the frame that its pictures name), and the tool's sites.  Position limits,
speeds and efforts are the robot description's.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import mujoco
import numpy as np

from lam_ros.core.errors import RobotError
from lam_ros.core.robot import Joint, RobotDescription
from lam_ros.core.types import FloatArray
from lam_sim.model import build_spec, load_arm_spec

BASE_FRAME = "base"
"""Root of the tree."""

_DRAWN_GROUPS = (0, 1)
_CONTACT_GROUPS = (0, 3)
_OPTICAL_WXYZ = np.array([0.0, 1.0, 0.0, 0.0])
"""From MuJoCo's camera (looks along -z, y up) to ROS's optical frame."""


def urdf(robot: RobotDescription) -> str:
    """Return the URDF of a robot that the simulator models.

    Raises:
        RobotError: if it models no arm with these joints.
    """
    model = load_arm_spec(robot.model).compile()
    names = [model.joint(index).name for index in range(model.njnt)]
    followed = _followed(model)
    known = tuple(name for name in names if name not in followed)
    if known != robot.joint_names:
        raise RobotError(
            f"robot '{robot.name}': no model with joints {', '.join(robot.joint_names)}; "
            f"the simulated arm has {', '.join(known)}: give a URDF file of the arm instead"
        )
    root = ElementTree.Element("robot", name=robot.name)
    _add_root(root, model)
    for index in range(1, model.nbody):
        _add_link(root, model, index)
    joints = {joint.name: joint for joint in robot.joints}
    for index, name in enumerate(names):
        leader, coefficients = followed.get(name, (name, None))
        joint = replace(joints[leader], name=name)
        element = _add_joint(root, model, index, joint)
        if coefficients is not None:
            offset, multiplier = (f"{value:.9g}" for value in coefficients)
            ElementTree.SubElement(
                element, "mimic", joint=leader, multiplier=multiplier, offset=offset
            )
    for index in range(1, model.nbody):
        if not model.body_jntnum[index] and int(model.body_parentid[index]) > 0:
            _add_rigid(root, model, index)
    for index in range(model.nsite):
        site = model.site(index)
        _add_frame(root, _body(model, site.bodyid[0]), f"{site.name}_frame", site.pos, site.quat)
    _add_cameras(root, model, robot)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _followed(model: mujoco.MjModel) -> dict[str, tuple[str, FloatArray]]:
    """Return joint -> the joint that an equality couples it to, and (offset, factor)."""
    found = {}
    for index in range(model.neq):
        if model.eq_type[index] == mujoco.mjtEq.mjEQ_JOINT and model.eq_obj2id[index] >= 0:
            names = (
                model.joint(int(ids[index])).name for ids in (model.eq_obj1id, model.eq_obj2id)
            )
            follower, leader = names
            found[follower] = (leader, model.eq_data[index, :2])
    return found


def _add_root(root: ElementTree.Element, model: mujoco.MjModel) -> None:
    """Add the frame that scenes are told in; apart, since some readers refuse a root with mass."""
    ElementTree.SubElement(root, "link", name=BASE_FRAME)
    joint = _add_child(root, "base_joint", "fixed", BASE_FRAME, _body(model, 1))
    _add_origin(joint, model.body_pos[1], model.body_quat[1])


def _add_rigid(root: ElementTree.Element, model: mujoco.MjModel, index: int) -> None:
    """Add the joint of a body that does not move on its parent."""
    body = model.body(index)
    parent = _body(model, int(body.parentid[0]))
    joint = _add_child(root, f"{body.name}_joint", "fixed", parent, _body(model, index))
    _add_origin(joint, body.pos, body.quat)


def _add_cameras(root: ElementTree.Element, arm: mujoco.MjModel, robot: RobotDescription) -> None:
    scene = build_spec(robot.model)
    for name in robot.camera_names:
        spec = scene.camera(name)
        if spec is None:
            continue
        on_arm = spec.parent.name not in ("", "world")
        camera = arm.camera(name) if on_arm else spec
        parent = _body(arm, int(camera.bodyid[0])) if on_arm else BASE_FRAME
        quat = np.empty(4)
        mujoco.mju_mulQuat(quat, np.asarray(camera.quat, float), _OPTICAL_WXYZ)
        _add_frame(root, parent, f"{name}_optical_frame", camera.pos, quat)


def _add_link(root: ElementTree.Element, model: mujoco.MjModel, index: int) -> None:
    link = ElementTree.SubElement(root, "link", name=_body(model, index))
    body = model.body(index)
    inertial = ElementTree.SubElement(link, "inertial")
    _add_origin(inertial, body.ipos, body.iquat)
    ElementTree.SubElement(inertial, "mass", value=_text(body.mass))
    ixx, iyy, izz = (f"{value:.9g}" for value in body.inertia)
    ElementTree.SubElement(
        inertial, "inertia", ixx=ixx, iyy=iyy, izz=izz, ixy="0", ixz="0", iyz="0"
    )
    first = int(body.geomadr[0])
    for geom in range(first, first + int(body.geomnum[0])):
        group = int(model.geom_group[geom])
        if group in _DRAWN_GROUPS:
            _add_shape(link, "visual", model, geom)
        if group in _CONTACT_GROUPS and model.geom_contype[geom]:
            _add_shape(link, "collision", model, geom)


def _add_shape(link: ElementTree.Element, tag: str, model: mujoco.MjModel, index: int) -> None:
    geom = model.geom(index)
    for kind, size, offset_m in _pieces(int(geom.type[0]), geom.size):
        element = ElementTree.SubElement(link, tag)
        shift = np.empty(3)
        mujoco.mju_rotVecQuat(shift, np.array([0.0, 0.0, offset_m]), geom.quat)
        _add_origin(element, geom.pos + shift, geom.quat)
        geometry = ElementTree.SubElement(element, "geometry")
        ElementTree.SubElement(geometry, kind, size)
        if tag == "visual":
            material = model.geom_matid[index]
            rgba = model.mat_rgba[material] if material >= 0 else geom.rgba
            name = model.mat(material).name if material >= 0 else f"geom_{index}"
            paint = ElementTree.SubElement(element, "material", name=name)
            ElementTree.SubElement(paint, "color", rgba=_text(rgba))


def _pieces(kind: int, size: FloatArray) -> list[tuple[str, dict[str, str], float]]:
    """Return URDF shapes of a geom: kind, size, offset along its z [m].

    URDF has no capsules and no ellipsoids: a capsule is a cylinder between two balls, an
    ellipsoid the box around it.
    """
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return [("sphere", {"radius": _text(size[:1])}, 0.0)]
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return [_cylinder(size)]
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        ball = {"radius": _text(size[:1])}
        ends = [("sphere", ball, float(end)) for end in (-size[1], size[1])]
        return [_cylinder(size), *ends]
    return [("box", {"size": _text(2 * size)}, 0.0)]


def _cylinder(size: FloatArray) -> tuple[str, dict[str, str], float]:
    return ("cylinder", {"radius": _text(size[:1]), "length": _text(2 * size[1:2])}, 0.0)


def _add_joint(
    root: ElementTree.Element, model: mujoco.MjModel, index: int, joint: Joint
) -> ElementTree.Element:
    body = model.body(int(model.jnt_bodyid[index]))
    if np.any(model.jnt_pos[index]):
        raise RobotError(f"joint '{joint.name}': its axis must go through its body's origin")
    element = _add_child(
        root, joint.name, str(joint.kind), _body(model, int(body.parentid[0])), f"{body.name}_link"
    )
    _add_origin(element, body.pos, body.quat)
    ElementTree.SubElement(element, "axis", xyz=_text(model.jnt_axis[index]))
    ElementTree.SubElement(
        element,
        "limit",
        lower=f"{joint.lower_rad:.9g}",
        upper=f"{joint.upper_rad:.9g}",
        velocity=f"{joint.velocity_rad_s:.9g}",
        effort=f"{joint.effort_nm:.9g}",
    )
    dynamics = {"damping": model.dof_damping[index], "friction": model.dof_frictionloss[index]}
    values = {name: f"{value:.9g}" for name, value in dynamics.items()}
    ElementTree.SubElement(element, "dynamics", values)
    return element


def _add_frame(
    root: ElementTree.Element,
    parent: str,
    name: str,
    position_m: FloatArray,
    quat_wxyz: FloatArray,
) -> None:
    ElementTree.SubElement(root, "link", name=name)
    element = _add_child(root, f"{name}_joint", "fixed", parent, name)
    _add_origin(element, position_m, quat_wxyz)


def _add_child(
    root: ElementTree.Element, name: str, kind: str, parent: str, child: str
) -> ElementTree.Element:
    element = ElementTree.SubElement(root, "joint", name=name, type=kind)
    ElementTree.SubElement(element, "parent", link=parent)
    ElementTree.SubElement(element, "child", link=child)
    return element


def _add_origin(
    element: ElementTree.Element, position_m: FloatArray, quat_wxyz: FloatArray
) -> None:
    rpy = _text(_rpy(quat_wxyz))
    ElementTree.SubElement(element, "origin", xyz=_text(position_m), rpy=rpy)


def _rpy(quat_wxyz: FloatArray) -> FloatArray:
    """Return roll, pitch, yaw about fixed axes [rad]."""
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quat_wxyz, float))
    m = matrix.reshape(3, 3)
    flat = float(np.hypot(m[0, 0], m[1, 0]))
    pitch = np.arctan2(-m[2, 0], flat)
    if flat < 1e-9:  # straight up or down: yaw and roll turn about one axis
        return np.array([np.arctan2(-m[1, 2], m[1, 1]), pitch, 0.0])
    return np.array([np.arctan2(m[2, 1], m[2, 2]), pitch, np.arctan2(m[1, 0], m[0, 0])])


def _body(model: mujoco.MjModel, index: int) -> str:
    return f"{model.body(index).name}_link"


def _text(values: FloatArray) -> str:
    return " ".join(f"{value:.9g}" for value in np.asarray(values, float) + 0.0)
