"""The policy node of `lam bench faults`: the real one, around a policy that fails when it is told to.

It swings two joints so that the arm never rests.  A text on `bench/fault` makes the next
inference fail; when it has begun to, that is said on `bench/began` (time.monotonic_ns).

    hang     the inference does not come back until another text comes
    slow     each takes 0.4 s
    memory   it runs out of memory
    jump     its rows are a radian apart
    nan      a number of its chunk is none on the wire
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from std_msgs.msg import Int64, String

from lam_ros.bridge import qos
from lam_ros.bridge.messages import chunk_to
from lam_ros.bridge.runtime import run_node
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.robot import RobotDescription
from lam_ros.core.serving import SkillRun
from lam_ros.core.types import ActionChunk, Observation
from lam_ros.nodes.policy import PolicyNode

FAULT, BEGAN = "bench/fault", "bench/began"
HANG, SLOW, MEMORY, JUMP, NAN = "hang", "slow", "memory", "jump", "nan"

ROWS, DT_NS = 16, 40_000_000
SWING_RAD, PERIOD_S = 0.5, 3.0
"""About 1 rad/s, and one joint is fastest when the other turns."""

SLOW_S, LONGEST_HANG_S = 0.4, 10.0
WORK_S = 0.02
"""What an inference takes when nothing is wrong."""


def swing(robot: RobotDescription, stamp_ns: int) -> np.ndarray:
    """Return where the arm should be from a time on, shape (ROWS, J)."""
    times_s = (stamp_ns % (600 * NS_PER_S) + DT_NS * np.arange(1, ROWS + 1)) / NS_PER_S
    rows = np.tile(robot.poses.home_rad, (ROWS, 1))
    for joint, phase in ((0, 0.0), (4, np.pi / 2)):
        rows[:, joint] += SWING_RAD * np.sin(2 * np.pi * times_s / PERIOD_S + phase)
    return rows


class FaultyPolicy:
    """Swings the arm; `fault` is what is wrong with it."""

    def __init__(self, robot: RobotDescription) -> None:
        """Start with nothing wrong."""
        self._robot = robot
        self.info = SimpleNamespace(policy_id="bench")
        self.fault = ""
        self.began: Any = lambda: None

    def infer(self, observation: Observation, _prompt: str) -> ActionChunk:
        """Return the next chunk, if nothing is wrong."""
        rows = swing(self._robot, observation.stamp_ns)
        if self.fault in (HANG, SLOW, MEMORY):
            self.began()
            self._fail(self.fault)
        else:
            time.sleep(WORK_S)
        if self.fault == JUMP:
            rows[1::2, 1] += 1.0
            self.began()
        return ActionChunk(observation.stamp_ns, DT_NS, self._robot.joint_names, rows, "bench")

    def _fail(self, fault: str) -> None:
        if fault == MEMORY:
            self.fault = ""
            raise MemoryError("cannot allocate 80 GiB")
        if fault == SLOW:
            time.sleep(SLOW_S)
        end = time.monotonic() + LONGEST_HANG_S
        while self.fault == HANG and time.monotonic() < end:
            time.sleep(0.005)

    def observe(self, observation: Observation) -> None:
        """Look back at nothing."""

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def reset(self) -> None:
        """Nothing is remembered."""


class FaultyPolicyNode(PolicyNode):
    """The policy node, with a wire to what is wrong with its policy."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__(load=self._make, **node_arguments)

    def _send(self, run: SkillRun, chunk: ActionChunk) -> None:
        if self._faulty.fault == NAN:
            message = chunk_to(chunk)
            message.targets_rad[-1] = float("nan")
            self._faulty.began()
            return self._chunks.publish(message)
        return super()._send(run, chunk)

    def _make(self, _path: Path, robot: RobotDescription, _device: str) -> Any:
        policy = self._faulty = FaultyPolicy(robot)
        began = self.create_publisher(Int64, BEGAN, qos.COMMAND)
        policy.began = lambda: began.publish(Int64(data=time.monotonic_ns()))
        self.create_subscription(
            String, FAULT, lambda message: setattr(policy, "fault", message.data), qos.COMMAND
        )
        return policy


def main() -> None:
    """Run the node."""
    sys.exit(run_node(FaultyPolicyNode))


if __name__ == "__main__":
    main()
