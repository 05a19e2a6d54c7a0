"""The scripted teleoperator: what an able person with the same controls would do.

It is a function of the present state and keeps no clock: what to do next follows from
where the arm and the objects are.  So it recovers by itself from a missed grasp, a
dropped object or a push, and its answer to any state, however the arm got there, is a
label worth learning from.

Each decision is a `ToolTarget` a short way towards where the tool should be; the
inverse kinematics that turns it into joint targets is the one that a person's gamepad
goes through too.
"""

from __future__ import annotations

import math

import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.skills import Skill, Step, achieved
from lam_ros.core.types import FloatArray, JointState
from lam_sim.grasping import KNOB_QUARTERS, QUARTERS, Grasp, best_grasp
from lam_sim.ik import CartesianTeleop, ToolTarget
from lam_sim.moves import HANDLED, KNOB, SHUT, Moves, item_of
from lam_sim.phases import Aim, View
from lam_sim.phases import Decision as Decision
from lam_sim.phases import Phase as Phase
from lam_sim.placing import place_point
from lam_sim.style import Style

_LEAST_CARRY_M = 0.062
_NEAR_M = 0.008
_DECELERATION_PER_S = 9.0
_LEAST_SPEED_M_S = 0.02


class Expert:
    """Does one step of a plan in one scene."""

    def __init__(
        self,
        robot: RobotDescription,
        teleop: CartesianTeleop,
        step: Step,
        style: Style,
        *,
        other_grasp: bool = False,
    ) -> None:
        """Take on a step.

        Args:
            robot: whose arm it is.
            teleop: its inverse kinematics.
            step: what to do.
            style: how this episode's person moves.
            other_grasp: take the object by the other pair of its sides.
        """
        self._other_grasp = other_grasp
        self._robot = robot
        self._teleop = teleop
        self._step = step
        self._style = style
        self._hand = teleop.arm.hand
        self._open_rad = style.open_rad * self._hand.opening_scale
        self._home = np.array(robot.poses.home_rad)
        self._home_z_m = teleop.tool_pose(self._home).position_m[2]
        self._moves = Moves(robot, teleop, step, style)

    def decide(self, scene: Scene, joints: JointState, dt_s: float) -> Decision:
        """Return what to do for the next `dt_s`.

        Args:
            scene: the present ground truth.
            joints: the present joint positions and velocities.
            dt_s: time until the next decision.
        """
        view = self._look(scene, joints, dt_s)
        phase, target, speed = self._choose(view)
        if target is None:
            return Decision(phase, self._towards_home(joints.position_rad, dt_s))
        stepped = self._limit_speed(view, target, speed, dt_s)
        return Decision(phase, self._teleop.solve(joints.position_rad, stepped, dt_s))

    def _look(self, scene: Scene, joints: JointState, dt_s: float) -> View:
        tool = self._teleop.tool_pose(joints.position_rad)
        speed = 0.0
        if joints.velocity_rad_s is not None:
            ahead = self._teleop.tool_pose(joints.position_rad + joints.velocity_rad_s * dt_s)
            speed = math.dist(tool.position_m, ahead.position_m) / dt_s
        return View(scene, item_of(self._step, scene, tool), tool, speed, joints)

    # -- phases: each returns the phase, where the tool should go, and how fast ------

    def _choose(self, view: View) -> Aim:
        if self._step.skill in HANDLED:
            aim = self._moves.choose(view)
        else:
            aim = self._place(view) if view.holds_item else None
        if aim is not None:
            return aim
        if self._step.skill in SHUT:
            return self._return(view)
        if achieved(self._step, view.scene):
            return self._leave(view)
        return self._grasp(view)

    def _grasp(self, view: View) -> Aim:
        style, hand, arm = self._style, self._hand, self._teleop.arm
        grasp = best_grasp(
            view.item,
            view.scene,
            style.grasp_below_center_m,
            view.tool.yaw_rad,
            arm,
            other=self._other_grasp,
            quarters=KNOB_QUARTERS if view.item.kind == KNOB else QUARTERS,
        )
        across, along = _offset_in_fingers(view, grasp)
        yaw_error = abs(_wrap(grasp.yaw_rad - view.tool.yaw_rad))
        above = view.z - grasp.position_m[2]
        slack = 0.12 * max(0.0, above - 0.022)
        aligned = (
            abs(across) < 0.006 + slack
            and hand.along_m[0] - slack < along < hand.along_m[1] + slack
            and yaw_error < 0.10 + 4 * slack
        )  # fmt: skip
        closing = view.tool.jaw_rad < self._open_rad - hand.closing_by_rad
        if closing and abs(across) < 0.010 and above < 0.008 and abs(along) < 0.020:
            if view.tool.jaw_rad > hand.empty_rad:
                return Phase.CLOSE, _at(grasp, self._hand.grip_rad), style.fine_speed_m_s
            return Phase.REOPEN, _raised(grasp, style.hover_m, self._open_rad), style.fine_speed_m_s
        shifted = _shifted(grasp, -style.finger_clearance_m * hand.clearance_scale)
        if not aligned or (closing and above > 0.008):
            return Phase.APPROACH, self._hover(view, shifted), style.speed_m_s
        if above > 0.004:
            speed = style.descend_speed_m_s
            return Phase.DESCEND, _at(shifted, self._open_rad), speed
        return Phase.CLOSE, _at(grasp, self._hand.grip_rad), style.fine_speed_m_s

    def _hover(self, view: View, grasp: Grasp) -> ToolTarget:
        """Return the way to above the grasp: up first where the fingers could hit something."""
        hover_z = grasp.position_m[2] + self._style.hover_m
        distance = float(np.hypot(*(view.xy - grasp.position_m[:2])))
        x, y = grasp.position_m[:2]
        if distance < 0.03:
            hover_z = grasp.position_m[2] + min(self._style.hover_m, 0.030 + distance)
        elif view.z < self._travel_m(view) - 0.012:
            x, y = _part_of_the_way(view.xy, (x, y), 0.25)
            hover_z = max(hover_z, self._travel_m(view))
        return ToolTarget((x, y, hover_z), grasp.yaw_rad, jaw_rad=self._open_rad)

    def _place(self, view: View) -> Aim:
        style = self._style
        velocity = view.joints.velocity_rad_s
        if velocity is not None and velocity[self._robot.gripper_index] < -self._hand.closing_rad_s:
            x, y, z = view.tool.position_m
            return (
                Phase.CLOSE,
                ToolTarget((x, y, z), None, jaw_rad=self._hand.grip_rad),
                style.fine_speed_m_s,
            )
        goal = place_point(self._step, view.scene)
        if goal is None:  # the place was taken meanwhile: hold on
            x, y, _ = view.tool.position_m
            high = ToolTarget((x, y, self._travel_m(view)), None, jaw_rad=self._hand.grip_rad)
            return Phase.LIFT, high, style.speed_m_s
        return self._bring(view, goal)

    def _bring(self, view: View, goal: tuple[float, float, float]) -> Aim:
        """Bring the held object's lower side to a point and let go."""
        style = self._style
        grip_offset = view.xy - view.item.position_m[:2]
        aim = np.array(goal[:2]) + grip_offset
        grip_height = view.z - view.item.bottom_m
        release_z = goal[2] + min(grip_height, 0.02)
        distance = float(np.hypot(*(aim - view.xy)))
        yaw = self._place_yaw(goal)
        if distance < self._tolerance_m and view.z < release_z + 0.003:
            x, y, _ = view.tool.position_m
            return Phase.OPEN, ToolTarget((x, y, view.z), None, jaw_rad=self._hand.release_rad), 0.0
        if distance < max(_NEAR_M, 2 * self._tolerance_m) or (
            view.z < release_z + 0.012 and distance < 0.012
        ):
            # Come down in a funnel: only as low as the aim is true.
            z = release_z if distance < self._tolerance_m else release_z + 2.0 * distance
            target = ToolTarget((float(aim[0]), float(aim[1]), z), yaw, jaw_rad=self._hand.grip_rad)
            return Phase.LOWER, target, style.descend_speed_m_s
        travel = max(self._travel_m(view), release_z + 0.012)
        if view.z < travel - 0.015:
            x, y = _part_of_the_way(view.xy, (float(aim[0]), float(aim[1])), 0.2)
            lift = ToolTarget((x, y, travel), None, jaw_rad=self._hand.grip_rad)
            return Phase.LIFT, lift, style.speed_m_s
        over = ToolTarget((float(aim[0]), float(aim[1]), travel), yaw, jaw_rad=self._hand.grip_rad)
        return Phase.CARRY, over, style.speed_m_s

    def _leave(self, view: View) -> Aim:
        """Let go fully, go straight up, then home."""
        x, y, z = view.tool.position_m
        near = float(np.hypot(*(view.xy - view.item.position_m[:2]))) < 0.05
        if near and z < min(view.item.top_m + self._style.retreat_m, self._home_z_m - 0.005):
            if view.tool.jaw_rad < self._hand.let_go_rad:
                if view.item.kind == KNOB:
                    return self._moves.let_go(view)
                return Phase.OPEN, ToolTarget((x, y, z), None, jaw_rad=self._hand.release_rad), 0.0
            up = ToolTarget((x, y, z + 0.05), None, jaw_rad=self._hand.release_rad)
            return Phase.RETREAT, up, self._style.speed_m_s
        return self._return(view)

    def _return(self, view: View) -> Aim:
        away = float(np.abs(view.joints.position_rad - self._home).max())
        return (Phase.DONE if away < 0.03 else Phase.RETURN), None, 0.0

    # -- how ----------------------------------------------------------------------------

    @property
    def _tolerance_m(self) -> float:
        return 0.006 if self._step.skill is Skill.PLACE_IN else 0.004

    def _place_yaw(self, goal: tuple[float, float, float]) -> float | None:
        """Return the fingers' yaw for letting go; radial where a neighbour is close."""
        if self._step.skill is Skill.PLACE_NEXT_TO:
            return self._teleop.heading_rad(goal)
        return None

    def _travel_m(self, view: View) -> float:
        """Return how high the tool must be to carry a cube over everything else."""
        tops = [item.top_m for item in view.scene.objects if item.id != view.item.id]
        return max(_LEAST_CARRY_M, max(tops, default=0.0) + 0.026) + self._style.extra_height_m

    def _limit_speed(
        self, view: View, target: ToolTarget, speed_m_s: float, dt_s: float
    ) -> ToolTarget:
        """Return a target that the tool reaches in `dt_s` at no more than a speed."""
        here, there = np.array(view.tool.position_m), np.array(target.position_m)
        distance = float(np.linalg.norm(there - here))
        allowed = min(
            speed_m_s * self._style.pace(view.z - view.item.position_m[2]),
            _LEAST_SPEED_M_S + _DECELERATION_PER_S * distance,
            view.tool_speed_m_s + self._style.acceleration_m_s2 * dt_s,
        )
        share = min(1.0, allowed * dt_s / distance) if distance > 0 else 0.0
        x, y, z = (here + share * (there - here)).tolist()
        return ToolTarget((x, y, z), target.yaw_rad, target.pitch_rad, target.jaw_rad)

    def _towards_home(self, joint_rad: FloatArray, dt_s: float) -> FloatArray:
        """Return the next joint target on the straight way home, shape (J,)."""
        away = self._home - joint_rad
        limit = self._style.return_speed * self._robot.velocity_rad_s * dt_s
        slow = np.minimum(limit, 0.004 + 0.35 * np.abs(away).max())
        share = min(1.0, float(np.min(slow / np.maximum(np.abs(away), 1e-9))))
        target: FloatArray = joint_rad + share * away
        return target


