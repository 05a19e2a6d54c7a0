"""How a node runs: lifecycle, spinning, signals, and an end that is always clean.

A node is a `LamNode`: it overrides `configure`, `activate`, `deactivate` and
`cleanup`, which say by a `LamError` why they cannot.  `run_node` makes it, brings it
up unless its parameter `autostart` is false, spins until a signal comes, and takes it
down in order.  Its module ends with:

    def main() -> None:
        sys.exit(run_node(ControlNode))
"""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy._rclpy_pybind11 import RCLError, UnknownROSArgsError
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions

from lam_ros import security
from lam_ros.bridge.last_resort import end_within
from lam_ros.core.errors import ConfigError, ExitCode, LamError
from lam_ros.segments import free_unfinished_ports

SPIN_S = 0.1
"""Longest time between two looks at whether to end."""

END_S = 5
"""Within which the middleware must have ended, once the node has: see `last_resort`."""

NO_LOG_FILE = ("--ros-args", "--disable-external-lib-logs", "--")
"""Before a node's own arguments: ROS's file of the log is written by whoever says something, and a
loop that waits for the disk moves no arm.  The log is on the console, and where that leads."""


class LamNode(LifecycleNode):
    """A lifecycle node whose steps say why they fail.

    rclpy swallows exceptions of lifecycle callbacks; here they are kept in `failure`
    and logged in one line.
    """

    def __init__(self, name: str, **node_arguments: Any) -> None:
        """Create the node, unconfigured, and declare `autostart`."""
        super().__init__(name, **node_arguments)
        self.failure: LamError | None = None
        self._active = False
        self.declare_parameter("autostart", True)

    def configure(self) -> None:
        """Read parameters, load what takes time, create publishers and subscriptions."""

    def activate(self) -> None:
        """Begin to act."""

    def deactivate(self) -> None:
        """Stop acting; may be called when a start has failed halfway."""

    def cleanup(self) -> None:
        """Give back what `configure` took; may be called when it has failed halfway."""

    @property
    def is_active(self) -> bool:
        """True between `activate` and `deactivate`."""
        return self._active

    def bring_up(self) -> None:
        """Configure and activate.

        Raises:
            LamError: why it cannot.
        """
        for step in (self.trigger_configure, self.trigger_activate):
            if step() != TransitionCallbackReturn.SUCCESS:
                raise self.failure or LamError("the node could not be started")

    def stop(self) -> None:
        """Stop acting, from any state."""
        if self._active:
            self._active = False
            self.deactivate()

    def take_down(self) -> None:
        """Stop acting and give everything back, from any state."""
        self.stop()
        self.cleanup()

    def fail(self, error: LamError) -> None:
        """End the node's process, in order, with this error."""
        self.failure = error

    def text(self, name: str, default: str = "") -> str:
        """Declare a parameter that is a text, and return it."""
        return str(self._parameter(name, default))

    def number(self, name: str, default: float) -> float:
        """Declare a parameter that is a number, and return it."""
        return float(self._parameter(name, default))

    def flag(self, name: str, default: bool) -> bool:
        """Declare a parameter that is true or false, and return it."""
        return bool(self._parameter(name, default))

    def _parameter(self, name: str, default: object) -> Any:
        try:
            if not self.has_parameter(name):
                self.declare_parameter(name, default)
        except InvalidParameterTypeException as error:
            raise ConfigError(f"parameter '{name}': {error}") from None
        return self.get_parameter(name).value

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `configure`."""
        return self._step(self.configure, super().on_configure, state, undo=self.cleanup)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `activate`."""
        answer = self._step(self.activate, super().on_activate, state, undo=self.deactivate)
        self._active = answer == TransitionCallbackReturn.SUCCESS
        return answer

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `deactivate`."""
        self._active = False
        return self._step(self.deactivate, super().on_deactivate, state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `cleanup`."""
        return self._step(self.cleanup, super().on_cleanup, state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop acting and give everything back."""
        return self._step(self.take_down, super().on_shutdown, state)

    def _step(
        self,
        step: Callable[[], None],
        then: Callable[[LifecycleState], TransitionCallbackReturn],
        state: LifecycleState,
        undo: Callable[[], None] | None = None,
    ) -> TransitionCallbackReturn:
        self.failure = None
        try:
            step()
        except LamError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001  rclpy would swallow it without a word
            traceback.print_exc()
            self.failure = LamError(f"{type(error).__name__}: {error}")
            self.failure.exit_code = ExitCode.TASK_FAILED
        else:
            return then(state)
        if not self.get_parameter("autostart").value:  # else whoever brings it up says it
            self.get_logger().error(str(self.failure))
        if undo is not None:
            undo()
        return TransitionCallbackReturn.FAILURE


def run_node(make: Callable[[], LamNode], arguments: Sequence[str] | None = None) -> int:
    """Run one node until SIGINT or SIGTERM and return the exit code of the process.

    Args:
        make: creates the node, for example its class.
        arguments: ROS arguments; those of the command line by default.
    """
    code = _live(make, arguments)
    end_within(END_S, code)
    # A node in a reference cycle would keep the middleware's participant, which then
    # dies at exit under its own threads, and now and then aborts the process.
    gc.unfreeze()
    gc.enable()
    gc.collect()
    return code


def _live(make: Callable[[], LamNode], arguments: Sequence[str] | None) -> int:
    name = getattr(make, "__name__", "node")
    free_unfinished_ports()
    given = list(sys.argv if arguments is None else arguments)
    try:
        with ros([*given[:1], *NO_LOG_FILE, *given[1:]]) as executor, ended_by_signal() as ended:
            node = make()
            name = node.get_name()
            try:
                _run(node, executor, ended)
            finally:
                node.stop()
                # What an executor still looks at must not be destroyed under it.
                executor.shutdown()
                node.cleanup()
                rclpy.try_shutdown()
                node.destroy_node()
    except LamError as error:
        get_logger(name).fatal(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.DONE)
    except Exception as error:  # noqa: BLE001  a node's main: one line, then the traceback
        traceback.print_exc()
        get_logger(name).fatal(f"{type(error).__name__}: {error}")
        return int(ExitCode.TASK_FAILED)
    return int(ExitCode.DONE)


@contextmanager
def ros(arguments: Sequence[str] | None = None) -> Iterator[EventsExecutor]:
    """Have ROS and an executor inside the block, and end both in the order that is clean.

    Raises:
        MachineError: if security was asked for and the traffic would be open.
    """
    security.require()
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except (RCLError, UnknownROSArgsError) as error:
        raise ConfigError(f"ROS arguments: {' '.join(str(error).split())}") from None
    executor = EventsExecutor()
    try:
        yield executor
    finally:
        executor.shutdown()
        rclpy.try_shutdown()


@contextmanager
def ended_by_signal() -> Iterator[list[int]]:
    """Give a list that gets the number of each SIGINT or SIGTERM that comes in the block."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [
        signal.signal(number, lambda number, _frame: came.append(number)) for number in numbers
    ]
    try:
        yield came
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def spin(executor: EventsExecutor, done: Callable[[], bool]) -> None:
    """Run callbacks until `done`; `EventsExecutor.spin` would burn a core."""
    while rclpy.ok() and not done():
        executor.spin_once(timeout_sec=SPIN_S)


def _run(node: LamNode, executor: EventsExecutor, ended: list[int]) -> None:
    executor.add_node(node)
    if node.get_parameter("autostart").value:
        node.bring_up()
    spin(executor, lambda: bool(ended) or (node.is_active and node.failure is not None))
    failed_to_start = not node.is_active and node.failure is not None
    if node.failure is not None and (failed_to_start or not ended):
        raise node.failure
