"""How the scripted teleoperator pulls, presses, pushes, sweeps and goes home.

As in `lam_sim.expert`, what to do next follows from the present state alone.  Each move
returns an `Aim`, or None where grasping an item or leaving it is what is left to do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import Skill, Step, achieved, swept
from lam_ros.core.types import FloatArray
from lam_sim import catalog
from lam_sim.ik import CartesianTeleop, ToolPose, ToolTarget
from lam_sim.phases import Aim, Phase, View
from lam_sim.placement import Point, Sector
from lam_sim.style import Style

HANDLED = (Skill.OPEN, Skill.CLOSE, Skill.PRESS, Skill.PUSH, Skill.SWEEP, Skill.HOME)
"""Skills that this module does."""

SHUT = (Skill.PRESS, Skill.PUSH, Skill.SWEEP, Skill.HOME)
"""Those of them in which the hand takes hold of nothing."""

KNOB = "knob"
"""Kind of the item by which a drawer is taken."""

LOW_M = 0.0115
"""Height of the tool while it pushes: the tips clear the table by 3 mm."""

_OUT_SHARE = {Skill.OPEN: 0.94, Skill.CLOSE: 0.0}
_OUT_ERROR_M = 0.003
_FINGERS_M = -0.008
"""Where the middle of the nearly closed fingers is, from the tool along the opening."""

_NARROW_RAD = 0.07
"""How far open the jaw is meanwhile: a broader hand, and no piece passes between the pads."""

_STEER = 2.5
_BEHIND_M = 0.012
_ASIDE_M = 0.015
_PUSH_SPEED_M_S = 0.14
_PRESS_SPEED_M_S = 0.06
_PRESS_DEPTH_M = 0.009
"""How deep the fingers aim: deeper than a button gives way, so that aiming a little high is enough."""

_CAP_M = 0.011
"""How far off its middle the fingers still press a button's cap; who rises for less, teaches a
policy, which does not see so exactly, to hover."""

_DEEP_M = 0.024
_WELL_IN_M = 0.034
"""Farthest from a region's middle that a piece is left: all of it is in, by 3 mm at least.  A policy
does not see to a millimetre whether a piece's middle is over the border."""

_TRAVEL_ABOVE_M = 0.026
_LEAST_TRAVEL_M = 0.056
_LOW_SLACK_M = 0.0045
_FLAT_M = 0.004
_REACH = Sector(0.135, 0.250, math.radians(85))
_HALF_HAND_M = 0.026
_LEAST_PUSH_M = 0.05
_MOST_SWEEP_M = 0.17


def item_of(step: Step, scene: Scene, tool: ToolPose) -> SceneObject:
    """Return what the hand is to deal with now: an object, a knob, or one piece of many."""
    match step.skill:
        case Skill.HOME:
            return SceneObject("", "", position_m=(*tool.position_m[:2], 0.0))
        case Skill.OPEN | Skill.CLOSE:
            return knob_of(scene[step.object_id])
        case Skill.SWEEP:
            return _piece_for(step, scene, tool)
        case _:
            return scene[step.object_id]


def knob_of(drawer: SceneObject) -> SceneObject:
    """Return a drawer's knob, under the drawer's id."""
    x, y, _ = drawer.position_m
    along = -catalog.KNOB_OUT_M
    at = (
        x + along * math.cos(drawer.yaw_rad),
        y + along * math.sin(drawer.yaw_rad),
        catalog.KNOB_HEIGHT_M,
    )
    return SceneObject(
        drawer.id, KNOB, drawer.color, at, catalog.KNOB_SIZE_M, drawer.yaw_rad,
        is_open=drawer.is_open, opening=drawer.opening,
    )  # fmt: skip


def to_sweep(step: Step, scene: Scene) -> tuple[SceneObject, ...]:
    """Return the pieces that are not yet in their region beyond doubt; all of them when all are."""
    pieces = swept(step, scene)
    return tuple(p for p in pieces if not _well_in(p, scene[step.target_id])) or pieces