def _offset_in_fingers(view: View, grasp: Grasp) -> tuple[float, float]:
    """Return where the object is as the fingers see it: (across, along the opening) [m]."""
    delta = np.array(grasp.position_m[:2]) - view.xy
    ux, uy = grasp.opening_xy
    return float(-uy * delta[0] + ux * delta[1]), float(ux * delta[0] + uy * delta[1])


def _at(grasp: Grasp, jaw_rad: float) -> ToolTarget:
    return ToolTarget(grasp.position_m, grasp.yaw_rad, jaw_rad=jaw_rad)


def _raised(grasp: Grasp, height_m: float, jaw_rad: float) -> ToolTarget:
    x, y, z = grasp.position_m
    return ToolTarget((x, y, z + height_m), grasp.yaw_rad, jaw_rad=jaw_rad)


def _shifted(grasp: Grasp, along_m: float) -> Grasp:
    (x, y, z), (ux, uy) = grasp.position_m, grasp.opening_xy
    return Grasp((x + along_m * ux, y + along_m * uy, z), grasp.yaw_rad)


def _part_of_the_way(
    here: FloatArray, there: tuple[float, float], share: float
) -> tuple[float, float]:
    x, y = (here + share * (np.asarray(there) - here)).tolist()
    return x, y


def _wrap(angle_rad: float) -> float:
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi
