"""A recording sent to the arm on the running graph, as a person would send it.

The teleoperation node does it with a recording for a device: it begins at the measured
joints, asks for nothing while the e-stop is latched, and gives the arm back at the end.
What moves is decided by the control node and its safety room.
"""

from __future__ import annotations

from typing import Any

import rclpy
from rclpy.parameter import Parameter

from lam_ros.bridge.runtime import ended_by_signal, ros, spin
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.errors import LamError, MachineError
from lam_ros.core.types import Verdict
from lam_ros.nodes.teleop import TeleopNode
from lam_ros.recording.replay.player import TapePlayer
from lam_ros.recording.replay.tape import Tape

SILENT_AFTER_NS = 3 * NS_PER_S


class ReplayNode(TeleopNode):
    """The teleoperation node with a recording for a device."""

    def __init__(self, tape: Tape, speed: float, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        self.player = TapePlayer(tape, speed)
        overrides = [Parameter("robot", value=tape.robot.name)]
        super().__init__(
            lambda *_: self.player, **{"parameter_overrides": overrides, **node_arguments}
        )
        self._begun_ns = self.get_clock().now().nanoseconds

    def is_over(self) -> bool:
        """Return whether it was played and the arm given back.

        Raises:
            LamError: why it cannot go on: an e-stop, a control node that is silent, a device.
        """
        if self.failure is not None:
            raise self.failure
        verdict = self.flight.verdict
        if verdict is Verdict.STOP:
            raise MachineError("replay: the arm was stopped; reset the e-stop and begin again")
        waited_ns = self.get_clock().now().nanoseconds - self._begun_ns
        if verdict is None and waited_ns > SILENT_AFTER_NS:
            raise MachineError("replay: no control node answers; start the arm's graph first")
        return self.player.finished and not self.owes_release


def send(tape: Tape, speed: float) -> None:
    """Play a recording on the arm; returns when it has ended or SIGINT has come.

    Raises:
        LamError: why it cannot be played to the end.
    """
    with ros() as executor, ended_by_signal() as ended:
        node = ReplayNode(tape, speed)
        over: list[LamError | None] = []

        def is_done() -> bool:
            try:
                if node.is_over():
                    over.append(None)
            except LamError as error:
                over.append(error)
            return bool(ended or over)

        try:
            executor.add_node(node)
            node.bring_up()
            spin(executor, is_done)
        finally:
            node.stop()
            executor.shutdown()
            node.cleanup()
            rclpy.try_shutdown()
            node.destroy_node()
    if ended:
        raise KeyboardInterrupt
    if over and over[0] is not None:
        raise over[0]
