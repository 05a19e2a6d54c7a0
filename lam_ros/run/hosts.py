"""The graph's nodes in this process, for debugging: slow, but a debugger sees all of it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from rclpy.parameter import Parameter

from lam_ros.supervisor import NodeSpec


class InProcess:
    """Runs the nodes in this process and its executor while its `with` block lasts."""

    def __init__(self, specs: Sequence[NodeSpec], executor: Any) -> None:
        """Prepare to run `specs`."""
        self._specs = specs
        self._executor = executor
        self._nodes: list[Any] = []

    def check(self) -> None:
        """Nodes of this process die with it."""
        for node in self._nodes:
            if node.failure is not None and node.is_active:
                raise node.failure

    def bring_up(self) -> None:
        """Create, configure and activate all nodes.

        Raises:
            LamError: why one cannot be.
        """
        for spec in self._specs:
            make = getattr(importlib.import_module(spec.module), spec.class_name)
            values = dict(spec.parameters) | {"autostart": False}
            overrides = [Parameter(name, value=value) for name, value in values.items()]
            node = make(parameter_overrides=overrides)
            self._nodes.append(node)
            self._executor.add_node(node)
            node.bring_up()

    def __enter__(self) -> InProcess:
        """Return the host; `bring_up` does the work."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Take all nodes down, the newest first."""
        for node in reversed(self._nodes):
            node.stop()
            self._executor.remove_node(node)  # before anything of it is destroyed
            node.cleanup()
            node.destroy_node()
        self._nodes.clear()
