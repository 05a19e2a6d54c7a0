"""Fixtures: a cabinet with a drawer that slides, and a button that gives way and latches.

Each is a body fixed to the table with one moving part, whose joint bears the body's name.
A drawer opens towards -x of its body, which a scene turns to the arm.
"""

from __future__ import annotations

import mujoco

from lam_sim import catalog

CONTACT_GROUP = 3
"""Geom group of shapes that are there for contacts only; no camera draws it."""

CONTACT_ALL = {"contype": 1, "conaffinity": 3}

FIXED_RGBA = (0.42, 0.42, 0.44, 1.0)
"""Colour of what a scene does not colour: a button's base, a cabinet's board."""

_BOARD_M = 0.003
_BUTTON_BASE_M = 0.014
_BUTTON_SPRING_N_M = 120.0


def add_drawer(body: mujoco.MjsBody) -> None:
    """Add a cabinet that is open in front, and in it the drawer with its knob."""
    deep, wide, high = (edge / 2 for edge in catalog.DRAWER_SIZE_M)
    board = _BOARD_M / 2
    _box(body, (0, 0, high - board), (deep, wide, board))
    for side in (-1, 1):
        _box(body, (0, side * (wide - board), 0), (deep, board, high))
    _box(body, (deep - board, 0, 0), (board, wide, high))
    drawer = body.add_body(name=f"{body.name}_moving")
    drawer.add_joint(
        name=body.name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[-1, 0, 0],
        range=[0, catalog.DRAWER_TRAVEL_M],
        limited=True,
        damping=2.0,
        frictionloss=0.25,
    )
    _add_tray(drawer, deep - 2 * board, wide - 0.0055, high)
    out = -(deep + catalog.KNOB_GAP_M)
    knob = [edge / 2 for edge in catalog.KNOB_SIZE_M]
    at = catalog.KNOB_HEIGHT_M - high
    _box(drawer, (out + catalog.KNOB_GAP_M / 2, 0, at), (catalog.KNOB_GAP_M / 2, 0.004, 0.006))
    _box(drawer, (out - knob[0], 0, at), (knob[0], knob[1], knob[2]), mass=0.02)


def _add_tray(drawer: mujoco.MjsBody, deep: float, wide: float, high: float) -> None:
    """Add floor, sides, back and front of the drawer, given as half extents of its room."""
    board = _BOARD_M / 2
    low = -high + 0.001
    _box(drawer, (0, 0, low + board), (deep, wide, board))
    side = (high - 0.006) / 2
    for sign in (-1, 1):
        _box(drawer, (0, sign * (wide - board), low + side), (deep, board, side))
    _box(drawer, (deep - board, 0, low + side), (board, wide, side))
    front = (-(deep + board), 0, -0.001)
    _box(drawer, front, (board, catalog.DRAWER_SIZE_M[1] / 2, high - 0.002))


def add_button(body: mujoco.MjsBody) -> None:
    """Add a base, and a cap on a spring that goes down by its travel."""
    bottom = -catalog.BUTTON_HEIGHT_M / 2
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[catalog.BUTTON_RADIUS_M, _BUTTON_BASE_M / 2, 0],
        pos=[0, 0, bottom + _BUTTON_BASE_M / 2],
        **CONTACT_ALL,
    )
    cap = body.add_body(name=f"{body.name}_moving")
    cap.add_joint(
        name=body.name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0, 0, -1],
        range=[0, catalog.BUTTON_TRAVEL_M],
        limited=True,
        stiffness=_BUTTON_SPRING_N_M,
        damping=0.6,
    )
    high = catalog.BUTTON_HEIGHT_M - _BUTTON_BASE_M
    cap.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[catalog.BUTTON_CAP_RADIUS_M, high / 2, 0],
        pos=[0, 0, bottom + _BUTTON_BASE_M + high / 2],
        mass=0.010,
        **CONTACT_ALL,
    )


def _box(
    body: mujoco.MjsBody,
    pos: tuple[float, float, float],
    size: tuple[float, float, float],
    mass: float = 0.01,
) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=pos,
        size=size,
        mass=mass,
        condim=4,
        friction=[0.8, 0.01, 0.0005],
        **CONTACT_ALL,
    )
