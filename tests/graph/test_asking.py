"""Services and actions whose answers are lost on the way, as they are at discovery."""

from __future__ import annotations

import time
from typing import Any

import pytest
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from std_srvs.srv import Trigger

from lam_interfaces.action import RunSkill
from lam_ros.bridge import asking
from lam_ros.bridge.asking import Question, SentGoal
from lam_ros.core.clock import NS_PER_MS


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have answers count as lost sooner: here, one that is not lost comes at once."""
    monkeypatch.setattr(asking, "REPEAT_NS", 400 * NS_PER_MS)


class Lossy:
    """What sends a server's answers, but loses the first of one kind."""

    def __init__(self, true: Any, loses: str) -> None:
        self._true, self._loses, self.lost = true, loses, 0

    def __enter__(self) -> Any:
        return self._true.__enter__()

    def __exit__(self, *exception: object) -> Any:
        return self._true.__exit__(*exception)

    def __getattr__(self, name: str) -> Any:
        if name == self._loses and not self.lost:
            self.lost += 1
            return lambda *_: None
        return getattr(self._true, name)


def test_a_service_whose_answer_is_lost_is_asked_again(graph: Any) -> None:
    asked = []

    def answer(_request: Any, response: Any) -> Any:
        asked.append(True)
        response.success = True
        return response

    server = graph.node.create_service(Trigger, "ring", answer)
    server.send_response, true = lambda *_: None, server.send_response
    client = graph.node.create_client(Trigger, "ring")
    question = Question(client, Trigger.Request())
    graph.spin_until(lambda: question.answer(time.monotonic_ns()) or asked, "the request")
    server.send_response = true
    graph.spin_until(lambda: question.answer(time.monotonic_ns()), "the answer")
    assert question.answer(time.monotonic_ns()).success
    assert len(asked) == 2


@pytest.fixture
def server(graph: Any) -> Any:
    """An action that ends a goal at once, refuses some, and counts what it did."""

    def run(goal: Any) -> Any:
        made.done.append(goal.request.prompt)
        goal.succeed()
        return RunSkill.Result(detail="done")

    def decide(request: Any) -> GoalResponse:
        return GoalResponse.REJECT if request.prompt == "no" else GoalResponse.ACCEPT

    made = ActionServer(
        graph.node, RunSkill, "do", run, goal_callback=decide,
        cancel_callback=lambda _: CancelResponse.ACCEPT,
    )  # fmt: skip
    made.done = []
    yield made
    made.destroy()


def _send(graph: Any, prompt: str) -> SentGoal:
    client = ActionClient(graph.node, RunSkill, "do")
    sent = SentGoal(client, RunSkill.Goal(prompt=prompt))

    def is_over() -> bool:
        sent.look(time.monotonic_ns())
        return sent.result is not None or sent.accepted is False

    graph.spin_until(is_over, "the end of the goal")
    client.destroy()
    return sent


@pytest.mark.parametrize("loses", ["", "send_goal_response", "send_result_response"])
def test_a_goal_is_done_once_and_its_result_comes_whatever_answer_is_lost(
    graph: Any, server: Any, loses: str
) -> None:
    lossy = server._handle = Lossy(server._handle, loses)
    sent = _send(graph, "yes")
    assert lossy.lost == bool(loses)
    assert sent.accepted
    assert sent.handle.accepted
    assert sent.result.result.detail == "done"
    assert server.done == ["yes"]


@pytest.mark.parametrize("loses", ["", "send_goal_response"])
def test_a_goal_that_is_refused_is_said_to_be_whether_or_not_the_answer_is_lost(
    graph: Any, server: Any, loses: str
) -> None:
    lossy = server._handle = Lossy(server._handle, loses)
    sent = _send(graph, "no")
    assert lossy.lost == bool(loses)
    assert sent.accepted is False
    assert not sent.handle.accepted
    assert not server.done
