"""The kinds of object that a scene is made of: sizes, masses and colours.

Lengths are in metres, masses in kilograms, colours in rgb between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lam_ros.core.errors import LamError, unknown_name

TASK_COLORS = ("red", "green", "blue", "yellow", "orange", "purple")
"""Colours of cubes, and of the targets beside white."""

COLOR_RGB: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "red": (0.80, 0.10, 0.09),
        "green": (0.13, 0.55, 0.17),
        "blue": (0.10, 0.26, 0.78),
        "yellow": (0.92, 0.78, 0.10),
        "orange": (0.95, 0.42, 0.05),
        "purple": (0.46, 0.15, 0.60),
        "white": (0.88, 0.88, 0.86),
        "grey": (0.45, 0.45, 0.46),
        "brown": (0.36, 0.22, 0.12),
        "pink": (0.92, 0.55, 0.66),
    }
)

CUBE_EDGE_M = 0.028
BOWL_RADIUS_M = 0.046
BOWL_BASE_RADIUS_M = 0.031
BOWL_HEIGHT_M = 0.034
BOWL_WALL_M = 0.003
BOWL_SEGMENTS = 16
SPOT_RADIUS_M = 0.035
SPOT_HEIGHT_M = 0.0008
TRAY_SIZE_M = (0.120, 0.100)
TRAY_HEIGHT_M = 0.014
TRAY_FLOOR_M = 0.003
TRAY_RIM_M = 0.005
BALL_RADIUS_M = 0.016
CYLINDER_RADIUS_M = 0.014
CYLINDER_HEIGHT_M = 0.036
PRISM_SIZE_M = (0.040, 0.020, 0.022)
REGION_EDGE_M = 0.090
REGION_HEIGHT_M = 0.0008
PIECE_EDGE_M = 0.015
BUTTON_RADIUS_M = 0.024
BUTTON_HEIGHT_M = 0.026
BUTTON_CAP_RADIUS_M = 0.017
BUTTON_TRAVEL_M = 0.006
BUTTON_PRESSED_M = 0.004
"""How far down a button's cap must go to count as pressed."""
BUTTON_LATCHED_M = 0.0035
"""How far down it stays after that."""
DRAWER_SIZE_M = (0.080, 0.092, 0.036)
"""Cabinet with its drawer shut, (deep, wide, high)."""
DRAWER_TRAVEL_M = 0.050
DRAWER_OPEN_M = 0.035
DRAWER_CLOSED_M = 0.012
"""Out by more than the first a drawer is open, by less than the second it is closed."""
KNOB_SIZE_M = (0.022, 0.022, 0.026)
KNOB_GAP_M = 0.011
KNOB_HEIGHT_M = 0.019
"""Height of the knob's centre above the table."""
KNOB_OUT_M = DRAWER_SIZE_M[0] / 2 + KNOB_GAP_M + KNOB_SIZE_M[0] / 2
"""From the cabinet's centre to the knob's while the drawer is shut."""


class CatalogError(LamError):
    """A kind of object or a colour that the catalogue does not have."""


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes:
        name: kind, as scene ids and predicates name it.
        size_m: extent (x, y, z) at zero yaw.
        footprint_m: radius of the circle around its outline on the table.
        slots: how many of it the compiled model holds.
        is_free: True if it moves by physics, False if it is fixed to the table.
        is_distractor: True if no task ever names it.
        is_round: True if it looks the same from every side.
        is_fixture: True if only a model made for such scenes holds it (`build_spec`).
    """

    name: str
    size_m: tuple[float, float, float]
    footprint_m: float
    slots: int
    is_free: bool = True
    is_distractor: bool = False
    is_round: bool = False
    is_fixture: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("cube", (CUBE_EDGE_M,) * 3, 0.020, 6),
            Kind(
                "bowl",
                (2 * BOWL_RADIUS_M, 2 * BOWL_RADIUS_M, BOWL_HEIGHT_M),
                BOWL_RADIUS_M,
                2,
                is_round=True,
            ),
            Kind(
                "spot",
                (2 * SPOT_RADIUS_M, 2 * SPOT_RADIUS_M, SPOT_HEIGHT_M),
                SPOT_RADIUS_M,
                2,
                is_free=False,
                is_round=True,
            ),
            Kind("tray", (*TRAY_SIZE_M, TRAY_HEIGHT_M), 0.070, 1, is_free=False),
            Kind("ball", (2 * BALL_RADIUS_M,) * 3, BALL_RADIUS_M, 2, is_distractor=True),
            Kind(
                "cylinder",
                (2 * CYLINDER_RADIUS_M, 2 * CYLINDER_RADIUS_M, CYLINDER_HEIGHT_M),
                CYLINDER_RADIUS_M,
                2,
                is_distractor=True,
                is_round=True,
            ),
            Kind("prism", PRISM_SIZE_M, 0.023, 2, is_distractor=True),
            Kind("drawer", DRAWER_SIZE_M, 0.064, 1, is_free=False, is_fixture=True),
            Kind(
                "button",
                (2 * BUTTON_RADIUS_M, 2 * BUTTON_RADIUS_M, BUTTON_HEIGHT_M),
                BUTTON_RADIUS_M,
                2,
                is_free=False,
                is_round=True,
                is_fixture=True,
            ),
            Kind(
                "region",
                (REGION_EDGE_M, REGION_EDGE_M, REGION_HEIGHT_M),
                0.052,
                2,
                is_free=False,
                is_fixture=True,
            ),
            Kind("piece", (PIECE_EDGE_M,) * 3, 0.0107, 6, is_fixture=True),
        )
    }
)


def kind_named(name: str) -> Kind:
    """Return the kind of that name.

    Raises:
        CatalogError: if the catalogue does not have it.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise CatalogError(unknown_name("kind of object", name, KINDS)) from None


def rgb_of(color: str) -> tuple[float, float, float]:
    """Return the nominal rgb of a colour name.

    Raises:
        CatalogError: if the catalogue does not have it.
    """
    try:
        return COLOR_RGB[color]
    except KeyError:
        raise CatalogError(unknown_name("color", color, COLOR_RGB)) from None
