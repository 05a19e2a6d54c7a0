"""What an arm's node says of its motors on `/diagnostics`, and whose motors they are."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

ARM = "arm: "
"""Before the joint's name in each status; `/diagnostics` is shared by all nodes and robots."""


def hardware_id(node: Node) -> str:
    """Return what tells the arm in a node's namespace from others, such as `/left/arm`."""
    return f"{node.get_namespace().rstrip('/')}/arm"


def motor_fault(message: DiagnosticArray, arm: str) -> str | None:
    """Return the first fault of an arm's motors, empty if all are well, None if it says nothing.

    Args:
        arm: the `hardware_id` of its nodes.
    """
    entries = [
        entry for entry in message.status if entry.name.startswith(ARM) and entry.hardware_id == arm
    ]
    if not entries:
        return None
    faults = (entry.message for entry in entries if entry.level >= DiagnosticStatus.ERROR)
    return next((fault or "a motor reports an error" for fault in faults), "")
