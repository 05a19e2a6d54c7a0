"""The SO-101 on its serial port: six emulated servos, calibrated as LeRobot calibrates them.

arm = So101Bus(load_robot("so101"))
with SerialPort(arm.bus) as port:
    ...  # give port.path to LeRobot's so101_leader or so101_follower
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np

from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray
from lam_sim.feetech import COUNTS, MIDDLE, Register, ServoBus


class SerialPort:
    """A bus behind a pseudo-terminal, alive while the `with` block lasts."""

    def __init__(self, bus: ServoBus) -> None:
        """Serve a bus; nothing is open yet."""
        self._bus = bus
        self._running = False
        self._thread: threading.Thread | None = None

    @property
    def path(self) -> str:
        """What a driver opens."""
        return os.ttyname(self._slave)

    def unplug(self) -> None:
        """Break the connection, as pulling the cable does."""
        self._stop()
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __enter__(self) -> Self:
        """Open the port."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._running = True
        self._thread = threading.Thread(target=self._serve, name="feetech", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the port."""
        self.unplug()

    def _serve(self) -> None:
        last = time.monotonic()
        while self._running:
            ready = select.select([self._master], [], [], 0.005)[0]
            now = time.monotonic()
            self._bus.advance(now - last)
            last = now
            if ready:
                with contextlib.suppress(OSError):  # the driver has closed its side
                    os.write(self._master, self._bus.feed(os.read(self._master, 4096)))

    def _stop(self) -> None:
        self._running = False
        if self._thread is not None:
            self._thread.join()
            self._thread = None


class So101Bus:
    """An SO-101 as its drivers see it: six servos, calibrated to the robot's limits."""

    def __init__(self, robot: RobotDescription) -> None:
        """Put the robot's joints on a bus, ids from 1 in their order, all at zero."""
        self._robot = robot
        self._ranges = {
            index + 1: _range(joint.lower_rad, joint.upper_rad, joint.name == "wrist_roll")
            for index, joint in enumerate(robot.joints)
        }
        self.bus = ServoBus(self._ranges)
        for number, (low, high) in self._ranges.items():
            self.bus.servos[number].put(Register.MIN_POSITION, low)
            self.bus.servos[number].put(Register.MAX_POSITION, high)
        self.move(np.zeros(len(robot.joints)))

    def calibration(self) -> Mapping[str, Mapping[str, int]]:
        """Return the content of LeRobot's calibration file."""
        return {
            name: {
                "id": index + 1,
                "drive_mode": 0,
                "homing_offset": 0,
                "range_min": self._ranges[index + 1][0],
                "range_max": self._ranges[index + 1][1],
            }
            for index, name in enumerate(self._robot.joint_names)
        }

    def move(self, position_rad: FloatArray) -> None:
        """Put the arm by hand to joint positions, shape (J,)."""
        for index, angle in enumerate(position_rad):
            self.bus.move(index + 1, self._zero(index) + angle * COUNTS / (2 * np.pi))

    def position_rad(self) -> FloatArray:
        """Return where the joints are, shape (J,)."""
        counts = [self.bus.servos[index + 1].present - self._zero(index)
                  for index in range(len(self._robot.joints))]  # fmt: skip
        return np.array(counts) * 2 * np.pi / COUNTS

    def _zero(self, index: int) -> float:
        """Return the counts at which a joint is at zero."""
        low, high = self._ranges[index + 1]
        if index == self._robot.gripper_index:
            return low - self._robot.joints[index].lower_rad * COUNTS / (2 * np.pi)
        return (low + high) / 2


def _range(lower_rad: float, upper_rad: float, full_turn: bool) -> tuple[int, int]:
    """Return the calibrated range [counts]; LeRobot takes the whole turn for the wrist's roll."""
    if full_turn:
        return 0, COUNTS - 1
    half = (upper_rad - lower_rad) / 2 * COUNTS / (2 * np.pi)
    return round(MIDDLE - half), round(MIDDLE + half)