@dataclass(frozen=True)
class Line:
    """The way of a push: from a thing to where it goes.

    Attributes:
        start, goal: points (x, y), shape (2,).
        back_m: how far behind the thing's centre the tool stays.
    """

    start: FloatArray
    goal: FloatArray
    back_m: float

    @classmethod
    def of(cls, item: SceneObject, target: SceneObject) -> Line:
        """Return the line from an object to a region's centre."""
        reach = min(item.size_m[:2]) / 2
        return cls(
            np.array(item.position_m[:2]), np.array(target.position_m[:2]), reach + _BEHIND_M
        )

    @property
    def length_m(self) -> float:
        """How far it is."""
        return float(np.hypot(*(self.goal - self.start)))

    @property
    def along(self) -> FloatArray:
        """Unit vector to the goal, shape (2,)."""
        return (self.goal - self.start) / max(self.length_m, 1e-6)

    @property
    def behind(self) -> FloatArray:
        """Where the tool goes down, shape (2,)."""
        return self.start - (self.back_m + 0.006) * self.along

    def is_behind(self, point: FloatArray) -> bool:
        """Tell whether a finger at a point needs only to go on to push."""
        ahead, aside = self.seen_from(point)
        return -self.back_m - 0.020 < ahead < 0.0 and abs(aside) < _ASIDE_M

    def seen_from(self, point: FloatArray) -> tuple[float, float]:
        """Return how far a point is ahead of the start and how far to its left [m]."""
        delta, (ux, uy) = point - self.start, self.along
        return float(delta @ self.along), float(ux * delta[1] - uy * delta[0])


