"""Nodes are brought up in order, waited for, and brought up again after a restart."""

from __future__ import annotations

import pytest
from std_msgs.msg import Bool

from lam_ros.bridge import qos, topics
from lam_ros.core.errors import LamError


@pytest.fixture
def charge(graph):
    """Make nodes that write down what happens to them; the list is shared."""
    from rclpy.parameter import Parameter

    from lam_ros.bridge.runtime import LamNode

    diary: list[str] = []

    class Charge(LamNode):
        why_not = ""

        def configure(self) -> None:
            if self.why_not:
                raise LamError(self.why_not)
            diary.append(f"{self.get_name()} configured")

        def activate(self) -> None:
            diary.append(f"{self.get_name()} active")

    def make(name: str, why_not: str = "", **arguments):
        off = [Parameter("autostart", value=False)]
        node = Charge(name, parameter_overrides=off, **arguments)
        node.why_not = why_not
        return graph.add(node)

    make.diary = diary
    return make


@pytest.fixture
def bring_up(graph):
    """Run the bring-up node over names."""
    from rclpy.parameter import Parameter

    from lam_ros.nodes.bringup import BringupNode

    def run(names: str, patience_s: float = 60.0, **arguments):
        values = {"nodes": names, "patience_s": patience_s, "autostart": False}
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        node = graph.add(BringupNode(parameter_overrides=parameters, **arguments))
        node.bring_up()
        return node

    return run


def test_each_is_up_before_the_next_is_touched(graph, charge, bring_up) -> None:
    for name in ("second", "first", "third"):
        charge(name)
    said = graph.collect(Bool, topics.READY, qos.LATCHED)
    node = bring_up("first,second,third")
    graph.spin_until(lambda: said and said[-1].data, "all to be active")
    assert charge.diary == [
        f"{name} {step}"
        for name in ("first", "second", "third")
        for step in ("configured", "active")
    ]
    node.take_down()


def test_one_that_comes_late_is_waited_for_and_nobody_overtakes_it(graph, charge, bring_up) -> None:
    charge("second")
    said = graph.collect(Bool, topics.READY, qos.LATCHED)
    node = bring_up("first,second")
    graph.spin_for(0.5)
    assert charge.diary == []
    assert not any(message.data for message in said)
    charge("first")
    graph.spin_until(lambda: said and said[-1].data, "all to be active")
    assert charge.diary[0] == "first configured"
    node.take_down()


def test_one_that_lost_its_state_is_brought_up_again(graph, charge, bring_up) -> None:
    first = charge("first")
    said = graph.collect(Bool, topics.READY, qos.LATCHED)
    node = bring_up("first")
    graph.spin_until(lambda: said and said[-1].data, "it to be active")
    first.trigger_deactivate()
    first.trigger_cleanup()
    graph.spin_until(lambda: charge.diary.count("first active") == 2, "it to be active again")
    graph.spin_until(lambda: said[-1].data, "all to be active again")
    assert [message.data for message in said][-2:] == [False, True]
    node.take_down()


def test_one_that_somebody_deactivates_stays_so_and_is_not_called_ready(
    graph, charge, bring_up
) -> None:
    first = charge("first")
    charge("second")
    said = graph.collect(Bool, topics.READY, qos.LATCHED)
    node = bring_up("first,second", patience_s=1.0)
    graph.spin_until(lambda: said and said[-1].data, "all to be active")
    first.trigger_deactivate()
    graph.spin_until(lambda: not said[-1].data, "it to be noticed")
    graph.spin_for(1.2)
    assert charge.diary.count("first active") == 1
    assert node.failure is None
    first.trigger_activate()
    graph.spin_until(lambda: said[-1].data, "all to be active again")
    node.take_down()


def test_one_that_cannot_be_configured_is_named_and_the_rest_stays_down(
    graph, charge, bring_up
) -> None:
    charge("first", why_not="the cable is not plugged in")
    charge("second")
    node = bring_up("first,second")
    graph.spin_until(lambda: node.failure is not None, "the failure")
    assert str(node.failure) == "first could not be configured"
    assert charge.diary == []
    node.take_down()


def test_one_that_never_appears_is_named_when_patience_ends(graph, bring_up) -> None:
    node = bring_up("absent", patience_s=0.3)
    graph.spin_until(lambda: node.failure is not None, "the failure")
    assert str(node.failure) == "absent was not up in 0.3 s: it has not appeared"
    node.take_down()


def test_nodes_of_another_namespace_are_left_alone(graph, charge, bring_up) -> None:
    charge("arm", namespace="right")
    charge("arm", namespace="left")
    said = graph.collect(Bool, f"left/{topics.READY}", qos.LATCHED)
    node = bring_up("arm", namespace="left")
    graph.spin_until(lambda: said and said[-1].data, "the left one to be active")
    assert charge.diary == ["arm configured", "arm active"]
    node.take_down()


class Lossy:
    """A client of one node's lifecycle, which carries out what it is told and loses that answer."""

    def __init__(self) -> None:
        from lifecycle_msgs.msg import State

        self.state, self.pushes = State.PRIMARY_STATE_UNCONFIGURED, 0

    def client(self, kind, name):
        from concurrent.futures import Future
        from types import SimpleNamespace

        def call_async(request):
            future = Future()
            if name.endswith("get_state"):
                state = SimpleNamespace(id=self.state)
                future.set_result(SimpleNamespace(current_state=state))
            else:
                self.pushes += 1
                self.state += 1  # unconfigured, inactive, active
            return future

        return SimpleNamespace(
            service_is_ready=lambda: True, call_async=call_async, remove_pending_request=id
        )


def test_an_answer_that_is_lost_does_not_keep_a_node_from_being_brought_up() -> None:
    from lam_ros.nodes.bringup import LOOK_EVERY_S, _Charge

    lossy = Lossy()
    charge = _Charge("policy", lossy)
    for tick in range(20):
        charge.ask(tick * 2 * LOOK_EVERY_S)
        if not charge.is_active:
            charge.push()
    assert charge.is_active
    assert not charge.refused
    assert lossy.pushes == 2
