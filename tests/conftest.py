"""Fixtures for tests that need ROS 2: a domain of their own, and a small graph to talk to.

Each test with `domain_id` or `graph` gets a ROS domain that nobody else on this machine
holds (`lam_ros.locks`), heard on this machine only.  Nothing waits for a fixed time:
`graph.spin_until` runs callbacks until a condition holds, or fails and says which.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lam_ros.environment import Installation, node_environment, process_environment
from lam_ros.locks import hold_domain

# Nothing that a test does is remembered for the person who runs it.
_STATE = tempfile.TemporaryDirectory(prefix="lam-state-")
os.environ["XDG_STATE_HOME"] = _STATE.name
os.environ.update(process_environment(os.environ, Installation.here()))

ANSWER_S = 3.0
"""After which the answer to a transition counts as lost."""

TRANSITION_S = 120.0
"""Longest that a transition may take, on a machine that is busy: torch is imported in some."""

MARKED_FOLDERS = ("unit", "contract", "graph", "launch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder below tests/, so that `-m graph` needs no decorators."""
    for item in items:
        for name in MARKED_FOLDERS:
            if name in Path(item.path).parts:
                item.add_marker(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Free what a test has left in reference cycles: nodes with participants, simulators.

    Python looks for such cycles ever more seldom as the process grows.  Participants that
    stay take the first places in the domain, and the middleware asks for peers on the
    machine at a limited number of places: processes of later tests would not be found.
    """
    yield
    has_ros = "domain_id" in getattr(item, "fixturenames", ())
    is_last = nextitem is None or nextitem.path != item.path
    if has_ros or (is_last and "unit" not in item.path.parts):
        gc.collect()


@pytest.fixture
def domain_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A ROS domain for this test alone, also of the processes that it starts."""
    number, lock = hold_domain()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    with lock:
        yield number


@pytest.fixture
def graph(domain_id: int, tmp_path: Path) -> Iterator[Graph]:
    """ROS 2 in this process, with an executor and a node named `test` to talk through."""
    graph = Graph(domain_id, tmp_path)
    yield graph
    graph.close()


class Graph:
    """ROS 2 for one test: nodes here or in processes, spun until something holds.

    Attributes:
        domain_id: the domain of this test.
        node: a node to make publishers, subscriptions and clients with.
        executor: runs the callbacks of `node` and of every node given to `add`.
    """

    def __init__(self, domain_id: int, folder: Path) -> None:
        import rclpy
        from rclpy.experimental import EventsExecutor

        self.domain_id = domain_id
        self._folder = folder
        self._processes: list[tuple[subprocess.Popen[str], Path]] = []
        rclpy.init(domain_id=domain_id)
        self.executor = EventsExecutor()
        self._nodes: list[Any] = []
        self.node = self.add(rclpy.create_node("test"))

    def add(self, node: Any) -> Any:
        """Have a node's callbacks run, and the node destroyed at the end; returns it."""
        self.executor.add_node(node)
        self._nodes.append(node)
        return node

    def spin_until(
        self, done: Callable[[], object], what: str = "the condition", timeout_s: float = 20.0
    ) -> None:
        """Run callbacks until `done` is true; fail when that takes too long."""
        end = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > end:
                pytest.fail(f"after {timeout_s:g} s still not: {what}\n{self._output()}")
            self.executor.spin_once(timeout_sec=0.02)

    def spin_for(self, seconds: float) -> None:
        """Run callbacks for a while; only to show that something does not happen."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.executor.spin_once(timeout_sec=min(left, 0.02))

    def collect(self, kind: type, topic: str, qos: Any = 10) -> list[Any]:
        """Subscribe and return the list that grows with every message."""
        messages: list[Any] = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def result(self, future: Any, what: str = "an answer", timeout_s: float = 20.0) -> Any:
        """Run callbacks until a future is done and return its result."""
        self.spin_until(future.done, what, timeout_s)
        return future.result()

    def call(self, client: Any, request: Any, what: str = "", timeout_s: float = 40.0) -> Any:
        """Return a service's answer; asks again if none comes, which must do no harm."""
        from lam_ros.bridge.asking import Question

        question, answers = Question(client, request), []

        def is_answered() -> bool:
            answers.append(question.answer(time.monotonic_ns()))
            return answers[-1] is not None

        self.spin_until(is_answered, what or f"an answer of {client.srv_name}", timeout_s)
        return answers[-1]

    def send_goal(self, client: Any, goal: Any, feedback: Any = None) -> Any:
        """Send a goal to an action; returns its handle when the server has decided on it."""
        from lam_ros.bridge.asking import SentGoal

        sent = SentGoal(client, goal, feedback)

        def is_decided() -> bool:
            sent.look(time.monotonic_ns())
            return sent.accepted is not None

        self.spin_until(is_decided, "the goal's answer", 40.0)
        return sent.handle

    def change_state(self, node: str, *transitions: int) -> None:
        """Take a lifecycle node through transitions; a lost answer is made up by its state."""
        from lifecycle_msgs.msg import State, Transition
        from lifecycle_msgs.srv import ChangeState

        leads_to = {
            Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
            Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
            Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
            Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
            Transition.TRANSITION_UNCONFIGURED_SHUTDOWN: State.PRIMARY_STATE_FINALIZED,
        }
        change = self.node.create_client(ChangeState, f"{node}/change_state")
        self.spin_until(change.service_is_ready, f"the lifecycle of {node}", TRANSITION_S)
        for number in transitions:
            asked = time.monotonic()
            future = change.call_async(ChangeState.Request(transition=Transition(id=number)))

            def is_over(future: Any = future, asked: float = asked, number: int = number) -> bool:
                is_late = time.monotonic() - asked > ANSWER_S
                return future.done() or (is_late and self.state(node) == leads_to[number])

            self.spin_until(is_over, f"transition {number} of {node}", TRANSITION_S)
            if future.done():
                assert future.result().success, f"transition {number} of {node}"
            else:
                change.remove_pending_request(future)

    def state(self, node: str) -> int:
        """Return the lifecycle state of a node."""
        from lifecycle_msgs.srv import GetState

        client = self.node.create_client(GetState, f"{node}/get_state")
        request = GetState.Request()
        # A node answers once its transition is over.
        state = self.call(client, request, timeout_s=TRANSITION_S).current_state.id
        self.node.destroy_client(client)
        return int(state)

    def start(self, module: str, *arguments: str, threads: int = 1) -> subprocess.Popen[str]:
        """Start `python -m MODULE` in this domain; ended at the end of the test."""
        return self.start_command([sys.executable, "-m", module, *arguments], threads=threads)

    def start_command(self, command: Sequence[str], threads: int = 1) -> subprocess.Popen[str]:
        """Start a command in this domain; ended at the end of the test."""
        path = self._folder / f"process-{len(self._processes)}.log"
        with path.open("w") as output:
            process = subprocess.Popen(
                list(command),
                env=node_environment(threads=threads, domain_id=self.domain_id),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._processes.append((process, path))
        return process

    def close(self) -> None:
        """End the processes, then the nodes, in the order that does not abort."""
        import rclpy
        from rclpy.exceptions import InvalidHandle

        for number, patience_s in ((signal.SIGINT, 3.0), (signal.SIGKILL, 3.0)):
            for process, _ in self._processes:
                if process.poll() is None:
                    process.send_signal(number)
            for process, _ in self._processes:
                try:
                    process.wait(patience_s)
                except subprocess.TimeoutExpired:
                    continue
        # What still waits in the executor, where no collector sees it, refers to nodes.
        try:
            for _ in range(20):
                with contextlib.suppress(InvalidHandle):  # of nodes that are taken down already
                    self.executor.spin_once(timeout_sec=0.0)
        finally:  # else every later test would fail with this one
            self.executor.shutdown()
            rclpy.try_shutdown()
            for node in self._nodes:
                node.destroy_node()

    def said_by(self, process: subprocess.Popen[str]) -> str:
        """Return all that a process has said."""
        path = next(path for other, path in self._processes if other is process)
        return path.read_text(errors="replace")

    def _output(self) -> str:
        """Return the end of what each process has said."""
        parts = []
        for process, path in self._processes:
            tail = "\n".join(path.read_text(errors="replace").splitlines()[-15:])
            parts.append(f"--- {' '.join(map(str, process.args))} ({process.poll()})\n{tail}")
        return "\n".join(parts)