class Moves:
    """Chooses what to do in the skills of `HANDLED`."""

    def __init__(
        self, robot: RobotDescription, teleop: CartesianTeleop, step: Step, style: Style
    ) -> None:
        """Take on a step; `style` is how this episode's person moves."""
        self._teleop = teleop
        self._step = step
        self._style = style
        self._hand = teleop.arm.hand
        self._shut_rad = robot.joints[robot.gripper_index].lower_rad + _NARROW_RAD
        self._brisk = style.descend_speed_m_s / Style().descend_speed_m_s

    def choose(self, view: View) -> Aim | None:
        """Return what to do now; None to grasp the item, or to leave when all is done."""
        match self._step.skill:
            case Skill.OPEN | Skill.CLOSE:
                return self._slide(view)
            case Skill.PRESS:
                return self._press(view)
            case Skill.PUSH | Skill.SWEEP:
                return self._shove(view)
            case _:
                return self._rise(view)

    # -- a drawer: held by its knob -------------------------------------------------------

    def _slide(self, view: View) -> Aim | None:
        if not view.holds_item:
            return None
        x, y, z = view.tool.position_m
        velocity = view.joints.velocity_rad_s
        if velocity is not None and velocity[-1] < -self._hand.closing_rad_s:
            shut = ToolTarget((x, y, z), None, jaw_rad=self._hand.grip_rad)
            return Phase.CLOSE, shut, self._style.fine_speed_m_s
        left_m = self._still_to_slide_m(view.item)
        if abs(left_m) < _OUT_ERROR_M:
            return self.let_go(view)
        yaw = view.item.yaw_rad
        way = ToolTarget(
            (x - left_m * math.cos(yaw), y - left_m * math.sin(yaw), z),
            view.tool.yaw_rad,
            jaw_rad=self._hand.grip_rad,
        )
        return Phase.PULL, way, _PUSH_SPEED_M_S * self._brisk

    def let_go(self, view: View) -> Aim:
        """Open the hand, drawing the finger that does not move off the knob."""
        x, y, z = view.tool.position_m
        off_m, yaw = self._style.finger_clearance_m, view.tool.yaw_rad
        away = (x - off_m * math.cos(yaw), y - off_m * math.sin(yaw), z)
        loose = ToolTarget(away, None, jaw_rad=self._hand.release_rad)
        return Phase.OPEN, loose, self._style.fine_speed_m_s

    def _still_to_slide_m(self, knob: SceneObject) -> float:
        """Return how far the drawer must still come out, negative for in."""
        opening = knob.opening
        if opening is None:  # a source that knows no more than open or closed
            opening = {True: 0.94, False: 0.02, None: 0.5}[knob.is_open]
        return (_OUT_SHARE[self._step.skill] - opening) * catalog.DRAWER_TRAVEL_M

    # -- a button: pressed with the closed hand ---------------------------------------------

    def _press(self, view: View) -> Aim | None:
        if view.item.is_on:
            return self._rise(view)
        x, y = self._with_finger_at(view, np.array(view.item.position_m[:2]))
        off = float(np.hypot(x - view.xy[0], y - view.xy[1]))
        top = view.item.top_m
        hover = top + self._style.hover_m
        shut = view.tool.jaw_rad < self._shut_rad + 0.05
        if off > _CAP_M + 0.25 * max(0.0, view.z - top - 0.012) or not shut:
            height = max(hover, self._travel_m(view)) if off > 0.04 else hover
            if off > 0.04 and view.z < height - 0.015:
                x, y = view.xy + 0.25 * (np.array([x, y]) - view.xy)
            over = ToolTarget((float(x), float(y), height), None, jaw_rad=self._shut_rad)
            return Phase.APPROACH, over, self._style.speed_m_s
        down = ToolTarget((x, y, top - _PRESS_DEPTH_M), None, jaw_rad=self._shut_rad)
        return Phase.PRESS, down, _PRESS_SPEED_M_S * self._brisk

    # -- pushing: the closed hand behind the thing -----------------------------------------

    def _shove(self, view: View) -> Aim | None:
        target = view.scene[self._step.target_id]
        line = Line.of(view.item, target)
        finger = _finger(view.tool)
        yaw = self._yaw_across(line, view)
        turned = abs(_wrap(yaw - view.tool.yaw_rad))
        in_place = _is_low(view.tool) and line.is_behind(finger)
        done = _well_done(self._step, view.scene)
        if done and not (in_place and line.length_m > _DEEP_M):
            return self._rise(view)
        if in_place and turned < 0.35:
            return self._push_on(view, line, line.seen_from(finger)[1], yaw)
        return self._get_behind(view, line, yaw, turned)

    def _push_on(self, view: View, line: Line, aside: float, yaw: float) -> Aim:
        """Go on along the line, back towards it where the tool is beside it."""
        left = np.array([-line.along[1], line.along[0]])
        there = view.xy + 0.03 * line.along - _STEER * aside * left
        x, y = there.tolist()
        way = ToolTarget((x, y, LOW_M), yaw, jaw_rad=self._shut_rad)
        return Phase.PUSH, way, _PUSH_SPEED_M_S * self._brisk

    def _get_behind(self, view: View, line: Line, yaw: float, turned: float) -> Aim:
        """Go over to behind the thing, then down; up first where something is in the way."""
        x, y = self._with_finger_at(view, line.behind, yaw).tolist()
        off = float(np.hypot(x - view.xy[0], y - view.xy[1]))
        shut = view.tool.jaw_rad < self._shut_rad + 0.05
        slack = 0.20 * max(0.0, view.z - LOW_M - 0.01)
        if off < 0.009 + slack and turned < 0.15 + 3 * slack and shut:
            down = ToolTarget((x, y, LOW_M), yaw, jaw_rad=self._shut_rad)
            return Phase.DESCEND, down, self._style.descend_speed_m_s
        travel = self._travel_m(view)
        if view.z < travel - 0.012 and off > 0.018:
            up_x, up_y = (view.xy + 0.15 * (np.array([x, y]) - view.xy)).tolist()
            up = ToolTarget((up_x, up_y, travel), None, jaw_rad=self._shut_rad)
            return Phase.LIFT, up, self._style.speed_m_s
        height = travel if off > 0.018 else max(view.z, LOW_M + 0.03)
        over = ToolTarget((x, y, height), yaw, jaw_rad=self._shut_rad)
        return Phase.APPROACH, over, self._style.speed_m_s

    def _yaw_across(self, line: Line, view: View) -> float:
        """Return the fingers' yaw that makes the hand's broad side push, the nearer of two."""
        across = math.atan2(line.along[1], line.along[0]) + math.pi / 2
        arm = self._teleop.arm
        heading = self._teleop.heading_rad(view.tool.position_m)

        def cost(yaw: float) -> float:
            roll = abs(_wrap(yaw - heading - arm.roll_neutral_rad))
            return (
                roll
                + abs(_wrap(yaw - view.tool.yaw_rad))
                + 10 * max(0.0, roll - arm.roll_range_rad)
            )

        return min((across, across + math.pi), key=cost)

    # -- common -----------------------------------------------------------------------------

    def _rise(self, view: View) -> Aim | None:
        """Go straight up where the hand is low; None when it is up."""
        x, y, z = view.tool.position_m
        if z > _LEAST_TRAVEL_M + self._style.extra_height_m:
            return None
        up = ToolTarget((x, y, z + 0.05), None)
        return Phase.RETREAT, up, self._style.speed_m_s

    def _with_finger_at(
        self, view: View, point: FloatArray, yaw_rad: float | None = None
    ) -> FloatArray:
        """Return where the tool is when the closed fingers' middle is at a point, shape (2,)."""
        yaw = view.tool.yaw_rad if yaw_rad is None else yaw_rad
        return point - _FINGERS_M * np.array([math.cos(yaw), math.sin(yaw)])

    def _travel_m(self, view: View) -> float:
        """Return how high the closed hand must be to go over everything."""
        tops = [item.top_m for item in view.scene.objects]
        return max(_LEAST_TRAVEL_M, max(tops, default=0.0) + _TRAVEL_ABOVE_M)


