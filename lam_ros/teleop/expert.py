"""The scripted teleoperator: does a task told in words by itself; in simulation only.

It sees the true scene.  It takes the arm when it is given a task and lets it go when the
task is done, so that whoever records sees a person who comes, works and leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.errors import ConfigError, LamError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.planning.outcome import Clarify, Plan, PlannedStep
from lam_ros.planning.planner import Planner, Planning
from lam_ros.teleop.port import Control, JointTarget, Reading, Task, View
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.style import Style, sample_style


@dataclass(frozen=True)
class ExpertConfig:
    """How the script works.

    Attributes:
        task: what to do at once, in words; empty to wait for a task.
        lookahead_s: how far ahead each joint target lies; the time that control takes to
            reach one (`control.teleop.ramp_s`).
        still_s: how long the arm must rest at home before a step counts as done.
        scene_stale_s: age above which the scene is not believed, and the arm waits.
        varied: whether each task is done by another person: brisk or careful, high or low.
        seed: of those persons.
    """

    task: str = ""
    lookahead_s: float = 0.04
    still_s: float = 0.3
    scene_stale_s: float = 0.5
    varied: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse times that are none."""
        for name in ("lookahead_s", "still_s", "scene_stale_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"expert.{name}: {getattr(self, name)} came, more than 0 needed")


class ExpertTeleoperator:
    """Plans a task over the scene, then does its steps one after the other."""

    def __init__(
        self,
        robot: RobotDescription,
        kinematics: CartesianTeleop,
        config: ExpertConfig | None = None,
        planner: Planning | None = None,
    ) -> None:
        """Wait for a task, or begin with the configured one."""
        self._config = config or ExpertConfig()
        self._robot, self._kinematics = robot, kinematics
        self._planner = planner or Planner()
        self._task: Task | None = None
        self._steps: list[PlannedStep] = []
        self._expert: Expert | None = None
        self._style = Style()
        self._rests_since_ns: int | None = None
        self._end = "waits for a task"
        self._is_over = False

    @property
    def controls(self) -> tuple[Control, ...]:
        """Nobody presses anything."""
        return (Control("no keys", "a script does the task"),)

    def open(self) -> None:
        """There is no device to take."""

    def close(self) -> None:
        """There is no device to give back."""

    def read(self, view: View) -> Reading:
        """Return what to do next for the task."""
        wanted = view.task or (Task(self._config.task) if self._config.task else None)
        if wanted != self._task:
            self._task, self._steps, self._expert = wanted, [], None
            self._end, self._is_over = "waits for a task" if wanted is None else "", False
        if self._task is None or self._is_over:
            return Reading(status=self._end, finished=self._is_over)
        scene = view.scene
        if scene is None or view.joints is None:
            return Reading(status="waits for the scene and the joints")
        if view.now_ns - scene.stamp_ns > seconds_to_ns(self._config.scene_stale_s):
            return Reading(engaged=self._expert is not None, status="the scene is stale")
        if not self._steps and not self._begin(self._task, scene):
            return Reading(status=self._end, finished=True)
        return self._work(view, scene)

    def _begin(self, task: Task, scene: Scene) -> bool:
        """Plan the task; False if there is nothing to do, or no way to do it."""
        outcome = self._planner.plan(task.words, scene)
        if isinstance(outcome, Plan) and outcome.steps:
            self._steps = list(outcome.steps)
            self._style = self._draw_style(task)
            return True
        if isinstance(outcome, Plan):
            return self._over(outcome.message)
        return self._over(outcome.question if isinstance(outcome, Clarify) else outcome.reason)

    def _draw_style(self, task: Task) -> Style:
        if not self._config.varied:
            return Style()
        return sample_style(np.random.default_rng([self._config.seed, task.number, 0x7E1]))

    def _work(self, view: View, scene: Scene) -> Reading:
        assert view.joints is not None
        planned = self._steps[0]
        if self._expert is None:
            self._expert = Expert(self._robot, self._kinematics, planned.step, self._style)
            self._rests_since_ns = None
        try:
            decision = self._expert.decide(scene, view.joints, self._config.lookahead_s)
        except LamError as error:
            self._over(str(error))
            return Reading(status=self._end, finished=True)
        if decision.phase is not Phase.DONE:
            self._rests_since_ns = None
        elif self._rests_since_ns is None:
            self._rests_since_ns = view.now_ns
        elif view.now_ns - self._rests_since_ns >= seconds_to_ns(self._config.still_s):
            return self._next_step()
        status = f"{planned.prompt}: {decision.phase}"
        return Reading(JointTarget(decision.target_rad), engaged=True, status=status)

    def _next_step(self) -> Reading:
        done, self._expert = self._steps.pop(0), None
        if self._steps:
            return Reading(engaged=True, status=f"{done.prompt}: done")
        self._over("done")
        return Reading(status=self._end, finished=True)

    def _over(self, how: str) -> bool:
        self._end, self._is_over, self._expert = how, True, None
        return False
