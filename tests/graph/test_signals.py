"""SIGTERM and SIGINT in every state of a node: it ends by itself, in order, with the arm at rest.

The nodes of all states run at once: what takes long is to start them.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from lifecycle_msgs.msg import State, Transition
from sensor_msgs.msg import JointState
from stand_in_cameras import NetworkCamera, robot_files

from lam_interfaces.msg import JointCommand, SafetyReport
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import joints_to
from lam_ros.config import load_robot
from lam_ros.core import types

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
WAYS = {
    "unconfigured": (),
    "inactive": (Transition.TRANSITION_CONFIGURE,),
    "active": (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE),
    "deactivated": (
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_DEACTIVATE,
    ),
    "cleaned_up": (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP),
    "finalized": (Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,),
}
"""State -> the transitions that lead there."""

both_signals = pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"]
)


def start(graph: Any, module: str, namespace: str, **values: object) -> Any:
    """Start a node that waits for its lifecycle, in a namespace."""
    given = {"autostart": "false"} | values
    words = [word for key, value in given.items() for word in ("-p", f"{key}:={value}")]
    return graph.start(module, "--ros-args", "-r", f"__ns:=/{namespace}", *words)


def end(graph: Any, processes: dict[str, Any], *numbers: int) -> None:
    """Send the signals in turn; each must end with code 0, without a word of an error or a child."""
    children = [c for p in processes.values() for c in psutil.Process(p.pid).children(True)]
    for process, number in zip(processes.values(), cycle(numbers), strict=False):
        process.send_signal(number)
    living = lambda: [name for name, p in processes.items() if p.poll() is None]  # noqa: E731
    graph.spin_until(lambda: not living(), "the end of all", 60.0)
    graph.spin_for(0.1)
    codes = {name: process.returncode for name, process in processes.items()}
    assert codes == dict.fromkeys(processes, 0)
    assert not [child for child in children if child.is_running()]
    for process in processes.values():
        assert "Traceback" not in (said := graph.said_by(process)), said


@both_signals
def test_a_signal_ends_the_control_node_in_any_state_with_the_arm_at_rest(
    graph: Any, number: int
) -> None:
    commands: dict[str, list[Any]] = {}
    reports: dict[str, list[Any]] = {}
    arms = []
    for state in WAYS:
        commands[state] = graph.collect(JointCommand, f"{state}/lam/joint_command", qos.COMMAND)
        reports[state] = graph.collect(SafetyReport, f"{state}/{topics.SAFETY_REPORT}", qos.REPORT)
        arms.append(graph.node.create_publisher(JointState, f"{state}/joint_states", qos.SENSOR))
    clock = graph.node.get_clock()

    def publish() -> None:
        message = joints_to(types.JointState(clock.now().nanoseconds, HOME), ROBOT)
        for arm in arms:
            arm.publish(message)

    graph.node.create_timer(0.02, publish)
    settings = {"discovery_s": 0.0, "realtime": "false"}
    nodes = {state: start(graph, "lam_ros.nodes.control", state, **settings) for state in WAYS}
    for state, transitions in WAYS.items():
        for transition in transitions:
            if transition == Transition.TRANSITION_DEACTIVATE:  # not before it has commanded
                graph.spin_until(lambda sent=commands[state]: sent, "a command")
            graph.change_state(f"{state}/control", transition)
    graph.spin_until(lambda: len(commands["active"]) > 5, "commands")
    assert graph.state("deactivated/control") == State.PRIMARY_STATE_INACTIVE
    assert graph.state("finalized/control") == State.PRIMARY_STATE_FINALIZED
    end(graph, nodes, number)
    assert reports["active"][-1].rule == "cancelled"
    for state, sent in commands.items():
        for command in sent:
            np.testing.assert_allclose(command.position_rad, HOME)
        assert sent or state not in ("active", "deactivated")
        assert not sent or state in ("active", "deactivated")


OTHERS = (
    *("sim", "perception", "planner", "expert", "description", "recorder", "arm"),
    *("policy", "camera", "teleop", "bringup"),
)
"""Every node but the control node and the SO-101's own; the arm is behind ros2_control."""

MODULES = {"arm": "ros2_control"}
"""Node -> its module, where that has another name."""

APART = ("teleop", "bringup")
"""In a namespace of their own: a second teleoperator is refused, and nodes are brought up."""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, dict[str, object]]]:
    """Return the parameters of nodes that need some: a camera that is there, a small robot."""
    network = NetworkCamera()
    yield {
        "camera": {"camera": "front", **robot_files(network, tmp_path)},
        "teleop": {"teleop": "expert"},
        "bringup": {"nodes": "who_never_comes"},
        "recorder": {"root": tmp_path / "recordings"},
    }
    network.unplug()


@pytest.mark.parametrize(
    ("state", "numbers"),
    [
        ("inactive", (signal.SIGTERM, signal.SIGINT)),
        ("active", (signal.SIGINT, signal.SIGTERM)),
        ("deactivated", (signal.SIGTERM, signal.SIGINT)),
        ("cleaned_up", (signal.SIGINT, signal.SIGTERM)),
    ],
)
def test_a_signal_ends_the_nodes_around_it_in_any_state(
    graph: Any,
    settings: dict[str, dict[str, object]],
    state: str,
    numbers: tuple[int, int],
) -> None:
    rooms = {name: "apart" if name in APART else "cell" for name in OTHERS}
    nodes = {
        name: start(
            graph,
            f"lam_ros.nodes.{MODULES.get(name, name)}",
            rooms[name],
            **settings.get(name, {}),
        )
        for name in OTHERS
    }
    for name in OTHERS:
        graph.change_state(f"{rooms[name]}/{name}", *WAYS[state])
    end(graph, nodes, *numbers)