def can_shove(step: Step, scene: Scene) -> bool:
    """Tell whether a push or a sweep can be done: the tool has room behind and on the way."""
    target = scene[step.target_id]
    items = swept(step, scene) if step.skill is Skill.SWEEP else (scene[step.object_id],)
    lines = [Line.of(item, target) for item in items if item.inside != target.id]
    moved = {item.id for item in items}
    obstacles = [
        item
        for item in scene.objects
        if item.id not in moved and item.id != target.id and item.top_m > _FLAT_M
    ]
    if step.skill is Skill.SWEEP and any(line.length_m > _MOST_SWEEP_M for line in lines):
        return False
    return all(_has_room(line, obstacles) for line in lines)


def _has_room(line: Line, obstacles: list[SceneObject]) -> bool:
    if not _REACH.contains(_point(line.behind)) or line.length_m < _LEAST_PUSH_M:
        return False
    count = 2 + int(line.length_m / 0.01)
    way = [line.behind + share * (line.goal - line.behind) for share in np.linspace(0, 1, count)]
    return all(
        math.dist(point, item.position_m[:2]) > _HALF_HAND_M + item.radius_m
        for point in way
        for item in obstacles
    )


def _point(xy: FloatArray) -> Point:
    return float(xy[0]), float(xy[1])


def _well_done(step: Step, scene: Scene) -> bool:
    """Tell whether a push or a sweep is done, and a sweep so that it can be seen."""
    if step.skill is not Skill.SWEEP:
        return achieved(step, scene)
    return all(_well_in(item, scene[step.target_id]) for item in swept(step, scene))


def _well_in(piece: SceneObject, region: SceneObject) -> bool:
    return piece.inside == region.id and piece.distance_xy_m(region) < _WELL_IN_M


def _piece_for(step: Step, scene: Scene, tool: ToolPose) -> SceneObject:
    """Return the piece to push now: one that the low tool is behind, else one far out and at hand.

    A choice gets firmer while the hand comes nearer.  Of a rule that does not ask where the hand
    is, like the farthest piece first, a policy without a memory learns to hover between two.
    """
    here = _finger(tool)
    lines = [(Line.of(item, scene[step.target_id]), item) for item in to_sweep(step, scene)]
    begun = [pair for pair in lines if _is_low(tool) and pair[0].is_behind(here)]
    if begun:
        return min(begun, key=lambda pair: abs(pair[0].seen_from(here)[1]))[1]
    return max(
        lines, key=lambda pair: pair[0].length_m - float(np.hypot(*(pair[0].behind - here)))
    )[1]


def _is_low(tool: ToolPose) -> bool:
    return tool.position_m[2] < LOW_M + _LOW_SLACK_M


def _finger(tool: ToolPose) -> FloatArray:
    """Return where the middle of the closed fingers is, shape (2,)."""
    yaw = tool.yaw_rad
    return np.array(tool.position_m[:2]) + _FINGERS_M * np.array([math.cos(yaw), math.sin(yaw)])


def _wrap(angle_rad: float) -> float:
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi
