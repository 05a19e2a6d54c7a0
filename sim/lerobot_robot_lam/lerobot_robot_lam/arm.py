"""The two arms behind the robot: one simulated here, one on a ROS 2 graph."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lam_ros.config import build, load_group
from lam_ros.core.controller import Controller
from lam_ros.core.pacing import Pacer
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, ImageArray, JointState, Source, Target
from lam_ros.evaluation.settings import control_config
from lam_sim.guard import guard_for
from lam_sim.scenes import SceneConfig
from lam_sim.world import LockstepSim, SimConfig

_MOST_CATCH_UP = 12
"""Control steps caught up at once; for longer, while nobody looks, time stands still."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the arm sees: joints in radians, shape (J,), and camera name -> rgb8 (H, W, 3)."""

    position_rad: FloatArray
    images: Mapping[str, ImageArray]


class Arm(Protocol):
    """An arm that can be looked at and told where to go."""

    def connect(self) -> None:
        """Take the arm.

        Raises:
            ConnectionError: if it is not there.
        """
        ...

    def observe(self) -> Seen:
        """Return what the arm sees now.

        Raises:
            ConnectionError: if it does not say.
        """
        ...

    def send(self, target_rad: FloatArray) -> FloatArray:
        """Ask for joint positions, shape (J,); returns what was last sent to the motors."""
        ...

    def close(self) -> None:
        """Let the arm go."""
        ...


class SimulatedArm:
    """The lockstep simulator and the controller, kept in pace with the wall clock by their user.

    Each call first lets the time pass that has passed outside.
    """

    def __init__(self, robot: RobotDescription, seed: int) -> None:
        """Prepare a scene."""
        self._robot = robot
        self._seed = seed
        self._sim: LockstepSim | None = None

    def connect(self) -> None:
        """Build the world."""
        scene = build(SceneConfig, load_group("scene", "pick_place"), "scene")
        config = control_config(load_group("control", "default"), load_group("safety", "default"))
        self._sim = LockstepSim(self._robot, SimConfig(scene))
        self._sim.reset(self._seed)
        guard = guard_for(self._robot, config.safety.geometry)
        self._controller = Controller(self._robot, config, guard)
        self._pacer = Pacer(self._robot.control_period_ns, _MOST_CATCH_UP)
        self._pacer.start(time.monotonic_ns())

    def observe(self) -> Seen:
        """Return what the arm sees now."""
        seen = self._lived().observe()
        return Seen(seen.state_rad, seen.images)

    def send(self, target_rad: FloatArray) -> FloatArray:
        """Ask for joint positions; the controller takes them as a person's."""
        sim, now_ns = self._lived(), time.monotonic_ns()
        self._controller.on_joints(_at(sim, now_ns), now_ns)
        self._controller.on_teleop(Target(target_rad, now_ns, Source.TELEOP), now_ns)
        return sim.target_rad

    def close(self) -> None:
        """Free the world."""
        if self._sim is not None:
            self._sim.close()
            self._sim = None

    def _lived(self) -> LockstepSim:
        """Let the time pass that is due, and return the simulator."""
        sim = self._sim
        if sim is None:
            raise ConnectionError("the simulated arm is not connected")
        for stamp_ns in self._pacer.due(time.monotonic_ns()):
            self._controller.on_joints(_at(sim, stamp_ns), stamp_ns)
            report = self._controller.tick(stamp_ns)
            sim.step(sim.target_rad if report.sent_rad is None else report.sent_rad)
        return sim


class RosArm:
    """The arm on a graph: observations from its topics, wishes through `teleop/joint_command`."""

    def __init__(self, robot: RobotDescription, timeout_s: float) -> None:
        """Prepare; ROS is not loaded yet."""
        from lam_ros.bridge.arm_client import ArmClient

        self._client = ArmClient(robot, timeout_s)

    def connect(self) -> None:
        """Join the graph.

        Raises:
            ConnectionError: if no arm or no control node is on it.
        """
        self._client.connect()

    def observe(self) -> Seen:
        """Return the newest complete observation.

        Raises:
            ConnectionError: if none can be made, with the stream to blame.
        """
        observation = self._client.observe()
        return Seen(observation.state_rad, observation.images)

    def send(self, target_rad: FloatArray) -> FloatArray:
        """Ask the control node for joint positions."""
        return self._client.send(target_rad)

    def close(self) -> None:
        """Leave the graph; the arm holds."""
        self._client.close()


def _at(sim: LockstepSim, stamp_ns: int) -> JointState:
    state = sim.joint_state()
    return JointState(stamp_ns, state.position_rad, state.velocity_rad_s)
