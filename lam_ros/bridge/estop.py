"""`lam estop`: stop an arm from a terminal, or release it; each confirmed by the control node."""

from __future__ import annotations

import time
from typing import Any

import rclpy
import std_msgs.msg
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from lam_interfaces import msg as lam_msg
from lam_ros import security
from lam_ros.bridge import qos, topics
from lam_ros.bridge.asking import Question
from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.core.types import Verdict

PATIENCE_S = 5.0
SAY_EVERY_S = 0.05


class EstopClient:
    """A node of its own for one stop or one reset; use it as a context."""

    def __init__(self, namespace: str = "", domain_id: int | None = None) -> None:
        """Join the graph."""
        self._context = Context()
        security.require()
        rclpy.init(
            context=self._context,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = rclpy.create_node("lam_estop", namespace=namespace, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._verdict: int | None = None
        self._node.create_subscription(
            lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT
        )

    def __enter__(self) -> EstopClient:
        """Return the client."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def stop(self, patience_s: float = PATIENCE_S) -> None:
        """Say stop until the control node reports that it has.

        Raises:
            MachineError: if none does in time.
        """
        out = self._node.create_publisher(std_msgs.msg.Bool, topics.ESTOP, qos.ESTOP)
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            out.publish(std_msgs.msg.Bool(data=True))
            self._executor.spin_once(SAY_EVERY_S)
            if self._verdict == Verdict.STOP:
                return
        raise MachineError(self._unconfirmed("stop"))

    def reset(self, patience_s: float = PATIENCE_S) -> None:
        """Release the e-stop.

        An answer that is lost is asked for again only while all reports speak of a stop: a
        stop that somebody else says after the release stays.

        Raises:
            MachineError: if no control node answers.
            ConfigError: if it refuses, with its reason.
        """
        client = self._node.create_client(Trigger, topics.ESTOP_RESET)
        question = Question(client, Trigger.Request())
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if not question.is_asked:
                self._verdict = None
            answer: Any = question.answer(time.monotonic_ns())
            if answer is not None and not answer.success:
                raise ConfigError(f"the e-stop stays latched: {answer.message}")
            if answer is not None or self._verdict not in (None, Verdict.STOP):
                return
            self._executor.spin_once(SAY_EVERY_S)
        raise MachineError(self._unconfirmed("reset"))

    def _on_report(self, message: lam_msg.SafetyReport) -> None:
        self._verdict = message.verdict

    def _unconfirmed(self, what: str) -> str:
        where = self._node.get_namespace()
        domain = self._context.get_domain_id()
        advice = "switch the arm's power off" if what == "stop" else "is it running?"
        return (
            f"no control node in namespace {where}, ROS_DOMAIN_ID {domain}, has confirmed the "
            f"{what} within {PATIENCE_S:g} s: {advice}"
        )


def main(*, reset: bool, namespace: str, domain_id: int | None = None) -> int:
    """Stop the arm, or release it, and say so; returns the exit code 0."""
    with EstopClient(namespace, domain_id) as client:
        if reset:
            client.reset()
            print("e-stop released; the arm holds until somebody commands it")
        else:
            client.stop()
            print("stopped; `lam estop --reset` releases it")
    return 0
