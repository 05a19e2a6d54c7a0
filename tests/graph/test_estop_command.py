"""`lam estop`: a terminal stops the arm, and releases it, and neither is said without being so."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from std_srvs.srv import Trigger

from lam_interfaces.msg import SafetyReport
from lam_ros.bridge import estop, qos, topics
from lam_ros.core.errors import LamError
from lam_ros.core.types import Verdict


def command(graph: Any, *, reset: bool) -> list[Any]:
    """Run the command while the graph goes on; returns its exit code, or what it raised."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(estop.main(reset=reset, namespace="", domain_id=graph.domain_id))
        except LamError as error:
            ended.append(error)

    threading.Thread(target=run, daemon=True).start()
    graph.spin_until(lambda: ended, "the command to end", 60.0)
    return ended


@pytest.fixture
def reports(graph: Any, world: Any, patient: Any) -> list[Any]:
    """An arm that is held, on a machine that may be busy."""
    heard: list[Any] = graph.collect(SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
    world.sim()
    patient.bring_up_control(world)
    graph.spin_until(lambda: heard and len(heard[-1].sent_rad), "the arm to hold")
    return heard


def test_a_terminal_stops_the_arm_and_releases_it(graph: Any, reports: list[Any]) -> None:
    assert command(graph, reset=False) == [0]
    graph.spin_until(lambda: reports[-1].verdict == Verdict.STOP, "the stop")
    assert command(graph, reset=True) == [0]
    graph.spin_until(lambda: reports[-1].verdict == Verdict.HOLD, "the release")


def test_a_release_whose_answer_is_lost_is_still_confirmed(
    graph: Any, world: Any, reports: list[Any]
) -> None:
    assert command(graph, reset=False) == [0]
    servers = world.nodes[-1].services
    server = next(s for s in servers if s.srv_name.strip("/") == topics.ESTOP_RESET)
    server.send_response = lambda *_: None
    assert command(graph, reset=True) == [0]
    graph.spin_until(lambda: reports[-1].verdict == Verdict.HOLD, "the release")


def test_the_service_stops_the_arm(graph: Any, world: Any) -> None:
    reports = graph.collect(SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
    world.sim()
    world.control()
    client = graph.node.create_client(Trigger, topics.ESTOP_STOP)
    assert graph.call(client, Trigger.Request()).success
    graph.spin_until(lambda: reports and reports[-1].verdict == Verdict.STOP, "the stop")
    assert reports[-1].detail == "e-stop by service estop"


def test_a_stop_that_nobody_confirms_is_said_to_be_none(
    graph: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estop.EstopClient.stop, "__defaults__", (0.3,))
    (error,) = command(graph, reset=False)
    assert "has confirmed the stop" in str(error)
    assert "switch the arm's power off" in str(error)
