"""What waits in the executor while a node's entities are closed reaches nobody."""

from __future__ import annotations

import time
from typing import Any

import pytest
from std_msgs.msg import Int64
from std_srvs.srv import Trigger

from lam_ros.bridge import qos
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.raw import listen_raw

WAITING_S = 0.1
"""After which what was sent waits in the executor; were it later, the test could only pass."""


class Opened:
    """Entities on the test's node, and what their callbacks were given."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.came: list[Any] = []
        self.entities = Entities(graph.node)
        self.publisher = graph.node.create_publisher(Int64, "numbers", qos.REPORT)
        self.client = graph.node.create_client(Trigger, "ask")

    def open(self, what: str) -> None:
        """Open one entity that notes what comes."""
        came, opened = self.came, self.entities
        if what == "message":
            opened.listen(Int64, "numbers", came.append, qos.REPORT)
        elif what == "raw message":
            listen_raw(opened, "std_msgs/msg/Int64", "numbers", came.append, qos.REPORT)
        elif what == "request":
            opened.serve(Trigger, "ask", self._on_request)
        else:
            opened.timer(0.005, lambda: came.append("tick")).reset()
        self.graph.spin_until(
            lambda: (
                self.publisher.get_subscription_count() > 0
                if "message" in what
                else what == "tick" or self.client.service_is_ready()
            ),
            "the entity to be found",
        )

    def send(self, what: str) -> Any:
        """Send something to it that it gets when the executor runs again."""
        future = None
        if "message" in what:
            self.publisher.publish(Int64(data=1))
        elif what == "request":
            future = self.client.call_async(Trigger.Request())
        time.sleep(WAITING_S)
        return future

    def _on_request(self, request: Any, response: Any) -> Any:
        self.came.append(request)
        response.success = True
        return response


@pytest.mark.parametrize("what", ["message", "raw message", "request", "tick"])
def test_what_waits_while_its_entity_is_closed_is_dropped_and_the_next_is_heard(
    graph: Any, what: str
) -> None:
    opened = Opened(graph)
    opened.open(what)
    opened.send(what)
    graph.spin_until(lambda: opened.came, "the first")
    graph.spin_for(0.05)
    answer = opened.send(what)
    opened.came.clear()
    opened.entities.close()
    graph.spin_for(0.1)
    assert not opened.came
    assert answer is None or not answer.done()
    opened.open(what)
    opened.send(what)
    graph.spin_until(lambda: opened.came, "the one after")
    opened.entities.close()
