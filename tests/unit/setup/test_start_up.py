"""What a node's process imports before it does anything: no more than it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("hydra", "omegaconf", "scipy", "torch", "lerobot", "matplotlib")
NODES = ("bringup", "control", "description", "planner", "policy", "sim")


@pytest.mark.parametrize("node", NODES)
def test_a_node_begins_without_libraries_that_take_long_and_that_it_may_not_need(node: str) -> None:
    code = f"import sys, lam_ros.nodes.{node}; print(*(m for m in {HEAVY} if m in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert answer.stdout.split() == []
