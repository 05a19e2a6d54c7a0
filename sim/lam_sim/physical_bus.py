"""The SO-101's servos with the simulated arm's body on their shafts.

Weight, friction and the table act on them as on the real ones: without torque the arm
sags, and against something hard the current rises.

    arm = PhysicalArm(load_robot("so101"))
    with SerialPort(arm.bus) as port:
        ...  # give port.path to LeRobot's so101_follower
"""

from __future__ import annotations

import mujoco
import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_sim.feetech import COUNTS, Register
from lam_sim.model import PHYSICS_STEP_S, load_arm_spec
from lam_sim.so101_bus import So101Bus

AMPERE_PER_COUNT = 0.0065
STALL_A = 2.7
"""At the full torque of an STS3215 [A]."""

_LONGEST_S = 0.1
"""Longest time that is caught up with at once: a busy machine must not fall ever further behind."""


class PhysicalArm(So101Bus):
    """An `So101Bus` whose shafts move as the arm's body lets them."""

    def __init__(self, robot: RobotDescription) -> None:
        """Put the arm on a table, all joints at zero, without torque."""
        super().__init__(robot)
        spec = load_arm_spec()
        spec.option.timestep = PHYSICS_STEP_S
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.worldbody.add_geom(
            name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[1, 1, 0.05],
            contype=1, conaffinity=2,
        )  # fmt: skip
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._gain = self._model.actuator_gainprm.copy()
        self._bias = self._model.actuator_biasprm.copy()
        self._left_s = 0.0
        self.bus.mover = self._advance

    def place(self, position_rad: FloatArray) -> None:
        """Put the arm, at rest, to joint positions, shape (J,)."""
        with self.bus.lock:
            self._data.qpos[:] = position_rad
            self._data.qvel[:] = 0.0
            self._data.ctrl[:] = position_rad
            for index in range(len(position_rad)):
                servo = self.bus.servos[index + 1]
                self._turn(index)
                servo.put(Register.GOAL_POSITION, servo.present)

    def _advance(self, seconds: float) -> None:
        """Let time pass [s]; called by the bus, which holds its lock."""
        self._left_s = min(self._left_s + seconds, _LONGEST_S)
        for index, servo in enumerate(self.bus.servos.values()):
            on = float(servo.torque_on)
            self._model.actuator_gainprm[index] = self._gain[index] * on
            self._model.actuator_biasprm[index] = self._bias[index] * on
            low, high = servo.get(Register.MIN_POSITION), servo.get(Register.MAX_POSITION)
            goal = float(np.clip(servo.get(Register.GOAL_POSITION), low, high))
            self._data.ctrl[index] = (goal - self._zero(index)) * 2 * np.pi / COUNTS
        while self._left_s >= PHYSICS_STEP_S:
            mujoco.mj_step(self._model, self._data)
            self._left_s -= PHYSICS_STEP_S
        for index in range(self._model.nu):
            self._turn(index)

    def _turn(self, index: int) -> None:
        """Bring one servo's registers to where its shaft is."""
        servo = self.bus.servos[index + 1]
        angle, speed = float(self._data.qpos[index]), float(self._data.qvel[index])
        servo.shaft = self._zero(index) + angle * COUNTS / (2 * np.pi) + servo.offset
        servo.put(Register.PRESENT_POSITION, servo.present)
        counts_s = min(round(abs(speed) * COUNTS / (2 * np.pi)), 0x7FFF)
        servo.put(Register.PRESENT_VELOCITY, counts_s | (0x8000 if speed < 0 else 0))
        limit = float(self._model.actuator_forcerange[index, 1])
        share = abs(float(self._data.actuator_force[index])) / limit
        servo.put(Register.PRESENT_CURRENT, round(share * STALL_A / AMPERE_PER_COUNT))
